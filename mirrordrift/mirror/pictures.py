"""The pictures of a search for mirror maps, and of agents that objectives trained."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mirrordrift import figures
from mirrordrift.meta.pictures import returns_by_generation
from search.mirror.folder import MirrorFolder


def draw_search(folder: MirrorFolder, path: Path) -> Path:
    """Returns of the members by generation, and what the mean has beyond ORPO where it was judged."""
    return figures.save(returns_by_generation(folder.records(sys.maxsize), "ORPO"), path)


def draw_returns(rows: Sequence[Mapping[str, Any]], path: Path) -> Path:
    """A panel a dataset: the return of every agent, and their mean, by objective."""
    figure, panels = figures.figure(len(rows))
    for axes, row in zip(panels, rows):
        labels = list(row["returns"])
        for place, label in enumerate(labels):
            values = np.array([math.nan if v is None else v for v in row["returns"][label]], float)
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
        axes.set_title(row["dataset"])
        axes.set_xlabel("return")
        figures.plain(axes)
    for axes in panels[1:]:
        axes.set_yticklabels([])
    return figures.save(figure, path)
