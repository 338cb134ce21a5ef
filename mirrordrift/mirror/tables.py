"""What is said of a search for mirror maps at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mirrordrift.meta.tables import Table, last_judged
from mirrordrift.render import compact
from search.mirror.folder import OBJECTIVE_FILE, MirrorFolder

BASELINE = "ORPO"
"""What a search starts as, and is judged against."""


def conclusion(folder: MirrorFolder) -> dict[str, Any]:
    """The last object of --json: the objective, and its last judgement."""
    last = last_judged(folder)
    return {
        "schema": "mirrordrift/mirror-trained/1",
        "objective": str(folder.path / OBJECTIVE_FILE),
        "generations": last["generation"],
        "held_out": last["held_out"],
    }


def agents(comparison: Sequence[Mapping[str, Any]]) -> Table:
    """What agents of every objective reach, by dataset."""
    header = (
        "dataset", "objective", "return", "standard error", "difference", "agents", "log-probability",
    )  # fmt: skip
    return header, [
        (
            row["dataset"],
            each["objective"],
            "–" if each["return_mean"] is None else compact(each["return_mean"]),
            "–" if each["return_stderr"] is None else compact(each["return_stderr"]),
            beyond(each["difference"]),
            f"{each['agents'] - each['failed']} of {each['agents']}",
            each["reduction"],
        )
        for row in comparison
        for each in row["table"]
    ]


def beyond(difference: Sequence[float] | None) -> str:
    """A paired difference with its interval; a dash where there is none."""
    if difference is None:
        return "–"
    mean, low, high = difference
    return f"{compact(mean, '+')} [{compact(low)}, {compact(high)}]"
