"""The numbers of a meta-training in a table."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from mirrordrift.render import compact
from search.folder import Record, SearchFolder
from search.meta.folder import NETWORK_FILE, MetaFolder

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""A header and rows, as texts."""


def judgement(folder: SearchFolder[Any], baseline: str = "PPO") -> Table:
    """The last judgement of the mean: returns on held-out seeds beside the baseline's."""
    header = ("environment", "return", f"{baseline}'s", "difference ± standard error", "generation")
    last = last_judged(folder)
    return header, [
        (
            env,
            compact(found["return_mean"]),
            compact(found[f"{baseline.lower()}_mean"]),
            f"{compact(found['difference'], '+')} ± {compact(found['difference_stderr'])}",
            str(last["generation"]),
        )
        for env, found in last["held_out"].items()
    ]


def conclusion(folder: MetaFolder) -> dict[str, Any]:
    """The last object of --json: the network, and its last judgement."""
    last = last_judged(folder)
    return {
        "schema": "mirrordrift/meta-trained/1",
        "network": str(folder.path / NETWORK_FILE),
        "generations": last["generation"],
        "held_out": last["held_out"],
    }


def last_judged(folder: SearchFolder[Any]) -> Record:
    """The record of the last generation whose mean was judged."""
    return next(r for r in reversed(folder.records(sys.maxsize)) if r["held_out"])


def study(folders: Sequence[MetaFolder]) -> Table:
    """Last judgements of several meta-trainings side by side."""
    header = ("study", *judgement(folders[0])[0])
    rows = [(folder.path.name, *row) for folder in folders for row in judgement(folder)[1]]
    return header, rows


class News:
    """A generation in one line: returns, and what was gained on the baseline when last judged."""

    def __init__(self, baseline: str = "PPO") -> None:
        self._baseline, self._gains = baseline, ""

    def __call__(self, record: Record) -> str:
        if record["held_out"]:
            self._gains = f", against {self._baseline} " + ", ".join(
                f"{compact(found['difference'], '+')} ± {compact(found['difference_stderr'])} ({env})"
                for env, found in record["held_out"].items()
            )
        returns = ", ".join(
            f"{compact(mean)} (best {compact(record['return_max'][env])})"
            for env, mean in record["return_mean"].items()
        )
        return f"return {returns}{self._gains}"
