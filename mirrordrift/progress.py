"""How far a training is: bars on a terminal, now and then a line in a pipe or a log."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mirrordrift.cli.streams import complain
from mirrordrift.render import terminal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

Report = Callable[[int, int, list[dict[str, Any]]], None]
"""(updates done, updates in all, records of the last evaluation)."""
Begin = Callable[[str, int], Report]
"""(title, updates in all) -> what is told of them."""


@contextmanager
def training_progress() -> Iterator[Begin]:
    """A bar for each training, with the mean return and the steps a second at each evaluation."""
    console = terminal(sys.stderr)
    if console is None:
        lines = _Lines()
        yield (
            lambda title, total: (
                lambda done, total, records: lines.tell(
                    f"{title}: {done} of {total} updates, {_news(records)}"
                )
            )
        )
        return
    with _bar(console) as bar:

        def begin(title: str, total: int) -> Report:
            task = bar.add_task(title, total=total, news="compiling")

            def report(done: int, total: int, records: list[dict[str, Any]]) -> None:
                bar.update(task, completed=done, total=total, news=_news(records))

            return report

        yield begin


_EVERY = 30.0
"""Seconds from one line to the next."""
_BAR = 20
_BESIDE = _BAR + 30
"""Columns that the title, the bar, the share and the time left take."""


@contextmanager
def generation_progress(
    generations: int, news: Callable[[dict[str, Any]], str]
) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A bar over generations, with what `news` makes of each record, and the pace."""

    def told_of(record: dict[str, Any]) -> str:
        pace = f"{record['env_steps_per_second']:,.0f} steps/s"
        return f"{record['generation']}/{generations}, {news(record)}, {pace}"

    console = terminal(sys.stderr)
    if console is None or not generations:
        lines = _Lines()
        yield lambda record: lines.tell(f"generation {told_of(record)}")
        return
    with _bar(console) as bar:
        task = bar.add_task("generation", total=generations, news="compiling")

        def show(record: dict[str, Any]) -> None:
            told = told_of(record)
            room = max(20, console.width - _BESIDE)
            told = told if len(told) <= room else told[: room - 1] + "…"
            bar.update(task, completed=record["generation"], news=told)

        yield show


@contextmanager
def stage_progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each thing that is done, by its name: (what, how much is done, of how much)."""
    console = terminal(sys.stderr)
    if console is None:
        lines = _Lines()
        yield lambda what, done, total: lines.tell(f"{what}: {done} of {total}")
        return
    with _bar(console) as bar:
        tasks: dict[str, Any] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total, news="")
            bar.update(tasks[what], completed=done, total=total)

        yield tell


class _Lines:
    """Lines on standard error, no more often than a reader of a log can bear."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def tell(self, text: str) -> None:
        """Say it, unless something was said a short while ago."""
        if time.monotonic() - self._last >= _EVERY:
            self._last = time.monotonic()
            complain(text)


def _bar(console: Console) -> Progress:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(_BAR), TextColumn("{task.percentage:3.0f} %"),
        TextColumn("{task.fields[news]}"), TimeRemainingColumn(),
    )  # fmt: skip
    return Progress(*columns, console=console, transient=True)


def _news(records: list[dict[str, Any]]) -> str:
    returns = [r["return_mean"] for r in records if math.isfinite(r["return_mean"])]
    mean = sum(returns) / len(returns) if returns else math.nan
    last = records[-1]
    pace = len(records) * last["env_steps"] / last["seconds"] if last["seconds"] else math.nan
    return f"return {mean:.4g}, {pace:,.0f} steps/s"
