"""Where candidates are trained and judged: one environment, always the same compiled programs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from rl.config import TrainerConfig
from rl.drifts import Candidates
from rl.environments import Task
from rl.fitting import fitted
from rl.population import Population
from rl.score import lost

FIRST_HELD_OUT_SEED = 2**31
"""Seeds below it are for finding drifts; from it on they are for judging what was found."""


class Arena:
    """Trains drifts of one form in one environment, always in the same compiled programs."""

    def __init__(self, task: Task, config: TrainerConfig, like: Candidates, seeds: int) -> None:
        """`like` are as many drifts as are going to be trained at once, `seeds` agents of each."""
        self.config, self.seeds = config, seeds
        self._programs, self._width = fitted(task, config, like, seeds, None)

    def returns(
        self, candidates: Candidates, seeds: Sequence[int]
    ) -> Float[np.ndarray, "candidates seeds"]:
        """Return of the trained policies; nan for an agent that does not count (`rl.score.lost`).

        All candidates meet the same initial agents and random numbers.
        """
        found = []
        for begin in range(0, candidates.count, self._width):
            part = candidates[begin : begin + self._width]
            population = Population(self._programs, part, seeds)
            state, metrics = population.run(population.init(), self.config.num_updates)
            judged = population.evaluate(state, 1).return_mean
            found.append(np.where(lost(self.config, metrics, judged), np.nan, judged))
        return np.concatenate(found)

    @property
    def env_steps(self) -> int:
        """Of one agent's training."""
        return self.config.num_updates * self.config.env_steps_per_update


def drawn_seeds(random: np.random.Generator, count: int) -> list[int]:
    """Seeds for training, none twice."""
    return [int(seed) for seed in random.choice(FIRST_HELD_OUT_SEED, count, replace=False)]
