"""Where objectives are judged: agents trained offline on one dataset, and played online."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from rl.environments import Episodes, Task
from rl.offline.actor import TrainedActor
from rl.offline.candidates import Objectives
from rl.offline.config import OfflineConfig
from rl.offline.pairs import TrajectoryPairs
from rl.offline.population import OfflinePopulation, OfflinePrograms
from rl.offline.training import train_offline


class OfflineArena:
    """Trains objectives of one form on one dataset, always in the same compiled programs."""

    def __init__(
        self,
        task: Task,
        actor: TrainedActor,
        pairs: TrajectoryPairs,
        config: OfflineConfig,
        like: Objectives,
        seeds: int,
    ) -> None:
        """`like` are as many objectives as are going to be judged at once, `seeds` agents of each."""
        self._programs = OfflinePrograms(
            actor,
            Episodes(task, config.num_eval_episodes),
            pairs,
            replace(config, num_evaluations=1),
            like.apply,
            width=like.count * seeds,
        )

    def returns(
        self, objectives: Objectives, seeds: Sequence[int]
    ) -> Float[np.ndarray, "objectives seeds"]:
        """Return of the trained policies; nan for an agent that does not count."""
        population = OfflinePopulation(self._programs, objectives, seeds)
        scores = train_offline(population, judge_first=False).scores
        found = [s.return_mean if s.failed is None else np.nan for s in scores]
        return np.array(found).reshape(objectives.count, len(seeds))
