"""The report of a discovery of mirror maps, from the files in its folder."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mirrordrift.aligning import tables as tables_of_agents
from mirrordrift.aligning.pictures import RETURNS
from mirrordrift.exporting import objective_text
from mirrordrift.fronts import files, tables
from mirrordrift.render import compact
from mirrordrift.report.content import Block, Code, Document, Figure, Formula, Section, Table, Text
from mirrordrift.report.loop import setting, told_apart, used_versions
from search.pipeline.map_config import PRESETS, MapDiscoverConfig
from symbolic.arrays import read_bounded
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.export.equation import objective_line
from symbolic.preference.objective import PreferenceObjective, slot_text
from symbolic.preference.reading import load_objective

LAYOUT = 1
"""Raised where a report of the same files would look otherwise."""
DATA, OBJECTIVE, DENSITY, DISTILLED = (
    "data.json", "objective.json", "density.npz", "distilled.json",
)  # fmt: skip
DATA_SCHEMA, COMPARISON_SCHEMA = "mirrordrift/discovery-data/1", "mirrordrift/objectives-compared/1"
COMPARISON, LANDSCAPE, SEARCH = "comparison.json", "landscape.png", "search.png"
FOUND, FORMULAS = "found", "found, as formulas"
"""What tables and pictures call the objective, and the one with formulas in its slots."""
_NAMES = {"psi": "ψ(x)", "phi_inverse": "φ⁻¹(x)"}
_RULE = {
    "psi": "ψ is defined on (0, 1) and increasing there",
    "phi_inverse": "φ⁻¹ is that of a 0-potential: continuously differentiable and increasing on (0, 1), "
    "−∞ at 0, and integrable",
}


def datasets_of(folder: Path) -> list[dict[str, Any]]:
    """The datasets of a discovery, the own one first; raises ConfigError for a file that is not ours."""
    return _read(folder / DATA, DATA_SCHEMA)


def comparison_of(folder: Path) -> list[dict[str, Any]]:
    """By dataset, what agents of every objective reach; raises ConfigError."""
    return _read(folder / COMPARISON, COMPARISON_SCHEMA)


def _read(path: Path, schema: str) -> list[dict[str, Any]]:
    found = json.loads(read_bounded(path)) if path.exists() else {}
    if not isinstance(found, dict) or found.get("schema") != schema:
        raise ConfigError(f"{path}: is not of this version; remove it to have it made again")
    rows: list[dict[str, Any]] = found["rows"]
    return rows


def document(config: MapDiscoverConfig, folder: Path) -> Document:
    """The report; raises ConfigError for files that are missing or not ours."""
    found = load_objective(folder / OBJECTIVE)
    distilled = load_objective(folder / DISTILLED) if (folder / DISTILLED).exists() else None
    fronts = {slot: files.read(folder / slot / files.FRONT) for slot in found.maps}
    data, comparison = datasets_of(folder), comparison_of(folder)
    return Document(
        title="A preference objective, from data to theorem",
        summary=_summary(config, found, distilled, fronts, data, comparison),
        sections=[
            _data(data),
            *([_search(folder)] if not config.objective else []),
            *(_front(slot, front, folder) for slot, front in fronts.items()),
            _landscape(folder),
            _agents(comparison, folder),
            *([_code(distilled)] if distilled is not None else []),
            _reproduce(config, data, fronts, folder),
        ],
    )


def _summary(
    config: MapDiscoverConfig,
    found: PreferenceObjective,
    distilled: PreferenceObjective | None,
    fronts: Mapping[str, Mapping[str, Any]],
    data: Sequence[Mapping[str, Any]],
    comparison: Sequence[Mapping[str, Any]],
) -> list[Block]:
    own = data[0]
    origin = (
        f"The objective of {Path(config.objective).name}"
        if config.objective
        else f"An objective was searched for on {own['rows']:,} pairs of {own['env']} and"
    )
    blocks: list[Block] = [
        Text(
            f"{origin} was distilled into formulas, each was decided, and agents were trained offline "
            f"with it, with its formulas and with known objectives. It is {_in_words(found)}."
        )
    ]
    if distilled is None:
        none = [_NAMES[s] for s, f in fronts.items() if not any(m["knee"] for m in f["members"])]
        blocks.append(Text(f"No formula for {' and '.join(none)} is proved; the fronts are below."))
    else:
        blocks += [
            Formula(slot.closed_formula(), _NAMES[name])
            for name, slot in distilled.maps.items()
            if isinstance(slot, Drift)
        ]
        blocks.append(Text(_proved(distilled)))
    blocks.append(Text(_meaning(comparison, own)))
    return blocks


def _in_words(objective: PreferenceObjective) -> str:
    means = {"sum": "over all steps of a trajectory", "mean": "per step, as the geometric mean"}
    link = "" if objective.link_is_log_sigmoid else f", ℓ(z) = {slot_text(objective.link)}"
    reference = ", ρ those of the reference policy" if objective.reference else ""
    return (
        f"{objective_line(objective)}{link}, to be maximised: π_w and π_l are the probabilities of the "
        f"chosen and the rejected trajectory{reference}, taken {means[objective.reduction]}"
    )


def _proved(distilled: PreferenceObjective) -> str:
    rules = ", and ".join(_RULE[name] for name in distilled.maps)
    return f"{'Both are' if len(distilled.maps) > 1 else 'It is'} proved: {rules}."


def _meaning(comparison: Sequence[Mapping[str, Any]], own: Mapping[str, Any]) -> str:
    said = []
    for row in comparison:
        table = {each["objective"]: each for each in row["table"]}
        best = table.get(FORMULAS, table[FOUND])
        where = "its own data" if row["dataset"] == own["name"] else f"the data {row['dataset']}"
        if best["return_mean"] is None:
            said.append(f"On {where} every agent of the found objective failed.")
            continue
        text = (
            f"On {where} agents of the {'formulas' if FORMULAS in table else 'networks'} reach "
            f"{compact(best['return_mean'])}"
        )
        if best["difference"] is not None:
            mean, low, high = best["difference"]
            text += (
                f", {compact(mean, '+')} beside ORPO's, 95 % interval {compact(low)} to "
                f"{compact(high)}{told_apart(low, high)}"
            )
        said.append(text + ".")
    return (
        f"The chosen trajectories of its own data have the return {compact(own['chosen_return'])}. "
        + " ".join(said)
    )


def _data(data: Sequence[Mapping[str, Any]]) -> Section:
    rows = [
        [
            str(each["name"]), str(each["env"]), str(each["kind"]), f"{each['rows']:,}",
            f"{each['steps']:,}", compact(each["chosen_return"]), compact(each["rejected_return"]),
            _accuracy(each["judge"]),
        ]
        for each in data
    ]  # fmt: skip
    header = ("dataset", "environment", "kind", "pairs", "steps", "chosen", "rejected", "judge")
    return Section(
        "The preferences",
        [
            Text(
                "All was searched and distilled on the first of these; on the others agents were trained "
                "to see whether it holds there, too. Returns are those of the trajectories that a judge "
                "chose and rejected; judge: in how many rows the better one was chosen."
            ),
            Table(header, rows, header[3:]),
        ],
    )


def _accuracy(judge: Mapping[str, Any]) -> str:
    share = judge.get("accuracy")
    return "–" if share is None else f"{100 * float(share):.0f} %"


def _search(folder: Path) -> Section:
    return Section(
        "The search",
        [
            Text(
                "ψ and φ⁻¹ began as ORPO's. In every generation the strategy drew members, each trained "
                "an agent, and the returns of its episodes were its fitness; the mean of the strategy "
                "was compared with ORPO on seeds that nothing was searched with."
            ),
            Figure(folder / SEARCH, "Returns by generation, and what the mean has beyond ORPO."),
        ],
    )


def _front(slot: str, front: Mapping[str, Any], folder: Path) -> Section:
    header, rows = tables.table(front)
    numbers = ("nodes", *(name for name in header if "error" in name))
    refuted = [
        f"{m['formula']} is refuted: {'; '.join(m['refuted'])}"
        for m in front["members"]
        if m["refuted"]
    ]
    return Section(
        f"Formulas for {_NAMES[slot]}",
        [
            Text(
                f"{_RULE[slot]}. Proved means that a derivation was replayed by a separate checker: "
                f"drift check {slot}/{files.CERTIFICATES}."
            ),
            *(Text(sentence) for sentence in tables.sentences(front)),
            Table(("knee", *header[1:]), rows, numbers),
            *(Text(sentence) for sentence in refuted),
            Figure(folder / slot / "map.png", "The map where training asked it, and the formulas."),
            Figure(folder / slot / "front.png", "Error of the formulas against their size."),
        ],
    )


def _landscape(folder: Path) -> Section:
    return Section(
        "How hard it pulls",
        [
            Text(
                "The size of the objective's derivative in log π of either trajectory, with the pairs that "
                "the first agent met: where dots lie on dark, the objective has nothing to say to them."
            ),
            Figure(
                folder / LANDSCAPE, "Derivatives of ORPO, of what was found, and of its formulas."
            ),
        ],
    )


def _agents(comparison: Sequence[Mapping[str, Any]], folder: Path) -> Section:
    header, rows = ("dataset", *tables_of_agents.HEADER), tables_of_agents.by_dataset(comparison)
    return Section(
        "Agents",
        [
            Text(
                "Mean return of the agents of each objective, trained offline from the same first weights "
                "on the same minibatches and judged by the same episodes; the difference is from ORPO, seed "
                "by seed, with its 95 % interval; log-probability: the sum over steps, or their mean."
            ),
            Table(header, rows, header[2:5]),
            *(
                Text(f"{row['dataset']}: {note}.")
                for row in comparison
                for note in row.get("notes", ())
            ),
            Figure(folder / RETURNS, "Every agent's return, and the mean of each objective."),
        ],
    )


def _code(distilled: PreferenceObjective) -> Section:
    return Section(
        "In code",
        [
            Text(
                f"As a loss for PyTorch; drift export {DISTILLED} writes it for JAX and NumPy, too, and as a "
                "trainer of TRL."
            ),
            Code(objective_text("found", distilled, "torch"), "python"),
        ],
    )


def _reproduce(
    config: MapDiscoverConfig,
    data: Sequence[Mapping[str, Any]],
    fronts: Mapping[str, Mapping[str, Any]],
    folder: Path,
) -> Section:
    rows: list[Sequence[str]] = [
        *([f"data, {each['name']}", str(each["hash"])] for each in data),
        *([f"samples of {_NAMES[slot]}", str(f["samples"])] for slot, f in fronts.items()),
        ["seed", str(config.seed)],
        ["agents", f"{config.seeds} of each objective on each dataset"],
        *([name, version] for name, version in used_versions().items()),
    ]
    blocks: list[Block] = [
        Text(f"{folder.resolve().name}/discover.json has every setting. The same again:"),
        Code(_command(config), "sh"),
        Table(("what", "which"), rows),
    ]
    return Section("How to reproduce it", blocks)


def _command(config: MapDiscoverConfig) -> str:
    """The command that asks for this discovery, from the preset that is nearest."""
    record = _flat(config.record())
    _, name = min(
        (sum(record[k] != v for k, v in _flat(preset.record()).items()), name)
        for name, preset in PRESETS.items()
    )
    base = _flat(PRESETS[name].record())
    words = ["drift", "discover", "--kind", "mirror-map", "--preset", name]
    if config.objective:
        words += ["--network", config.objective]
    words += [word for path in config.datasets for word in ("--dataset", path)]
    if config.seed:
        words += ["--seed", str(config.seed)]
    changed = {
        k: v
        for k, v in record.items()
        if k not in ("objective", "datasets", "seed") and v != base[k]
    }
    words += [word for k, v in changed.items() for word in ("--set", f"{k}={setting(v)}")]
    return shlex.join([*words, "--out", "DIR"])


def _flat(record: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Fields by the names that --set has for them."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found
