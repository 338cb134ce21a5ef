"""The pictures of a front: error against size, and the slopes of the formulas beside the network's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirrordrift import figures
from mirrordrift.fronts.tables import LABELS
from mirrordrift.plot import plot_drifts
from mirrordrift.spec import Target
from search.distill.front import Front
from symbolic.drift import Drift

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BESIDE = 3
"""Formulas drawn beside what they were distilled from, the knee among them."""
_LEAST = 1e-9
_DECADE = 10.0
"""Ratio of errors from which an axis is logarithmic."""
_VERDICTS = {"proved": ("o", 0), "refuted": ("x", 5), "unknown": ("s", 1)}
"""Marker, and number of the colour."""


def draw(
    front: Front, record: Mapping[str, Any], target: Target | None, folder: Path
) -> list[Path]:
    """Write front.png and, where a drift's slopes can be drawn, drifts.png."""
    made = [draw_front(record, folder)]
    chosen = [Drift(formula=member.formula) for member in shown(front)]
    if not chosen:
        return made
    beside = [] if target is None else [target]
    titles = None
    if target is not None:
        titles = [
            "distilled from",
            *(title_of(member.complexity, member.knee) for member in shown(front)),
        ]
    plot_drifts([*beside, *chosen], folder / "drifts.png", titles=titles)
    return [*made, folder / "drifts.png"]


def draw_front(record: Mapping[str, Any], folder: Path) -> Path:
    """Write front.png."""
    return figures.save(_front(record), folder / "front.png")


def shown(front: Front) -> list[Any]:
    """The knee and its neighbours among the proved members, by size."""
    drifts = [member for member in front.members if member.proved]
    knee = next((i for i, member in enumerate(drifts) if member.knee), 0)
    first = max(0, min(knee - 1, len(drifts) - _BESIDE))
    return drifts[first : first + _BESIDE]


def title_of(nodes: int, knee: bool) -> str:
    """How a legend names a member."""
    return f"{nodes} nodes{', the knee' if knee else ''}"


def _front(record: Mapping[str, Any]) -> Figure:
    """Both errors against complexity."""
    figure, panels = figures.figure(2)
    labels = LABELS[record.get("kind", "drift")]
    for axes, name, label in zip(panels, ("error_f", "error_grad"), labels):
        members = record["members"]
        drifts = [m for m in members if m["verdict"] == "proved"]
        for verdict, (marker, number) in _VERDICTS.items():
            here = [m for m in members if m["verdict"] == verdict]
            if here:
                axes.plot(
                    [m["complexity"] for m in here],
                    [max(float(m[name]), _LEAST) for m in here],
                    marker,
                    color=figures.style(number)[0],
                    label=verdict,
                )
        axes.plot(
            [m["complexity"] for m in drifts],
            [max(float(m[name]), _LEAST) for m in drifts],
            color=figures.style(0)[0],
            linewidth=1,
            alpha=0.6,
        )
        knee = [m for m in members if m["knee"]]
        axes.plot(
            [m["complexity"] for m in knee],
            [max(float(m[name]), _LEAST) for m in knee],
            "o",
            markersize=13,
            markerfacecolor="none",
            color="0.2",
            label="knee",
        )
        sizes = [max(float(m[name]), _LEAST) for m in members]
        if max(sizes) > _DECADE * min(sizes):
            axes.set_yscale("log")
        else:
            axes.set_ylim(bottom=0)
        axes.set_xlabel("nodes of the formula")
        axes.set_ylabel(f"error of {label}, relative")
        figures.plain(axes)
    figures.legend(figure, panels)
    return figure
