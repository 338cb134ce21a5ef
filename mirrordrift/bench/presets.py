"""The comparisons of the paper that drifts were discovered in, in full and for two cores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symbolic.errors import ConfigError

_PPO = ("ppo; eps=0.2", "ppo; eps=0.3")
"""At MinAtar's ε, which is also that inside LPO, and at brax's: ε alone can decide a comparison."""

_BRAX = (
    "ant",
    "halfcheetah",
    "humanoid",
    "humanoidstandup",
    "walker2d",
    "reacher",
    "pusher",
    "inverted_pendulum",
    "inverted_double_pendulum",
)
"""Environments that brax still has and the paper's recipe covers; fetch, grasp and ur5e are gone."""
_MINATAR = (
    "Asterix-MinAtar",
    "Breakout-MinAtar",
    "Freeway-MinAtar",
    "SpaceInvaders-MinAtar",
)
_SMALL_BRAX = {
    "num_envs": 128,
    "unroll_length": 16,
    "num_unrolls": 1,
    "num_minibatches": 8,
    "update_epochs": 4,
    "num_eval_envs": 32,
    "value_hidden": (64, 64),
}


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A comparison by name."""

    drifts: tuple[str, ...]
    envs: tuple[str, ...]
    seeds: int = 10
    learning_rates: tuple[float, ...] = ()
    """Tried with the first drift on each environment; all drifts then use the best."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the trainer that differ from an environment's recipe."""
    network: str = ""
    """What the comparison lacks until `--drift FILE` gives it; empty if it lacks nothing."""


_RATES = (1e-3, 2.5e-3, 5e-3, 1e-2)
_PRESETS = {
    "brax-paper": Preset(drifts=(*_PPO, "dpo"), envs=_BRAX, network="LPO"),
    "minatar-paper": Preset(
        drifts=("ppo; eps=0.2", "dpo"), envs=_MINATAR, learning_rates=_RATES, network="LPO"
    ),
    "lpo-zero": Preset(drifts=(*_PPO, "dpo"), envs=_BRAX, network="LPO-Zero"),
}
_REDUCED = {
    "brax-paper": Preset(
        drifts=(*_PPO, "dpo"),
        envs=("inverted_pendulum", "inverted_double_pendulum", "hopper"),
        seeds=3,
        changes=_SMALL_BRAX | {"total_env_steps": 500_000},
        network="LPO",
    ),
    "minatar-paper": Preset(
        drifts=("ppo; eps=0.2", "dpo"),
        envs=("Asterix-MinAtar", "Breakout-MinAtar"),
        seeds=3,
        learning_rates=(2.5e-3, 1e-2),
        changes={"total_env_steps": 300_000},
        network="LPO",
    ),
    "lpo-zero": Preset(
        drifts=(*_PPO, "dpo"),
        envs=("inverted_pendulum", "hopper"),
        seeds=3,
        changes=_SMALL_BRAX | {"total_env_steps": 500_000},
        network="LPO-Zero",
    ),
}


def preset(name: str, *, reduced: bool) -> Preset:
    """The comparison called `name`; raises ConfigError for an unknown name."""
    known = _REDUCED if reduced else _PRESETS
    if name not in known:
        raise ConfigError(f"preset='{name:.40}' is unknown; use one of {', '.join(known)}")
    return known[name]
