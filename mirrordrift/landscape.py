"""The picture of a preference objective: how hard it pulls at the two trajectories of a pair.

An objective has a row, or three where it changes over the training; left the size of its derivative
in log π(τ_w), right in log π(τ_l). Dots are pairs that a training met, each row those of its share of
the training.

Source: Alfano et al., Learning Loss Landscapes in Preference Optimization, figures 1 to 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mirrordrift import figures
from symbolic.errors import ConfigError
from symbolic.preference.objective import PreferenceObjective

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LogNorm

MOMENTS = (1 / 6, 1 / 2, 5 / 6)
"""The middles of the thirds of a training."""
USUAL_RANGE = (-20.0, -0.05)
MAX_OBJECTIVES = 8
_POINTS = 160
_DOTS = 400
_TICKS = 5
_LEAST, _SPAN = 1e-4, 1e-2
"""Shares of the greatest derivative: the scale ends between them, so that dark is far less than bright."""
_EXPLODING = 100.0
"""Times the middle row's greatest derivative that a scale reaches: one row must not darken all others."""
_ZERO = 1e-30
_UNDEFINED = "0.8"


@dataclass(frozen=True)
class Trajectory:
    """Pairs that a training met; all `[points]`."""

    chosen: NDArray[np.float64]
    rejected: NDArray[np.float64]
    progress: NDArray[np.float64]


def plot_landscapes(
    objectives: Mapping[str, PreferenceObjective],
    path: Path,
    *,
    within: tuple[float, float] | None = None,
    trajectories: Mapping[str, Trajectory] | None = None,
) -> None:
    """Draw objectives one below the other, on one scale of colours, and write the picture.

    Grey is where the objective is no number, black a derivative below the scale.

    Log-probabilities are those that the objective takes, sums or means, from `within`; where that is
    not given, from where trajectories are, else USUAL_RANGE.
    Raises ConfigError for an unknown suffix, a missing folder, or too many objectives.
    """
    from matplotlib import colormaps
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    from rl.offline.landscape import pull

    figures.check_path(path)
    if not 1 <= len(objectives) <= MAX_OBJECTIVES:
        raise ConfigError(
            f"{len(objectives)} objectives are too many for one picture, which has {MAX_OBJECTIVES}; draw "
            "some of them as SPECs, in several"
        )
    met = trajectories or {}
    axes: dict[str, NDArray[np.float64]] = {}
    for label in objectives:
        low, high = within or _range([met[label]] if label in met else [])
        if not low < high:
            raise ConfigError(f"--low {low:g} --high {high:g} is empty; give the lower end first")
        axes[label] = np.linspace(low, high, _POINTS)
    rows = [
        (label, objective, moment)
        for label, objective in objectives.items()
        for moment in (MOMENTS if objective.uses_progress else (0.0,))
    ]
    pulls = [
        pull(objective, *np.meshgrid(axes[label], axes[label], indexing="ij"), moment)
        for label, objective, moment in rows
    ]
    figure = Figure(figsize=(9.4, 0.8 + 3.4 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    cmap = colormaps["cividis"].with_extremes(under="black", over="white")
    panels: NDArray[Any] = figure.subplots(len(rows), 2, squeeze=False)
    for column, name in enumerate(("chosen", "rejected")):
        sizes = [_sizes(getattr(found, name)) for found in pulls]
        norm = _norm(sizes)
        drawn = None
        for panel, size, (label, _, moment) in zip(panels[:, column], sizes, rows):
            axis = axes[label]
            drawn = panel.pcolormesh(axis, axis, size.T, norm=norm, cmap=cmap, rasterized=True)
            panel.plot(
                axis, axis, color="white", linewidth=0.8, alpha=0.7, label="both are as likely"
            )
            _title(panel, label, moment, objectives[label])
            if label in met:
                _dots(panel, met[label], moment, objectives[label])
            panel.set_xlim(axis[0], axis[-1])
            panel.set_ylim(axis[0], axis[-1])
            panel.set_facecolor(_UNDEFINED)
            for side in (panel.xaxis, panel.yaxis):
                side.set_major_locator(MaxNLocator(_TICKS))
        assert drawn is not None
        bar = figure.colorbar(
            drawn, ax=list(panels[:, column]), location="top",
            fraction=0.06 / len(rows), pad=0.02 / len(rows), aspect=40, extend="both",
        )  # fmt: skip
        bar.set_label(f"size of the derivative in log π, {name} trajectory")
    # Below the panels: within one it would hide pairs.
    told = {
        label: handle
        for panel in panels.flat
        for handle, label in zip(*panel.get_legend_handles_labels())
    }
    figure.legend(
        list(told.values()), list(told), loc="outside lower center", ncols=2, fontsize=8,
        facecolor="0.4", labelcolor="white",
    )  # fmt: skip
    for panel in panels[-1]:
        panel.set_xlabel("log π of the chosen trajectory")
    for panel in panels[:, 0]:
        panel.set_ylabel("log π of the rejected one")
    figures.write(figure, path)


def _sizes(slope: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of derivatives; those that are 0 lie below every scale, and what is no number is not drawn."""
    size = np.abs(slope)
    return np.where(np.isfinite(size), np.maximum(size, _ZERO), np.nan)


def _norm(sizes: Sequence[NDArray[np.float64]]) -> LogNorm:
    """The scale of colours of a column."""
    from matplotlib.colors import LogNorm

    defined = [size[np.isfinite(size)] for size in sizes]
    tops = [float(size.max()) for size in defined if len(size) and size.max() > _ZERO] or [1.0]
    most = min(max(tops), _EXPLODING * float(np.median(tops)))
    least = min((float(s[s > _ZERO].min(initial=most)) for s in defined), default=most)
    return LogNorm(min(max(least, _LEAST * most), _SPAN * most), most)


def _range(met: Sequence[Trajectory]) -> tuple[float, float]:
    """Where nearly all points of the trajectories are, with room about them."""
    points = np.concatenate([np.zeros(0), *(np.concatenate([t.chosen, t.rejected]) for t in met)])
    points = points[np.isfinite(points)]
    if not len(points):
        return USUAL_RANGE
    low, high = np.percentile(points, [1, 99])
    room = 0.1 * (high - low) or 1.0
    return float(low - room), float(high + room)


def _title(panel: Axes, label: str, moment: float, objective: PreferenceObjective) -> None:
    when = f", at {moment:.0%} of the training" if objective.uses_progress else ""
    how = {"sum": "sums over steps", "mean": "means over steps"}[objective.reduction]
    panel.set_title(f"{figures.short(label)} ({how}){when}", fontsize=10)


def _dots(panel: Axes, met: Trajectory, moment: float, objective: PreferenceObjective) -> None:
    near = np.ones(len(met.chosen), bool)
    if objective.uses_progress:
        near = np.abs(met.progress - moment) <= 1 / 6
    places = np.flatnonzero(near)
    places = places[:: max(1, len(places) // _DOTS)]
    panel.scatter(
        met.chosen[places],
        met.rejected[places],
        s=9,
        color="#D55E00",
        edgecolors="white",
        linewidths=0.3,
        label="a pair that the training met",
    )
