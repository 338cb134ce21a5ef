"""One interface for every environment: a task, and many of its episodes side by side.

A task is pure and knows one episode. `Episodes` runs `num_envs` of them: it repeats actions, counts
steps and returns of true episodes, keeps termination and truncation apart, and begins anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray


@dataclass(frozen=True)
class Discrete:
    """Actions 0 … count − 1."""

    count: int


@dataclass(frozen=True)
class Continuous:
    """Actions between `low` and `high`, `size` of them."""

    size: int
    low: float = -1.0
    high: float = 1.0


class TaskStep(NamedTuple):
    """What one step of one episode gives."""

    state: Any
    observation: Float[Array, "observation"]
    reward: Float[Array, ""]
    terminated: Bool[Array, ""]


@dataclass(frozen=True, eq=False)
class Task:
    """A Markov decision process as pure functions of one episode."""

    name: str
    observation_size: int
    actions: Discrete | Continuous
    episode_length: int
    """Steps after which an episode is truncated, repeated actions counted."""
    reset: Callable[[PRNGKeyArray], tuple[Any, Float[Array, "observation"]]]
    step: Callable[[PRNGKeyArray, Any, Array], TaskStep]
    restart: Callable[[Any, Any], Any] | None = None
    """(state the first episode began in, state the last ended in) -> state to begin anew from, where
    resetting is costly; without it each episode is drawn afresh."""


class EpisodeState(NamedTuple):
    """`num_envs` episodes under way; every field has that leading axis."""

    task: Any
    observation: Float[Array, "num_envs observation"]
    start: Any
    """(state, observation) to begin from, or () where each episode is drawn afresh."""
    length: Int[Array, "num_envs"]
    """Environment steps of the episode so far, repeated actions counted."""
    episode_return: Float[Array, "num_envs"]


class Step(NamedTuple):
    """What one step of `num_envs` episodes gives; every field has that leading axis."""

    observation: Float[Array, "num_envs observation"]
    """After the step, before a new episode begins: what truncation bootstraps from."""
    reward: Float[Array, "num_envs"]
    terminated: Bool[Array, "num_envs"]
    truncated: Bool[Array, "num_envs"]
    episode_return: Float[Array, "num_envs"]
    """Return of the episode so far, complete where `done`."""
    episode_length: Int[Array, "num_envs"]

    @property
    def done(self) -> Bool[Array, "num_envs"]:
        """Where an episode ended, for either reason."""
        return self.terminated | self.truncated


@dataclass(frozen=True, eq=False)
class Episodes:
    """`num_envs` episodes of a task, stepped together and begun anew as they end."""

    task: Task
    num_envs: int
    action_repeat: int = 1

    def reset(self, key: PRNGKeyArray) -> EpisodeState:
        """All episodes at their start."""
        return self.reset_each(jax.random.split(key, self.num_envs))

    def reset_each(self, keys: PRNGKeyArray) -> EpisodeState:
        """All episodes at their start, each drawn by its own key: the same key, the same start."""
        state, observation = jax.vmap(self._begin)(keys)
        return EpisodeState(
            task=state,
            observation=observation,
            start=(state, observation) if self.task.restart else (),
            length=jnp.zeros(self.num_envs, jnp.int32),
            episode_return=jnp.zeros(self.num_envs),
        )

    def step(
        self, keys: PRNGKeyArray, state: EpisodeState, action: Array
    ) -> tuple[EpisodeState, Step]:
        """One decision in every episode; `keys` has one key for each."""
        return jax.vmap(self._step)(keys, state, action)

    def _begin(self, key: PRNGKeyArray) -> tuple[Any, Array]:
        return jax.tree.map(_strong, self.task.reset(key))

    def _step(
        self, key: PRNGKeyArray, state: EpisodeState, action: Array
    ) -> tuple[EpisodeState, Step]:
        step_key, reset_key = jax.random.split(key)
        found = self._repeated(step_key, state.task, action)
        length = state.length + self.action_repeat
        step = Step(
            observation=found.observation,
            reward=found.reward,
            terminated=found.terminated,
            truncated=~found.terminated & (length >= self.task.episode_length),
            episode_return=state.episode_return + found.reward,
            episode_length=length,
        )
        if self.task.restart:
            first, seen = state.start
            start = self.task.restart(first, found.state), seen
        else:
            start = self._begin(reset_key)
        task, observation = jax.tree.map(
            lambda begun, went_on: jnp.where(step.done, begun, went_on),
            start,
            (found.state, found.observation),
        )
        onward = EpisodeState(
            task=task,
            observation=observation,
            start=state.start,
            length=jnp.where(step.done, 0, length),
            episode_return=jnp.where(step.done, 0.0, step.episode_return),
        )
        return onward, step

    def _repeated(self, key: PRNGKeyArray, state: Any, action: Array) -> TaskStep:
        """The action taken `action_repeat` times, rewards added up, as brax repeats it."""
        found = self._once(key, state, action)
        for index in range(1, self.action_repeat):
            further = self._once(jax.random.fold_in(key, index), found.state, action)
            found = TaskStep(
                state=further.state,
                observation=further.observation,
                reward=found.reward + further.reward,
                terminated=found.terminated | further.terminated,
            )
        return found

    def _once(self, key: PRNGKeyArray, state: Any, action: Array) -> TaskStep:
        copy = jax.tree.map(
            lambda leaf: leaf, state
        )  # brax writes into the dictionaries it is given
        found = self.task.step(key, copy, action)
        # Types of the state before: a step's can be weaker, and a loop would compile again.
        same = jax.tree.map(lambda new, old: jnp.asarray(new, old.dtype), found.state, state)
        return TaskStep(
            state=same,
            observation=jnp.asarray(found.observation, jnp.float32),
            reward=jnp.asarray(found.reward, jnp.float32),
            terminated=jnp.asarray(found.terminated, bool),
        )


def _strong(leaf: Any) -> Array:
    """The array with its type fixed, where JAX would let other operands decide it."""
    array = jnp.asarray(leaf)
    return jnp.asarray(array, array.dtype)
