"""The numbers of a search for mirror maps in a table."""

from __future__ import annotations

import sys
from typing import Any

from mirrordrift.render import compact
from search.folder import Record
from search.mirror.folder import OBJECTIVE_FILE, MirrorFolder


def judgement(folder: MirrorFolder) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The last judgement of the mean: returns on held-out seeds, beside ORPO's."""
    last = _last_judged(folder)
    return ("environment", "return", "ORPO's", "difference", "generation"), [
        (
            env,
            compact(found["return_mean"]),
            compact(found["orpo_mean"]),
            f"{compact(found['difference'], '+')} ± {compact(found['difference_stderr'])}",
            str(last["generation"]),
        )
        for env, found in last["held_out"].items()
    ]


def conclusion(folder: MirrorFolder) -> dict[str, Any]:
    """The last object of --json: the objective, and its last judgement."""
    last = _last_judged(folder)
    return {
        "schema": "mirrordrift/mirror-trained/1",
        "objective": str(folder.path / OBJECTIVE_FILE),
        "generations": last["generation"],
        "held_out": last["held_out"],
    }


def news(record: Record) -> str:
    """A generation in one line."""
    told = ", ".join(
        f"return {compact(mean)} (best {compact(record['return_max'][env])})"
        for env, mean in record["return_mean"].items()
    )
    gains = ", ".join(
        f", against ORPO {compact(found['difference'], '+')} ± {compact(found['difference_stderr'])}"
        for found in (record["held_out"] or {}).values()
    )
    return told + gains


def _last_judged(folder: MirrorFolder) -> Record:
    return next(r for r in reversed(folder.records(sys.maxsize)) if r["held_out"])
