"""A second judge of formulas, which shares nothing with the verifier but the tree.

Fractions while numbers stay rational, else intervals of mpmath floats that are pushed outwards
after every step. What it says at a point is certain; where it cannot tell it says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import mpmath
from mpmath import mpf

from symbolic.expression import Expression, integer_exponent

_DIGITS = (50, 400)
_MAX_BITS = 20_000
_MAX_EXP = 100_000

Value = Fraction | tuple[mpf, mpf]
Point = Mapping[str, Fraction]


class Undefined(Exception):
    """The formula is certainly undefined at the point."""


class Doubtful(Exception):
    """The precision does not tell."""


def value_at(root: Expression, point: Point) -> Value:
    """f at an exact point, rational or enclosed. Raises Undefined, Doubtful."""
    for digits in _DIGITS:
        with mpmath.workdps(digits):
            try:
                return _Evaluation(point).value(root)
            except Doubtful:
                continue
    raise Doubtful


def sign_at(root: Expression, point: Point) -> int:
    """The sign of f at an exact point. Raises Undefined, Doubtful."""
    for digits in _DIGITS:
        with mpmath.workdps(digits):
            try:
                return _sign(_Evaluation(point).value(root))
            except Doubtful:
                continue
    raise Doubtful


def difference_quotient(root: Expression, point: Point, step: Fraction) -> mpf:
    """|f(1 + step) - f(1)| / |step| within one in a thousand. Raises Undefined, Doubtful."""
    with mpmath.workdps(600):
        values = [_Evaluation({**point, "r": 1 + h}).value(root) for h in (Fraction(0), step)]
        change = _add(values[1], _neg(values[0]))
        if change == 0:
            return mpf(0)
        low, high = _ends(change)
        if high - low > abs(low) / 1000:
            raise Doubtful
        return abs(low) / abs(mpf(step.numerator) / step.denominator)


class _Evaluation:
    """One point at the precision that mpmath works with."""

    def __init__(self, point: Point) -> None:
        self.point = point
        self.known: dict[int, Value] = {}

    def value(self, node: Expression) -> Value:
        if id(node) not in self.known:
            self.known[id(node)] = self._compute(node)
        return self.known[id(node)]

    def _compute(self, node: Expression) -> Value:
        if node.op == "number":
            return node.value
        if node.op == "symbol":
            return self.point[node.name]
        if node.op.startswith("where"):
            a, b, yes, no = node.args
            sign = _sign(_add(self.value(a), _neg(self.value(b))))
            holds = {"<": sign < 0, "<=": sign <= 0, ">": sign > 0, ">=": sign >= 0}[node.op[5:]]
            return self.value(yes if holds else no)
        args = [self.value(arg) for arg in node.args]
        if node.op == "pow":
            return _power(args[0], args[1], integer_exponent(node))
        return _apply(node.op, args)


def _apply(op: str, args: list[Value]) -> Value:
    x = args[0]
    match op:
        case "add":
            return _add(*args)
        case "sub":
            return _add(x, _neg(args[1]))
        case "neg":
            return _neg(x)
        case "mul":
            return _mul(*args)
        case "square":
            return _mul(x, x)
        case "div":
            return _mul(x, _inverse(args[1]))
        case "inv":
            return _inverse(x)
        case "relu":
            return _larger(x, Fraction(0))
        case "abs":
            return x if _sign(x) >= 0 else _neg(x)
        case "sign":
            return Fraction(_sign(x))
        case "clip":
            return _smaller(_larger(x, args[1]), args[2])
        case "max" | "min":
            for other in args[1:]:
                x = (_larger if op == "max" else _smaller)(x, other)
            return x
        case "log":
            if _sign(x) <= 0:
                raise Undefined
            return Fraction(0) if x == 1 else _monotone(mpmath.log, x)
        case "sqrt":
            sign = _sign(x)
            if sign < 0:
                raise Undefined
            return Fraction(0) if sign == 0 else _monotone(mpmath.sqrt, x)
        case "exp":
            return Fraction(1) if x == 0 else _monotone(_exp, x)
        case "tanh":
            return Fraction(0) if x == 0 else _monotone(_tanh, x)
        case "sigmoid":
            return Fraction(1, 2) if x == 0 else _monotone(_sigmoid, x)
        case "softplus":
            return _monotone(_softplus, x)
    raise AssertionError(f"the oracle has no rule for '{op}'")


def _power(base: Value, exponent: Value, n: int | None) -> Value:
    if n is not None:
        if n < 0:
            base, n = _inverse(base), -n
        if isinstance(base, Fraction) and n * (_bits(base) + 1) < _MAX_BITS:
            return base**n
        if n > _MAX_EXP:
            raise Doubtful
        made: Value = Fraction(1)
        for bit in bin(n)[2:]:
            made = _mul(made, made)
            made = _mul(made, base) if bit == "1" else made
        return made
    sign = _sign(base)
    if sign < 0 or (sign == 0 and _sign(exponent) <= 0):
        raise Undefined
    if sign == 0:
        return Fraction(0)
    return _monotone(_exp, _mul(exponent, _monotone(mpmath.log, base)))


def _bits(value: Fraction) -> int:
    return value.numerator.bit_length() + value.denominator.bit_length()


def _ends(value: Value) -> tuple[mpf, mpf]:
    if isinstance(value, tuple):
        return value
    near = mpf(value.numerator) / value.denominator
    return _outwards(near, near)


def _outwards(low: mpf, high: mpf) -> tuple[mpf, mpf]:
    nudge = mpf(2) ** (8 - mpmath.mp.prec)
    return low - abs(low) * nudge, high + abs(high) * nudge


def _sign(value: Value) -> int:
    if isinstance(value, Fraction):
        return (value > 0) - (value < 0)
    low, high = value
    if low > 0:
        return 1
    if high < 0:
        return -1
    raise Doubtful


def _add(a: Value, b: Value) -> Value:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return _bounded(a + b)
    (a0, a1), (b0, b1) = _ends(a), _ends(b)
    return _outwards(a0 + b0, a1 + b1)


def _neg(a: Value) -> Value:
    return -a if isinstance(a, Fraction) else (-a[1], -a[0])


def _mul(a: Value, b: Value) -> Value:
    if a == 0 or b == 0:
        return Fraction(0)
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return _bounded(a * b)
    corners = [x * y for x in _ends(a) for y in _ends(b)]
    return _outwards(min(corners), max(corners))


def _bounded(exact: Fraction) -> Value:
    return exact if _bits(exact) < _MAX_BITS else _ends(exact)


def _inverse(a: Value) -> Value:
    if _sign(a) == 0:
        raise Undefined
    if isinstance(a, Fraction):
        return 1 / a
    return _outwards(1 / a[1], 1 / a[0])


def _larger(a: Value, b: Value) -> Value:
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return max(a, b)
    (a0, a1), (b0, b1) = _ends(a), _ends(b)
    return a if a0 > b1 else b if b0 > a1 else (max(a0, b0), max(a1, b1))


def _smaller(a: Value, b: Value) -> Value:
    return _neg(_larger(_neg(a), _neg(b)))


def _monotone(function, x: Value) -> Value:
    low, high = _ends(x)
    return _outwards(function(low), function(high))


def _exp(x: mpf) -> mpf:
    if abs(x) > _MAX_EXP:
        raise Doubtful  # astronomic: its digits would take for ever
    return mpmath.exp(x)


def _tanh(x: mpf) -> mpf:
    return mpmath.sign(x) if abs(x) > 10_000 else mpmath.tanh(x)


def _sigmoid(x: mpf) -> mpf:
    return mpf(1) if x > 10_000 else 1 / (1 + _exp(-x))


def _softplus(x: mpf) -> mpf:
    return x if x > 10_000 else mpmath.log1p(_exp(x))
