"""What 60-digit sampling says of a map in x: an opinion that shares nothing with prover and checker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

import mpmath

from symbolic.expression import Expression, Number, Symbol, fold, integer_exponent

DIGITS = 60
_STEP = mpmath.mpf(10) ** -25
_FAR = (40, 400, 4000)
"""Decades towards an end."""


class Undefined(Exception):
    """The formula has no value here."""


def evaluate(root: Expression, values: Mapping[str, mpmath.mpf]) -> mpmath.mpf:
    """The value in mpmath; raises Undefined."""

    def visit(node, args):
        if isinstance(node, Number):
            return mpmath.mpf(node.value.numerator) / node.value.denominator
        if isinstance(node, Symbol):
            return values[node.name]
        if node.op.startswith("where"):
            return _where(node, args)
        if any(arg is None for arg in args):
            return None
        try:
            return _apply(node, args)
        except Undefined:
            return None  # undefined, unless a `where` leaves it out

    with mpmath.workdps(DIGITS):
        found = fold(root, visit)
    if found is None:
        raise Undefined
    return found


def _where(node, args):
    a, b, u, v = args
    if a is None or b is None:
        return None
    holds = {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[node.op[5:]]
    return u if holds else v


def _apply(node, args):
    x = args[0]
    match node.op:
        case "add":
            return x + args[1]
        case "sub":
            return x - args[1]
        case "mul":
            return x * args[1]
        case "div" | "inv":
            top, bottom = (x, args[1]) if node.op == "div" else (mpmath.mpf(1), x)
            if bottom == 0:
                raise Undefined
            return top / bottom
        case "neg":
            return -x
        case "square":
            return x * x
        case "exp":
            if abs(x) > 10**6:
                raise OverflowError
            return mpmath.exp(x)
        case "log":
            if x <= 0:
                raise Undefined
            return mpmath.log(x)
        case "sqrt":
            if x < 0:
                raise Undefined
            return mpmath.sqrt(x)
        case "tanh":
            return mpmath.tanh(x) if abs(x) < 10**4 else mpmath.sign(x) + mpmath.mpf(0)
        case "sigmoid":
            return (1 + mpmath.tanh(x / 2)) / 2 if abs(x) < 10**4 else (1 + mpmath.sign(x)) / 2
        case "softplus":
            return mpmath.log1p(mpmath.exp(x)) if x < 10**4 else x
        case "abs":
            return abs(x)
        case "sign":
            return mpmath.sign(x)
        case "relu":
            return max(x, mpmath.mpf(0))
        case "clip":
            return min(max(x, args[1]), args[2])
        case "max":
            return max(args)
        case "min":
            return min(args)
        case "pow":
            return _power(node, x, args[1])
    raise KeyError(node.op)


def _power(node, base, exponent):
    n = integer_exponent(node)
    if n is not None:
        if n < 0 and base == 0:
            raise Undefined
        return base**n
    if base < 0 or (base == 0 and exponent <= 0):
        raise Undefined
    return base**exponent if base > 0 else mpmath.mpf(0)


def points(upper: Fraction | None) -> list[mpmath.mpf]:
    """Values of x in order: regular ones, and towards the ends."""
    with mpmath.workdps(DIGITS):
        third = mpmath.mpf(1) / 3
        inner = [mpmath.mpf(i) / 64 for i in range(1, 64)] + [third, 2 * third]
        inner += [mpmath.mpf(i) / 10 for i in range(1, 10)]
        low = [mpmath.mpf(10) ** -k for k in (2, 3, 5, 9, 15, 22)]
        high = [1 - e for e in low] if upper == 1 else [mpmath.mpf(v) / 4 for v in range(4, 60, 3)]
        return sorted({*inner, *low, *high})


def slopes(
    root: Expression, values: dict[str, mpmath.mpf], x: mpmath.mpf
) -> tuple[mpmath.mpf, mpmath.mpf]:
    """Difference quotients to the left and to the right."""
    with mpmath.workdps(DIGITS):
        at = [evaluate(root, {**values, "x": x + k * _STEP * x}) for k in (-1, 0, 1)]
        return (at[1] - at[0]) / (_STEP * x), (at[2] - at[1]) / (_STEP * x)


def towards(
    root: Expression, values: dict[str, mpmath.mpf], at_zero: bool
) -> Iterator[tuple[int, mpmath.mpf]]:
    """(decades, value) on the way to an end, as far as the numbers reach."""
    for k in _FAR:
        with mpmath.workdps(DIGITS if at_zero else k + DIGITS):
            distance = mpmath.mpf(10) ** -k
            x = distance if at_zero else 1 - distance
            try:
                yield k, _at_precision(root, {**values, "x": x})
            except (OverflowError, Undefined, ValueError):
                return


def _at_precision(root, values):
    global DIGITS
    old, DIGITS = DIGITS, mpmath.mp.dps
    try:
        return evaluate(root, values)
    finally:
        DIGITS = old
