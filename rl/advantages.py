"""Generalised advantage estimation that knows why an episode ended."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


def generalised_advantages(
    reward: Float[Array, "time num_envs"],
    value: Float[Array, "time num_envs"],
    next_value: Float[Array, "time num_envs"],
    terminated: Bool[Array, "time num_envs"],
    truncated: Bool[Array, "time num_envs"],
    *,
    discount: float,
    gae_lambda: float,
    unroll_length: int,
) -> Float[Array, "time num_envs"]:
    """Advantages of every step; value targets are these plus `value`.

    `next_value` is the value of the observation a step led to, before any new episode: a truncated
    episode goes on in it, a terminated one has nothing left. Estimates do not reach beyond an
    unroll of `unroll_length` steps; its end is bootstrapped likewise.

    Source: Schulman et al. 2016, equations 11 to 16.
    """
    alive = 1.0 - terminated.astype(reward.dtype)
    delta = reward + discount * alive * next_value - value
    last = (jnp.arange(reward.shape[0]) % unroll_length) == unroll_length - 1
    goes_on = alive * (1.0 - (truncated | last[:, None]).astype(reward.dtype))

    def back(later: Array, step: tuple[Array, Array]) -> tuple[Array, Array]:
        delta, goes_on = step
        advantage = delta + discount * gae_lambda * goes_on * later
        return advantage, advantage

    _, advantage = jax.lax.scan(
        back, jnp.zeros_like(delta[0]), (delta, goes_on), reverse=True, unroll=8
    )
    return advantage
