"""Kinks: decided by signs alone, opened where the sign is not known, never by guessing."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import mpmath
import pytest
from flint import arb, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st
from mutation.laws import DOMAINS, KINKED, on_kernel, tree_of
from mutation.smooth import POINT, POSITIVE_FORMULAS, SMOOTH, at
from oracle import Doubtful, Value, value_at
from oracle import Undefined as CertainlyUndefined

from symbolic.expression import Expression, call
from verify.algebra.masks import NEGATIVE, NONNEGATIVE, NONPOSITIVE, POSITIVE, ZERO
from verify.algebra.polynomials import ScaleNeeded, TooLarge
from verify.algebra.resolve import Resolver, Undecided, Undefined
from verify.algebra.signs import Signs
from verify.proof.prove import with_scales
from verify.proof.scatter import Scatter

COMPARISONS = st.sampled_from(["where<", "where<=", "where>", "where>="])


@st.composite
def kinked(draw: st.DrawFn) -> Expression:
    """One or two kinks over smooth formulas."""
    a, b, c = draw(SMOOTH), draw(SMOOTH), draw(SMOOTH)
    tree = a
    for _ in range(draw(st.integers(1, 2))):
        match draw(st.sampled_from(["relu", "abs", "sign", "max", "min", "clip", "where", "log", "sqrt", "inv"])):  # fmt: skip
            case "max" | "min" as op:
                tree = call(op, tree, b, c)
            case "clip":
                tree = call("clip", tree, b, b + draw(POSITIVE_FORMULAS))
            case "where":
                tree = call(draw(COMPARISONS), tree, b, c, a)
            case op:
                tree = call(op, tree)
    return tree


def overlap(found: arb, true: Value) -> bool:
    """Whether a ball may be the oracle's number (a ball that is not finite may be anything)."""
    if isinstance(true, Fraction):
        low = high = arb(fmpq(true.numerator, true.denominator))
    else:
        low, high = (arb(mpmath.nstr(end, 40)) for end in true)
    slack = arb("1e-30") * (1 + abs(low))
    return not (found < low - slack or found > high + slack)


def at_point(tree: Expression, point: dict[str, Fraction]) -> tuple[str, arb | None]:
    """Follow the cases that hold at a point; what became of the formula, and its value there."""
    kind, found = "hard", None

    def follow(scales: dict[str, Fraction]) -> dict[str, bool] | None:
        nonlocal kind, found
        signs = Signs(DOMAINS, scales)
        for _ in range(12):
            open_sign = None
            try:
                value = Resolver(signs).resolve(tree)
            except Undefined:
                kind = "undefined"
                return {}
            except Undecided as caught:
                open_sign = caught
            if open_sign is None:
                kind, found = "value", at(signs.tree(value), point, 300)
                return {}
            true = at(signs.tree(open_sign.value), point, 300)
            sign = POSITIVE if true > 0 else NEGATIVE if true < 0 else ZERO
            if sign == ZERO and not true.is_zero():
                return None  # too near to tell
            known = signs.infer(open_sign.value)
            assert not any(known & ~wanted == 0 for wanted in open_sign.wanted)
            case = next((mask for mask in open_sign.wanted if mask & sign), None)
            if case is None:
                assert open_sign.danger
                kind = "undefined"
                return {}
            signs.learn(open_sign.value, case)
        return None

    with_scales(follow)
    return kind, found


def test_the_case_of_a_point_has_its_value():
    met: Counter[str] = Counter()

    @settings(max_examples=55)
    @given(kinked(), POINT)
    def law(tree, point):
        kind, found = at_point(tree, point)
        met[kind] += 1
        try:
            true = value_at(tree, point)
        except CertainlyUndefined:
            assert kind != "value", (str(tree), point)
        except Doubtful:
            return
        else:
            assert kind != "undefined", (str(tree), point)
            assert found is None or overlap(found, true), (str(tree), point)

    law()
    assert met["value"] > 0.6 * met.total(), met  # a resolver that gives up obeys the law
    assert met["undefined"]


@pytest.mark.parametrize("text", KINKED)
def test_signs_decide_kinks_at_once(text):
    signs = Signs(DOMAINS, {})
    assert not signs.tree(Resolver(signs).resolve(tree_of(text))).op.startswith("where")


def opened(text: str, *facts: tuple[str, int]) -> Undecided:
    signs = Signs(DOMAINS, {})
    for fact, mask in facts:
        signs.learn(Resolver(signs).resolve(tree_of(fact)), mask)
    with pytest.raises(Undecided) as caught:
        Resolver(signs).resolve(tree_of(text))
    caught.value.text = str(signs.tree(caught.value.value))
    return caught.value


WEAK = (NONNEGATIVE, NONPOSITIVE)


@pytest.mark.parametrize(("text", "about", "wanted"), [
    ("relu(x-1)", "x - 1", WEAK), ("abs(x-y)", "2*x - 2*y", WEAK), ("max(x, y)", "x - y", WEAK), ("min(x, y)", "x - y", WEAK),
    ("clip(x, 1, 2)", "x - 1", WEAK), ("sign(x-y)", "x - y", (POSITIVE, NONPOSITIVE)),
    ("where(x > y, 1, 2)", "x - y", (POSITIVE, NONPOSITIVE)), ("where(x >= y, 1, 2)", "x - y", (NONNEGATIVE, NEGATIVE)),
    ("where(x < y, 1, 2)", "-x + y", (POSITIVE, NONPOSITIVE)), ("where(x <= y, 1, 2)", "-x + y", (NONNEGATIVE, NEGATIVE)),
])  # fmt: skip
def test_open_kinks_ask_for_their_guard(text, about, wanted):
    found = opened(text)
    assert (found.text, found.wanted, found.danger) == (about, wanted, "")


@pytest.mark.parametrize(("text", "wanted"), [
    ("log(x-1)", (POSITIVE,)), ("sqrt(x-1)", (NONNEGATIVE,)), ("1/(x-1)", (POSITIVE, NEGATIVE)),
    ("inv(x-y)", (POSITIVE, NEGATIVE)), ("(x-1)**(-2)", (POSITIVE, NEGATIVE)), ("(x-1)**(3/2)", (NONNEGATIVE,)),
    ("(x-1)**(-1/2)", (POSITIVE,)),
])  # fmt: skip
def test_domains_are_asked_for_with_their_danger(text, wanted):
    found = opened(text)
    assert found.wanted == wanted
    assert found.danger


def test_a_power_with_an_open_exponent_asks_where_its_base_is_0():
    assert opened("(x-1)**y").wanted == (POSITIVE, NONPOSITIVE)
    assert opened("(x-1)**y", ("x-1", NONNEGATIVE)).wanted == (POSITIVE, NONPOSITIVE)


@pytest.mark.parametrize("text", [
    "log(-x)", "log(x-x)", "sqrt(-1-x)", "1/(y-y)", "inv(x*0)", "(-x)**y", "(x-x)**(-1)", "(-1-x)**(1/2)", "(x-x)**(-y)",
])  # fmt: skip
def test_what_is_undefined_everywhere_is_called_so(text):
    signs = Signs(DOMAINS, {})
    with pytest.raises(Undefined):
        Resolver(signs).resolve(tree_of(text))


@pytest.mark.parametrize("text", [
    "where(x > 0, x, log(-x))", "where(x < 0, 1/(x-x), y)", "where(z >= 1, z, sqrt(-z))", "where(x <= 0, log(x-1), 2)",
])  # fmt: skip
def test_the_branch_not_taken_may_be_undefined(text):
    on_kernel(text, lambda signs, value: None)


@pytest.mark.parametrize(("text", "fact", "mask", "value"), [
    ("relu(x-1)", "x-1", NONNEGATIVE, "x-1"), ("relu(x-1)", "x-1", NONPOSITIVE, "0"), ("relu(x-1)", "x-1", ZERO, "0"),
    ("sign(x-1)", "x-1", POSITIVE, "1"), ("sign(x-1)", "x-1", NEGATIVE, "-1"), ("sign(x-1)", "x-1", ZERO, "0"),
    ("where(x > 1, y, z)", "x-1", ZERO, "z"), ("where(x >= 1, y, z)", "x-1", ZERO, "y"), ("abs(x-1)", "x-1", NEGATIVE, "1-x"),
    ("where(x < 1, y, z)", "x-1", ZERO, "z"), ("where(x <= 1, y, z)", "x-1", ZERO, "y"), ("max(x, 1)", "x-1", NEGATIVE, "1"),
    ("min(x, 1)", "x-1", NEGATIVE, "x"), ("clip(x, 0, 1)", "x-1", POSITIVE, "1"), ("clip(x, 1, 5)", "x-1", NEGATIVE, "1"),
])  # fmt: skip
def test_facts_decide(text, fact, mask, value):
    signs = Signs(DOMAINS, {})
    signs.learn(Resolver(signs).resolve(tree_of(fact)), mask)
    found = Resolver(signs).resolve(tree_of(text))
    rest = signs.sub(found, Resolver(signs).resolve(tree_of(value)))
    assert signs.infer(rest) == ZERO


def test_samples_have_the_signs_of_the_values():
    """Floats that guide the search: right where they claim to be sure."""
    for text in ("x-y", "exp(x)-1-x-x**2/2", "log(z)-z+1", "(x-y)/(1+x)", "sqrt(x)-y"):

        def right(signs, value, text=text):
            scatter = Scatter.over(DOMAINS)
            for i, sign in list(enumerate(scatter.signs(signs, value)))[:40]:
                point = {name: Fraction(float(v[i])) for name, v in scatter.points.items()}
                true = at(tree_of(text), point)
                assert sign == 0 or (true > 0) == (sign > 0), (text, point)

        on_kernel(text, right)


def test_large_powers_are_given_up():
    signs = Signs(DOMAINS, {})
    with pytest.raises((TooLarge, ScaleNeeded)):
        Resolver(signs).resolve(tree_of("(x+y+z)**300*(x+1)**300"))
