"""Tasks so small that the value of each state and the best action are known."""

from __future__ import annotations

import json
from typing import Any

import jax
import jax.numpy as jnp

from rl.environments import Continuous, Discrete, Task
from rl.environments.adapter import TaskStep

TINY: dict[str, Any] = {
    "num_envs": 8, "unroll_length": 8, "num_minibatches": 2, "update_epochs": 1, "num_evaluations": 2,
    "num_eval_envs": 4, "episode_length": 20, "policy_hidden": (8,), "value_hidden": (8,),
}  # fmt: skip
"""Fields of a trainer that is quick to compile and to run."""
TINY_SETTINGS = [f"{name}={json.dumps(value)}" for name, value in TINY.items()]
"""The same as the command line takes them."""

NEVER = jnp.asarray(False)
ALWAYS = jnp.asarray(True)


def constant_reward() -> Task:
    """One step, reward 1 whatever is done: the value is 1."""
    return Task(
        name="constant-reward",
        observation_size=1,
        actions=Discrete(2),
        episode_length=100,
        reset=lambda key: (jnp.zeros(()), jnp.ones(1)),
        step=lambda key, state, action: TaskStep(state, jnp.ones(1), jnp.ones(()), ALWAYS),
    )


def endless() -> Task:
    """Reward 1 a step, never over, truncated after 4 steps: the value is 1/(1 − γ) all the same."""
    return Task(
        name="endless",
        observation_size=1,
        actions=Discrete(2),
        episode_length=4,
        reset=lambda key: (jnp.zeros(()), jnp.ones(1)),
        step=lambda key, state, action: TaskStep(state, jnp.ones(1), jnp.ones(()), NEVER),
    )


def right_action() -> Task:
    """One step; the observation is ±1, and only the action of its sign is paid."""

    def reset(key: Any) -> tuple[Any, Any]:
        sign = jnp.where(jax.random.bernoulli(key), 1.0, -1.0)
        return sign, sign[None]

    def step(key: Any, sign: Any, action: Any) -> TaskStep:
        paid = (action == 1) == (sign > 0)
        return TaskStep(sign, sign[None], paid.astype(jnp.float32), ALWAYS)

    return Task("right-action", 1, Discrete(2), 100, reset, step)


def target() -> Task:
    """One step; a continuous action in [−2, 2] is paid by its nearness to 1."""

    def step(key: Any, state: Any, action: Any) -> TaskStep:
        reward = -jnp.square(action[0] - 1.0)
        return TaskStep(state, jnp.ones(1), reward, ALWAYS)

    return Task(
        "target", 1, Continuous(1, -2.0, 2.0), 100, lambda key: (jnp.zeros(()), jnp.ones(1)), step
    )


def counter(terminate_at: int, episode_length: int) -> Task:
    """Counts its steps in the observation, pays the count, and ends at `terminate_at`."""

    def step(key: Any, count: Any, action: Any) -> TaskStep:
        count = count + 1
        return TaskStep(count, jnp.full(1, count, jnp.float32), count, count >= terminate_at)

    return Task(
        "counter",
        1,
        Discrete(2),
        episode_length,
        lambda key: (jnp.zeros((), jnp.int32), jnp.zeros(1)),
        step,
    )
