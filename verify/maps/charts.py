"""Pieces of the range of x, and the variables in which they are written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from symbolic.domains import Interval
from symbolic.expression import Expression, call, constant_value, number, symbol

S = symbol("_s")
_X = symbol("x")
_SHRINKING = call("exp", -S)


@dataclass(frozen=True)
class Segment:
    """Part of the range of x, between formulas in t and the parameters; `high` None: unbounded."""

    low: Expression
    high: Expression | None
    low_open: bool
    high_open: bool

    @classmethod
    def of(cls, where: Interval) -> Segment:
        """A whole range."""
        assert where.lower is not None
        high = None if where.upper is None else number(where.upper)
        return cls(number(where.lower), high, where.lower_open, where.upper_open)

    @property
    def numbers(self) -> tuple[Fraction | None, Fraction | None]:
        """The ends that are rational numbers."""
        return constant_value(self.low), None if self.high is None else constant_value(self.high)


@dataclass(frozen=True)
class Chart:
    """x as a formula in one variable over an interval."""

    name: str
    variable: str
    x: Expression
    where: Interval
    """With the ends of the piece that are closed."""
    rising: bool
    rate: Expression
    """dx/ds at the ends that may be closed."""
    ends: tuple[Fraction, Fraction]
    """Where the variable is at the lower and the upper end of the piece, if that is closed."""

    @property
    def inside(self) -> Interval:
        return replace(self.where, lower_open=True, upper_open=True)


def charts(where: Segment) -> Iterator[Chart]:
    """The charts that a piece has: x itself, and the logarithm of the distance to an end."""
    low, high = where.numbers
    a, b = where.low, where.high
    none = (Fraction(0), Fraction(0))
    from_low = Interval(Fraction(0), None, where.low_open, True)
    from_high = Interval(Fraction(0), None, where.high_open, True)
    if low is not None and (b is None or high is not None):
        box = Interval(low, high, where.low_open, where.high_open)
        yield Chart("x", "x", _X, box, True, number(1), (low, high or Fraction(0)))
    elif b is not None:
        box = Interval(Fraction(0), Fraction(1), where.low_open, where.high_open)
        yield Chart("between", "_s", a + (b - a) * S, box, True, b - a, (Fraction(0), Fraction(1)))
    else:
        yield Chart("beyond", "_s", a + S, from_low, True, number(1), none)
    if low == 0 and b is not None and where.low_open:
        yield Chart("down", "_s", b * _SHRINKING, from_high, False, -b, none)
    if b is None and low is not None and low > 0:
        yield Chart("up", "_s", a * call("exp", S), from_low, True, a, none)
    if b is not None and where.high_open:
        yield Chart("top", "_s", b - (b - a) * _SHRINKING, from_low, True, b - a, none)
