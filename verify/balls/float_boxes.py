"""Float64 intervals over many boxes at once, rounded outwards.

For bounds over millions of boxes, where a ball at a time is too slow. NumPy's + − × ÷ √ are
correctly rounded; its exp, log, tanh and power are taken to err by at most 16 units in the last
place (its own tests hold them to 4). An operation that may be undefined on a box, or that
overflows, gives nan, and nan stays: a finite result is a bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbolic.expression import Expression, Number, Symbol, fold, integer_exponent
from symbolic.operations import OPERATIONS

Floats = NDArray[np.float64]
_ROUNDING = 2.0**-53
_LIBRARY = 16 * 2.0**-52
_TINY = 1e-300


class Boxes:
    """One interval a box, `low[n] <= x <= high[n]`; the methods are those of python-flint's balls."""

    __slots__ = ("high", "low")
    __array_ufunc__ = None  # so that NumPy leaves mixed operations to this class

    def __init__(self, low: Floats, high: Floats) -> None:
        bad = np.isnan(low) | np.isnan(high)
        if bad.any():
            low, high = np.where(bad, np.nan, low), np.where(bad, np.nan, high)
        self.low, self.high = low, high

    def __add__(self, other: Any) -> Boxes:
        b = _boxes(other)
        low, high = self.low + b.low, self.high + b.high  # a sum that rounds to 0 is exactly 0
        return Boxes(np.where(low == 0, low, _down(low)), np.where(high == 0, high, _up(high)))

    def __radd__(self, other: Any) -> Boxes:
        return self + other

    def __neg__(self) -> Boxes:
        return Boxes(-self.high, -self.low)

    def __sub__(self, other: Any) -> Boxes:
        return self + -_boxes(other)

    def __rsub__(self, other: Any) -> Boxes:
        return _boxes(other) - self

    def __mul__(self, other: Any) -> Boxes:
        b = _boxes(other)
        ends = (self.low * b.low, self.low * b.high, self.high * b.low, self.high * b.high)
        low = np.minimum(np.minimum(ends[0], ends[1]), np.minimum(ends[2], ends[3]))
        high = np.maximum(np.maximum(ends[0], ends[1]), np.maximum(ends[2], ends[3]))
        return Boxes(_down(low), _up(high))

    def __rmul__(self, other: Any) -> Boxes:
        return self * other

    def __truediv__(self, other: Any) -> Boxes:
        b = _boxes(other)
        defined = (b.low > 0) | (b.high < 0)
        low, high = np.where(defined, b.low, np.nan), np.where(defined, b.high, np.nan)
        return self * Boxes(_down(1.0 / high), _up(1.0 / low))

    def __rtruediv__(self, other: Any) -> Boxes:
        return _boxes(other) / self

    def __pow__(self, exponent: Any) -> Boxes:
        if not isinstance(exponent, int):
            return (_boxes(exponent) * self.log()).exp()
        if exponent < 0:
            return 1 / self**-exponent
        base = abs(self) if exponent % 2 == 0 else self
        return Boxes(_below(base.low ** float(exponent)), _above(base.high ** float(exponent)))

    def __abs__(self) -> Boxes:
        least = np.maximum(np.maximum(self.low, -self.high), 0.0)
        return Boxes(least, np.maximum(-self.low, self.high))

    def exp(self) -> Boxes:
        """e**x."""
        return Boxes(np.maximum(_below(np.exp(self.low)), 0.0), _above(np.exp(self.high)))

    def log(self) -> Boxes:
        """log x; nan where the box reaches 0."""
        low, high = (np.where(self.low > 0, end, np.nan) for end in (self.low, self.high))
        return Boxes(_below(np.log(low)), _above(np.log(high)))

    def log1p(self) -> Boxes:
        """log(1 + x); nan where the box reaches −1."""
        low, high = (np.where(self.low > -1, end, np.nan) for end in (self.low, self.high))
        return Boxes(_below(np.log1p(low)), _above(np.log1p(high)))

    def tanh(self) -> Boxes:
        """tanh x."""
        low = np.maximum(_below(np.tanh(self.low)), -1.0)
        return Boxes(low, np.minimum(_above(np.tanh(self.high)), 1.0))

    def sqrt(self) -> Boxes:
        """√x; nan where the box reaches below 0."""
        return Boxes(
            np.maximum(_down(np.sqrt(self.low)), 0.0),
            _up(np.sqrt(np.where(self.low >= 0, self.high, np.nan))),
        )

    def max(self, other: Any) -> Boxes:
        """The larger of both."""
        b = _boxes(other)
        return Boxes(np.maximum(self.low, b.low), np.maximum(self.high, b.high))

    def min(self, other: Any) -> Boxes:
        """The smaller of both."""
        b = _boxes(other)
        return Boxes(np.minimum(self.low, b.low), np.minimum(self.high, b.high))

    def union(self, other: Any) -> Boxes:
        """The smallest interval that holds both."""
        b = _boxes(other)
        return Boxes(np.minimum(self.low, b.low), np.maximum(self.high, b.high))

    def choose(self, chosen: NDArray[np.bool_], other: Boxes) -> Boxes:
        """This box where `chosen`, the other elsewhere."""
        return Boxes(np.where(chosen, self.low, other.low), np.where(chosen, self.high, other.high))


def enclose_boxes(root: Expression, values: Mapping[str, Boxes]) -> Boxes:
    """An interval that holds every value of a formula on each box; nan where it may be undefined."""

    def visit(node: Expression, args: tuple[Boxes, ...]) -> Boxes:
        if isinstance(node, Number):
            return exactly(node.value)
        if isinstance(node, Symbol):
            return values[node.name]
        if node.op.startswith("where"):
            return _where(node.op[5:], *args)
        if node.op == "sign":
            return Boxes(np.sign(args[0].low), np.sign(args[0].high))
        if node.op == "mul" and node.args[0] is node.args[1]:
            return args[0] ** 2
        n = integer_exponent(node) if node.op == "pow" else None
        return args[0] ** n if n is not None else OPERATIONS[node.op].ball(*args)

    with np.errstate(all="ignore"):
        return fold(root, visit)


def through_layer(inputs: Boxes, weights: Floats) -> Boxes:
    """`inputs @ weights` of exact weights, by midpoints and radii.

    `inputs` `[boxes, k]`, `weights` `[k, m]`, result `[boxes, m]`. A float64 sum of k products, in
    any order, errs by at most (k + 2)·2⁻⁵³ times the sum of the products' sizes, or a little more.
    """
    middle = 0.5 * inputs.low + 0.5 * inputs.high
    radius = _up(np.maximum(inputs.high - middle, middle - inputs.low))
    sizes = np.abs(weights)
    k = weights.shape[0]
    slack = 1.0 + (2 * k + 16) * _ROUNDING
    centre = middle @ weights
    spread = slack * (radius @ sizes + (k + 4) * _ROUNDING * (np.abs(middle) @ sizes)) + _TINY
    return Boxes(_down(centre - spread), _up(centre + spread))


def exactly(value: Fraction | int) -> Boxes:
    """The narrowest interval around a rational, for every box."""
    near = np.asarray(float(value) if abs(Fraction(value)) < 10**308 else np.nan)
    if np.isfinite(near) and Fraction(float(near)) == value:
        return Boxes(near, near)
    return Boxes(_down(near), _up(near))


def _where(relation: str, a: Boxes, b: Boxes, true: Boxes, false: Boxes) -> Boxes:
    """One branch where the comparison is certain, both elsewhere."""
    if relation[0] == ">":
        a, b = b, a
    holds, fails = (
        (a.high <= b.low, a.low > b.high) if "=" in relation else (a.high < b.low, a.low >= b.high)
    )
    both = true.union(false)
    unknown = np.isnan(a.low) | np.isnan(b.low)
    chosen = true.choose(holds, false.choose(fails, both))
    return Boxes(np.where(unknown, np.nan, chosen.low), np.where(unknown, np.nan, chosen.high))


def _boxes(value: Any) -> Boxes:
    return value if isinstance(value, Boxes) else exactly(value)


def _down(x: Floats) -> Floats:
    return np.nextafter(x, -np.inf)


def _up(x: Floats) -> Floats:
    return np.nextafter(x, np.inf)


def _below(x: Floats) -> Floats:
    """Below the true value, given what NumPy's function gave."""
    return _down(x - _LIBRARY * np.abs(x) - _TINY)


def _above(x: Floats) -> Floats:
    return _up(x + _LIBRARY * np.abs(x) + _TINY)
