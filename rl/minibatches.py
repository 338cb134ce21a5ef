"""What an update learns from, as rows that a shuffle moves whole.

A row is one decision, or one unroll where advantages are estimated anew in every minibatch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from rl.advantages import generalised_advantages
from rl.rollout import Rollout

Rows = TypeVar("Rows", bound="Decisions | Unrolls")


class Decisions(NamedTuple):
    """Single decisions with advantages that stay; leading axis `batch`."""

    observation: Float[Array, "batch observation"]
    raw_action: Float[Array, "batch action"]
    log_prob: Float[Array, "batch"]
    advantage: Float[Array, "batch"]
    target: Float[Array, "batch"]
    """Of the critic."""


class Unrolls(NamedTuple):
    """Whole unrolls, from which advantages follow by any critic; leading axes (batch, time)."""

    observation: Float[Array, "batch time observation"]
    raw_action: Float[Array, "batch time action"]
    log_prob: Float[Array, "batch time"]
    reward: Float[Array, "batch time"]
    terminated: Bool[Array, "batch time"]
    truncated: Bool[Array, "batch time"]
    truncated_value: Float[Array, "batch time"]
    """Where an episode was truncated, the old critic's value of where it would have gone on."""
    next_observation: Float[Array, "batch observation"]
    """After the last step."""


def decisions(
    rollout: Rollout,
    observation: Float[Array, "time num_envs observation"],
    advantage: Float[Array, "time num_envs"],
) -> Decisions:
    """The rows of a rollout whose advantages are known; `observation` is normalised."""
    whole = Decisions(
        observation, rollout.raw_action, rollout.log_prob, advantage, advantage + rollout.value
    )
    return Decisions(*(leaf.reshape(-1, *leaf.shape[2:]) for leaf in whole))


def unrolls(
    rollout: Rollout,
    observation: Float[Array, "time num_envs observation"],
    next_observation: Float[Array, "num_envs observation"],
    reward: Float[Array, "time num_envs"],
    *,
    unroll_length: int,
) -> Unrolls:
    """The rows of a rollout, unroll by unroll; observations are normalised, rewards scaled.

    `next_observation` is what follows the rollout.
    """

    def cut(leaf: Array) -> Array:
        """(time, num_envs, …) to (unrolls · num_envs, unroll_length, …)."""
        parts = leaf.reshape(-1, unroll_length, *leaf.shape[1:])
        return jnp.swapaxes(parts, 1, 2).reshape(-1, unroll_length, *leaf.shape[2:])

    begins = observation[unroll_length::unroll_length]
    after = jnp.concatenate([begins, next_observation[None]])
    return Unrolls(
        cut(observation),
        cut(rollout.raw_action),
        cut(rollout.log_prob),
        cut(reward),
        cut(rollout.terminated),
        cut(rollout.truncated),
        cut(rollout.next_value),
        after.reshape(-1, after.shape[-1]),
    )


def estimated(
    rows: Unrolls,
    value: Float[Array, "batch time"],
    last_value: Float[Array, "batch"],
    *,
    discount: float,
    gae_lambda: float,
) -> tuple[Float[Array, "batch time"], Float[Array, "batch time"]]:
    """(advantages, targets of the critic) by the critic that gave the values.

    `last_value` is that of `next_observation`; where an episode ended it is of a new one and unused.
    """
    onward = jnp.concatenate([value[:, 1:], last_value[:, None]], axis=1)
    next_value = jnp.where(rows.truncated, rows.truncated_value, onward)
    time_first = (
        leaf.T for leaf in (rows.reward, value, next_value, rows.terminated, rows.truncated)
    )
    advantage = generalised_advantages(
        *time_first,
        discount=discount,
        gae_lambda=gae_lambda,
        unroll_length=value.shape[1],
    ).T
    return advantage, advantage + value


def packed(rows: Rows) -> tuple[Float[Array, "batch row"], Callable[[Array], Rows]]:
    """One row of numbers each, so that a shuffle is one gather, and the way back."""
    shapes = [leaf.shape[1:] for leaf in rows]
    sizes = [math.prod(shape) for shape in shapes]
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    numbers = [leaf.astype(jnp.float32).reshape(leaf.shape[0], -1) for leaf in rows]

    def unpack(part: Array) -> Rows:
        leaves: Any = (
            leaf.reshape(-1, *shape).astype(like.dtype)
            for leaf, shape, like in zip(jnp.split(part, ends[:-1], axis=-1), shapes, rows)
        )
        return type(rows)(*leaves)

    return jnp.concatenate(numbers, axis=-1), unpack
