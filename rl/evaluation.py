"""How good a policy is: whole episodes from fresh starts, actions drawn as in training."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from rl.environments import Episodes, EpisodeState
from rl.normalisation import Moments, normalise
from rl.policies import Policy


class Evaluation(NamedTuple):
    """Of `episodes` true episodes; scalars."""

    return_mean: Float[Array, ""]
    return_stderr: Float[Array, ""]
    episode_length: Float[Array, ""]
    entropy: Float[Array, ""]
    """Of the policy, over the states it visited."""


class PolicyNetworks(Protocol):
    """Networks as acting needs them."""

    def outputs(
        self, parameters: Any, observation: Float[Array, "*n observation"]
    ) -> Float[Array, "*n outputs"]:
        """What the policy makes a distribution of, from normalised observations."""


def evaluate_policy(
    networks: PolicyNetworks,
    policy: Policy,
    episodes: Episodes,
    parameters: Any,
    observations: Moments,
    key: PRNGKeyArray,
) -> Evaluation:
    """One whole episode in each of the environments of `episodes`.

    The loop ends with the longest episode. Entropy that has no closed form is estimated at the
    actions taken.
    """
    count = episodes.num_envs

    class Carry(NamedTuple):
        state: EpisodeState
        running: Bool[Array, "episodes"]
        total: Float[Array, "episodes"]
        length: Float[Array, "episodes"]
        entropy: Float[Array, ""]
        key: PRNGKeyArray

    def step(carry: Carry) -> Carry:
        noise_key, step_key, key = jax.random.split(carry.key, 3)
        noise = policy.noise(noise_key, (count,))
        outputs = networks.outputs(parameters, normalise(observations, carry.state.observation))
        action = policy.played(policy.sample(outputs, noise))
        state, found = episodes.step(jax.random.split(step_key, count), carry.state, action)
        counted = carry.running.astype(jnp.float32)
        return Carry(
            state=state,
            running=carry.running & ~found.done,
            total=carry.total + counted * found.reward,
            length=carry.length + counted,
            entropy=carry.entropy + jnp.sum(counted * policy.entropy(outputs, noise)),
            key=key,
        )

    start_key, key = jax.random.split(key)
    zeros = jnp.zeros(count)
    start = Carry(
        episodes.reset(start_key), jnp.ones(count, bool), zeros, zeros, jnp.zeros(()), key
    )
    end = jax.lax.while_loop(lambda carry: jnp.any(carry.running), step, start)
    return Evaluation(
        return_mean=jnp.mean(end.total),
        return_stderr=jnp.std(end.total, ddof=1) / jnp.sqrt(count),
        episode_length=jnp.mean(end.length) * episodes.action_repeat,
        entropy=end.entropy / jnp.sum(end.length),
    )
