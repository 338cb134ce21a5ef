"""The pictures of a comparison: learning curves, entropy, and performance profiles."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mirrordrift import figures
from mirrordrift.bench.comparison import Scored
from mirrordrift.bench.table import normalised_scores
from rl.statistics import performance_profile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_THRESHOLDS = np.linspace(0.0, 2.0, 201)


def draw(rows: Sequence[Scored], baseline: str, folder: Path) -> list[Path]:
    """Write curves.png, entropy.png and, for several environments, profiles.png."""
    wanted: dict[str, Callable[[], Figure]] = {
        "curves.png": lambda: _curves(rows, "return_mean", "return"),
        "entropy.png": lambda: _curves(rows, "entropy", "policy entropy"),
    }
    matrices = normalised_scores(rows, baseline)
    if matrices[baseline].shape[-1] > 1:
        wanted["profiles.png"] = lambda: _profiles(matrices)
    return [figures.save(make(), folder / name) for name, make in wanted.items()]


def _curves(rows: Sequence[Scored], field: str, label: str) -> Figure:
    """One panel an environment: mean over seeds that did not fail, band of one standard error."""
    envs = list(dict.fromkeys(row.env for row in rows))
    figure, panels = figures.figure(len(envs))
    for axes, env in zip(panels, envs):
        here = [row for row in rows if row.env == env]
        for number, row in enumerate(here):
            good = [score for score in row.scores if not score.failed]
            if not good:
                continue
            steps = np.array([record["env_steps"] for record in good[0].records])
            values = np.array([[record[field] for record in s.records] for s in good], float)
            _band(axes, steps, values, row.drift, number)
        lost = sum(bool(score.failed) for row in here for score in row.scores)
        runs = sum(len(row.scores) for row in here)
        axes.set_title(f"{env} ({lost} of {runs} runs failed, left out)" if lost else env)
        axes.set_xlabel("environment steps")
        axes.set_ylabel(label)
        axes.ticklabel_format(axis="x", style="sci", scilimits=(0, 4))
        figures.plain(axes)
    figures.legend(figure, panels)
    return figure


def _band(
    axes: Axes,
    steps: NDArray[np.int64],
    values: NDArray[np.float64],
    label: str,
    number: int,
) -> None:
    mean = values.mean(axis=0)
    colour, dashes = figures.style(number)
    axes.plot(steps, mean, dashes, color=colour, label=figures.short(label))
    if len(values) > 1:
        error = values.std(axis=0, ddof=1) / math.sqrt(len(values))
        axes.fill_between(steps, mean - error, mean + error, color=colour, alpha=0.2, linewidth=0)


def _profiles(matrices: dict[str, NDArray[np.float64]]) -> Figure:
    figure, (axes,) = figures.figure(1)
    for number, (label, matrix) in enumerate(matrices.items()):
        colour, dashes = figures.style(number)
        shares = performance_profile(matrix, _THRESHOLDS)
        axes.plot(_THRESHOLDS, shares, dashes, color=colour, label=figures.short(label))
    axes.set_xlabel("normalised return τ (0 untrained, 1 baseline)")
    axes.set_ylabel("share of runs above τ")
    axes.set_ylim(-0.02, 1.02)
    figures.plain(axes)
    figures.legend(figure, [axes])
    return figure
