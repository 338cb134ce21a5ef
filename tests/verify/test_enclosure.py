"""Rigorous evaluation at points: what is certain, what is undefined, what stays undecided."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st

from symbolic.numeric import evaluate
from symbolic.operations import OPERATIONS
from symbolic.parser import parse
from verify.balls.boxes import enclose
from verify.balls.points import Evaluation, Kind, certify

HALF = Fraction(1, 2)


def at(text: str, r: object = 1, A: object = 1, **options: int) -> Evaluation:
    return certify(parse(text), {"r": Fraction(r), "A": Fraction(A), "t": HALF}, **options)  # type: ignore[arg-type]


EXACT = [
    ("r*A - 2/3", "3/2", "1/3", "-1/6"),
    ("(r-1)**2/r", "1/2", 0, "1/2"),
    ("sqrt(r) - 3/2", "9/4", 0, "0"),
    ("r**1.5 - 8", 4, 0, "0"),
    ("r**(2/3)", 8, 0, "4"),
    ("r**(-0.5)", "1/4", 0, "2"),
    ("A**0", 1, 0, "1"),
    ("A**3", 1, "-2/3", "-8/27"),
    ("inv(A) + square(A)", 1, -2, "7/2"),
    ("log(r) + tanh(A) + exp(A) + sigmoid(A)", 1, 0, "3/2"),
    ("sign(A)*abs(A) + sign(r - 1)", 1, "-2/3", "-2/3"),
    ("relu(A) + relu(-A)", 1, -5, "5"),
    ("clip(r, 0.8, 1.2)", 3, 0, "6/5"),
    ("clip(r, 2, 1)", 3, 0, "1"),
    ("min(A, -A, r) - max(A, -A, r)", 1, 2, "-4"),
    ("where(A < 0, 1, 2) + where(A <= 0, 10, 20) + where(A > 0, 100, 200) + where(A >= 0, 1000, 2000)",
     1, 0, "1212"),
    ("0**r", 2, 0, "0"),
    ("A**r", 2, 0, "0"),
    ("r**A", 2, 0, "1"),
    ("1**A", 1, "1/3", "1"),
    # Equal parts are known to be equal, whatever they are.
    ("log(r) - log(1.5)", "3/2", 0, "0"),
    ("r*log(r) - log(2)*2", 2, 0, "0"),
    ("(exp(A) + 1)/(1 + exp(A))", 1, "1/3", "1"),
    ("where(exp(A) <= exp(1/3), 1, 2)", 1, "1/3", "1"),
    ("0*exp(A)", 1, "1/3", "0"),
    ("where(A > 0, log(A), 0)", 1, -1, "0"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "r", "A", "expected"), EXACT)
def test_rational_values_are_exact(text, r, A, expected):
    found = at(text, r, A)
    assert (found.kind, found.text) == (Kind.VALUE, expected)
    assert found.sign == (Fraction(expected) > 0) - (Fraction(expected) < 0)


UNDEFINED = [
    ("log(A)", 1, 0, "log"),
    ("log(A - exp(r))", 1, 1, "log"),
    ("0*log(A)", 1, -1, "log"),
    ("log(A)**0", 1, -1, "log"),
    ("sqrt(A)", 1, "-1/10", "sqrt"),
    ("sqrt(exp(1) - exp(r))", 2, 0, "sqrt"),
    ("1/(r-1)", 1, 0, "denominator"),
    ("inv(A)", 1, 0, "denominator"),
    ("1/(log(r) - log(2))", 2, 0, "denominator"),
    ("A**(-2)", 1, 0, "denominator"),
    ("A**0.5", 1, -1, "negative base"),
    ("A**t", 1, -1, "negative base"),
    ("A**(r - 1)", 1, 0, "not positive"),
    ("where(log(A) > 0, 1, 2)", 1, -1, "log"),
    ("where(A > 0, 1, log(A))", 1, -1, "log"),
    ("where(exp(1)*exp(1) > exp(2), log(A), sqrt(A))", 1, -1, ""),
    ("max(r, log(A))", 1, -1, "log"),
]


@pytest.mark.parametrize(("text", "r", "A", "reason"), UNDEFINED)
def test_undefined_is_certain_and_says_why(text, r, A, reason):
    found = at(text, r, A)
    assert (found.kind, found.sign, found.text) == (Kind.UNDEFINED, None, "undefined")
    assert reason in found.reason


NOT_CERTAIN = [
    # Zero, or not, beyond every precision that is tried.
    ("tanh(A) - 1", 1, 10**4),
    ("softplus(A) - A", 1, 10**300),
    ("exp(1)*exp(1) - exp(2)", 1, 0),
    ("1/(exp(1)*exp(1) - exp(2))", 1, 0),
    ("log(exp(1)*exp(1) - exp(2))", 1, 0),
    ("(exp(1)*exp(1) - exp(2))**t", 1, 0),
    ("where(exp(1)*exp(1) >= exp(2), 1, -2)", 1, 0),
    ("where(exp(1)*exp(1) >= exp(2), 1, log(A))", 1, 0),
    ("where(1/(exp(1)*exp(1) - exp(2)) > 0, log(A), log(A))", 1, 0),
    ("sign(exp(1)*exp(1) - exp(2))", 1, 0),
]


@pytest.mark.parametrize(("text", "r", "A"), NOT_CERTAIN)
def test_what_is_not_certain_has_no_sign(text, r, A):
    found = at(text, r, A, max_precision=512)
    assert found.kind is not Kind.UNDEFINED
    assert found.sign is None


def test_open_guard_with_agreeing_branches_has_their_sign():
    found = at("where(exp(1)*exp(1) >= exp(2), 1, 2)")
    assert (found.kind, found.sign) == (Kind.VALUE, 1)
    assert found.value.contains(1)
    assert found.value.contains(2)


@pytest.mark.parametrize(
    ("text", "r", "sign"),
    [
        ("r - 1 - log(r)", 1 + Fraction(1, 10**200), 1),
        ("exp(r-1) - r - (r-1)**2/2", 1 - Fraction(1, 10**300), -1),
        ("r**1.5 - 1.5*r + 0.5", 1 + Fraction(1, 10**400), 1),
        ("log(1+(r-1)**2) - 1e-3*log(r)**2", 10**1000, -1),
    ],
)
def test_precision_grows_until_the_sign_is_certain(text, r, sign):
    assert at(text, r).sign == sign


@pytest.mark.parametrize(
    "text",
    [
        "exp(exp(exp(exp(1000))))",
        "-exp(exp(exp(exp(1000))))",
        "exp(-exp(exp(exp(1000))))",
        "log(1 + 1/exp(exp(exp(exp(9)))))",
        "tanh(exp(exp(exp(9)))) - sigmoid(exp(exp(exp(9))))",
        "((2**r)**(3**r))**(5**r)",
        "r**A",
    ],
)
def test_towers_end_at_once(text):
    start = time.monotonic()
    at(text, 299, 10**300)
    assert time.monotonic() - start < 1.0


def test_values_read_well():
    assert at("r/4", -1).text == "-1/4"
    assert at("log(r)", 2).text == "[0.693147 +/- 1.81e-7]" or at("log(r)", 2).text.startswith(
        "[0.69"
    )
    assert len(at("r**40", Fraction(10**20 + 1, 10**20)).text) < 60


def test_precision_of_the_context_is_restored():
    before = ctx.prec
    at("log(r) + exp(A)", 2, 3)
    assert ctx.prec == before


# Every operation, exact and in balls

ONE_OF_EACH = {
    "add": "A + r", "sub": "A - r", "mul": "A*r", "div": "A/r", "neg": "-A", "pow": "r**A",
    "exp": "exp(A)", "log": "log(r)", "tanh": "tanh(A)", "sqrt": "sqrt(r)", "abs": "abs(A)",
    "sign": "sign(A)", "relu": "relu(A)", "softplus": "softplus(A)", "sigmoid": "sigmoid(A)",
    "square": "square(A)", "inv": "inv(r)", "clip": "clip(A, -r, r)", "max": "max(A, r, 1)",
    "min": "min(A, r, 1)", "where<": "where(A < r, A, 2)", "where<=": "where(A <= r, A, 2)",
    "where>": "where(A > r, A, 2)", "where>=": "where(A >= r, A, 2)",
}  # fmt: skip


def test_one_of_each_covers_the_table():
    assert set(ONE_OF_EACH) == set(OPERATIONS)


@pytest.mark.parametrize("op", sorted(OPERATIONS))
@pytest.mark.parametrize("inner", ["{}", "exp({}) - 2", "log(1 + square({}))"])
def test_each_operation_agrees_with_floats(op, inner):
    tree = parse(ONE_OF_EACH[op].replace("A", "(" + inner.format("A") + ")"))
    for r, A in [(0.5, -1.25), (2.0, 0.0), (1.0, 0.75), (3.0, 3.0), (0.125, 17.0)]:
        found = certify(tree, {"r": Fraction(r), "A": Fraction(A)})
        expected = float(evaluate(tree, {"r": r, "A": A}))
        assert found.kind is Kind.VALUE
        value = found.value if isinstance(found.value, arb) else arb(found.value)
        assert float(value.mid()) == pytest.approx(expected, rel=1e-5, abs=1e-12)


FORMULAS = [
    *ONE_OF_EACH.values(),
    "(r-1)**2*A - 3*(r-1)*A**2", "where(A >= 0, relu((r-1)*A-2*tanh((r-1)*A/2)), A*log(r))",
    "sqrt(1+((r-1)*A)**2)-1", "r**(-3) + A**4", "A**2/(1+A**2)",
]  # fmt: skip


@given(
    st.sampled_from(FORMULAS),
    st.floats(0.1, 4), st.floats(0, 1), st.floats(-3, 3), st.floats(0, 2),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=5),
)  # fmt: skip
def test_a_box_is_enclosed(text, low_r, wide_r, low_a, wide_a, inner):
    tree = parse(text)
    box = {
        "r": arb(low_r).union(arb(low_r + wide_r)),
        "A": arb(low_a).union(arb(low_a + wide_a)),
    }
    hull = enclose(tree, box)
    if not hull.is_finite():
        return
    for u, v in inner:
        point = {
            "r": Fraction(low_r) + Fraction(u) * (Fraction(low_r + wide_r) - Fraction(low_r)),
            "A": Fraction(low_a) + Fraction(v) * (Fraction(low_a + wide_a) - Fraction(low_a)),
        }
        value = certify(tree, point).value
        assert hull.overlaps(value if isinstance(value, arb) else arb(value))


def test_powers_of_balls_around_zero_are_finite():
    box = {"A": arb(0, 1)}
    for text in ("A**2", "square(A)", "A**7", "A**300"):
        hull = enclose(parse(text), box)
        assert hull.is_finite()
        assert hull.contains(1)
    assert enclose(parse("A**2"), {"A": arb(0, 2)}) > -1e-6
    assert enclose(parse("A**2"), {"A": arb(0)}) == 0
    assert not enclose(parse("1/A"), box).is_finite()
    assert not enclose(parse("log(A)"), box).is_finite()


def test_value_of_a_rational_is_a_rational():
    assert isinstance(at("r/3").value, fmpq)
    assert isinstance(at("exp(r)").value, arb)
    assert np.isclose(float(at("exp(r)").value.mid()), np.e)
