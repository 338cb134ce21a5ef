"""A task and ranked trajectories so small that offline training takes a second."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rl.environments import Continuous, Task
from rl.environments.adapter import TaskStep
from rl.offline.config import OfflineConfig
from rl.preference.chunks import Preferences

STEPS, ROWS = 6, 64
GOAL = 0.5
TINY = OfflineConfig(
    epochs=24, minibatch_pairs=16, learning_rate=0.03, hidden=(8,), num_eval_episodes=8
)


def towards_goal() -> Task:
    """The observation is a number s; the action that is paid best is s/2."""

    def reset(key: Any) -> tuple[Any, Any]:
        state = jax.random.uniform(key, (1,), minval=-1.0)
        return state, state

    def step(key: Any, state: Any, action: Any) -> TaskStep:
        paid = 1.0 - jnp.square(action[0] - GOAL * state[0])
        return TaskStep(state, state, paid, jnp.asarray(False))

    return Task("towards-goal", 1, Continuous(1), STEPS, reset, step)


def preferences(seed: int = 0, rows: int = ROWS) -> Preferences:
    """Chosen trajectories act by s/2, rejected ones by −s/2; the second half of a row may be cut."""
    random = np.random.default_rng(seed)
    state = random.uniform(-1, 1, (rows, 1, 1)).repeat(STEPS, axis=1).astype(np.float32)
    length = random.integers(STEPS // 2, STEPS + 1, (2, rows)).astype(np.int32)
    columns = []
    for sign, steps in zip((1, -1), length):
        within = (np.arange(STEPS) < steps[:, None])[..., None]
        action = sign * GOAL * state + 0.05 * random.normal(size=state.shape)
        returns = np.where(sign > 0, 5.0, 3.0) * np.ones(rows)
        columns.append((state * within, (action * within).astype(np.float32), steps, returns))
    return Preferences(
        *columns[0], *columns[1], flipped=np.zeros(rows, bool), pair=np.zeros(rows, np.int8)
    )
