"""A random order of a batch, cheap enough to draw every epoch."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray


def random_order(key: PRNGKeyArray, size: int) -> Int[Array, "size"]:
    """0 … size − 1 shuffled.

    Sorts words that hold random bits above and the index below: XLA sorts plain words ten times
    faster on a CPU than pairs, and `jax.random.permutation` sorts pairs twice. Indices with equal
    random bits stay in order, which moves nothing between minibatches but at their seams.
    """
    low = max(size - 1, 1).bit_length()
    mask = jnp.uint32((1 << low) - 1)
    words = (jax.random.bits(key, (size,)) & ~mask) | jnp.arange(size, dtype=jnp.uint32)
    return (jnp.sort(words) & mask).astype(jnp.int32)
