"""Rows that are shuffled hold what the rollout held, and advantages follow from them again."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rl.advantages import generalised_advantages
from rl.minibatches import decisions, estimated, packed, unrolls
from rl.rollout import Rollout

TIME, ENVS, LENGTH = 12, 5, 4
WEIGHTS = np.array([0.3, -1.2, 0.7])
GAE = {"discount": 0.9, "gae_lambda": 0.8}


def value(observation: jax.Array) -> jax.Array:
    return observation @ WEIGHTS


def rollout(seed: int) -> tuple[Rollout, jax.Array]:
    """Random steps in which episodes end for both reasons, and the observation that follows."""
    random = np.random.default_rng(seed)
    observation = jnp.asarray(random.normal(size=(TIME + 1, ENVS, 3)))
    terminated = random.random((TIME, ENVS)) < 0.2
    truncated = ~terminated & (random.random((TIME, ENVS)) < 0.2)
    left = random.normal(size=(TIME, ENVS, 3))  # what an ended episode saw last
    after = jnp.where((terminated | truncated)[..., None], left, observation[1:])
    return Rollout(
        observation=observation[:-1],
        raw_action=jnp.asarray(random.normal(size=(TIME, ENVS, 2))),
        log_prob=jnp.asarray(random.normal(size=(TIME, ENVS))),
        value=value(observation[:-1]),
        next_value=value(after),
        reward=jnp.asarray(random.normal(size=(TIME, ENVS))),
        terminated=jnp.asarray(terminated),
        truncated=jnp.asarray(truncated),
        episode_return=jnp.zeros((TIME, ENVS)),
        episode_length=jnp.zeros((TIME, ENVS), jnp.int32),
    ), observation[-1]


@pytest.mark.parametrize("seed", range(5))
def test_the_same_critic_estimates_the_same_again(seed: int) -> None:
    steps, following = rollout(seed)
    once = generalised_advantages(
        steps.reward, steps.value, steps.next_value, steps.terminated, steps.truncated,
        unroll_length=LENGTH, **GAE,
    )  # fmt: skip
    rows = unrolls(steps, steps.observation, following, steps.reward, unroll_length=LENGTH)
    assert rows.observation.shape == (TIME // LENGTH * ENVS, LENGTH, 3)
    advantage, target = estimated(
        rows, value(rows.observation), value(rows.next_observation), **GAE
    )
    by_decision = decisions(steps, steps.observation, once)
    order = jnp.lexsort(by_decision.observation.T)
    again = jnp.lexsort(rows.observation.reshape(-1, 3).T)
    np.testing.assert_allclose(
        advantage.reshape(-1)[again], by_decision.advantage[order], rtol=1e-5
    )
    np.testing.assert_allclose(target.reshape(-1)[again], by_decision.target[order], rtol=1e-5)
    np.testing.assert_array_equal(rows.log_prob.reshape(-1)[again], by_decision.log_prob[order])


def test_another_critic_estimates_anew_but_where_an_episode_was_cut() -> None:
    steps, following = rollout(0)
    rows = unrolls(steps, steps.observation, following, steps.reward, unroll_length=LENGTH)
    zero = jnp.zeros(rows.reward.shape)
    advantage, _ = estimated(rows, zero, zero[:, 0], discount=0.9, gae_lambda=0.0)
    expected = rows.reward + 0.9 * jnp.where(rows.truncated, rows.truncated_value, 0.0)
    np.testing.assert_allclose(advantage, expected, rtol=1e-5)


def test_packed_rows_come_back() -> None:
    steps, following = rollout(1)
    rows = unrolls(steps, steps.observation, following, steps.reward, unroll_length=LENGTH)
    numbers, unpack = packed(rows)
    assert numbers.shape[0] == TIME // LENGTH * ENVS
    for before, after in zip(rows, unpack(numbers[2:7])):
        assert after.dtype == before.dtype
        np.testing.assert_array_equal(after, before[2:7])
