"""The outer loop: a generation of drift networks is trained, judged, and moves the mean."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from rl.config import TrainerConfig
from rl.drifts import Candidates
from rl.environments import Task
from rl.fitting import fitted
from rl.population import Population
from search.meta.strategy import Strategy

TRAINING_SEEDS = 2**31
"""Seeds below it are for generations; from it on they are for judging what came of them."""


class Arena:
    """Trains drifts of one form in one environment, always in the same compiled programs."""

    def __init__(self, task: Task, config: TrainerConfig, like: Candidates, seeds: int) -> None:
        """`like` are as many drifts as are going to be trained at once, `seeds` agents of each."""
        self.task, self.config, self.seeds = task, config, seeds
        self._programs, self._width = fitted(task, config, like, seeds, None)

    def returns(
        self, candidates: Candidates, seeds: Sequence[int]
    ) -> Float[np.ndarray, "candidates seeds"]:
        """Return of the trained policies; nan for an agent that diverged.

        All candidates meet the same initial agents and random numbers.
        """
        found = []
        for begin in range(0, candidates.count, self._width):
            part = candidates[begin : begin + self._width]
            population = Population(self._programs, part, seeds)
            state, metrics = population.run(population.init(), self.config.num_updates)
            judged = population.evaluate(state, 1).return_mean
            lost = (metrics["diverged"] > 0) | ~np.isfinite(judged)
            found.append(np.where(lost, np.nan, judged))
        return np.concatenate(found)

    @property
    def env_steps(self) -> int:
        """Of one agent's training."""
        return self.config.num_updates * self.config.env_steps_per_update


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
            arena.returns(candidates, _drawn(random, arena.seeds)).mean(axis=1, dtype=np.float64)
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


def _drawn(random: np.random.Generator, count: int) -> list[int]:
    return [int(seed) for seed in random.choice(TRAINING_SEEDS, count, replace=False)]
