"""Are two formulas the same function: proofs, witnesses, and neither where neither is due."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Undefined, value_at

from symbolic.drift import Drift
from symbolic.errors import FormulaError
from verify import equality
from verify.equality import decide_equal
from verify.falsify import Findings
from verify.report import Condition, Verdict


def compared(f: str, g: str, *parameters: str, timeout: float = 10.0) -> Condition:
    return decide_equal(
        Drift.from_text(f, parameters), Drift.from_text(g, parameters), timeout=timeout
    )


SAME = [
    ("(r-1)**2", "r**2-2*r+1"), ("relu(r-1)+relu(1-r)", "abs(r-1)"), ("max(r, 1)", "1+relu(r-1)"),
    ("sigmoid(A)", "1-sigmoid(-A)"), ("log(r**2)", "2*log(r)"), ("softplus(A)-softplus(-A)", "A"),
    ("where(A > 0, A, -A)", "abs(A)"), ("clip(r, 0.8, 1.2)", "min(max(r, 0.8), 1.2)"), ("sqrt(A**2)", "abs(A)"),
    ("tanh(A)", "2*sigmoid(2*A)-1"), ("sign(A)*A", "abs(A)"), ("r**2.5", "r*r*sqrt(r)"), ("1", "where(r > 0, 1, 0)"),
    ("relu(A)*relu(-A)", "0"), ("where(A >= 0, r, 1)", "where(A < 0, 1, r)"),
]  # fmt: skip
DIFFERENT = [
    ("(r-1)**2", "r**2-2*r"), ("where(A > 0, 1, 0)", "where(A >= 0, 1, 0)"), ("abs(A)", "A"), ("log(r**2)", "log(r)"),
    ("sign(r-1)**2", "1"), ("relu(r-1000)", "0"), ("max(r, 1)", "max(r, 1.000001)"), ("r", "r*(1+10**-30)"), ("t", "t**2"),
    ("log(A)+r+1", "1+r*r+log(A)"), ("log(A)-log(t)", "(r-2)-log(t)+log(A)"),
]  # fmt: skip


@pytest.mark.parametrize(("f", "g"), SAME)
def test_the_same_function(f, g):
    assert compared(f, g).verdict is Verdict.PROVED
    assert compared(g, f).verdict is Verdict.PROVED


@pytest.mark.parametrize(("f", "g"), DIFFERENT)
def test_different_functions(f, g):
    found = compared(f, g)
    assert found.verdict is Verdict.REFUTED
    point = found.witness.point
    values = [value_at(Drift.from_text(text).formula, point) for text in (f, g)]
    assert values[0] != values[1]


@pytest.mark.parametrize(
    ("f", "g"),
    [
        ("exp(r)", "exp(r)+relu(r-1e6)"),
        ("exp(exp(A))-r", "relu(A-50)*A-r+exp(exp(A))"),
        ("exp(r)", "exp(r)*(1+relu(r-1e6))"),
    ],
)
def test_a_difference_is_seen_beside_what_is_huge(f, g):
    for one, other in ((f, g), (g, f)):
        found = compared(one, other)
        assert found.verdict is Verdict.REFUTED
        assert found.detail == "the value is f - g"
    assert max(found.witness.point.values()) > 50


def test_what_both_have_may_be_undefined():
    found = compared("log(A)+r", "log(A)+r**2")
    assert found.witness.point["A"] > 0
    assert found.witness.text not in ("0", "undefined")
    assert compared("log(A-5)+r", "log(A-5)+r**2").witness.point["A"] > 5
    same = compared("log(A)+r", "r+log(A)")
    assert same.verdict is Verdict.PROVED
    assert "where they are defined" in same.detail


ALIKE = [
    ("log(A)", "log(A)"), ("log(A)+log(r)", "log(r)+log(A)"), ("log(A)", "log(A)*2/2"),
    ("1/(r-1)", "(r/(r-1))/r"), ("sqrt(A)+r", "r+sqrt(A)"), ("A**0.5*2", "A**0.5+A**0.5"),
]  # fmt: skip
"""Undefined at the same points, equal at the others."""
LOPSIDED = [
    ("log(A**2)", "2*log(A)"), ("A/A", "1"), ("(r**2-1)/(r-1)", "r+1"), ("sqrt(A)**2", "A"),
    ("exp(log(A))", "A"), ("log(A)", "where(A > 0, log(A), 0)"),
    ("sqrt(A)", "sqrt(A)+0*log(A)"), ("log(A)/A", "log(A)/A+0/(A-5)"),
]  # fmt: skip


@pytest.mark.parametrize(("f", "g"), ALIKE)
def test_formulas_undefined_at_the_same_points(f, g):
    assert compared(f, g).verdict is Verdict.PROVED
    assert compared(f, g + "+1e-9").verdict is Verdict.REFUTED


@pytest.mark.parametrize(("f", "g"), LOPSIDED)
def test_a_point_where_only_one_is_defined_is_a_difference(f, g):
    for found in (compared(f, g), compared(g, f)):
        assert found.verdict is Verdict.REFUTED
        undefined = 0
        for text in (f, g):
            try:
                value_at(Drift.from_text(text).formula, found.witness.point)
            except Undefined:
                undefined += 1
        assert undefined == 1


def test_branches_that_need_not_be_visited_are_not_compared_by_form():
    f, g = "where(A > 1, log(A), 0)", "where(A > 2, log(A), 0)+where(A > 2, 0, 1)*log(A)"
    assert compared(f, g).verdict is not Verdict.PROVED


@settings(max_examples=40)
@given(st.tuples(*[st.integers(-2, 2)] * 3), st.tuples(*[st.integers(-2, 2)] * 3))
def test_polynomials_are_equal_exactly_if_their_coefficients_are(a, b):
    f, g = (f"({c[0]})*(r-1)**2+({c[1]})*r*A+({c[2]})" for c in (a, b))
    assert compared(f, g).verdict is (Verdict.PROVED if a == b else Verdict.REFUTED)


def test_parameters_are_compared_over_their_range():
    assert compared("abs(k)*r", "k*r", "k in [0, 1]").verdict is Verdict.PROVED
    assert compared("abs(k)*r", "k*r", "k in (-1, 1)").verdict is Verdict.REFUTED
    assert compared("relu(k-1)", "0", "k in [0, 1]").verdict is Verdict.PROVED
    assert compared("r*k", "r*2", "k=2").verdict is Verdict.PROVED


def test_parameters_must_agree():
    f, g = Drift.from_text("r*k", ["k in (0, 1)"]), Drift.from_text("r*k", ["k in (0, 2)"])
    with pytest.raises(FormulaError, match="'k' ranges over"):
        decide_equal(f, g)
    only = decide_equal(Drift.from_text("r+k-k", ["k in (0, 1)"]), Drift.from_text("r"))
    assert only.verdict is Verdict.PROVED


def test_kinds_must_agree():
    with pytest.raises(FormulaError, match="cannot be compared"):
        decide_equal(Drift.from_text("r"), Drift.from_text("x", kind="mirror-map"))


def test_a_formula_undefined_somewhere_is_not_called_equal():
    for f, g in (("A/A", "1"), ("log(A)-log(A)", "0"), ("sqrt(A)**2", "A")):
        found = compared(f, g)
        assert found.verdict is not Verdict.PROVED
        assert found.witness.A <= 0


def test_the_clock_only_makes_unknown():
    for f, g in (*SAME[:6], *DIFFERENT[:6]):
        found = compared(f, g, timeout=0.0)
        assert found.verdict is Verdict.UNKNOWN or found.verdict is compared(f, g).verdict


def test_nothing_is_equal_without_a_replay(monkeypatch):
    class Refusal:
        ok = False

    monkeypatch.setattr(equality, "check_certificate", lambda *_, **__: Refusal())
    assert compared("abs(A)", "max(A, -A)").verdict is Verdict.UNKNOWN


def test_nor_because_no_difference_was_found(monkeypatch):
    monkeypatch.setattr(equality, "falsify", lambda *_, **__: Findings())
    for f, g in DIFFERENT:
        assert compared(f, g).verdict is Verdict.UNKNOWN
