"""Where training asks a drift: a fixed-size sample of (log r, A, t) as the policy produced them.

Distillation weighs its fit by it.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

SIZE = 4096


class Density(NamedTuple):
    """A sample of all that was seen so far, each update with equal chance; weights add to 1."""

    log_ratio: Float[Array, "size"]
    advantage: Float[Array, "size"]
    progress: Float[Array, "size"]
    weight: Float[Array, "size"]
    """0 for places not filled yet."""


def empty() -> Density:
    """Nothing seen yet."""
    return Density(*(jnp.zeros(SIZE) for _ in Density._fields))


def record(
    density: Density,
    key: PRNGKeyArray,
    updates: Int[Array, ""],
    pairs: tuple[Float[Array, "*n"], Float[Array, "*n"]],
    progress: Float[Array, ""],
) -> Density:
    """The sample after one more update with (log_ratio, advantage) `pairs`.

    Each place takes a new pair with chance 1/(updates + 1), which keeps the sample uniform over
    updates (reservoir sampling, one reservoir a place).
    """
    log_ratio, advantage = (part.reshape(-1) for part in pairs)
    pick_key, keep_key = jax.random.split(key)
    picked = jax.random.randint(pick_key, (SIZE,), 0, log_ratio.size)
    replace = jax.random.uniform(keep_key, (SIZE,)) * (updates + 1) < 1.0
    return Density(
        log_ratio=jnp.where(replace, log_ratio[picked], density.log_ratio),
        advantage=jnp.where(replace, advantage[picked], density.advantage),
        progress=jnp.where(replace, progress, density.progress),
        weight=jnp.full(SIZE, 1.0 / SIZE),
    )
