"""The picture of a distilled mirror map: its samples, and the formulas over them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mirrordrift import figures
from mirrordrift.fronts.pictures import shown, title_of
from mirrordrift.fronts.tables import LABELS
from search.distill.front import Front, Member
from symbolic.derivative import derivative
from symbolic.distill.maps.samples import MapSamples
from symbolic.distill.samples import Floats
from symbolic.numeric import evaluate_all

_MOMENTS = (0.0, 0.5, 1.0)
_POINTS = 400


def draw_map(front: Front, samples: MapSamples, folder: Path) -> Path:
    """Write map.png: values and slopes by log x, of samples and of formulas.

    Where a map knows t the knee is drawn, at three moments of the training if it has t, else the knee and
    its neighbours; each formula with that constant, free in a map, by which it is nearest the samples.
    """
    figure, panels = figures.figure(2)
    members = shown(front)
    t = samples.t
    lines: list[tuple[Member, float | None]] = [(member, None) for member in members]
    if t is not None:
        lines = [
            (member, moment)
            for member in members
            if member.knee
            for moment in (_MOMENTS if "t" in member.formula.symbols else (None,))
        ]
    dots = np.full(len(samples.log_x), True) if t is None else np.isin(t, _MOMENTS)
    for axes, values in zip(panels, (samples.g, samples.dgdlogx)):
        axes.plot(
            samples.log_x[dots], values[dots], ".", color="0.7", markersize=5, label="samples"
        )
    log_x = np.linspace(samples.log_x.min(), samples.log_x.max(), _POINTS)
    for number, (member, moment) in enumerate(lines):
        colour, dashes = figures.style(number)
        value, slope = _curves(member, log_x, moment or 0.0)
        there = np.full(len(samples.log_x), True) if t is None or moment is None else t == moment
        at_samples, _ = _curves(member, samples.log_x[there], moment or 0.0)
        constant = np.mean(samples.g[there] - at_samples) if there.any() else 0.0
        late = "" if moment is None else f", t = {moment:g}"
        label = f"{title_of(member.complexity, member.knee)}{late}"
        for axes, curve in zip(panels, (value + constant, slope)):
            axes.plot(log_x, curve, dashes, color=colour, label=label)
    for axes, label in zip(panels, LABELS[samples.kind]):
        axes.set_xlabel("log x")
        axes.set_ylabel(label)
        figures.plain(axes)
    panels[1].set_yscale("log")
    figures.legend(figure, panels)
    return figures.save(figure, folder / "map.png")


def _curves(member: Member, log_x: Floats, t: float) -> tuple[Floats, Floats]:
    """(g, ∂g/∂log x) of a formula."""
    points = {"x": np.exp(log_x), "t": np.full_like(log_x, t)}
    found = evaluate_all([member.formula, derivative(member.formula, "x")], points)
    value, slope = (np.broadcast_to(part, log_x.shape) for part in found)
    return value, slope * points["x"]
