"""The objective, the advantages and the shuffle."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl.advantages import generalised_advantages
from rl.drifts import of_formulas
from rl.loss import mirror_loss
from rl.normalisation import empty, normalise, update
from rl.shuffle import random_order
from symbolic.catalogue import catalogue

PPO = of_formulas([catalogue["ppo"].bind({"eps": "1/5"})])
TAPE = jax.tree.map(lambda leaf: leaf[0], PPO.parameters)
SIZE = 64


@jax.jit
def mirror_gradient(log_ratio: jax.Array, advantage: jax.Array) -> jax.Array:
    def loss(log_ratio: jax.Array) -> jax.Array:
        drift = lambda l, A, t: PPO.apply(TAPE, l, A, t)  # noqa: E731
        return mirror_loss(log_ratio, advantage, jnp.zeros(()), drift)[0]

    return jax.grad(loss)(log_ratio)


@jax.jit
def clipped_gradient(log_ratio: jax.Array, advantage: jax.Array) -> jax.Array:
    def loss(log_ratio: jax.Array) -> jax.Array:
        ratio = jnp.exp(log_ratio)
        clipped = jnp.clip(ratio, 0.8, 1.2)
        return -jnp.mean(jnp.minimum(ratio * advantage, clipped * advantage))

    return jax.grad(loss)(log_ratio)


@settings(max_examples=50)
@given(st.integers(0, 2**31 - 1), st.floats(0.01, 3))
def test_the_ppo_drift_is_the_clipped_surrogate(seed: int, spread: float) -> None:
    keys = jax.random.split(jax.random.key(seed))
    log_ratio = spread * jax.random.normal(keys[0], (SIZE,))
    advantage = jax.random.normal(keys[1], (SIZE,))
    np.testing.assert_allclose(
        mirror_gradient(log_ratio, advantage),
        clipped_gradient(log_ratio, advantage),
        rtol=1e-5,
        atol=1e-7,
    )


def slow_advantages(
    reward: np.ndarray, value: np.ndarray, next_value: np.ndarray, terminated: np.ndarray,
    truncated: np.ndarray, discount: float, gae_lambda: float, unroll: int,
) -> np.ndarray:  # fmt: skip
    """By the definition: a discounted sum of temporal differences until the trace is cut."""
    time = reward.shape[0]
    found = np.zeros_like(reward)
    for start in range(time):
        weight = 1.0
        for at in range(start, time):
            ahead = 0.0 if terminated[at] else next_value[at]
            found[start] += weight * (reward[at] + discount * ahead - value[at])
            if terminated[at] or truncated[at] or at % unroll == unroll - 1:
                break
            weight *= discount * gae_lambda
    return found


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from([3, 4, 12]))
def test_advantages_are_their_definition(seed: int, unroll: int) -> None:
    random = np.random.default_rng(seed)
    reward, value, next_value = random.normal(size=(3, 12))
    ends = random.choice(3, size=12, p=[0.7, 0.15, 0.15])
    terminated, truncated = ends == 1, ends == 2
    found = generalised_advantages(
        *(jnp.asarray(x)[:, None] for x in (reward, value, next_value, terminated, truncated)),
        discount=0.9,
        gae_lambda=0.8,
        unroll_length=unroll,
    )
    expected = slow_advantages(reward, value, next_value, terminated, truncated, 0.9, 0.8, unroll)
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [1, 2, 7, 64, 1000, 8192])
def test_an_order_is_a_permutation(size: int) -> None:
    order = random_order(jax.random.key(size), size)
    np.testing.assert_array_equal(np.sort(order), np.arange(size))


def test_orders_are_uniform() -> None:
    orders = jax.vmap(lambda key: random_order(key, 8))(jax.random.split(jax.random.key(0), 8000))
    counts = np.array([np.bincount(orders[:, place], minlength=8) for place in range(8)])
    statistic = np.sum((counts - 1000) ** 2 / 1000)
    assert statistic < 100, "chi-square with 49 degrees of freedom exceeds 100 once in 40,000"


def test_running_moments_are_those_of_all_that_was_seen() -> None:
    batches = np.random.default_rng(0).normal(3, 2, size=(5, 40, 3)).astype(np.float32)
    moments = empty(3)
    for batch in batches:
        moments = update(moments, jnp.asarray(batch))
    seen = batches.reshape(-1, 3)
    np.testing.assert_allclose(moments.mean, seen.mean(0), rtol=1e-5)
    np.testing.assert_allclose(moments.std, seen.std(0), rtol=1e-4)
    np.testing.assert_allclose(normalise(empty(3), jnp.ones(3)), np.ones(3))
