"""Continuous control by brax, and what is made of its environments."""

from __future__ import annotations

from typing import Any

from jaxtyping import Array, PRNGKeyArray

from rl.environments import three_legged_ant
from rl.environments.adapter import Continuous, Task, TaskStep
from rl.environments.imports import quiet
from symbolic.errors import ConfigError

NAMES = (
    "ant",
    three_legged_ant.NAME,
    "halfcheetah",
    "hopper",
    "humanoid",
    "humanoidstandup",
    "walker2d",
    "reacher",
    "pusher",
    "swimmer",
    "inverted_pendulum",
    "inverted_double_pendulum",
)
EPISODE_LENGTH = 1000
_OURS = {three_legged_ant.NAME: "ant"}
"""Environments of ours, and those of brax that they are made of."""


def make(name: str, backend: str, episode_length: int | None = None) -> Task:
    """The task of one of `NAMES` on one of `BACKENDS`."""
    env: Any
    try:
        with quiet():
            from brax import envs

            env = envs.get_environment(_OURS.get(name, name), backend=backend)
    except ValueError as error:  # swimmer needs joints that only one backend has
        raise ConfigError(
            f"backend='{backend}' does not run {name} ({error}); try backend=generalized"
        ) from None

    def reset(key: PRNGKeyArray) -> tuple[Any, Array]:
        state = env.reset(key)
        return state, state.obs

    def step(key: PRNGKeyArray, state: Any, action: Array) -> TaskStep:
        onward = env.step(state, action)
        return TaskStep(onward, onward.obs, onward.reward, onward.done > 0.5)

    task = Task(
        name=name,
        observation_size=int(env.observation_size),
        actions=Continuous(int(env.action_size)),
        episode_length=episode_length or EPISODE_LENGTH,
        reset=reset,
        step=step,
        # As brax's own training does: initialising its physics costs many steps.
        restart=lambda first, last: first,
    )
    return three_legged_ant.penalised(task, env) if name == three_legged_ant.NAME else task
