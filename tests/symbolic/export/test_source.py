"""Exported source runs as it is: the same values and slopes as the formula, to float32 precision."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from search import pretrained
from symbolic.catalogue import catalogue
from symbolic.derivative import derivative
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.export.source import function_source
from symbolic.network_slope import network_slope
from symbolic.numeric import evaluate_all

DRAW = np.random.default_rng(5)
LOG_RATIO, ADVANTAGE = 0.6 * DRAW.standard_normal(300), DRAW.standard_normal(300)
FORMULAS = [name for name in catalogue if catalogue[name].kind == "drift"]
EVERYTHING = (
    "where(A < 0, exp(r) + inv(r) - sqrt(r)*tanh(r)/(2 + sign(A)), max(relu(r - 1), softplus(r), A) - sigmoid(r)"
    " + square(r)**3 - abs(log(r)) + clip(r, 0.8, 1.2) + min(r, A) + abs(A)**0.5 + r**A)"
)
TORCH = pytest.mark.skipif(
    find_spec("torch") is None, reason="torch is not installed (extra export)"
)


def loaded(target: Any, to: str) -> Any:
    """The function that a source defines."""
    space: dict[str, Any] = {}
    exec(compile(function_source(target, to, 'A "drift" \\ of\nlines'), "exported", "exec"), space)
    return space["drift"]


def truth(drift: Drift) -> tuple[np.ndarray, np.ndarray]:
    """f and ∂f/∂log r in float64."""
    formula = drift.closed_formula()
    r = np.exp(LOG_RATIO)
    value, slope = evaluate_all([formula, derivative(formula)], {"r": r, "A": ADVANTAGE, "t": 0.5})
    return np.broadcast_to(value, r.shape), np.broadcast_to(slope * r, r.shape)


def with_jax(function: Any) -> tuple[np.ndarray, np.ndarray]:
    import jax
    import jax.numpy as jnp

    l, A = jnp.asarray(LOG_RATIO, jnp.float32), jnp.asarray(ADVANTAGE, jnp.float32)
    slope = jax.grad(lambda x: function(x, A).sum())(l)
    return np.asarray(function(l, A)), np.asarray(slope)


def with_torch(function: Any) -> tuple[np.ndarray, np.ndarray]:
    import torch

    l = torch.tensor(LOG_RATIO, dtype=torch.float32, requires_grad=True)
    value = function(l, torch.tensor(ADVANTAGE, dtype=torch.float32))
    value.sum().backward()
    return value.detach().numpy(), l.grad.numpy()


def agree(found: np.ndarray, expected: np.ndarray) -> None:
    good = np.isfinite(expected)
    assert good.any() and not np.isfinite(found[~good]).any()
    scale = 1 + np.abs(expected[good])
    assert np.quantile(np.abs(found[good] - expected[good]) / scale, 0.99) < 2e-5


@pytest.mark.parametrize("name", FORMULAS)
def test_numpy_gives_the_values(name: str) -> None:
    with np.errstate(all="ignore"):
        progress = (0.5,) if "t" in catalogue[name].formula.symbols else ()
        found = loaded(catalogue[name], "numpy")(LOG_RATIO, ADVANTAGE, *progress)
    expected, _ = truth(catalogue[name])
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)


def test_what_is_undefined_is_nan_and_no_hidden_number() -> None:
    root = loaded(Drift.from_text("(r - 1)**0.5 + log(A) + 1/A"), "numpy")
    with np.errstate(all="ignore"):
        found = root(np.array([-0.5, 0.5, 0.0, 0.5]), np.array([1.0, -1.0, 1.0, 0.0]))
    assert np.isnan(found).tolist() == [True, True, False, True] and found[2] == 1.0


@pytest.mark.parametrize("name", ["ppo", "dpo", "kl", "spo", "hellinger", "everything"])
@pytest.mark.parametrize("to", ["jax", pytest.param("torch", marks=TORCH)])
def test_values_and_gradients_are_the_formulas(name: str, to: str) -> None:
    drift = Drift.from_text(EVERYTHING) if name == "everything" else catalogue[name]
    value, slope = (with_jax if to == "jax" else with_torch)(loaded(drift, to))
    expected = truth(drift)
    agree(value, expected[0])
    agree(slope, expected[1])


@pytest.mark.parametrize("to", ["jax", pytest.param("torch", marks=TORCH)])
def test_networks_are_exported_with_their_weights(to: str) -> None:
    network = pretrained.load("lpo-cartpole")
    value, slope = (with_jax if to == "jax" else with_torch)(loaded(network, to))
    r = np.exp(LOG_RATIO)
    expected, expected_slope = network_slope(network, r, ADVANTAGE)
    assert np.abs(value - expected).max() < 1e-4
    assert np.quantile(np.abs(slope - expected_slope * r), 0.97) < 1e-2


@pytest.mark.parametrize("to", ["jax", pytest.param("torch", marks=TORCH)])
def test_nothing_is_nan_far_from_one(to: str) -> None:
    global LOG_RATIO
    kept, LOG_RATIO = LOG_RATIO, np.linspace(-40, 40, 300)
    try:
        value, slope = (with_jax if to == "jax" else with_torch)(loaded(catalogue["dpo"], to))
    finally:
        LOG_RATIO = kept
    assert np.isfinite(value).all() and np.isfinite(slope).all()


def test_progress_is_an_argument_only_where_it_matters() -> None:
    aware = loaded(Drift.from_text("t*(r - 1)**2"), "numpy")
    assert aware(np.array([0.5]), np.array([1.0]), 0.5) == pytest.approx(0.5 * np.expm1(0.5) ** 2)
    with pytest.raises(TypeError):
        loaded(Drift.from_text("(r - 1)**2"), "numpy")(0.5, 1.0, 0.5)


def test_an_unknown_library_is_refused() -> None:
    with pytest.raises(ConfigError, match="numpy, jax, torch"):
        function_source(catalogue["kl"], "matlab", "kl")
