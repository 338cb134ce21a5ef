"""Searches for mirror maps by name: the paper's, and one for two cores.

The paper gives the population, the rows and steps of the data, and the episodes of an evaluation;
its tables of hyper-parameters are not in its text. All else here is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rl.offline.config import OfflineConfig
from search.meta.strategy import StrategyConfig
from search.mirror.config import DataSettings, MirrorConfig
from search.mirror.shape import MirrorShape
from symbolic.errors import ConfigError

_STRATEGY = StrategyConfig(
    population_size=256, sigma=0.03, sigma_decay=0.999, learning_rate=0.02,
    learning_rate_decay=0.999, momentum=0.9,
)  # fmt: skip

_PAPER = MirrorConfig(
    generations=128,
    data=DataSettings(kind="shuffled", rows=5120, steps=1000),
    # Densities as the paper has them: from this scale on they stay below 1, as log-odds need.
    training=OfflineConfig(action_cell=None, min_scale=0.4),
    network=MirrorShape(mode="paper"),
    strategy=_STRATEGY,
)

PRESETS: Mapping[str, MirrorConfig] = {
    "mpo-paper": _PAPER,
    "ta-mpo": replace(_PAPER, network=MirrorShape(mode="paper", temporal=True)),
    "mpo-quick": MirrorConfig(
        generations=20,
        # A judge who is right as often about 200 steps as the usual one about 1000.
        data=DataSettings(kind="shuffled", rows=256, steps=200, temperature=20.4),
        training=OfflineConfig(epochs=4, num_eval_episodes=32),
        strategy=replace(_STRATEGY, population_size=32, sigma=0.1, learning_rate=0.05),
        reduction="mean",
        held_out_every=5,
    ),
}
"""One search each."""


def preset(name: str) -> MirrorConfig:
    """The search of a name; raises ConfigError for an unknown one."""
    if name not in PRESETS:
        raise ConfigError(f"preset='{name:.40}' is unknown; use one of {', '.join(PRESETS)}")
    return PRESETS[name]
