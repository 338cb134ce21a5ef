"""Running mean and variance, for observations and for the scale of rewards."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

_MIN_STD, _MAX_STD = 1e-6, 1e6
"""Bounds of the standard deviation that divides, as brax has them."""


class Moments(NamedTuple):
    """Mean and summed squared deviation of what was seen."""

    count: Float[Array, ""]
    mean: Float[Array, "size"]
    deviation: Float[Array, "size"]

    @property
    def std(self) -> Float[Array, "size"]:
        """Standard deviation, 1 before anything was seen."""
        variance = self.deviation / jnp.maximum(self.count, 1.0)
        std = jnp.clip(jnp.sqrt(jnp.maximum(variance, 0.0)), _MIN_STD, _MAX_STD)
        return jnp.where(self.count > 0, std, 1.0)


def empty(size: int) -> Moments:
    """Nothing seen yet."""
    return Moments(count=jnp.zeros(()), mean=jnp.zeros(size), deviation=jnp.zeros(size))


def update(moments: Moments, batch: Float[Array, "*n size"]) -> Moments:
    """Moments with a batch added.

    Source: Chan, Golub and LeVeque 1983, equation 2.1 (pairwise combination).
    """
    rows = batch.reshape(-1, batch.shape[-1])
    count = moments.count + rows.shape[0]
    mean = jnp.mean(rows, axis=0)
    difference = mean - moments.mean
    within = jnp.sum(jnp.square(rows - mean), axis=0)
    between = jnp.square(difference) * moments.count * rows.shape[0] / count
    return Moments(
        count=count,
        mean=moments.mean + difference * rows.shape[0] / count,
        deviation=moments.deviation + within + between,
    )


def normalise(moments: Moments, x: Float[Array, "*n size"]) -> Float[Array, "*n size"]:
    """Centred and divided by the standard deviation."""
    return (x - moments.mean) / moments.std
