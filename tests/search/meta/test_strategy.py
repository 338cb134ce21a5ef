"""Evolution strategies: the sign of fitness, the estimate of its gradient, pairs, shapes."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from search.meta.strategy import Strategy, StrategyConfig, shaped, strategies
from symbolic.errors import ConfigError

GOAL = jnp.linspace(-2.0, 3.0, 16)


def reached(members: jax.Array) -> jax.Array:
    """A return that is highest at GOAL."""
    return -jnp.sum((members - GOAL) ** 2, axis=-1)


def test_the_estimate_is_the_gradient() -> None:
    """Of a quadratic, smoothed by σ: 10⁴ samples, within five standard errors."""
    config = StrategyConfig(population_size=10_000, sigma=0.1, shaping="none", momentum=0.5)
    strategy = Strategy(config, len(GOAL))
    state = strategy.init(jax.random.key(0), jnp.zeros(len(GOAL)))
    members, state = strategy.ask(jax.random.key(1), state)
    state = strategy.tell(jax.random.key(2), members, reached(members), state)
    adam = next(part for part in state.opt_state if hasattr(part, "mu"))
    estimate = -adam.mu / (1 - config.momentum)  # evosax descends on the negated return
    exact = 2 * GOAL
    spread = np.sqrt(2 * float(jnp.sum(exact**2)) / config.population_size)
    np.testing.assert_allclose(estimate, exact, atol=5 * spread)


@pytest.mark.parametrize("shaping", ["z-score", "rank", "pairwise", "none"])
def test_the_mean_climbs(shaping: str) -> None:
    config = StrategyConfig(
        sigma=0.1, learning_rate=0.1, learning_rate_decay=1.0, momentum=0.9, shaping=shaping
    )
    assert distance_after(config, 60) < 0.5 * float(jnp.linalg.norm(GOAL))


QUICK = ("Open_ES", "PGPE", "SNES")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in strategies()]
)
def test_every_strategy_of_evosax_climbs(name: str) -> None:
    config = StrategyConfig(name=name, sigma=0.3, learning_rate=0.05, learning_rate_decay=1.0)
    assert distance_after(config, 40) < float(jnp.linalg.norm(GOAL))


def distance_after(config: StrategyConfig, generations: int) -> float:
    strategy = Strategy(config, len(GOAL))
    state = strategy.init(jax.random.key(0), jnp.zeros(len(GOAL)))
    for generation in range(generations):
        key = jax.random.fold_in(jax.random.key(1), generation)
        members, state = strategy.ask(key, state)
        state = strategy.tell(key, members, reached(members), state)
    return float(jnp.linalg.norm(state.mean - GOAL))


def test_members_come_in_pairs() -> None:
    strategy = Strategy(StrategyConfig(population_size=8), len(GOAL))
    state = strategy.init(jax.random.key(0), GOAL)
    members, _ = strategy.ask(jax.random.key(1), state)
    np.testing.assert_allclose((members[:4] + members[4:]) / 2, jnp.tile(GOAL, (4, 1)), atol=1e-6)


def test_schedules_decay_to_their_floors() -> None:
    config = StrategyConfig(population_size=4, sigma=0.04, sigma_decay=0.5, sigma_floor=0.01)
    strategy = Strategy(config, 2)
    state = strategy.init(jax.random.key(0), jnp.zeros(2))
    seen = []
    for generation in range(5):
        seen.append(float(state.std))
        members, state = strategy.ask(jax.random.key(generation), state)
        state = strategy.tell(jax.random.key(9), members, jnp.arange(4.0), state)
    assert seen == pytest.approx([0.04, 0.04, 0.02, 0.01, 0.01])


def test_without_a_decay_schedules_stay() -> None:
    config = StrategyConfig(population_size=4, sigma=0.05, sigma_decay=1.0, sigma_floor=0.01)
    strategy = Strategy(config, 2)
    state = strategy.init(jax.random.key(0), jnp.zeros(2))
    for generation in range(3):
        members, state = strategy.ask(jax.random.key(generation), state)
        state = strategy.tell(jax.random.key(9), members, jnp.arange(4.0), state)
    assert float(state.std) == pytest.approx(0.05)


def test_shapes() -> None:
    returns = jnp.array([1.0, 5.0, 3.0, 4.0])
    np.testing.assert_allclose(shaped(returns, "z-score"), (returns - 3.25) / returns.std(), 1e-5)
    np.testing.assert_allclose(shaped(returns, "rank"), [-0.5, 0.5, -1 / 6, 1 / 6], rtol=1e-5)
    np.testing.assert_array_equal(shaped(returns, "pairwise"), [0, 1, 1, 0])
    np.testing.assert_array_equal(shaped(jnp.array([2.0, 2.0]), "pairwise"), [0.5, 0.5])


@pytest.mark.parametrize("shaping", ["z-score", "rank", "pairwise", "none"])
def test_a_member_that_diverged_is_among_the_worst(shaping: str) -> None:
    found = np.asarray(shaped(jnp.array([jnp.nan, 5.0, 3.0, 4.0]), shaping))
    assert np.isfinite(found).all()
    assert found[0] == found.min() and found[0] < found[1:].max()


def test_where_all_diverged_nothing_is_learned() -> None:
    found = np.asarray(shaped(jnp.full(4, jnp.nan), "z-score"))
    np.testing.assert_array_equal(found, np.zeros(4))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"population_size": 31}, "must be even"),
        ({"population_size": 0}, "try 32"),
        ({"name": "PPO"}, "Open_ES"),
        ({"shaping": "log"}, "z-score"),
        ({"sigma": 0.0}, "positive"),
        ({"sigma_decay": 1.1}, "(0, 1]"),
        ({"momentum": 1.0}, "[0, 1)"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        StrategyConfig(**changes)  # type: ignore[arg-type]
    assert said in str(refused.value)
