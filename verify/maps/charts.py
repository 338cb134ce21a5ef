"""Variables in which a piece of the range of x is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from symbolic.domains import Interval
from symbolic.expression import Expression, call, number, symbol

S = symbol("_s")
_SHRINKING = call("exp", -S)


@dataclass(frozen=True)
class Chart:
    """x as a formula in one variable over an interval."""

    name: str
    variable: str
    x: Expression
    where: Interval
    """With the ends of the piece that are closed."""
    rising: bool
    rate: Fraction
    """dx/ds at s = 0."""

    @property
    def inside(self) -> Interval:
        return replace(self.where, lower_open=True, upper_open=True)


def charts(where: Interval) -> Iterator[Chart]:
    """The charts that a piece has: x itself, and the logarithm of the distance to an end."""
    low, high = where.lower, where.upper
    assert low is not None
    yield Chart("x", "x", symbol("x"), where, True, Fraction(1))
    if low == 0 and high is not None:
        box = Interval(Fraction(0), None, where.upper_open, True)
        yield Chart("down", "_s", number(high) * _SHRINKING, box, False, -high)
    if high is None and low > 0:
        box = Interval(Fraction(0), None, where.lower_open, True)
        yield Chart("up", "_s", number(low) * call("exp", S), box, True, low)
    if high is not None and where.upper_open:
        box = Interval(Fraction(0), None, where.lower_open, True)
        x = number(high) - number(high - low) * _SHRINKING
        yield Chart("top", "_s", x, box, True, high - low)
