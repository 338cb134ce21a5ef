"""Intervals with exact ends through the operations of the language.

Each function gives an interval that holds every value of the operation on its argument;
ends of transcendental functions are replaced by rational bounds. An end is closed only where
the bound may be attained, so `(0, …)` proves a strict sign.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from symbolic.domains import Interval, point

_MAX_BITS = 4096
_End = tuple[Fraction | None, bool]
"""(value, open); None is the infinite end on its side."""


def positive(a: Interval) -> bool:
    """Every member is > 0."""
    return a.lower is not None and (a.lower > 0 or (a.lower == 0 and a.lower_open))


def nonnegative(a: Interval) -> bool:
    """Every member is >= 0."""
    return a.lower is not None and a.lower >= 0


def excludes_zero(a: Interval) -> bool:
    """No member is 0."""
    return positive(a) or positive(negate(a))


def interval(
    lower: Fraction | None, lower_open: bool, upper: Fraction | None, upper_open: bool
) -> Interval:
    """The interval between two ends, ends of thousands of digits replaced by weaker ones."""
    if lower is not None and _bits(lower) > _MAX_BITS:
        lower, lower_open = (None if lower < 0 else Fraction(0) if lower < 1 else Fraction(1)), True
    if upper is not None and _bits(upper) > _MAX_BITS:
        upper, upper_open = (
            (None if upper > 0 else Fraction(0) if upper > -1 else Fraction(-1)),
            True,
        )
    return Interval(lower, upper, lower is None or lower_open, upper is None or upper_open)


def negate(a: Interval) -> Interval:
    """−x."""
    lower = None if a.upper is None else -a.upper
    upper = None if a.lower is None else -a.lower
    return Interval(lower, upper, a.upper_open, a.lower_open)


def add(a: Interval, b: Interval) -> Interval:
    """x + y."""
    lower = None if a.lower is None or b.lower is None else a.lower + b.lower
    upper = None if a.upper is None or b.upper is None else a.upper + b.upper
    return interval(lower, a.lower_open or b.lower_open, upper, a.upper_open or b.upper_open)


def multiply(a: Interval, b: Interval) -> Interval:
    """x·y: the extremes are among the products of ends, with 0·∞ = 0."""
    lower: list[_End] = []
    upper: list[_End] = []
    for x, x_open, x_side in ((a.lower, a.lower_open, -1), (a.upper, a.upper_open, 1)):
        for y, y_open, y_side in ((b.lower, b.lower_open, -1), (b.upper, b.upper_open, 1)):
            if x == 0 or y == 0:  # attained wherever a zero is attained
                attained = (x == 0 and not x_open) or (y == 0 and not y_open)
                product: _End = (Fraction(0), not attained)
            elif x is None or y is None:
                side = (x_side if x is None else _sgn(x)) * (y_side if y is None else _sgn(y))
                (upper if side > 0 else lower).append((None, True))
                continue
            else:
                product = (x * y, x_open or y_open)
            lower.append(product)
            upper.append(product)
    low, high = _extreme(lower, min), _extreme(upper, max)
    return interval(*low, *high)


def integer_power(a: Interval, n: int) -> Interval:
    """x**n for a constant n >= 0."""
    if n == 0:
        return point(1)
    if n % 2 == 0:
        a = absolute(a)
    lower = None if a.lower is None else a.lower**n
    upper = None if a.upper is None else a.upper**n
    return interval(lower, a.lower_open, upper, a.upper_open)


def inverse(a: Interval) -> Interval:
    """1/x, for an interval without 0."""
    if not positive(a):
        return negate(inverse(negate(a)))
    lower = Fraction(0) if a.upper is None else 1 / a.upper
    upper = 1 / a.lower if a.lower else None
    return interval(lower, a.upper_open, upper, a.lower_open)


def absolute(a: Interval) -> Interval:
    """|x|."""
    if nonnegative(a):
        return a
    if nonnegative(negate(a)):
        return negate(a)
    other = negate(a)
    upper, upper_open = _extreme([(a.upper, a.upper_open), (other.upper, other.upper_open)], max)
    return interval(Fraction(0), False, upper, upper_open)


def maximum(a: Interval, b: Interval) -> Interval:
    """max(x, y)."""
    upper = _extreme([(a.upper, a.upper_open), (b.upper, b.upper_open)], max)
    ends = [
        (end, is_open)
        for end, is_open in ((a.lower, a.lower_open), (b.lower, b.lower_open))
        if end is not None
    ]
    if not ends:
        return interval(None, True, *upper)
    value = max(end for end, _ in ends)
    return interval(value, any(is_open for end, is_open in ends if end == value), *upper)


def minimum(a: Interval, b: Interval) -> Interval:
    """min(x, y)."""
    return negate(maximum(negate(a), negate(b)))


def hull(a: Interval, b: Interval) -> Interval:
    """Everything in either."""
    lower = _extreme([(a.lower, a.lower_open), (b.lower, b.lower_open)], min)
    upper = _extreme([(a.upper, a.upper_open), (b.upper, b.upper_open)], max)
    return interval(*lower, *upper)


def sign(a: Interval) -> Interval:
    """−1, 0 or 1."""
    lower = 1 if positive(a) else 0 if nonnegative(a) else -1
    upper = -1 if positive(negate(a)) else 0 if nonnegative(negate(a)) else 1
    return Interval(Fraction(lower), Fraction(upper), False, False)


def exp(a: Interval) -> Interval:
    """exp x, between 1 + x and 1/(1 − x), and above 0; below 3**n for x <= n."""
    lower: Fraction | None = Fraction(0)
    if a.lower is not None and a.lower > -1:
        lower = 1 + a.lower
    upper: Fraction | None = None
    if a.upper is not None and a.upper < Fraction(1, 2):
        upper = 1 / (1 - a.upper)
    elif a.upper is not None and a.upper < 64:
        upper = Fraction(3) ** -int(-a.upper // 1)
    closed_below = a.lower == 0 and not a.lower_open
    closed_above = a.upper == 0 and not a.upper_open
    return interval(lower, not closed_below, upper, not closed_above)


def log(a: Interval) -> Interval:
    """log x, between 1 − 1/x and x − 1, for a positive interval."""
    lower = 1 - 1 / a.lower if a.lower else None
    upper = None if a.upper is None else a.upper - 1
    closed_below = a.lower == 1 and not a.lower_open
    closed_above = a.upper == 1 and not a.upper_open
    return interval(lower, not closed_below, upper, not closed_above)


def tanh(a: Interval) -> Interval:
    """tanh x: for x >= 0 between x/(1 + x) and min(x, 1)."""
    upper, upper_open = _tanh_upper(a.upper, a.upper_open)
    lower, lower_open = _tanh_upper(None if a.lower is None else -a.lower, a.lower_open)
    return interval(-lower, lower_open, upper, upper_open)


def sqrt(a: Interval) -> Interval:
    """√x, between min(x, 1) and max(x, 1), for a non-negative interval."""
    exact = (0, 1)
    lower, upper = a.lower or Fraction(0), a.upper
    return interval(
        min(lower, Fraction(1)),
        a.lower_open or lower not in exact,
        None if upper is None else upper if upper == 0 else max(upper, Fraction(1)),
        a.upper_open or upper not in exact,
    )


def softplus(a: Interval) -> Interval:
    """log(1 + exp x), above max(x, 0) and below max(x, 0) + 7/10."""
    lower = Fraction(0) if a.lower is None else max(a.lower, Fraction(0))
    upper = None if a.upper is None else max(a.upper, Fraction(0)) + Fraction(7, 10)
    return interval(lower, True, upper, True)


def _tanh_upper(x: Fraction | None, is_open: bool) -> tuple[Fraction, bool]:
    """An upper bound of tanh below x."""
    if x is None or x >= 1:
        return Fraction(1), True
    return (x if x >= 0 else x / (1 - x)), is_open or x != 0


def _extreme(ends: list[_End], pick: Callable[..., Fraction]) -> _End:
    """The outermost end; closed if any of the equal ones is."""
    if any(value is None for value, _ in ends):
        return None, True
    best = pick(value for value, _ in ends if value is not None)
    return best, all(is_open for value, is_open in ends if value == best)


def _sgn(x: Fraction) -> int:
    return (x > 0) - (x < 0)


def _bits(x: Fraction) -> int:
    return x.numerator.bit_length() + x.denominator.bit_length()
