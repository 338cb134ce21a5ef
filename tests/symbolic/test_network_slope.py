"""A network's slope is that of its values."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from symbolic.errors import ConfigError
from symbolic.network import DriftNetwork, evaluate_network
from symbolic.network_slope import network_slope
from symbolic.parser import parse


def network(
    activation: str,
    features: tuple[str, ...] = ("1-r", "log(r)*A"),
    epsilon: Fraction | None = None,
):
    draw = np.random.default_rng(1)
    layers = (
        draw.normal(size=(len(features), 8)),
        draw.normal(size=(8, 6)),
        draw.normal(size=(6, 1)),
    )
    return DriftNetwork(
        layers=layers, features=tuple(map(parse, features)), activation=activation, xi=Fraction(1, 10**6),
        ppo_epsilon=epsilon,
    )  # fmt: skip


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("epsilon", [None, Fraction(1, 5)])
def test_slopes_are_limits_of_differences(activation: str, epsilon: Fraction | None) -> None:
    made = network(activation, epsilon=epsilon)
    draw = np.random.default_rng(2)
    r, A = np.exp(0.5 * draw.standard_normal(400)), draw.standard_normal(400)
    value, slope = network_slope(made, r, A)
    beside = evaluate_network(made, r * (1 + 1e-7), A)
    np.testing.assert_array_equal(value, evaluate_network(made, r, A))
    off = np.abs((beside - value) / (r * 1e-7) - slope)
    assert np.quantile(off, 0.98) < 1e-4  # a kink may lie between the two points
    assert (value > 0).any() and (value == 0).any() and (slope[value == 0] == 0).all()


def test_shapes_broadcast_and_progress_is_asked_for() -> None:
    made = network("tanh", ("1-r", "(1-r)*t"))
    value, slope = network_slope(made, np.ones((3, 1)), np.ones(4), 0.5)
    assert value.shape == slope.shape == (3, 4)
    with pytest.raises(ConfigError, match="t is missing"):
        network_slope(made, 1.0, 1.0)
