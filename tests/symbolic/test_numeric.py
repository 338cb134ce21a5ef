"""Values in float64: the mathematics of each operation, and nan for what is undefined."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from symbolic.numeric import evaluate, evaluate_all, prepared
from symbolic.parser import parse

REFERENCE = {
    "r + A": lambda r, A: r + A,
    "r - A": lambda r, A: r - A,
    "r*A": lambda r, A: r * A,
    "A/r": lambda r, A: A / r,
    "-A": lambda r, A: -A,
    "r**2.5": lambda r, A: r**2.5,
    "r**A": lambda r, A: r**A,
    "A**3": lambda r, A: A**3,
    "A**0": lambda r, A: 1.0,
    "r**-2": lambda r, A: 1 / r**2,
    "exp(A)": lambda r, A: math.exp(A),
    "log(r)": lambda r, A: math.log(r),
    "tanh(A)": lambda r, A: math.tanh(A),
    "sqrt(r)": lambda r, A: math.sqrt(r),
    "abs(A)": lambda r, A: abs(A),
    "sign(A)": lambda r, A: math.copysign(1, A) if A else 0.0,
    "relu(A)": lambda r, A: max(A, 0.0),
    "softplus(A)": lambda r, A: math.log1p(math.exp(A)),
    "sigmoid(A)": lambda r, A: 1 / (1 + math.exp(-A)),
    "square(A)": lambda r, A: A * A,
    "inv(r)": lambda r, A: 1 / r,
    "clip(A, -0.5, 0.5)": lambda r, A: min(max(A, -0.5), 0.5),
    "clip(A, 1, -1)": lambda r, A: -1.0,
    "max(r, A, 1)": lambda r, A: max(r, A, 1.0),
    "min(r, A, 1)": lambda r, A: min(r, A, 1.0),
    "where(A < 0, r, A)": lambda r, A: r if A < 0 else A,
    "where(A <= 0, r, A)": lambda r, A: r if A <= 0 else A,
    "where(A > 0, r, A)": lambda r, A: r if A > 0 else A,
    "where(A >= 0, r, A)": lambda r, A: r if A >= 0 else A,
}
RATIOS = [0.01, 0.5, 1.0, 1.5, 30.0]
ADVANTAGES = [-3.0, -0.5, 0.0, 0.5, 2.0]


@pytest.mark.parametrize("text", REFERENCE)
def test_values(text):
    r, A = np.array(RATIOS)[:, None], np.array(ADVANTAGES)
    found = np.broadcast_to(evaluate(parse(text), {"r": r, "A": A}), (5, 5))
    expected = [[REFERENCE[text](r, A) for A in ADVANTAGES] for r in RATIOS]
    np.testing.assert_allclose(found, expected, rtol=4e-15)


@pytest.mark.parametrize(
    "text",
    [
        "log(A)", "log(A + 1)", "sqrt(A)", "1/(A + 1)", "inv(A + 1)", "A**0.5", "A**r", "(A+1)**-1",
        "0*log(A)", "(A + 1)**(A + 1)", "max(r, log(A))", "min(r, sqrt(A))", "relu(log(A))",
        "sign(sqrt(A))", "abs(1/(A+1))", "where(log(A) < 0, 1, 2)", "clip(sqrt(A), 0, 1)",
        "where(A < 0, log(A), 1)", "exp(-1/(A + 1)**2)", "tanh(log(A))", "log(A) - log(A)",
        "0**A", "sqrt(A)**0", "log(A)**0", "1**log(A)", "r**log(A)",
    ],
)  # fmt: skip
def test_undefined_is_nan(text):
    assert math.isnan(evaluate(parse(text), {"r": 1.0, "A": -1.0}))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("where(A < 0, r, log(A))", 2.0),
        ("where(A >= 0, sqrt(A), where(A < -5, 1/0, r))", 2.0),
        ("where(r > 1, 3, inv(A + 1))", 3.0),
    ],
)
def test_the_unchosen_branch_may_be_undefined(text, value):
    assert evaluate(parse(text), {"r": 2.0, "A": -1.0}) == value


def test_powers_at_zero():
    values = {"A": np.array([0.0])}
    assert evaluate(parse("A**0"), values) == 1
    assert evaluate(parse("A**0.5"), values) == 0
    assert np.isnan(evaluate(parse("A**-1"), values))
    assert np.isnan(evaluate(parse("A**(0*A)"), values))


def test_decimals_are_rounded_once():
    assert evaluate(parse("0.1 + 0"), {}) == 0.1
    assert evaluate(parse("1/3"), {}) == 1 / 3


def test_overflow_is_quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert evaluate(parse("exp(A)"), {"A": 1e4}) == math.inf
        assert evaluate(parse("9" * 100 + "e300"), {}) == math.inf
        assert evaluate(parse("softplus(A)"), {"A": -800.0}) == 0
        assert evaluate(parse("sigmoid(A)"), {"A": np.array([-1e9, 1e9])}).tolist() == [0, 1]
        assert math.isnan(evaluate(parse("log(0)"), {}))


def test_arrays_broadcast():
    out = evaluate(parse("r*A + t"), {"r": np.ones((4, 1)), "A": np.ones(3), "t": 0.5})
    assert out.shape == (4, 3)
    assert out.dtype == np.float64


def test_a_missing_symbol_is_an_error():
    with pytest.raises(KeyError):
        evaluate(parse("r*A"), {"r": 1.0})


@pytest.mark.parametrize("text", REFERENCE)
def test_prepared_with_either_variable_known(text):
    values = {"r": np.array(RATIOS)[:, None], "A": np.array(ADVANTAGES)}
    roots = [parse(text), parse(f"({text})*r + A")]
    expected = evaluate_all(roots, values)
    for known in ((), ("r",), ("A",), ("r", "A")):
        at = prepared(roots, {name: values[name] for name in known})
        rest = {name: value for name, value in values.items() if name not in known}
        for _ in range(2):  # nothing of a call is left for the next one
            at({name: value + 1 for name, value in rest.items()})
            for one, other in zip(at(rest), expected):
                np.testing.assert_array_equal(one, other)
