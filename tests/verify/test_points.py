"""Exact points of a cell: inside its ranges and facts, certainly not zero."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutation.laws import DOMAINS, tree_of
from mutation.rules import prover_on
from mutation.smooth import POINTS, SMOOTH, at, on_region

from symbolic.domains import Interval, parse_declarations
from verify.algebra.masks import NEGATIVE, NONPOSITIVE, POSITIVE, ZERO
from verify.algebra.polynomials import GENERATORS
from verify.algebra.signs import Signs
from verify.proof.points import candidate_points, nonzero_point, simple, value_at
from verify.proof.prove import Budget, Prover
from verify.proof.scatter import Scatter

INTERVALS = (
    "(0, inf)",
    "[0, 1/2)",
    "(-inf, 3]",
    "(-inf, inf)",
    "[2, 5]",
    "(-1, 1)",
    "(1/1000, 1/999)",
    "[100, inf)",
)


@pytest.mark.parametrize("text", INTERVALS)
def test_simple_members(text):
    interval = parse_declarations([f"k in {text}"], "drift")["k"]
    found = list(simple(interval))
    assert found
    assert all(member in interval for member in found)
    assert len(set(found)) == len(found)


@settings(max_examples=60)
@given(SMOOTH, POINTS)
def test_signs_at_points_are_certain(tree, points):
    def certain(resolver, value):
        for point in points:
            mask, text = value_at(resolver.signs, value, point)
            true = at(tree, point, 400)
            if true.is_finite() and mask in (POSITIVE, NEGATIVE):
                assert not (true < 0 if mask == POSITIVE else true > 0)
                assert text
            if mask == ZERO:
                assert true.contains(0)

    on_region(tree, certain)


@settings(max_examples=25)
@given(SMOOTH, SMOOTH, st.sampled_from([POSITIVE, NONPOSITIVE]))
def test_points_lie_in_their_cell(fact, tree, mask):
    def inside(resolver, value):
        prover = prover_on(resolver.signs, ()).under(resolver.resolve(fact), mask)
        for point in list(candidate_points(prover, value))[:20]:
            assert all(at_ in DOMAINS[name] for name, at_ in point.items())
        found = nonzero_point(prover, value)
        if found is None:
            return
        point, sign, _ = found
        full = {name: Fraction(1) for name in DOMAINS} | point
        true, premise = at(tree, full), at(fact, full)
        if true.is_finite():
            assert not (true < 0 if sign == POSITIVE else true > 0)
        if premise.is_finite():
            assert not (premise < 0 if mask == POSITIVE else premise > 0)

    on_region(tree, inside)


def test_nothing_is_found_where_the_value_is_0():
    def none(resolver, value):
        assert nonzero_point(prover_on(resolver.signs, ()), value) is None

    on_region(tree_of("exp(log(x))-x"), none)


def test_intervals_are_respected_by_floats():
    """Samples become rationals by rounding, which must not leave a narrow interval."""
    narrow = {"k": Interval(Fraction(1, 100_000), Fraction(1, 99_999), True, True)}
    signs = Signs(narrow, {})
    value = signs.quotient(GENERATORS[signs.variable("k")])
    prover = Prover(signs, Scatter.over(narrow), Budget(10))
    assert all(point["k"] in narrow["k"] for point in candidate_points(prover, value))
