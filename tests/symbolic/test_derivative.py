"""One-sided slopes: by hand at kinks, against finite differences elsewhere, every operation."""

from __future__ import annotations

import numpy as np
import pytest

from symbolic.catalogue import catalogue
from symbolic.derivative import derivative
from symbolic.numeric import evaluate
from symbolic.operations import FUNCTIONS
from symbolic.parser import parse

SMOOTH = {
    "add": "r + r**2", "sub": "r - r**3", "mul": "r*exp(r)", "div": "(r + 1)/(r**2 + 1)",
    "neg": "-r**2", "pow": "(r + 1)**2.5 + r**r + r**-3 + 2**r", "exp": "exp(-r**2)",
    "log": "log(1 + r**2)", "tanh": "tanh(r*A)", "sqrt": "sqrt(r + 1)", "abs": "abs(r*A - 7)",
    "sign": "sign(A)*r**2", "relu": "relu(r*A + 3)", "softplus": "softplus(A*r)",
    "sigmoid": "sigmoid(A*r - 1)", "square": "square(r - A)", "inv": "inv(r + 2)",
    "clip": "clip(r*A, -5, 4) + clip(r, 8, 9) + clip(9, 1, r + 1)", "max": "max(r*A, -9, A - r)",
    "min": "min(r**2, 50, r + 20)", "where": "where(r < 20, r**2, 1) + where(A >= 7, 1, r*A)",
}  # fmt: skip


def slopes(text: str, r: float, A: float = 1.0, **values: float) -> tuple[float, float]:
    """(left, right) slope."""
    tree = parse(text)
    at = {"r": np.float64(r), "A": np.float64(A), **values}
    left, right = (evaluate(derivative(tree, "r", side), at) for side in (-1, 1))
    return float(left), float(right)


def differences(tree, r: float, A: float, h: float = 1e-6) -> tuple[float, float]:
    """The same by second-order one-sided differences."""

    def f(at: float) -> float:
        return float(evaluate(tree, {"r": at, "A": A}))

    return tuple(
        side * (4 * f(r + side * h) - 3 * f(r) - f(r + 2 * side * h)) / (2 * h) for side in (-1, 1)
    )


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_parts_agree_with_finite_differences(name):
    tree = parse(SMOOTH[name])
    for r in (0.3, 1.0, 2.7):
        for A in (-1.3, 0.4, 2.1):
            left, right = slopes(SMOOTH[name], r, A)
            np.testing.assert_allclose((left, right), differences(tree, r, A), rtol=1e-6, atol=1e-8)


def test_every_function_is_tried():
    assert set(SMOOTH) >= FUNCTIONS | {"where"}


@pytest.mark.parametrize(
    ("text", "A", "left", "right"),
    [
        ("abs(r - 1)", 0, -1, 1),
        ("-abs(r - 1)", 0, 1, -1),
        ("relu(r - 1)", 0, 0, 1),
        ("relu(1 - r)", 0, -1, 0),
        ("relu((r - 1)*A)", -2, -2, 0),
        ("max(r, 1)", 0, 0, 1),
        ("max(r, 1, 2 - r)", 0, -1, 1),
        ("max(r, 1, 2*r - 1)", 0, 0, 2),
        ("min(r, 1, 2 - r)", 0, 1, -1),
        ("min(r, 1, 2*r - 1)", 0, 2, 0),
        ("clip(r, 1, 2)", 0, 0, 1),
        ("clip(r, 0, 1)", 0, 1, 0),
        ("clip(r, 1, 1)", 0, 0, 0),
        ("clip(2, r, 3 - r)", 0, 0, -1),
        ("r - clip(r, 1, 3)", 0, 1, 0),
        ("(r - 1)**2*sign(r - 1)", 0, 0, 0),
        ("abs(r - 1)*abs(A)", -3, -3, 3),
        ("abs(abs(r - 1) - 1)", 0, 1, -1),
        ("relu(0.001 - (r - 1)**2)", 0, 0, 0),
        ("where(r < 1, 2*(1 - r), r - 1)", 0, -2, 1),
        ("where(r <= 1, 2*(1 - r), r - 1)", 0, -2, 1),
        ("where(r > 1, r - 1, 2*(1 - r))", 0, -2, 1),
        ("where(r >= 1, r - 1, 2*(1 - r))", 0, -2, 1),
        ("where(1 < r, r - 1, 2*(1 - r))", 0, -2, 1),
        ("where(A*r >= A, r - 1, 2*(1 - r))", -1, 1, -2),
        ("where(A >= 0, 3*r, r)", 0, 3, 3),
        ("where(A > 0, 3*r, r)", 0, 1, 1),
        ("where(A <= 0, 3*r, r)", 0, 3, 3),
        ("where(A < 0, 3*r, r)", 0, 1, 1),
        ("abs(r - 1)*(r - 1)", 0, 0, 0),
        ("exp(abs(r - 1))", 0, -1, 1),
        ("max(abs(r - 1), (r - 1)**2)", 0, -1, 1),
        ("tanh(relu(r - 1)*A)", 5, 0, 5),
        ("(r - 1)*sqrt(A)", 0, 0, 0),
        ("r + sqrt(A)", 0, 1, 1),
        ("r + A**0.5", 0, 1, 1),
        ("r + sqrt(A**2)", 0, 1, 1),
    ],
)  # fmt: skip
def test_kinks_at_one(text, A, left, right):
    assert slopes(text, 1.0, A) == (left, right)


@pytest.mark.parametrize("eps", [0.1, 0.2])
def test_ppo_has_its_kinks_at_the_clip(eps):
    f = f"relu((r - clip(r, 1 - {eps}, 1 + {eps}))*A)"
    assert slopes(f, 1.0, 1.0) == (0, 0)
    assert slopes(f, 1 + 2 * eps, 3.0) == (3, 3)
    assert slopes(f, 1 - 2 * eps, 3.0) == (0, 0)
    assert slopes(f, 0.5, -3.0) == (-3, -3)


@pytest.mark.parametrize("name", catalogue)
def test_catalogue_agrees_with_finite_differences(name):
    drift = catalogue[name]
    values = {k: float(v) for k, v in drift.defaults.items()} | {"t": 0.25}
    r, A = np.array([0.3, 0.85, 1.3, 2.4])[:, None], np.array([0.7, 2.0])
    h = 1e-6
    beside = [evaluate(drift.formula, {**values, "r": r + s * h, "A": A}) for s in (-1, 1)]
    slope = evaluate(derivative(drift.formula, "r", 1), {**values, "r": r, "A": A})
    difference = (beside[1] - beside[0]) / (2 * h)
    np.testing.assert_allclose(*np.broadcast_arrays(slope, difference), rtol=1e-6, atol=1e-6)


def test_other_variables():
    tree = parse("A**2*r + abs(A)")
    assert evaluate(derivative(tree, "A", -1), {"r": 3.0, "A": 0.0}) == -1
    assert str(derivative(parse("r*A"), "t")) == "0"


def test_unneeded_parts_are_left_out():
    assert str(derivative(parse("log(A)*sqrt(A) + 1/A"), "r")) == "0"
    assert str(derivative(parse("A**2 + A**t"), "r")) == "0"


def test_side_is_checked():
    with pytest.raises(ValueError, match="side=0"):
        derivative(parse("r"), "r", 0)
