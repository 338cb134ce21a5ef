"""Classic control and MinAtar by gymnax."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from rl.environments.adapter import Continuous, Discrete, Task, TaskStep
from rl.environments.imports import on_demand

NAMES = (
    "CartPole-v1",
    "Acrobot-v1",
    "Pendulum-v1",
    "MountainCar-v0",
    "MountainCarContinuous-v0",
    "Asterix-MinAtar",
    "Breakout-MinAtar",
    "Freeway-MinAtar",
    "Seaquest-MinAtar",
    "SpaceInvaders-MinAtar",
)


def make(name: str, episode_length: int | None = None) -> Task:
    """The task of one of `NAMES`, observations flattened to float32."""
    with on_demand("seaborn", "matplotlib.pyplot"):  # for pictures: most of gymnax's import
        import gymnax
        from gymnax.environments import spaces

    env: Any
    env, params = gymnax.make(name)
    action_space = env.action_space(params)
    actions: Discrete | Continuous
    if isinstance(action_space, spaces.Discrete):
        actions = Discrete(action_space.n)
    else:
        low, high = (float(jnp.min(bound)) for bound in (action_space.low, action_space.high))
        actions = Continuous(action_space.shape[0] if action_space.shape else 1, low, high)

    def reset(key: PRNGKeyArray) -> tuple[Any, Array]:
        observation, state = env.reset_env(key, params)
        return state, _flat(observation)

    def step(key: PRNGKeyArray, state: Any, action: Array) -> TaskStep:
        observation, onward, reward, terminated, _ = env.step_env(key, state, action, params)
        return TaskStep(onward, _flat(observation), jnp.reshape(reward, ()), terminated)

    size = 1
    for extent in env.observation_space(params).shape:
        size *= extent
    return Task(
        name=name,
        observation_size=size,
        actions=actions,
        episode_length=episode_length or int(params.max_steps_in_episode),
        reset=reset,
        step=step,
    )


def _flat(observation: Array) -> Array:
    return jnp.asarray(observation, jnp.float32).reshape(-1)
