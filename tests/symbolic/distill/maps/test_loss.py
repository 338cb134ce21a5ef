"""A map's loss sees what an objective sees: differences and slopes, and no constants."""

from __future__ import annotations

import numpy as np
import pytest

from symbolic.distill.maps.loss import MapObjective
from symbolic.distill.maps.samples import MapSamples
from symbolic.expression import Expression
from symbolic.parser import parse

LOG_X = np.linspace(-6, -0.05, 90)
T = np.arange(90) % 3 / 2


def in_x(text: str) -> Expression:
    return parse(text, names=["x", "t"])


def objective() -> MapObjective:
    """Of (2 − t)·log x + 7 + t."""
    value, slope = (2 - T) * LOG_X + 7 + T, 2 - T
    return MapObjective(
        MapSamples(kind="psi", log_x=LOG_X, g=value, dgdlogx=slope, weight=np.ones(90), t=T)
    )


@pytest.mark.parametrize("constant", ["0", "3", "t**2 - exp(t)"])
def test_a_function_of_t_alone_is_free(constant: str) -> None:
    errors = objective().errors(in_x(f"(2 - t)*log(x) + {constant}"))
    assert errors.loss < 1e-28 and errors.largest < 1e-13


def test_errors_are_relative_and_the_largest_is_not() -> None:
    errors = objective().errors(in_x("0.9*((2 - t)*log(x))"))
    assert errors.value == pytest.approx(0.1)
    assert 0.08 < errors.slope <= 0.1  # slopes below their median count relative to the median
    assert errors.largest == pytest.approx(
        0.1 * np.abs(2 * (LOG_X - LOG_X[T == 0].mean()))[T == 0].max()
    )


def test_where_a_formula_is_undefined_it_is_infinitely_far() -> None:
    assert objective().errors(in_x("log(x - 0.5)")).loss == np.inf


def test_the_steep_end_of_log_odds_does_not_hide_the_rest() -> None:
    log_x = np.concatenate([np.linspace(-10, -0.1, 100), -np.geomspace(1e-3, 0.1, 20)])
    x = np.exp(log_x)
    of = MapObjective(
        MapSamples(
            kind="mirror-map",
            log_x=log_x,
            g=np.log(x / (1 - x)),
            dgdlogx=1 / (1 - x),
            weight=np.ones(120),
        )
    )
    assert of.errors(in_x("-log(1 - x)")).slope > 0.4
