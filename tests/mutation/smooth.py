"""Random formulas in the variables of `laws.DOMAINS`, and their values to many digits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from fractions import Fraction

from flint import arb, ctx
from hypothesis import strategies as st
from mutation.laws import DOMAINS, arb_value

from symbolic.expression import Expression, call, number, substitute, symbol
from verify.algebra.polynomials import Quotient
from verify.algebra.resolve import Resolver, Undecided
from verify.algebra.signs import Signs
from verify.clock import OutOfTime, until
from verify.proof.prove import with_scales

Point = Mapping[str, Fraction]
NAMES = tuple(DOMAINS)

_LEAVES = [symbol(name) for name in NAMES] * 3 + [
    number(Fraction(text)) for text in ("1", "2", "1/2", "3", "2/3")
]
_POWERS = [number(Fraction(text)) for text in ("2", "-1", "1/3", "3/2", "3")]
_OPERATIONS = (
    "leaf", "leaf", "add", "mul", "div", "square", "pow", "exp", "softplus", "sigmoid", "sqrt", "inv",
)  # fmt: skip
_SIGNED = ("sub", "sub", "neg", "log", "tanh", "mul")


def _positive(draw: st.DrawFn, size: int) -> Expression:
    """A formula > 0."""
    op = draw(st.sampled_from(_OPERATIONS)) if size else "leaf"
    size -= 1
    match op:
        case "leaf":
            return draw(st.sampled_from(_LEAVES))
        case "add" | "mul" | "div":
            return call(op, _positive(draw, size // 2), _positive(draw, size // 2))
        case "square":
            return call(op, _signed(draw, size // 2)) + _positive(draw, size // 2)
        case "pow":
            return _positive(draw, size) ** draw(st.sampled_from(_POWERS))
        case "sqrt" | "inv":
            return call(op, _positive(draw, size))
    return call(op, _signed(draw, size))


def _signed(draw: st.DrawFn, size: int) -> Expression:
    """A formula of either sign."""
    match draw(st.sampled_from(_SIGNED)):
        case "neg":
            return -_positive(draw, size)
        case "log":
            return call("log", _positive(draw, size))
        case "tanh":
            return call("tanh", _positive(draw, size // 2) - _positive(draw, size // 2))
        case "mul":
            return _signed(draw, size // 2) * _positive(draw, size // 2)
    return _positive(draw, size // 2) - _positive(draw, size // 2)


@st.composite
def smooth(draw: st.DrawFn) -> Expression:
    """A formula that is defined and smooth wherever the variables are in their domains."""
    return _signed(draw, draw(st.integers(0, 9)))


@st.composite
def positive(draw: st.DrawFn) -> Expression:
    """The same, > 0."""
    return _positive(draw, draw(st.integers(0, 9)))


SMOOTH, POSITIVE_FORMULAS = smooth(), positive()

_HALF_LINE = st.one_of(
    st.fractions(Fraction(1, 20), 6, max_denominator=20),
    st.sampled_from([Fraction(1), Fraction(2), Fraction(1, 1000), Fraction(3, 2)]),
)
POINT = st.fixed_dictionaries(
    {"x": _HALF_LINE, "y": _HALF_LINE, "z": st.fractions(1, 2, max_denominator=8)}
)
POINTS = st.lists(POINT, min_size=4, max_size=4)


def at(tree: Expression, point: Point, precision: int = 200) -> arb:
    """The value at a point, as a ball; not finite where the digits do not suffice."""
    with ctx.workprec(precision):
        return arb_value(substitute(tree, {name: number(value) for name, value in point.items()}))


def on_region(
    tree: Expression, question: Callable[[Resolver, Quotient], None], seconds: float = 0.2
) -> bool:
    """Ask a question of a formula's quotient over DOMAINS; False if it got no answer.

    That is so where the formula is too hard for the kernel, or the answer takes too long.
    """
    asked = False

    def ask(scales: dict[str, Fraction]) -> dict[str, bool]:
        nonlocal asked
        resolver = Resolver(Signs(DOMAINS, scales))
        question(resolver, resolver.resolve(tree))
        asked = True
        return {}

    with suppress(OutOfTime, Undecided), until(time.monotonic() + seconds):
        with_scales(ask)
    return asked
