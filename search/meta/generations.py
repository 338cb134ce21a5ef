"""The outer loop: a generation of drift networks is trained, judged, and moves the mean."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from rl.drifts import Candidates
from search.arena import Arena, drawn_seeds
from search.meta.strategy import Strategy


class Generation(NamedTuple):
    """What a generation told."""

    returns: Float[np.ndarray, "members environments"]
    """Mean return after training; nan for a member of which an agent diverged."""
    fitness: Float[np.ndarray, "members"]
    """What the strategy heard, before it is shaped."""
    seconds: float


def step(
    arenas: Sequence[Arena],
    drifts: Callable[[Any], Candidates],
    strategy: Strategy,
    state: Any,
    seed: int,
    number: int,
) -> tuple[Any, Generation]:
    """Generation `number`; everything random in it follows from (seed, number).

    `drifts` makes candidates of the members' vectors. Processes that share the agents draw the same
    members, each for itself: nothing but returns goes from one to another.
    """
    begun = time.perf_counter()
    ask_key, tell_key = jax.random.split(jax.random.fold_in(jax.random.key(seed), number))
    members, state = strategy.ask(ask_key, state)
    candidates = drifts(np.asarray(members))
    random = np.random.default_rng((seed, number))
    returns = np.stack(
        [
            arena.returns(candidates, drawn_seeds(random, arena.seeds)).mean(
                axis=1, dtype=np.float64
            )
            for arena in arenas
        ],
        axis=1,
    )
    fitness = combined(returns)
    state = strategy.tell(tell_key, members, fitness, state)
    return state, Generation(returns, fitness, time.perf_counter() - begun)


def combined(
    returns: Float[np.ndarray, "members environments"],
) -> Float[np.ndarray, "members"]:
    """One fitness a member: of one environment its return, of several the mean of z-scores.

    A member that is nan in one of them is nan.
    """
    if returns.shape[1] == 1 or np.isnan(returns).all():
        return np.asarray(returns.mean(axis=1))
    mean, spread = np.nanmean(returns, axis=0), np.nanstd(returns, axis=0)
    return np.asarray(((returns - mean) / (spread + 1e-8)).mean(axis=1))
