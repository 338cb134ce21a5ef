"""How training differentiates a drift: value and slope in the log-ratio together, kept finite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

DriftApply = Callable[[Any, Array, Array, Array], Array]
"""(parameters, log_ratio, advantage, progress) -> f, elementwise over a batch."""

ValueAndSlope = Callable[[Any, Array, Array, Array], tuple[Array, Array]]
"""The same arguments -> f and ∂f/∂log r."""

LARGEST = 1e30
"""Bound of a drift's value and slope: beyond it float32 overflows in a mean or a gradient."""


def forward_mode(value: DriftApply) -> ValueAndSlope:
    """Value and slope of an elementwise function, by one forward pass."""

    def both(
        parameters: Any, log_ratio: Array, advantage: Array, progress: Array
    ) -> tuple[Array, Array]:
        return jax.jvp(
            lambda log_ratio: value(parameters, log_ratio, advantage, progress),
            (log_ratio,),
            (jnp.ones_like(log_ratio),),
        )

    return both


def trainable(value_and_slope: ValueAndSlope) -> DriftApply:
    """The drift as the loss calls it: differentiable once, in reverse mode, in `log_ratio` alone.

    Values and slopes beyond LARGEST are set to it, so that one far sample cannot end a training;
    undefined stays nan. Both are counted where a run is recorded.
    """

    def forward(
        parameters: Any, log_ratio: Array, advantage: Array, progress: Array
    ) -> tuple[Array, Array]:
        value, slope = value_and_slope(parameters, log_ratio, advantage, progress)
        return jnp.clip(value, -LARGEST, LARGEST), jnp.clip(slope, -LARGEST, LARGEST)

    @jax.custom_vjp
    def drift(parameters: Any, log_ratio: Array, advantage: Array, progress: Array) -> Array:
        return forward(parameters, log_ratio, advantage, progress)[0]

    def backward(slope: Array, cotangent: Array) -> tuple[None, Array, None, None]:
        return None, slope * cotangent, None, None

    drift.defvjp(forward, backward)
    return drift
