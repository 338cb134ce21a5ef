"""Points come from where training was, and targets from what is distilled."""

from __future__ import annotations

from fractions import Fraction

import jax.numpy as jnp
import numpy as np
import pytest

from search.distill.sampling import BOX, FLOOR, points, sampled
from symbolic.arrays import write_arrays
from symbolic.catalogue import catalogue
from symbolic.derivative import derivative
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.network import DriftNetwork
from symbolic.numeric import evaluate
from symbolic.parser import parse


def density(path, spread: float = 0.01):
    draw = np.random.default_rng(0)
    numbers = {
        "log_ratio": spread * draw.standard_normal((2, 300)), "advantage": draw.standard_normal((2, 300)),
        "progress": draw.uniform(size=(2, 300)), "weight": np.full((2, 300), 1 / 300),
    }  # fmt: skip
    numbers["weight"][:, ::2] = 0.0
    write_arrays(path, numbers, {"schema": "mirrordrift/density/1"})
    return numbers


def test_most_points_lie_where_training_was(tmp_path) -> None:
    numbers = density(tmp_path / "density.npz")
    at = points(200, 0, [tmp_path])
    even = round(200 * FLOOR)
    known = set(np.exp(numbers["log_ratio"][:, 1::2]).ravel())
    assert set(at.r[:-even]) <= known and at.origin == "on-policy"
    assert at.weight[-even:].sum() == pytest.approx(FLOOR) and at.weight.sum() == pytest.approx(1)
    assert at.r[-even:].min() >= BOX["r"][0] and at.r[-even:].max() <= BOX["r"][1]


def test_targets_of_formulas_networks_and_functions_agree() -> None:
    at = points(100, 1)
    spo = catalogue["spo"]
    of_formula = sampled(spo, at)
    slope = evaluate(derivative(spo.closed_formula()), of_formula.points)
    np.testing.assert_allclose(of_formula.dfdr, slope)
    of_function = sampled(lambda l, A: jnp.abs(A) * jnp.expm1(l) ** 2 / 0.4, at)
    np.testing.assert_allclose(of_function.f, of_formula.f, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(of_function.dfdr, of_formula.dfdr, rtol=1e-4, atol=1e-4)
    network = DriftNetwork(
        layers=(np.array([[1.0, -1.0]]), np.ones((2, 1))), features=(parse("r - 1"),), activation="relu",
        xi=Fraction(1, 10**6),
    )  # fmt: skip
    of_network = sampled(network, at)
    np.testing.assert_allclose(of_network.f, np.maximum(np.abs(of_network.r - 1) - 1e-6, 0))
    assert set(np.unique(of_network.dfdr)) <= {-1.0, 0.0, 1.0}
    assert of_network.about["of"] == network.content_hash


def test_progress_is_kept_only_where_it_matters() -> None:
    at = points(100, 1)
    assert sampled(Drift.from_text("t*(r - 1)**2"), at).t is not None
    assert sampled(Drift.from_text("(r - 1)**2"), at).t is None
    assert sampled(lambda l, A, t: t * l**2, at).t is not None


def test_points_where_it_is_undefined_are_left_out() -> None:
    made = sampled(Drift.from_text("where(A > 0, (r - 1)**2*log(A)**2, 1/0)"), points(200, 0))
    assert (made.A > 0).all() and made.about["undefined"] > 50


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"weight": np.zeros((2, 300))}, "are no density"),
        ({"advantage": np.full((2, 300), np.inf)}, "not finite"),
        ({"log_ratio": None}, "'log_ratio' is missing"),
    ],
)
def test_what_is_no_density_is_refused(changes, said: str, tmp_path) -> None:
    numbers = {n: v for n, v in (density(tmp_path / "d.npz") | changes).items() if v is not None}
    write_arrays(tmp_path / "d.npz", numbers, {})
    with pytest.raises(ConfigError, match=said):
        points(100, 0, [tmp_path / "d.npz"])


def test_a_parameter_without_a_number_is_asked_for() -> None:
    with pytest.raises(ConfigError, match="bind it"):
        sampled(Drift.from_text("alpha*(r - 1)**2", ["alpha in (0, inf)"]), points(100, 0))
