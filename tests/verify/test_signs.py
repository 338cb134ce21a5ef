"""Inferred signs: never contradicted by a value, known where they should be."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
from flint import fmpq, fmpq_poly
from hypothesis import given, settings
from hypothesis import strategies as st
from mutation.laws import DOMAINS, KNOWN_SIGNS, LAWS, fits, on_kernel, tree_of
from mutation.smooth import POINTS, POSITIVE_FORMULAS, SMOOTH, at, on_region

from symbolic.domains import Interval
from symbolic.expression import number, symbol
from verify.algebra.masks import (
    ANY,
    NEGATIVE,
    NONNEGATIVE,
    NONPOSITIVE,
    NONZERO,
    POSITIVE,
    RELATIONS,
    ZERO,
    flip,
    relation,
    settled,
)
from verify.algebra.resolve import Resolver
from verify.algebra.signs import Signs
from verify.algebra.sturm import sign_on, sturm_count

RELATION_MASKS = st.sampled_from([POSITIVE, NEGATIVE, NONNEGATIVE, NONPOSITIVE])


@pytest.mark.parametrize("law", ["signs", "masks", "Sturm"])
def test_laws(law):
    LAWS[law]()


@pytest.mark.parametrize("text", KNOWN_SIGNS)
def test_what_should_be_seen_at_once(text):
    def seen(signs, value):
        assert signs.infer(value) == KNOWN_SIGNS[text]

    on_kernel(text, seen)


@settings(max_examples=35)
@given(SMOOTH, POINTS)
def test_no_value_contradicts_a_sign(tree, points):
    def true(resolver, value):
        mask = resolver.signs.infer(value)
        for point in points:
            assert fits(at(tree, point), mask), (str(tree), mask, point)

    on_region(tree, true)


def test_signs_of_formulas_made_to_be_positive_are_often_known():
    """The law above would hold for an inference that knows nothing."""
    asked, known = 0, 0

    @settings(max_examples=80)
    @given(POSITIVE_FORMULAS)
    def count(tree):
        nonlocal asked, known

        def clear(resolver, value):
            nonlocal asked, known
            asked += 1
            known += resolver.signs.infer(value) == POSITIVE

        on_region(tree, clear)

    count()
    assert known > 0.5 * asked > 20


@settings(max_examples=30)
@given(SMOOTH, RELATION_MASKS, SMOOTH, POINTS)
def test_nor_one_inferred_from_a_fact(fact, mask, tree, points):
    def under(resolver, value):
        signs = resolver.signs
        signs.learn(resolver.resolve(fact), mask)
        found = signs.infer(value)
        for point in points:
            premise = at(fact, point)
            if (premise > 0 and mask & POSITIVE) or (premise < 0 and mask & NEGATIVE):
                assert fits(at(tree, point), found), (str(fact), mask, str(tree), point)

    on_region(tree, under)


LINEAR = st.tuples(*[st.integers(-3, 3)] * 3)


@given(LINEAR, RELATION_MASKS, LINEAR, LINEAR)
def test_nor_one_inferred_from_a_fact_about_a_factor(fact, mask, other, at_):
    """a + b·x + c·y is known; its product with another linear form is asked for."""
    point = {"x": abs(Fraction(at_[0])) + 1, "y": abs(Fraction(at_[1])) + Fraction(1, 2), "z": 1}

    def linear(c):
        return number(c[0]) + number(c[1]) * symbol("x") + number(c[2]) * symbol("y")

    f, g = linear(fact), linear(other)
    premise = at(f, point)

    def under(resolver, value):
        resolver.signs.learn(value, mask)
        asked = resolver.resolve(f * g)
        if not fits(premise, mask):
            return
        assert fits(at(f * g, point), resolver.signs.infer(asked))
        assert resolver.signs.infer(value) & ~mask == 0

    on_region(f, under)


@settings(max_examples=35)
@given(RELATION_MASKS, SMOOTH)
def test_a_fact_holds_where_it_was_learned_and_only_there(mask, tree):
    def learned(resolver, value):
        signs = resolver.signs
        before = signs.infer(value)
        inner = signs.fork()
        inner.learn(value, mask)
        if signs.infer_poly(value.den) in (POSITIVE, NEGATIVE) and before & mask:
            assert inner.infer(value) & ~mask == 0
            assert inner.infer(inner.sub(inner.rational(0), value)) & ~flip(mask) == 0
        assert signs.infer(value) == before
        assert signs.fork().infer(value) == before

    on_region(tree, learned)


@settings(max_examples=30)
@given(SMOOTH)
def test_opposites_have_opposite_signs(tree):
    def opposite(resolver, value):
        k = resolver.signs
        assert k.infer(k.sub(k.rational(0), value)) == flip(k.infer(value))

    on_region(tree, opposite)


def on_interval(domain: Interval, text: str) -> int:
    signs = Signs({**DOMAINS, "x": domain}, {})
    return signs.infer(Resolver(signs).resolve(tree_of(text)))


@pytest.mark.parametrize(("text", "closed", "open_"), [
    ("x-1", NONNEGATIVE, POSITIVE), ("2-x", NONNEGATIVE, POSITIVE), ("(x-1)*(2-x)", NONNEGATIVE, POSITIVE),
    ("x**2-3*x+2", NONPOSITIVE, NEGATIVE), ("x*(2-x)+y*(x-1)", POSITIVE, POSITIVE), ("log(x)", NONNEGATIVE, POSITIVE),
    ("1-2/x", NONPOSITIVE, NEGATIVE), ("x-1+y", POSITIVE, POSITIVE), ("x-3/2", ANY, ANY),
])  # fmt: skip
def test_ends_of_ranges(text, closed, open_):
    """At a closed end the value may be 0, at an open one it may not."""
    one, two = Fraction(1), Fraction(2)
    assert on_interval(Interval(one, two, False, False), text) == closed
    assert on_interval(Interval(one, two, True, True), text) == open_


@pytest.mark.parametrize(("text", "sign"), [("1-x", POSITIVE), ("x", ANY), ("x**2", NONNEGATIVE)])
def test_ranges_without_a_lower_end(text, sign):
    assert on_interval(Interval(None, Fraction(1), True, True), text) == sign


@given(st.lists(st.integers(-4, 8), min_size=1, max_size=4), st.integers(0, 3), st.integers(1, 4))
def test_roots_are_counted_exactly(roots, low, width):
    """Of a product of linear factors, between two integers and towards infinity."""
    poly = fmpq_poly([1])
    for root in roots:
        poly = poly * fmpq_poly([-root, 1])
    assert sturm_count(poly, fmpq(low), fmpq(low + width)) == len(
        {root for root in roots if low < root < low + width}
    )
    assert sturm_count(poly, fmpq(low), None) == len({root for root in roots if root > low})
    for lower_open in (False, True):
        mask = sign_on(poly, Fraction(low), Fraction(low + width), lower_open)
        for step in range(lower_open, 4 * width + 1):
            value = poly(fmpq(4 * low + step, 4))
            assert mask & (POSITIVE if value > 0 else NEGATIVE if value < 0 else ZERO)


def test_constants_that_no_digits_tell_from_0_stay_open():
    LAWS["known signs"]()


def test_relations_and_masks():
    for text, mask in RELATIONS.items():
        assert relation(mask) == text
    assert relation(ANY) is relation(NONZERO) is None
    for mask, multiplicity, strict in product(range(1, 8), (1, 2), (False, True)):
        one_signed = mask in (POSITIVE, NEGATIVE)
        weak = not (mask & POSITIVE and mask & NEGATIVE)
        assert settled(mask, multiplicity, strict) == (
            one_signed if strict else weak or multiplicity == 2
        )
