"""Whole trajectories, each by one of several policies and from a start of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Float64, Int, PRNGKeyArray

from rl.environments import Episodes, EpisodeState

PolicyFunction = Callable[[Float[Array, "observation"], PRNGKeyArray], Array]
"""(observation, key) -> action as the environment takes it.

To be an argument of a jit-ted function it has to be a tree, as `PolicyNetwork` is; of any other
function `jax.tree_util.Partial` makes one.
"""


class Trajectories(NamedTuple):
    """Trajectories that began together; zero from where they ended."""

    observations: Float[Array, "rows steps observation"]
    """What each action was chosen by, beginning with the start."""
    actions: Float[Array, "rows steps action"]
    """As the environment was given them; a discrete one by its index."""
    rewards: Float[Array, "rows steps"]
    lengths: Int[Array, "rows"]


def play(
    episodes: Episodes,
    policies: Sequence[PolicyFunction],
    player: Int[Array, "rows"],
    start_keys: PRNGKeyArray,
    keys: PRNGKeyArray,
) -> Trajectories:
    """One trajectory a row, by policies[player], until it ends or is truncated.

    Rows of one start key begin in one state. What follows from `keys` is a row's own: the other
    rows do not matter to it. Every policy acts in every row, and one action is taken: a network
    costs less than physics, and one program serves all rows.
    """

    class Carry(NamedTuple):
        state: EpisodeState
        running: Bool[Array, "rows"]

    def act(observation: Array, key: PRNGKeyArray, player: Array) -> Array:
        actions = jnp.stack([policy(observation, key) for policy in policies])
        return actions[player]

    def step(carry: Carry, index: Array) -> tuple[Carry, tuple[Array, ...]]:
        now = jax.vmap(jax.random.fold_in, (0, None))(keys, index)
        act_keys, env_keys = jnp.moveaxis(jax.vmap(jax.random.split)(now), 1, 0)
        action = jax.vmap(act)(carry.state.observation, act_keys, player)
        state, found = episodes.step(env_keys, carry.state, action)
        shown = action.reshape(action.shape[0], -1).astype(jnp.float32)
        running = carry.running
        kept = (
            jnp.where(running[:, None], carry.state.observation, 0.0),
            jnp.where(running[:, None], shown, 0.0),
            jnp.where(running, found.reward, 0.0),
            running,
        )
        return Carry(state, running & ~found.done), kept

    start = Carry(episodes.reset_each(start_keys), jnp.ones(player.shape, bool))
    steps = jnp.arange(episodes.task.episode_length)
    _, (observations, actions, rewards, ran) = jax.lax.scan(step, start, steps)
    return Trajectories(
        observations=jnp.swapaxes(observations, 0, 1),
        actions=jnp.swapaxes(actions, 0, 1),
        rewards=rewards.T,
        lengths=jnp.sum(ran, axis=0, dtype=jnp.int32),
    )


@partial(jax.jit, static_argnames="episodes")
def _rewards(
    episodes: Episodes, policy: PolicyFunction, key: PRNGKeyArray
) -> Float[Array, "episodes steps"]:
    start_keys, keys = jax.random.split(key, (2, episodes.num_envs))
    player = jnp.zeros(episodes.num_envs, jnp.int32)
    return play(episodes, (policy,), player, start_keys, keys).rewards


def returns(
    episodes: Episodes, policy: PolicyFunction, key: PRNGKeyArray
) -> Float64[np.ndarray, "episodes"]:
    """Returns of whole episodes by one policy, each from a start of its own."""
    return np.asarray(_rewards(episodes, policy, key)).sum(axis=1, dtype=np.float64)
