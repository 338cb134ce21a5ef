"""What agents of several objectives reach, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mirrordrift.render import compact

HEADER = ("objective", "return", "standard error", "difference", "agents", "log-probability")


def rows(summary: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """A row an objective, under HEADER."""
    return [
        (
            each["objective"],
            compact(each["return_mean"]),
            compact(each["return_stderr"]),
            _beyond(each["difference"]),
            f"{each['agents'] - each['failed']} of {each['agents']}",
            each["reduction"],
        )
        for each in summary
    ]


def by_dataset(comparison: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """The same of several datasets, under the dataset and HEADER."""
    return [(data["dataset"], *row) for data in comparison for row in rows(data["table"])]


def _beyond(difference: Sequence[float] | None) -> str:
    """A paired difference with its interval; a dash where there is none."""
    if difference is None:
        return "–"
    mean, low, high = difference
    return f"{compact(mean, '+')} [{compact(low)}, {compact(high)}]"
