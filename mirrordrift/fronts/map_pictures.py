"""The picture of a distilled mirror map: its samples, and the formulas over them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mirrordrift import figures
from mirrordrift.fronts.pictures import shown, title_of
from mirrordrift.fronts.tables import LABELS
from search.distill.front import Front, Member
from symbolic.derivative import derivative
from symbolic.distill.maps.samples import MapSamples
from symbolic.distill.samples import Floats
from symbolic.numeric import evaluate_all

_MOMENTS = (0.0, 0.5, 1.0)


def draw_map(front: Front, samples: MapSamples, folder: Path) -> Path:
    """Write map.png: values and slopes by log x, of samples and of formulas.

    Where a map knows t the knee is drawn at three moments of the training, else the knee and its
    neighbours; each formula with that constant, free in a map, by which it is nearest the samples.
    """
    figure, panels = figures.figure(2)
    members = shown(front)
    everywhere = np.argsort(samples.log_x)
    if samples.t is None:
        lines = [(member, everywhere, "") for member in members]
    else:
        lines = [
            (member, everywhere[samples.t[everywhere] == moment], f", t = {moment:g}")
            for member in members
            if member.knee
            for moment in _MOMENTS
        ]
    dots = everywhere if samples.t is None else everywhere[np.isin(samples.t[everywhere], _MOMENTS)]
    for axes, values in zip(panels, (samples.g, samples.dgdlogx)):
        axes.plot(
            samples.log_x[dots], values[dots], ".", color="0.7", markersize=5, label="samples"
        )
    for number, (member, chosen, late) in enumerate(lines):
        colour, dashes = figures.style(number)
        value, slope = _curves(member, samples, chosen)
        constant = np.mean(samples.g[chosen] - value) if len(chosen) else 0.0
        label = f"{title_of(member.complexity, member.knee)}{late}"
        for axes, curve in zip(panels, (value + constant, slope)):
            axes.plot(samples.log_x[chosen], curve, dashes, color=colour, label=label)
    for axes, label in zip(panels, LABELS[samples.kind]):
        axes.set_xlabel("log x")
        axes.set_ylabel(label)
        figures.plain(axes)
    panels[1].set_yscale("log")
    figures.legend(figure, panels)
    return figures.save(figure, folder / "map.png")


def _curves(member: Member, samples: MapSamples, chosen: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """(g, ∂g/∂log x) of a formula at some of the samples."""
    points = {name: values[chosen] for name, values in samples.points.items()}
    found = evaluate_all([member.formula, derivative(member.formula, "x")], points)
    value, slope = (np.broadcast_to(part, chosen.shape) for part in found)
    return value, slope * points["x"]
