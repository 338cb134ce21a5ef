"""The files of a distillation.

samples.npz         what was distilled: of a drift, or of a mirror map
front.json          the front, as the contract has it
hall_of_fame.csv    the same by PySR's column names
front.tex           the formulas, with complexity and errors, as a LaTeX table
certificates.jsonl  a certificate a member, in order, for `drift check`
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mirrordrift.render import compact
from mirrordrift.writing import writing
from search.distill.front import Front, Member, as_json
from symbolic.arrays import read_bounded, read_json, write_atomically
from symbolic.distill.hall_of_fame import write_front
from symbolic.distill.maps.samples import MapSamples, save_map_samples
from symbolic.distill.samples import Samples, save_samples
from symbolic.errors import ConfigError
from symbolic.latex import to_latex
from verify.distance import Box

SCHEMA = "mirrordrift/front/1"
FRONT, SAMPLES, CERTIFICATES = "front.json", "samples.npz", "certificates.jsonl"


def record_of(
    front: Front,
    samples: Samples | MapSamples,
    box: Box,
    engine: Mapping[str, str],
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """The object that `drift distill --json` prints and front.json holds."""
    return {
        "schema": SCHEMA,
        "network": about.get("target"),
        "samples": samples.content_hash,
        "engine": dict(engine),
        **{name: value for name, value in about.items() if name != "target"},
        **as_json(front, box),
    }


def check_free(folder: Path) -> None:
    """Raise ConfigError for a folder that holds a front, and for what is no folder."""
    if (folder / FRONT).exists():
        raise ConfigError(f"{folder}: holds a front already; name another folder")
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder}: is a file; name a folder")


def write_samples(folder: Path, samples: Samples | MapSamples) -> None:
    """Write samples.npz into a folder that is made if need be."""
    with writing(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(samples, MapSamples):
            save_map_samples(folder / SAMPLES, samples)
        else:
            save_samples(folder / SAMPLES, samples)


def write(folder: Path, front: Front, record: Mapping[str, Any]) -> list[str]:
    """Write all but the samples, front.json last; the names of the files."""
    texts = {
        "hall_of_fame.csv": write_front(
            (m.complexity, m.errors.loss, m.formula) for m in front.members
        ),
        "front.tex": latex_table(front.members, record.get("kind", "drift")),
        CERTIFICATES: "".join(json.dumps(m.report.certificate) + "\n" for m in front.members),
        FRONT: json.dumps(record, indent=1, allow_nan=False) + "\n",
    }
    with writing(str(folder)):
        for name, text in texts.items():
            write_atomically(folder / name, text.encode())
    return list(texts)


def read(path: Path) -> dict[str, Any]:
    """The record in a front.json; raises ConfigError for another file."""
    found = read_json(read_bounded(path), str(path))
    if found.get("schema") != SCHEMA or not isinstance(found.get("members"), list):
        raise ConfigError(f"{path}: is no front of this version ({SCHEMA}); distil again")
    return found


_HEADS = {
    "drift": ("f(r, A)", "f", r"\partial_r f"),
    "mirror-map": (r"\varphi^{-1}(x)", r"\varphi^{-1}", r"\partial_{\log x} \varphi^{-1}"),
    "psi": (r"\psi(x)", r"\psi", r"\partial_{\log x} \psi"),
}
"""The formula, its value and its slope, by kind."""


def latex_table(members: Sequence[Member], kind: str = "drift") -> str:
    """A tabular of the front."""
    formula, value, slope = _HEADS[kind]
    lines = [
        rf"{m.complexity} & ${to_latex(m.formula)}$ & {compact(m.errors.value)} & "
        rf"{compact(m.errors.slope)} & {m.report.verdict.value} \\"
        for m in members
    ]
    head = rf"nodes & ${formula}$ & error of ${value}$ & error of ${slope}$ & verdict \\"
    return "\n".join(
        [
            r"\begin{tabular}{rlrrl}",
            r"\hline",
            head,
            r"\hline",
            *lines,
            r"\hline",
            r"\end{tabular}",
            "",
        ]
    )
