"""The picture of an alignment: what every agent reaches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mirrordrift import figures

RETURNS = "returns.png"


def draw_returns(
    datasets: Mapping[str, Mapping[str, Sequence[float | None]]], folder: Path
) -> Path:
    """Write returns.png: by dataset and objective the return of every agent, and their mean."""
    figure, panels = figures.figure(len(datasets))
    for axes, (name, returns) in zip(panels, datasets.items()):
        labels = list(returns)
        for place, label in enumerate(labels):
            values = np.array([math.nan if v is None else v for v in returns[label]], float)
            alive = values[np.isfinite(values)]
            colour, _ = figures.style(place)
            beside = (
                np.linspace(-0.16, 0.16, len(alive)) if len(alive) > 1 else np.zeros(len(alive))
            )
            axes.plot(alive, place + beside, "o", color=colour, markersize=4, alpha=0.55)
            if len(alive):
                axes.plot(
                    [alive.mean()] * 2, [place - 0.3, place + 0.3], color="black", linewidth=2
                )
        axes.set_yticks(range(len(labels)), [figures.short(label) for label in labels])
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.set_title(name)
        axes.set_xlabel("return")
        figures.plain(axes)
    for axes in panels[1:]:
        axes.set_yticklabels([])
    return figures.save(figure, folder / RETURNS)
