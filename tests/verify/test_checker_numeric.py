"""The checker's covers, tails and structure: what is true replays, what is false does not."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from symbolic.drift import Drift
from symbolic.numeric import evaluate
from symbolic.parser import parse
from verify.checker import check_certificate
from verify.checker.algebra import Budget, Range, Unproved
from verify.checker.context import Context
from verify.checker.growth import EXP, LOG, POWER, at_start, falls
from verify.checker.jets import expansion
from verify.checker.proofs import RELATIONS, prove
from verify.checker.structure import Form
from verify.decide import decide

HALF = Range(Fraction(0), None)
CLOSED = Range(Fraction(0), Fraction(2), False, False)


def shows(claim: str, relation: str, proof: dict[str, Any], **ranges: Range) -> bool:
    domains = {"s": HALF, **ranges}
    context = Context(domains, (), Budget(2_000_000))
    try:
        prove(context, parse(claim, names=domains), RELATIONS[relation], proof)
    except Unproved:
        return False
    return True


def cover(*cuts: str, ends: tuple[int, int] = (0, 0), order: int = 4) -> dict[str, Any]:
    return {
        "rule": "cover", "in": "s", "cuts": list(cuts), "order": order, "ends": list(ends),
    }  # fmt: skip


@pytest.mark.parametrize(("claim", "relation", "proof", "ranges"), [
    ("exp(s)-1-s", ">", cover("1", "3", ends=(2, 0)), {}),
    ("exp(s)-1-s-s**2/2", ">", cover("1/2", "1", "3", ends=(3, 0)), {}),
    ("s-log(1+s)*0.999", ">", cover("1/8", "1", "3", "8", ends=(1, 0)), {}),
    ("(s-2)**2*(s+1)", ">=", cover("1", "3/2", ends=(0, 2)), {"s": CLOSED}),
    ("s*(2-s)", ">", cover("1/2", "3/2", ends=(1, 1)), {"s": Range(Fraction(0), Fraction(2))}),
    ("log(2)-log(1+exp(-s))", ">", cover("1", "2", ends=(1, 0)), {}),
    ("(1+a)*(exp(s)-1-s)", ">=", cover("1/4", "1", ends=(2, 0)),
     {"s": CLOSED, "a": Range(Fraction(0), Fraction(1, 4))}),
    ("exp(exp(s)-1)-exp(s)*s", ">", cover("1/2", "1", "2"), {}),
])  # fmt: skip
def test_true_covers_replay(claim, relation, proof, ranges):
    assert shows(claim, relation, proof, **ranges)


@pytest.mark.parametrize(("claim", "relation", "proof", "ranges"), [
    ("exp(s)-1-1.01*s", ">=", cover("1", "3", ends=(1, 0)), {}),  # negative near 0
    ("exp(s)-1-s", ">", cover("1", "3", ends=(3, 0)), {}),  # c_2 is not 0
    ("exp(s)-1-s", ">", cover("1", "3"), {}),  # 0 at the end, of order 0
    ("exp(s)-1-s", ">", cover("1", ends=(2, 0)), {"s": CLOSED}),  # 0 at the closed end
    ("exp(s)-1-s", ">=", cover("1", "3", ends=(2, 1)), {}),  # no upper end
    ("(s-1)**2-1e-9", ">", cover("1/2", "3/4", "1", "2"), {}),
    ("s-1.001*log(1+exp(s))+1", ">", cover("1", "2", "4", "8", "16"), {}),  # far out
    ("20-log(1+s)", ">", cover("2", "4", "16", "64"), {}),
    ("1-s/1e30", ">", cover("2", "4"), {}),
    ("exp(s)-1-s", ">", cover("3", "1", ends=(2, 0)), {}),
    ("exp(s)-1-s", ">", cover("1", "1", ends=(2, 0)), {}),
    ("exp(s)-1-s", ">", cover("0", "1", ends=(2, 0)), {}),
    ("exp(s)-1-s", ">", cover("1", ends=(2, 0)), {}),  # a tail starts at 2
    ("s**2+a", ">", cover("1", "3"), {"a": HALF}),  # a tail, and a box without end
    ("s-1/2", ">", cover(), {"s": CLOSED}),
    ("(s-1)**2", ">", cover("1"), {"s": CLOSED}),
    ("1/(s-1)**2", ">", cover("1/2"), {"s": CLOSED}),  # undefined at 1
    ("exp(a*s)-1", ">=", cover("1", ends=(1, 0)), {"s": CLOSED, "a": Range(Fraction(-1), Fraction(1))}),
])  # fmt: skip
def test_false_or_unfit_covers_do_not_replay(claim, relation, proof, ranges):
    assert not shows(claim, relation, proof, **ranges)


@pytest.mark.parametrize("junk", [-1, 17, 1.5, True, None, "2", [2]])
def test_orders_are_small_integers(junk):
    assert not shows("exp(s)", ">", {**cover("1", "3"), "order": junk})
    assert not shows("exp(s)", ">", {**cover("1", "3"), "ends": [junk, 0]})
    assert not shows("exp(s)", ">", {**cover("1", "3"), "ends": junk})
    assert not shows("exp(s)", ">", {**cover("1", "3"), "cuts": junk})


EXPANDED = ("exp(s)", "s*exp(2*s)-s", "log(1+s)", "sqrt(1+s)*s", "1/(2+exp(s))", "log(1+exp(s))",
            "exp(exp(s)-1)", "(1+s)**(1/3)", "tanh(s/2)", "log(2+s)*exp(-s)")  # fmt: skip


@pytest.mark.parametrize("text", EXPANDED)
@pytest.mark.parametrize("end", [Fraction(0), Fraction(1, 2)])
def test_exact_coefficients_are_those_of_the_function(text, end):
    context = Context({"s": HALF}, (), Budget(500_000))

    tree = parse(text, names=["s"])

    def coefficients():
        form = context.normal(tree)
        top = expansion(context, form.num, "s", end, 4)
        bottom = expansion(context, form.den, "s", end, 4)
        return [[float(arb_of(context.table.tree(c)).mid()) for c in row] for row in (top, bottom)]

    top, bottom = context.work(coefficients)
    for h in (1e-2, -5e-3 if end else 5e-3):
        series = sum(c * h**n for n, c in enumerate(top)) / sum(
            c * h**n for n, c in enumerate(bottom)
        )
        exact = float(evaluate(tree, {"s": float(end) + h}))
        assert series == pytest.approx(exact, abs=40 * abs(h) ** 4)


def arb_of(tree) -> arb:
    from verify.checker.balls import enclose

    return enclose(tree, {})


rationals = st.fractions(-3, 3, max_denominator=2)
gauges = st.sampled_from([
    LOG, POWER, EXP, (Fraction(0), Fraction(2)), (Fraction(1), Fraction(0)), (Fraction(1), Fraction(1)),
    (Fraction(1, 2), Fraction(0)),
])  # fmt: skip


@given(st.dictionaries(gauges, rationals.filter(bool), max_size=4), st.sampled_from([2, 4, 16]))
def test_what_falls_does_not_grow(exponents, start):
    growth = tuple(sorted(exponents.items()))
    if not falls(growth, Fraction(start)):
        return
    points = [Fraction(start) * Fraction(21, 20) ** n for n in range(40)]
    values = [at_start(growth, point) for point in points]
    assert all(not late > early for early, late in pairwise(values))


def test_common_growths_compare():
    for growth in (
        ((POWER, Fraction(-1)),),
        ((LOG, Fraction(3)), (POWER, Fraction(-2))),
        ((POWER, Fraction(5)), (EXP, Fraction(-3))),
        ((EXP, Fraction(9)), ((Fraction(1), Fraction(0)), Fraction(-1))),
    ):
        assert falls(growth, Fraction(16)), growth
    assert not falls(((POWER, Fraction(1)),), Fraction(16))
    assert not falls(((LOG, Fraction(1)), (POWER, Fraction(-1, 100))), Fraction(16))
    assert not falls((), Fraction(16))


# Structure ------------------------------------------------------------------------------------

DOMAINS = {"r": HALF, "A": Range(None, None), "t": Range(Fraction(0), Fraction(1), False, False)}
FORMS: dict[str, tuple[bool, bool]] = {
    # (defined by its form, >= 0 by its form)
    "relu(A)": (True, True), "abs(A)*r": (True, True), "A*A": (True, True), "A**2+t": (True, True),
    "A": (True, False), "A**3": (True, False), "r-1": (True, False), "max(A, 0)": (True, True),
    "max(A, -1)": (True, False), "min(r, t)": (True, True), "min(r, A)": (True, False),
    "clip(A, 0, 1)": (True, True), "clip(A, -1, 1)": (True, False), "clip(r, A, t)": (True, True),
    "clip(r, 0, -t)": (True, False), "log(r)": (True, False), "log(1+A**2)": (True, True),
    "log(A)": (False, False), "sqrt(A)": (False, True), "sqrt(r)": (True, True), "1/t": (False, True),
    "1/r": (True, True), "inv(-r)": (True, False), "A**0": (True, True), "A**(-2)": (False, True),
    "A**(-1)": (False, False), "A**0.5": (False, True), "r**A": (True, True), "t**r": (True, True),
    "t**A": (False, True), "exp(r)-1": (True, True), "exp(A)-1": (True, False), "tanh(A)": (True, False),
    "sqrt(1+t)-1": (True, True), "r*A-min(r*A, t*A)": (True, True), "max(A, r)-A": (True, True),
    "min(r*A, t*A)-r*A": (True, False), "-relu(-A)": (True, False), "relu(A)-relu(A)": (True, True),
    "where(A > 0, r, t)": (True, True), "where(A > 0, A, t)": (True, False), "sigmoid(A)-1": (True, False),
    "sign(A)": (True, False), "relu(A)*tanh(r)": (True, True), "(-A)*(-A)": (True, True),
    "0*A": (True, True), "where(A > 0, log(A), 0)": (False, False), "exp(relu(A))-1": (True, True),
    "sqrt(A)-1": (False, False), "log(1+A)": (False, False), "relu(-r)": (True, True),
}  # fmt: skip


@pytest.mark.parametrize("text", FORMS)
def test_forms(text):
    form = Form(parse(text), DOMAINS)
    assert (form.defined, form.nonnegative) == FORMS[text]


def test_parts_are_used_for_what_they_show():
    whole = parse("tanh(r-1-log(r))+(A+1)*t")
    first, second = parse("r-1-log(r)"), parse("A+1")
    assert not Form(whole, DOMAINS, {first}).nonnegative
    assert Form(whole, DOMAINS, {first, second}).nonnegative
    chosen = parse("where(A > 0, A, r)")
    assert Form(chosen, DOMAINS, {parse("where(A > 0, A, 0)")}).nonnegative
    assert not Form(chosen, DOMAINS, {parse("where(A >= 0, A, 0)")}).nonnegative
    assert not Form(chosen, DOMAINS, {parse("where(A > 0, 0, A)")}).nonnegative


def test_a_part_needs_its_own_proof():
    whole = decide(Drift.from_text("tanh(r-1-log(r))*abs(A)")).certificate
    assert check_certificate(whole).ok
    ((text, regions),) = whole["conditions"]["nonnegative"]["structure"].items()
    assert text == "r - 1 - log(r)"
    for parts in (
        {}, {text: {}}, {"r - 1": regions}, {"log(r) - r + 1": regions}, {text: None}, [], None,
        {"q": regions}, {"((": regions}, {text: {**regions, "r>1": {"conclude": {"rule": "zero"}}}},
    ):  # fmt: skip
        entry = {"verdict": "proved", "structure": parts}
        data = {**whole, "conditions": {"nonnegative": entry}}
        assert not check_certificate(data).ok, parts


def test_structure_alone_does_not_show_that_f_is_defined():
    data = {
        "schema": "mirrordrift/certificate/1", "kind": "drift", "formula": "sqrt(A)", "domains": {},
        "conditions": {"nonnegative": {"verdict": "proved", "structure": {}}},
    }  # fmt: skip
    assert not check_certificate(data).ok
    entry = {"verdict": "proved", "structure": {}, "where_defined": True}
    replay = check_certificate({**data, "conditions": {"nonnegative": entry}})
    assert replay.conditions == {"nonnegative": "proved where defined"}
    for condition in ("defined", "zero_at_identity", "flat_at_identity"):
        for granted in ({}, {"where_defined": True}):
            entry = {"verdict": "proved", "structure": {}, **granted}
            assert not check_certificate({**data, "conditions": {condition: entry}}).ok


def test_a_formula_without_r_is_flat_only_where_it_is_defined():
    entry: dict[str, Any] = {"verdict": "proved", "regions": {}}
    data = {
        "schema": "mirrordrift/certificate/1", "kind": "drift", "formula": "log(A)", "domains": {},
        "conditions": {"flat_at_identity": entry},
    }  # fmt: skip
    assert not check_certificate(data).ok
    entry["where_defined"] = True
    assert check_certificate(data).conditions == {"flat_at_identity": "proved where defined"}
    entry["where_defined"] = False
    assert check_certificate({**data, "formula": "exp(A)"}).ok
