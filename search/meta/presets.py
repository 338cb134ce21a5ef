"""Meta-trainings by name: those of the papers, and small ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rl.presets import preset as recipe
from search.meta.config import MetaConfig
from search.meta.networks import FEATURE_SETS, NetworkShape
from search.meta.strategy import StrategyConfig
from search.settings import EVERYWHERE, SHORT
from symbolic.errors import ConfigError

_PAPER = NetworkShape(start="zero")
_ZERO = ("ant", "walker2d", "halfcheetah", "humanoid")
_EPOCHS = 183
"""Updates in every environment of LPO-Zero's mixture."""
_SMALL = StrategyConfig(
    population_size=16, sigma=0.05, sigma_decay=1.0, learning_rate=0.02, learning_rate_decay=0.99,
    momentum=0.9,
)  # fmt: skip

PRESETS: Mapping[str, MetaConfig] = {
    # Lu et al. 2022, section 5 and appendix C.
    "lpo-paper": MetaConfig(envs=("ant",), network=_PAPER, held_out_envs=("walker2d",)),
    # Appendix A. The fetch of the paper is not in brax any more: humanoid takes its place.
    "lpo-zero-paper": MetaConfig(
        envs=_ZERO,
        generations=400,
        network=NetworkShape(hidden=(256, 256), activation="relu", ppo_epsilon=None),
        strategy=StrategyConfig(
            population_size=700, learning_rate=0.006, learning_rate_decay=1.0, sigma_decay=1.0
        ),
        inner={
            EVERYWHERE: {"num_eval_envs": 10_240},
            **{env: {"total_env_steps": _EPOCHS * recipe(env).env_steps_per_update} for env in _ZERO},
        },
    ),
    # Jackson et al. 2024: times n/N as inputs, and the better of a pair wins.
    "ta-lpo": MetaConfig(
        envs=("ant",),
        network=replace(_PAPER, temporal=True),
        strategy=StrategyConfig(shaping="pairwise"),
    ),
    "quick": MetaConfig(
        envs=("CartPole-v1",),
        seeds=2,
        generations=40,
        strategy=_SMALL,
        inner=SHORT,
        held_out_every=20,
        held_out_seeds=32,
    ),
    # On two cores: an hour or two.
    "classic-control": MetaConfig(
        envs=("CartPole-v1", "Acrobot-v1"),
        seeds=2,
        generations=200,
        strategy=replace(_SMALL, population_size=24),
        inner=SHORT,
        held_out_every=20,
    ),
    "breakout": MetaConfig(
        envs=("Breakout-MinAtar",),
        generations=120,
        strategy=replace(_SMALL, population_size=32),
        inner={
            EVERYWHERE: {
                "total_env_steps": 49_152, "num_envs": 32, "num_minibatches": 8, "num_eval_envs": 32,
            }
        },
        held_out_every=20,
    ),
    "gpu-30min": MetaConfig(
        envs=("ant",),
        generations=60,
        inner={EVERYWHERE: {"total_env_steps": 3_000_000}},
        held_out_seeds=8,
    ),
}  # fmt: skip
"""One meta-training each."""

STUDIES: Mapping[str, Mapping[str, MetaConfig]] = {
    # Appendix E and figure 10.
    "lpo-ablation": {
        features: replace(
            PRESETS["lpo-paper"], generations=208, network=replace(_PAPER, features=features)
        )
        for features in FEATURE_SETS
    }
}
"""Several meta-trainings side by side."""


def preset(name: str) -> Mapping[str, MetaConfig]:
    """The meta-trainings of a name, by folder: one with the empty folder, or those of a study.

    Raises ConfigError for an unknown name.
    """
    if name in STUDIES:
        return STUDIES[name]
    if name not in PRESETS:
        known = ", ".join((*PRESETS, *STUDIES))
        raise ConfigError(f"preset='{name:.40}' is unknown; use one of {known}")
    return {"": PRESETS[name]}
