"""The regions cover the domain once, and write the formula in their own variables."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutation.laws import LAWS, arb_value

from symbolic.drift import Drift
from symbolic.expression import number, substitute
from verify.balls.boxes import enclose
from verify.checker.algebra import Range
from verify.checker.regions import regions as checker_regions
from verify.proof.regions import regions

SIDES = ("r<1", "r=1", "r>1")


def test_law():
    LAWS["regions"]()


@pytest.mark.parametrize(("formula", "parameters", "count"), [
    ("r", (), 3), ("A", (), 3), ("r*A", (), 9), ("1", (), 1), ("t", (), 3), ("r*k", ("k in (0, 1)",), 3),
    ("r*k", ("k in [0, 1)",), 6), ("r*k", ("k in [0, 1]",), 9), ("r*k", ("k = 1/2",), 3), ("r*t", ("t in (0, 1]",), 6),
    ("r", ("k in [0, 1]",), 3), ("r*k", ("k in [0, inf)",), 6), ("r*k", ("k in (-inf, inf)",), 3),
])  # fmt: skip
def test_how_many(formula, parameters, count):
    drift = Drift.from_text(formula, [p.replace(" = ", "=") for p in parameters])
    cells = list(regions(drift, SIDES))
    assert len(cells) == len({cell.key for cell in cells}) == count


@pytest.mark.parametrize("formula", ["r*A+k*t", "log(r)", "A**2", "k-t", "r*k"])
def test_prover_and_checker_ask_for_the_same_regions(formula):
    drift = Drift.from_text(formula, ["k in [1, 2)"])
    ranges = {
        "k": Range(Fraction(1), Fraction(2), False, True),
        "t": Range(Fraction(0), Fraction(1), False, False),
    }
    for sides, condition in (
        (SIDES, "nonnegative"),
        (("r=1",), "zero_at_identity"),
        (("r->1-", "r->1+"), "flat_at_identity"),
    ):
        mine = {cell.key: cell.tree for cell in regions(drift, sides)}
        its = {
            cell.key: cell.tree
            for cell in checker_regions(drift.bound_formula(), ranges, condition)
        }
        assert mine == its


@settings(max_examples=30)
@given(
    st.fractions(Fraction(1, 9), 9, max_denominator=9), st.fractions(-3, 3, max_denominator=4),
    st.fractions(0, 1, max_denominator=4), st.fractions(1, 2, max_denominator=4),
)  # fmt: skip
def test_every_point_lies_in_one_region(r, A, t, k):
    drift = Drift.from_text("(r-1)*A+t*log(r)-k*r", ["k in [1, 2]"])
    true = arb_value(
        substitute(drift.formula, {"r": number(r), "A": number(A), "t": number(t), "k": number(k)})
    )
    inside = []
    for cell in regions(drift, SIDES):
        fixed = all(
            {"r": r, "A": A, "t": t, "k": k}[name] == value for name, value in cell.point.items()
        )
        side = {"r<1": r < 1, "r=1": r == 1, "r>1": r > 1}[cell.ratio]
        sign = A == 0 if "A=0" in cell.key else A < 0 if "A<0" in cell.key else A > 0
        free = all(
            value in cell.domains[n] for n, value in (("t", t), ("k", k)) if n in cell.domains
        )
        if fixed and side and sign and free:
            inside.append(cell)
    assert len(inside) == 1
    s = abs(arb_value(number(r)).log())
    values = {
        "_s": s,
        "_a": abs(arb_value(number(A))),
        "t": arb_value(number(t)),
        "k": arb_value(number(k)),
    }
    assert enclose(inside[0].tree, values).overlaps(true)
    assert math.isclose(float(enclose(inside[0].tree, values)), float(true), abs_tol=1e-12)
