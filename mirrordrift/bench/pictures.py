"""The pictures of a comparison: learning curves, entropy, and performance profiles."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mirrordrift.bench.comparison import Scored
from mirrordrift.bench.table import normalised_scores
from mirrordrift.writing import writing
from rl.statistics import performance_profile
from symbolic.arrays import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 3
_LABEL = 40
_THRESHOLDS = np.linspace(0.0, 2.0, 201)
# Told apart without red and green alike (Okabe and Ito), then by dashes.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
_DASHES = ("-", "--", ":", "-.")


def draw(rows: Sequence[Scored], baseline: str, folder: Path) -> list[Path]:
    """Write curves.png, entropy.png and, for several environments, profiles.png."""
    wanted: dict[str, Callable[[], Figure]] = {
        "curves.png": lambda: _curves(rows, "return_mean", "return"),
        "entropy.png": lambda: _curves(rows, "entropy", "policy entropy"),
    }
    matrices = normalised_scores(rows, baseline)
    if matrices[baseline].shape[-1] > 1:
        wanted["profiles.png"] = lambda: _profiles(matrices)
    paths = []
    for name, make in wanted.items():
        out = io.BytesIO()
        make().savefig(out, format="png", dpi=130)
        with writing(str(folder / name)):
            write_atomically(folder / name, out.getvalue())
        paths.append(folder / name)
    return paths


def _figure(panels: int) -> tuple[Figure, list[Axes]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(panels, _COLUMNS)
    bands = math.ceil(panels / columns)
    figure = Figure(figsize=(4.4 * columns, 3.2 * bands + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, [figure.add_subplot(bands, columns, i + 1) for i in range(panels)]


def _curves(rows: Sequence[Scored], field: str, label: str) -> Figure:
    """One panel an environment: mean over seeds that did not fail, band of one standard error."""
    envs = list(dict.fromkeys(row.env for row in rows))
    figure, panels = _figure(len(envs))
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
        _plain(axes)
    _legend(figure, panels)
    return figure


def _band(
    axes: Axes,
    steps: NDArray[np.int64],
    values: NDArray[np.float64],
    label: str,
    number: int,
) -> None:
    mean = values.mean(axis=0)
    colour, dashes = _style(number)
    axes.plot(steps, mean, dashes, color=colour, label=_short(label))
    if len(values) > 1:
        error = values.std(axis=0, ddof=1) / math.sqrt(len(values))
        axes.fill_between(steps, mean - error, mean + error, color=colour, alpha=0.2, linewidth=0)


def _profiles(matrices: dict[str, NDArray[np.float64]]) -> Figure:
    figure, (axes,) = _figure(1)
    for number, (label, matrix) in enumerate(matrices.items()):
        colour, dashes = _style(number)
        shares = performance_profile(matrix, _THRESHOLDS)
        axes.plot(_THRESHOLDS, shares, dashes, color=colour, label=_short(label))
    axes.set_xlabel("normalised return τ (0 untrained, 1 baseline)")
    axes.set_ylabel("share of runs above τ")
    axes.set_ylim(-0.02, 1.02)
    _plain(axes)
    _legend(figure, [axes])
    return figure


def _style(number: int) -> tuple[str, str]:
    colour = _COLOURS[number % len(_COLOURS)]
    return colour, _DASHES[(number // len(_COLOURS) + number) % len(_DASHES)]


def _legend(figure: Figure, panels: Sequence[Axes]) -> None:
    """One for all panels: a drift may have failed in some of them."""
    found: dict[str, Any] = {}
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        found |= {label: handle for label, handle in zip(labels, handles) if label not in found}
    columns = min(4, len(found) or 1)
    figure.legend(found.values(), found.keys(), loc="outside lower center", ncols=columns)


def _plain(axes: Axes) -> None:
    axes.grid(alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _short(label: str) -> str:
    return label if len(label) <= _LABEL else label[: _LABEL - 1] + "…"
