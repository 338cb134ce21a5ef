"""The pairs of a dataset as training reads them: all in memory, normalised once."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from rl.normalisation import Moments, normalise
from rl.policies import Policy
from rl.preference.chunks import Preferences
from rl.preference.data import PreferenceData
from symbolic.errors import ConfigError

_LEAST_STD = 1e-3
"""Observations that hardly vary are centred and not blown up."""


class TrajectoryPairs(NamedTuple):
    """Pairs side by side: the chosen trajectory is the first of its pair."""

    observation: Float[Array, "rows 2 steps observation"]
    """Normalised; 0 from where a trajectory ended."""
    raw_action: Float[Array, "rows 2 steps action"]
    counted: Float[Array, "rows 2 steps"]
    """1 for a step of the trajectory, 0 after its end."""


def read_pairs(
    data: PreferenceData, rows: int | None = None, steps: int | None = None
) -> Preferences:
    """The first `rows` pairs, their first `steps` steps; all where not given.

    Raises ConfigError for more than there are, and for damaged files.
    """
    check_part(data, rows, steps)
    parts, left = [], len(data) if rows is None else rows
    for index in range(data.num_chunks):
        if left <= 0:
            break
        chunk = data.chunk(index)
        parts.append(_cut(chunk, left, steps))
        left -= len(chunk.flipped)
    return Preferences(*(np.concatenate(columns) for columns in zip(*parts)))


def check_part(data: PreferenceData, rows: int | None, steps: int | None) -> None:
    """Raise ConfigError for more rows or steps than a dataset has."""
    for name, asked, there in (
        ("rows", rows, len(data)), ("steps", steps, data.config.steps),
    ):  # fmt: skip
        if asked is not None and not 1 <= asked <= there:
            raise ConfigError(f"{name}={asked} must be from 1 to {there}, which {data.path} has")


def _cut(chunk: Preferences, rows: int, steps: int | None) -> Preferences:
    found = Preferences(*(column[:rows] for column in chunk))
    if steps is None:
        return found
    shorter = {
        f"{who}_{what}": getattr(found, f"{who}_{what}")[:, :steps]
        for who in ("chosen", "rejected")
        for what in ("observations", "actions")
    }
    lengths = {
        f"{who}_length": np.minimum(getattr(found, f"{who}_length"), steps)
        for who in ("chosen", "rejected")
    }
    return found._replace(**shorter, **lengths)


def observation_moments(
    preferences: Preferences,
) -> tuple[Float[np.ndarray, "observation"], Float[np.ndarray, "observation"]]:
    """Mean and standard deviation of all observations of trajectories."""
    size = preferences.chosen_observations.shape[-1]
    total, square, count = np.zeros(size), np.zeros(size), 0
    for who in ("chosen", "rejected"):
        seen = getattr(preferences, f"{who}_observations")
        within = np.arange(seen.shape[1]) < getattr(preferences, f"{who}_length")[:, None]
        kept = seen[within].astype(np.float64)
        total, square, count = total + kept.sum(0), square + (kept**2).sum(0), count + len(kept)
    mean = total / count
    return mean, np.maximum(np.sqrt(np.maximum(square / count - mean**2, 0)), _LEAST_STD)


def training_pairs(
    preferences: Preferences, observations: Moments, policy: Policy
) -> TrajectoryPairs:
    """As JAX arrays, with observations normalised and actions as the policy draws them."""

    def both(column: Callable[[str], np.ndarray]) -> Array:
        return jnp.stack([jnp.asarray(column(who)) for who in ("chosen", "rejected")], axis=1)

    seen = both(lambda who: getattr(preferences, f"{who}_observations"))
    played = both(lambda who: getattr(preferences, f"{who}_actions"))
    length = both(lambda who: getattr(preferences, f"{who}_length"))
    counted = jnp.arange(seen.shape[2]) < length[..., None]
    raw = jnp.where(counted[..., None], policy.raw(played), 0.0)
    observation = jnp.where(counted[..., None], normalise(observations, seen), 0.0)
    return TrajectoryPairs(observation, raw, counted.astype(jnp.float32))
