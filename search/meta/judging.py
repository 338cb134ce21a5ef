"""How good the drift of a meta-training is by now: against PPO, on seeds it never trained with."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rl import environments
from rl.drifts import of_formulas, of_weights
from search.arena import Arena
from search.judging import PPO_EPSILON, compared, held_out_seeds, ppo
from search.meta.config import MetaConfig


class Judge:
    """Trains the drift of the mean and PPO on the same held-out seeds."""

    def __init__(self, config: MetaConfig, tasks: Mapping[str, environments.Task]) -> None:
        self.config, self._tasks = config, tasks
        self.seeds = held_out_seeds(config.held_out_seeds)

    def baseline(self) -> dict[str, list[float]]:
        """Returns of PPO by environment, one a seed."""
        epsilon = self.config.network.ppo_epsilon
        candidates = of_formulas([ppo(PPO_EPSILON if epsilon is None else str(epsilon))])
        return {
            env: self._arena(env, candidates).returns(candidates, self.seeds)[0].tolist()
            for env in self.config.judged_envs
        }

    def knows(self, baseline: Mapping[str, list[float]]) -> bool:
        """Whether these are PPO's returns on all the seeds and environments asked for."""
        return all(len(baseline.get(env, ())) == len(self.seeds) for env in self.config.judged_envs)

    def judge(
        self, vector: NDArray[np.floating[Any]], baseline: Mapping[str, list[float]]
    ) -> dict[str, dict[str, float]]:
        """By environment: mean returns of the drift and of PPO, and of their difference by seed
        the mean and its standard error.
        """
        candidates = self._drift(vector)
        return {
            env: compared(arena.returns(candidates, self.seeds)[0], np.array(baseline[env]))
            for env, arena in self._arenas.items()
        }

    @cached_property
    def _arenas(self) -> dict[str, Arena]:
        like = self._drift(np.zeros(self.config.network.size))
        return {env: self._arena(env, like) for env in self.config.judged_envs}

    def _drift(self, vector: NDArray[np.floating[Any]]) -> Any:
        shape = self.config.network
        return of_weights(shape.network(np.zeros(shape.size)), shape.layers(vector[None]))

    def _arena(self, env: str, like: Any) -> Arena:
        return Arena(self._tasks[env], self.config.trainer(env), like, len(self.seeds))
