"""Tapes: many formulas, one program, values and slopes as of each alone."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rl.drifts import of_formulas
from rl.drifts.tapes import MAX_LENGTH, OPCODES, encode, value_and_slope
from symbolic import jax_arrays
from symbolic.catalogue import catalogue
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.lowering import MACHINE, lower

NAMES = [name for name in catalogue if name != "broken-undefined"]
SAMPLES = 257
KEY = jax.random.key(0)
LOG_RATIO = jnp.concatenate([0.5 * jax.random.normal(KEY, (SAMPLES - 1,)), jnp.zeros(1)])
ADVANTAGE = jax.random.normal(jax.random.key(1), (SAMPLES,))
PROGRESS = jnp.asarray(0.25)

population = jax.jit(jax.vmap(value_and_slope, in_axes=(0, None, None, None)))


def drift(text: str) -> Drift:
    return Drift.from_text(text)


def test_a_population_agrees_with_each_formula_alone() -> None:
    programs = [lower(catalogue[name]) for name in NAMES]
    values, slopes = population(encode(programs), LOG_RATIO, ADVANTAGE, PROGRESS)
    for i, program in enumerate(programs):
        value, slope = jax.jvp(
            lambda log_ratio: program(jax_arrays, log_ratio, ADVANTAGE, PROGRESS),  # noqa: B023
            (LOG_RATIO,),
            (jnp.ones(SAMPLES),),
        )
        np.testing.assert_allclose(values[i], value, rtol=1e-5, atol=1e-6, err_msg=NAMES[i])
        np.testing.assert_allclose(slopes[i], slope, rtol=1e-5, atol=1e-6, err_msg=NAMES[i])


def test_another_batch_of_formulas_compiles_nothing() -> None:
    size = len(NAMES)
    population(encode([lower(catalogue["ppo"])] * size), LOG_RATIO, ADVANTAGE, PROGRESS)
    compiled = population._cache_size()
    others = [lower(drift(f"(r-1)**2*{k} + log(r)**2/{k + 1}")) for k in range(1, size + 1)]
    population(encode(others), LOG_RATIO, ADVANTAGE, PROGRESS)
    assert population._cache_size() == compiled


def test_candidates_and_seeds_batch_together() -> None:
    candidates = of_formulas([catalogue["ppo"], catalogue["dpo"]])
    seeds = jnp.stack([LOG_RATIO, -LOG_RATIO, 2 * LOG_RATIO])

    def one(tape: object, log_ratio: jax.Array, progress: jax.Array) -> jax.Array:
        return candidates.apply(tape, log_ratio, ADVANTAGE, progress)

    progress = jnp.asarray([0.0, 0.5, 1.0])
    alone = jax.jit(one)
    both = jax.vmap(jax.vmap(one, (None, 0, 0)), (0, None, None))
    found = jax.jit(both)(candidates.parameters, seeds, progress)
    for i in range(2):
        tape = jax.tree.map(lambda leaf: leaf[i], candidates.parameters)  # noqa: B023
        for j in range(3):
            expected = alone(tape, seeds[j], progress[j])
            np.testing.assert_allclose(found[i, j], expected, rtol=1e-5, atol=1e-7)


def test_values_and_slopes_stay_finite_far_from_one() -> None:
    far = jnp.linspace(-40, 40, 401)
    candidates = of_formulas([catalogue[name] for name in NAMES])
    with_slope = jax.jit(
        jax.vmap(
            lambda tape, advantage: jax.vjp(
                lambda log_ratio: candidates.apply(tape, log_ratio, advantage, PROGRESS), far
            )[0],
            (0, None),
        )
    )
    slope = jax.jit(
        jax.vmap(
            jax.grad(
                lambda log_ratio, tape, advantage: jnp.sum(
                    candidates.apply(tape, log_ratio, advantage, PROGRESS)
                ),
            ),
            (None, 0, None),
        )
    )
    for size in (-10.0, -1.0, 0.0, 1.0, 10.0):
        advantage = jnp.full(far.shape, size)
        value = with_slope(candidates.parameters, advantage)
        gradient = slope(far, candidates.parameters, advantage)
        for i, name in enumerate(NAMES):
            assert jnp.all(jnp.isfinite(value[i])), name
            assert jnp.all(jnp.isfinite(gradient[i])), name


def test_undefined_stays_nan() -> None:
    candidates = of_formulas([drift("log(A)")])
    tape = jax.tree.map(lambda leaf: leaf[0], candidates.parameters)
    value = candidates.apply(tape, jnp.zeros(2), jnp.asarray([-1.0, 1.0]), PROGRESS)
    np.testing.assert_array_equal(value, [jnp.nan, 0.0])


@pytest.mark.parametrize("text", ["0*r", "1 + 1", "A", "r", "log(r)", "t"])
def test_formulas_of_few_instructions(text: str) -> None:
    tape = jax.tree.map(lambda leaf: leaf[0], encode([lower(drift(text))]))
    value, slope = value_and_slope(tape, jnp.asarray([0.5]), jnp.asarray([3.0]), PROGRESS)
    expected = {"0*r": 0, "1 + 1": 2, "A": 3, "r": np.exp(0.5), "log(r)": 0.5, "t": 0.25}[text]
    slopes = {"r": np.exp(0.5), "log(r)": 1}
    assert value[0] == pytest.approx(expected, rel=1e-6)
    assert slope[0] == pytest.approx(slopes.get(text, 0), rel=1e-6)


def test_every_operation_has_an_instruction() -> None:
    assert set(OPCODES) == set(MACHINE)


def test_a_formula_too_long_says_so() -> None:
    long = " + ".join(f"A/{k}" for k in range(1, 2120))
    with pytest.raises(ConfigError, match=f"longer than the {MAX_LENGTH}"):
        encode([lower(drift(long))])


def test_no_formula_says_so() -> None:
    with pytest.raises(ConfigError, match="no formula"):
        encode([])


@pytest.mark.parametrize("op", ["softplus", "sigmoid", "tanh", "exp"])
def test_smooth_operations_have_their_slope_at_zero(op: str) -> None:
    """Where every update begins: log r = 0."""
    at_zero = {"softplus": 0.5, "sigmoid": 0.25, "tanh": 1.0, "exp": 1.0}
    tape = jax.tree.map(lambda leaf: leaf[0], encode([lower(drift(f"{op}(log(r))"))]))
    _, slope = value_and_slope(tape, jnp.zeros(2), jnp.ones(2), PROGRESS)
    np.testing.assert_allclose(slope, at_zero[op], rtol=1e-6)
