"""Pairs of trajectories: who plays them, and how they are ranked.

Everything random in a row follows from the seed and the row's number, never from the kind of the
dataset. So datasets of one seed share their trajectories as far as their kinds allow: base, noisy
and poor-judge have the same pairs, and where shuffled has expert and reference it has them, too. A
row has one random number for its judge and one for its noise: what one temperature ranks rightly, a
lower one does as well, and what a noise flips, a higher one flips.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from rl.preference.chunks import Preferences
from rl.preference.config import PreferenceConfig
from rl.preference.judge import preference_probability
from rl.preference.rollouts import Trajectories

EXPERT, REFERENCE = 0, 1


class Draws(NamedTuple):
    """What is random in each row."""

    start_keys: PRNGKeyArray
    first_keys: PRNGKeyArray
    second_keys: PRNGKeyArray
    pair: Int[Array, "rows"]
    judge: Float[Array, "rows"]
    noise: Float[Array, "rows"]
    """Uniform numbers in [0, 1)."""

    @property
    def players(self) -> tuple[Int[Array, "rows"], Int[Array, "rows"]]:
        """(first, second): the expert and the reference, or one of them twice."""
        first = jnp.where(self.pair == 2, REFERENCE, EXPERT)
        return first, jnp.where(self.pair == 1, EXPERT, REFERENCE)


def draw(key: PRNGKeyArray, shares: Float[Array, "pairs"], rows: Int[Array, "rows"]) -> Draws:
    """What is random in the rows of these numbers; `shares` are the probabilities of `PAIRS`."""

    def one(row: Array) -> Draws:
        keys = jax.random.split(jax.random.fold_in(key, row), 6)
        uniform = jax.vmap(jax.random.uniform)(keys[3:])
        pair = jnp.sum(uniform[0] >= jnp.cumsum(shares)[:-1], dtype=jnp.int32)
        return Draws(keys[0], keys[1], keys[2], pair, uniform[1], uniform[2])

    return jax.vmap(one)(rows)


class Ranked(NamedTuple):
    """What a judge and the noise made of two columns of returns."""

    first_chosen: np.ndarray
    tally: dict[str, float]
    """Sums over rows: what the card's numbers are made of."""


def rank(
    first: Float[np.ndarray, "rows"],
    second: Float[np.ndarray, "rows"],
    judge: Float[np.ndarray, "rows"],
    noise: Float[np.ndarray, "rows"],
    config: PreferenceConfig,
) -> Ranked:
    """Rank returns by a judge of Bradley and Terry, then flip some rankings.

    `judge` and `noise` are uniform numbers in [0, 1). Equal returns cannot be ranked rightly or wrongly:
    they are counted on their own.
    """
    prefers_first = judge < preference_probability(first, second, config.temperature)
    noised = noise < config.noise
    first_chosen = prefers_first ^ noised
    equal = first == second
    surely = preference_probability(
        np.maximum(first, second), np.minimum(first, second), config.temperature
    )
    right = ~equal & (prefers_first == (first > second))
    flipped = ~equal & (first_chosen != (first > second))
    tally = {
        "tied": int(np.sum(equal)),
        "expected_right": float(np.sum(np.where(equal, 0.0, surely))),
        "right": int(np.sum(right)),
        "noised": int(np.sum(noised)),
        "flipped": int(np.sum(flipped)),
        "chosen_return": float(np.sum(np.where(first_chosen, first, second))),
        "rejected_return": float(np.sum(np.where(first_chosen, second, first))),
    }
    return Ranked(first_chosen, tally)


def sorted_out(
    first: Trajectories,
    second: Trajectories,
    first_return: Float[np.ndarray, "rows"],
    second_return: Float[np.ndarray, "rows"],
    first_chosen: np.ndarray,
    pair: Int[np.ndarray, "rows"],
) -> Preferences:
    """Trajectories of NumPy arrays as chosen and rejected ones."""

    def pick(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        where = first_chosen.reshape(-1, *[1] * (one.ndim - 1))
        return np.where(where, one, other), np.where(where, other, one)

    observations = pick(first.observations, second.observations)
    actions = pick(first.actions, second.actions)
    lengths = pick(first.lengths, second.lengths)
    returns = pick(first_return, second_return)
    chosen, rejected = zip(observations, actions, lengths, returns)
    flipped = returns[0] < returns[1]
    return Preferences(*chosen, *rejected, flipped, pair.astype(np.int8))
