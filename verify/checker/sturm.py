"""The sign of a rational polynomial in one variable on an interval, by Sturm's theorem."""

from __future__ import annotations

from itertools import pairwise

from flint import fmpq, fmpq_poly

from verify.checker.algebra import Range

NEGATIVE, ZERO, POSITIVE = 1, 2, 4
NONNEGATIVE, NONPOSITIVE, NONZERO, ANY = 6, 3, 5, 7
MAX_DEGREE = 80


def sign_on(poly: fmpq_poly, where: Range) -> int:
    """The set of signs that a squarefree polynomial may have on an interval, as a mask."""
    low = None if where.lower is None else fmpq(where.lower.numerator, where.lower.denominator)
    high = None if where.upper is None else fmpq(where.upper.numerator, where.upper.denominator)
    if low is not None and low == high:
        return _sign(poly(low))
    if roots_between(poly, low, high):
        return ANY
    if high is None and low is None:
        inner = poly(fmpq(0))
    elif high is None:
        inner = poly.leading_coefficient()
    elif low is None:
        inner = poly.leading_coefficient() * (-1) ** poly.degree()
    else:
        inner = poly((low + high) / 2)
    mask = _sign(inner)
    for end, is_open in ((low, where.lower_open), (high, where.upper_open)):
        if end is not None and not is_open and poly(end) == 0:
            mask |= ZERO
    return mask


def roots_between(poly: fmpq_poly, low: fmpq | None, high: fmpq | None) -> int:
    """Number of distinct roots strictly between two ends (None: infinity)."""
    for end in (low, high):
        if end is not None:
            while poly.degree() > 0 and poly(end) == 0:
                poly = poly // fmpq_poly([-end, 1])
    chain = [poly, poly.derivative()]
    while chain[-1].degree() > 0:
        chain.append(-(chain[-2] % chain[-1]))
    chain = [member for member in chain if member.degree() >= 0]
    return _changes(chain, low, -1) - _changes(chain, high, 1)


def _changes(chain: list[fmpq_poly], at: fmpq | None, infinity: int) -> int:
    """Changes of sign along a Sturm chain at a point, or at −∞ or +∞."""
    if at is None:
        values = [p.leading_coefficient() * infinity ** p.degree() for p in chain]
    else:
        values = [p(at) for p in chain]
    signs = [value > 0 for value in values if value != 0]
    return sum(a != b for a, b in pairwise(signs))


def _sign(value: fmpq) -> int:
    return POSITIVE if value > 0 else NEGATIVE if value < 0 else ZERO
