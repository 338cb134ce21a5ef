"""Experience of one update: every environment stepped with the present policy."""

from __future__ import annotations

from typing import NamedTuple

import jax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from rl.environments import Episodes, EpisodeState
from rl.networks import ActorCritic, Parameters
from rl.normalisation import Moments, normalise
from rl.policies import Policy


class Rollout(NamedTuple):
    """Steps of all environments; axes (time, num_envs, …)."""

    observation: Float[Array, "time num_envs observation"]
    """As the environment gave it, before normalisation."""
    raw_action: Float[Array, "time num_envs action"]
    log_prob: Float[Array, "time num_envs"]
    value: Float[Array, "time num_envs"]
    next_value: Float[Array, "time num_envs"]
    """Value of where the step led, before any new episode."""
    reward: Float[Array, "time num_envs"]
    terminated: Bool[Array, "time num_envs"]
    truncated: Bool[Array, "time num_envs"]
    episode_return: Float[Array, "time num_envs"]
    episode_length: Int[Array, "time num_envs"]


def collect(
    networks: ActorCritic,
    policy: Policy,
    episodes: Episodes,
    parameters: Parameters,
    observations: Moments,
    state: EpisodeState,
    key: PRNGKeyArray,
    *,
    steps: int,
) -> tuple[EpisodeState, Rollout]:
    """`steps` decisions of every environment.

    All randomness is drawn before the loop: one large draw is faster than many small ones.
    """
    shape = (steps, episodes.num_envs)
    noise_key, env_key = jax.random.split(key)
    noise = policy.noise(noise_key, shape)
    env_keys = jax.random.split(env_key, shape)

    def step(
        state: EpisodeState, inputs: tuple[Array, PRNGKeyArray]
    ) -> tuple[EpisodeState, tuple[Array, ...]]:
        noise, keys = inputs
        outputs = networks.outputs(parameters, normalise(observations, state.observation))
        raw = policy.sample(outputs, noise)
        onward, found = episodes.step(keys, state, policy.played(raw))
        next_value = networks.values(parameters, normalise(observations, found.observation))
        kept = (
            state.observation, raw, policy.log_prob(outputs, raw), next_value, found.reward,
            found.terminated, found.truncated, found.episode_return, found.episode_length,
        )  # fmt: skip
        return onward, kept

    onward, kept = jax.lax.scan(step, state, (noise, env_keys))
    observation, raw, log_prob, next_value, *rest = kept
    value = networks.values(parameters, normalise(observations, observation))
    return onward, Rollout(observation, raw, log_prob, value, next_value, *rest)
