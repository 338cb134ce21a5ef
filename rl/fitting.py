"""Programs for as many candidates at once as memory allows."""

from __future__ import annotations

from rl import memory as memories
from rl.config import TrainerConfig
from rl.drifts import Candidates
from rl.environments import Task
from rl.population import Population, Programs
from symbolic.errors import ConfigError


def fitted(
    task: Task, config: TrainerConfig, candidates: Candidates, seeds: int, memory: int | None
) -> tuple[Programs, int]:
    """Programs for as many of `candidates` with `seeds` agents each as fit, and how many that is.

    `memory` bounds the bytes in use at once, by default `rl.memory.budget()`. Raises ConfigError if
    not even one candidate fits.
    """
    limit = memories.agreed(memories.budget() if memory is None else memory)
    width = candidates.count
    while True:
        tried = Programs(task, config, candidates.apply, width=width * seeds)
        need = Population(tried, candidates[:width], range(seeds)).memory
        if need <= limit:
            return tried, width
        if width == 1:
            raise ConfigError(
                f"one drift with {seeds} seeds needs {need / 2**20:.4g} MiB and may use "
                f"{limit / 2**20:.4g}; raise the memory, or lower num_envs or the number of seeds"
            )
        # A part of the need does not shrink with the width, so one division may not be enough.
        width = max(1, width // -(-need // limit))
