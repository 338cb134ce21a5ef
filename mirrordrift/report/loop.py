"""The report of a discovery, from the files in its folder."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mirrordrift.bench import table as bench_table
from mirrordrift.exporting import source
from mirrordrift.fronts import files, tables
from mirrordrift.plot import plot_drifts
from mirrordrift.render import compact
from mirrordrift.report.content import Code, Document, Figure, Formula, Section, Table, Text
from mirrordrift.report.html import to_html
from mirrordrift.report.markdown import to_markdown
from mirrordrift.runs import versions
from mirrordrift.slope import objective_slope
from mirrordrift.spec import Target, resolve
from mirrordrift.writing import writing
from search.distill.features import features
from search.pipeline.config import PRESETS, DiscoverConfig
from search.pipeline.steps import NETWORK
from search.settings import EVERYWHERE
from symbolic.arrays import write_atomically
from symbolic.drift import Drift
from symbolic.network import DriftNetwork, load_network

LAYOUT = 3
"""Raised where a report of the same files would look otherwise."""
HTML, MARKDOWN, SUMMARY = "report.html", "report.md", "summary.json"
NETWORK_LABEL = "network"
"""What tables and pictures call the network."""
_HEATS = "report-drifts.png"


def write(document: Document, folder: Path) -> None:
    """Write report.html and report.md; raises ConfigError where that fails."""
    with writing(str(folder)):
        write_atomically(folder / MARKDOWN, to_markdown(document, folder).encode())
        write_atomically(folder / HTML, to_html(document).encode())


def document(config: DiscoverConfig, folder: Path) -> Document:
    """The report; raises ConfigError for files that are missing or not ours."""
    front = files.read(folder / files.FRONT)
    summary: dict[str, Any] = json.loads((folder / SUMMARY).read_bytes())
    network = load_network(folder / NETWORK)
    chosen = _best(front, summary)
    found = Drift.from_text(chosen["formula"])
    name = config.network or f"a network of drift meta-train --preset {config.meta_preset}"
    return Document(
        title="A drift, from network to theorem",
        summary=[
            Text(_headline(name, chosen, summary)),
            Formula(found.formula),
            Text(_meaning(chosen, summary)),
        ],
        sections=[
            _verdicts(front),
            _front(front, folder),
            _slopes(network, found, folder),
            _returns(summary, folder),
            _features(network, found),
            _code(found),
            _reproduce(config, front, folder),
        ],
    )


def label_of(member: Mapping[str, Any]) -> str:
    """What tables and pictures call a member of the front; no two that are proved have one size."""
    return f"formula, {member['complexity']} nodes"


def _best(front: Mapping[str, Any], summary: Mapping[str, Any]) -> dict[str, Any]:
    """The member whose agents did best over all environments; the knee where none was retrained."""
    retrained = [m for m in front["members"] if _rows_of(m, summary)]
    if retrained:
        return max(retrained, key=lambda m: sum(_gain(r, summary) for r in _rows_of(m, summary)))
    return next((m for m in front["members"] if m["knee"]), front["members"][0])


def _gain(row: Mapping[str, Any], summary: Mapping[str, Any]) -> float:
    """The return of a row in units of the baseline's gain, or as it is where there was none."""
    scale = next(s for s in summary["normalisation"] if s["env"] == row["env"])
    span = float(scale["baseline"]) - float(scale["untrained"]) if scale["used"] else 1.0
    return float(row["return_mean"]) / span


def _headline(name: str, chosen: Mapping[str, Any], summary: Mapping[str, Any]) -> str:
    envs = ", ".join(dict.fromkeys(row["env"] for row in summary["table"]))
    if not _rows_of(chosen, summary):
        return (
            f"The drift network {name} was distilled into formulas, and none of them is proved to be a "
            f"drift; agents were trained with the network, PPO and DPO in {envs}. One of the formulas:"
        )
    return (
        f"The drift network {name} was distilled into formulas, each was decided, and agents were "
        f"trained with the proved ones in {envs}. Of these formulas the one of "
        f"{chosen['complexity']} nodes did best on these seeds (and being chosen by them flatters it):"
    )


def _rows_of(chosen: Mapping[str, Any], summary: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What agents did with a member, by environment; nothing if it was not retrained."""
    if chosen["verdict"] != "proved":
        return []
    return [row for row in summary["table"] if row["drift"] == label_of(chosen)]


def _meaning(chosen: Mapping[str, Any], summary: Mapping[str, Any]) -> str:
    said = []
    for row in _rows_of(chosen, summary):
        network = next(
            r for r in summary["table"] if (r["env"], r["drift"]) == (row["env"], NETWORK_LABEL)
        )
        beyond = ""
        if row["difference"]:
            mean, low, high = row["difference"]
            beyond = (
                f"; the difference from {summary['baseline']} is {compact(mean, '+')}, 95 % interval "
                f"{compact(low)} to {compact(high)}{told_apart(low, high)}"
            )
        said.append(
            f"In {row['env']} its agents reach {compact(row['return_mean'])}, the network's "
            f"{compact(network['return_mean'])}{beyond}."
        )
    promise = (
        "It is proved to be a drift: never negative, and zero and flat at r = 1 for every advantage."
        if chosen["verdict"] == "proved"
        else f"Its verdict is {chosen['verdict']}."
    )
    near = (
        "; at no point of the box is it farther from the network than "
        f"{compact(float(chosen['sup_distance'][1]))}"
        if chosen["sup_distance"] and chosen["sup_distance"][1] is not None
        else ""
    )
    return (
        f"{promise} Relative to the network its values are off by "
        f"{100 * float(chosen['error_f']):.3g} % and its slopes by "
        f"{100 * float(chosen['error_grad']):.3g} % (root mean squares where training asks){near}. "
        + " ".join(said)
    )


def told_apart(low: float, high: float) -> str:
    """What is said after an interval of a difference that holds 0."""
    return ", which holds 0: they are not told apart" if low <= 0 <= high else ""


def _verdicts(front: Mapping[str, Any]) -> Section:
    rows = [
        [m["verdict"], "; ".join(m["refuted"]) or "–", m["origin"], m["formula"]]
        for m in front["members"]
    ]
    return Section(
        "Verdicts",
        [
            Text(
                "A formula is a drift if it is defined and non-negative everywhere, and zero and flat at "
                "r = 1. Proved means that a derivation was replayed by a separate checker: "
                f"drift check {files.CERTIFICATES}. A refuted formula comes with a point where it fails."
            ),
            Table(("verdict", "fails", "origin", "formula"), rows),
        ],
    )


def _front(front: Mapping[str, Any], folder: Path) -> Section:
    header, rows = tables.table(front)
    return Section(
        "The front",
        [
            *(Text(sentence) for sentence in tables.sentences(front)),
            Table(("knee", *header[1:]), rows, ("nodes", "error f", "error ∂f/∂r", "sup distance")),
            Figure(folder / "front.png", "Error of the formulas against their size."),
        ],
    )


def _slopes(network: DriftNetwork, found: Drift, folder: Path) -> Section:
    drifts: list[Target] = [network, found, resolve("ppo"), resolve("dpo")]
    plot_drifts(drifts, folder / _HEATS, titles=["the network", "the formula", "PPO", "DPO"])
    return Section(
        "Where it pushes",
        [
            Text(
                "The slope of the objective, ∂/∂r [r·A − f], over ratio and advantage, and slices of it. "
                "Where it is positive a step makes the action more likely."
            ),
            Figure(folder / _HEATS, "Slopes of the network, the formula, PPO and DPO."),
        ],
    )


def _returns(summary: Mapping[str, Any], folder: Path) -> Section:
    blocks: list[Any] = [Text(sentence) for sentence in bench_table.sentences(summary)]
    for header, rows in bench_table.tables(summary):
        blocks.append(Table(header, rows, header[2:]))
    blocks.append(
        Figure(folder / "curves.png", "Learning curves: mean over seeds ± one standard error.")
    )
    blocks.append(
        Figure(folder / "entropy.png", "Entropy of the policies: mean ± one standard error.")
    )
    return Section("Agents retrained", blocks)


def _features(network: DriftNetwork, found: Drift) -> Section:
    drifts: dict[str, Target] = {
        "network": network, "formula": found, "PPO": resolve("ppo"), "DPO": resolve("dpo"),
    }  # fmt: skip
    measured = {name: features(partial(_slope, drift)) for name, drift in drifts.items()}
    rows = [
        [
            first.name,
            *(
                f"{'yes' if m[i].present else 'no'} ({compact(m[i].measure)})"
                for m in measured.values()
            ),
            first.meaning,
        ]
        for i, first in enumerate(measured["network"])
    ]
    return Section(
        "Features that the paper describes",
        [
            Text("Measured from the slope on a grid, with ε = 0.2 (Lu et al. 2022, section 6)."),
            Table(("feature", *drifts, "measure"), rows),
        ],
    )


def _slope(drift: Target, r: Any, A: Any) -> Any:
    return objective_slope(drift, r, A)


def _code(found: Drift) -> Section:
    return Section(
        "In code",
        [
            Text(
                "As a function for JAX; drift export writes it for NumPy, PyTorch and others' PPO."
            ),
            Code(source(found, "jax"), "python"),
        ],
    )


def _reproduce(config: DiscoverConfig, front: Mapping[str, Any], folder: Path) -> Section:
    rows: list[Sequence[str]] = [
        ["network", str(front["network"])],
        ["samples", str(front["samples"])],
        ["engine", f"{front['engine']['name']} {front['engine']['version']}"],
        ["seed", str(config.seed)],
        ["agents", f"{config.seeds} of each drift in {', '.join(config.envs)}"],
        *([name, version] for name, version in used_versions().items()),
    ]
    blocks: list[Any] = [
        Text(f"{folder.resolve().name}/discover.json has every setting. The same again:"),
        Code(_command(config), "sh"),
        Table(("what", "which"), rows),
    ]
    return Section("How to reproduce it", blocks)


def _command(config: DiscoverConfig) -> str:
    """The command that asks for this discovery, from the preset that is nearest."""
    record = config.record()
    _, name = min(
        (sum(record[k] != v for k, v in preset.record().items()), name)
        for name, preset in PRESETS.items()
    )
    base = PRESETS[name].record()
    words = ["drift", "discover", "--preset", name]
    if config.network and record["network"] != base["network"]:
        words += ["--network", config.network]
    if record["envs"] != base["envs"]:
        words += [word for env in config.envs for word in ("--env", env)]
    if config.seed:
        words += ["--seed", str(config.seed)]
    flags = ("network", "envs", "seed", "inner")
    changed = {k: v for k, v in record.items() if k not in flags and v != base[k]}
    for env, changes in record["inner"].items():
        known = base["inner"].get(env, {})
        if env == EVERYWHERE:
            changed |= {f"inner.{k}": v for k, v in changes.items() if known.get(k) != v}
    words += [word for k, v in changed.items() for word in ("--set", f"{k}={setting(v)}")]
    return shlex.join([*words, "--out", "DIR"])


def used_versions() -> dict[str, str]:
    """Of the packages that are installed, by name."""
    return {name: version for name, version in versions().items() if version}


def setting(value: Any) -> str:
    """As --set reads it."""
    return value if isinstance(value, str) else json.dumps(value)
