"""The pictures of a meta-training: returns, the drift it led to, and how that came about.

Source: Lu et al. 2022, figures 2, 3 and 9.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mirrordrift import figures
from mirrordrift.plot import plot_drifts
from mirrordrift.spec import Target, resolve
from search.folder import Record
from search.judging import ppo
from search.meta.folder import NETWORK_FILE, MetaFolder
from symbolic.network import load_network

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STAGES = 8
"""Networks in the picture of how the drift came about, at most."""


def draw(folder: MetaFolder) -> list[Path]:
    """Write fitness.png, drift.png and evolution.png."""
    records = folder.records(sys.maxsize)
    paths = [figures.save(returns_by_generation(records), folder.path / "fitness.png")]
    network = load_network(folder.path / NETWORK_FILE)
    epsilon = network.ppo_epsilon
    beside: list[Target] = [
        network,
        ppo() if epsilon is None else ppo(str(epsilon)),
        resolve("dpo"),
    ]
    plot_drifts(beside, folder.path / "drift.png", titles=["meta-trained", "PPO", "DPO"])
    paths.append(folder.path / "drift.png")
    stages = sorted(p for p in (folder.path / "history").glob("*.npz") if p.stem.isdigit())
    places = np.unique(np.linspace(0, len(stages) - 1, _STAGES - 1).round().astype(int))
    chosen = [stages[place] for place in places]
    _, config = MetaFolder.open(folder.path)
    first = config.network.network(config.network.initial(config.seed))
    plot_drifts(
        [first, *map(load_network, chosen)],
        folder.path / "evolution.png",
        titles=["start", *(f"generation {int(path.stem)}" for path in chosen)],
    )
    return [*paths, folder.path / "evolution.png"]


def returns_by_generation(records: list[Record], baseline: str = "PPO") -> Figure:
    """Returns of the members and, where the mean was judged, what it has beyond the baseline."""
    envs = list(records[0]["return_mean"])
    judged = [record for record in records if record["held_out"]]
    held_out = list(judged[0]["held_out"]) if judged else []
    figure, panels = figures.figure(len(envs) + len(held_out))
    generations = [record["generation"] for record in records]
    for axes, env in zip(panels, envs):
        for number, (field, label) in enumerate(
            [("return_mean", "mean of the members"), ("return_max", "best member")]
        ):
            values = [_number(record[field][env]) for record in records]
            colour, dashes = figures.style(number)
            axes.plot(generations, values, dashes, color=colour, label=label)
        _dress(axes, f"members on {env}", "return")
    for axes, env in zip(panels[len(envs) :], held_out):
        at = [record["generation"] for record in judged]
        gains = np.array([_number(record["held_out"][env]["difference"]) for record in judged])
        errors = np.array(
            [_number(record["held_out"][env]["difference_stderr"]) for record in judged]
        )
        colour, dashes = figures.style(2)
        axes.plot(
            at,
            gains,
            dashes,
            color=colour,
            marker="o",
            markersize=3,
            label="the mean ± 2 standard errors",
        )
        axes.fill_between(
            at, gains - 2 * errors, gains + 2 * errors, color=colour, alpha=0.2, linewidth=0
        )
        axes.axhline(0, color="0.4", linewidth=0.8)
        _dress(axes, f"held-out seeds of {env}", f"return beyond {baseline}'s")
    figures.legend(figure, panels)
    return figure


def _dress(axes: Axes, title: str, label: str) -> None:
    axes.set_title(title)
    axes.set_xlabel("generation")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_ylabel(label)
    figures.plain(axes)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
