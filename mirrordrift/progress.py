"""How far a training is, on a terminal; nothing where nobody looks."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mirrordrift.render import terminal

Report = Callable[[int, int, list[dict[str, Any]]], None]
"""(updates done, updates in all, records of the last evaluation)."""
Begin = Callable[[str, int], Report]
"""(title, updates in all) -> what is told of them."""


@contextmanager
def training_progress() -> Iterator[Begin]:
    """A bar for each training, with the mean return and the steps a second at each evaluation."""
    console = terminal(sys.stderr)
    if console is None:
        yield lambda title, total: lambda done, total, records: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"),
        TextColumn("{task.fields[news]}"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bar:

        def begin(title: str, total: int) -> Report:
            task = bar.add_task(title, total=total, news="compiling")

            def report(done: int, total: int, records: list[dict[str, Any]]) -> None:
                bar.update(task, completed=done, total=total, news=_news(records))

            return report

        yield begin


def _news(records: list[dict[str, Any]]) -> str:
    returns = [r["return_mean"] for r in records if math.isfinite(r["return_mean"])]
    mean = sum(returns) / len(returns) if returns else math.nan
    last = records[-1]
    pace = len(records) * last["env_steps"] / last["seconds"] if last["seconds"] else math.nan
    return f"return {mean:.4g}, {pace:,.0f} steps/s"
