"""Signs of rational polynomials in one variable, exactly, by Sturm sequences."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from flint import fmpq, fmpq_poly

from verify.algebra.masks import ANY, NEGATIVE, POSITIVE, ZERO


def sign_on(poly: fmpq_poly, lower: Fraction, upper: Fraction | None, lower_open: bool) -> int:
    """Sign of a polynomial between two rationals by exact root counting (Sturm sequence)."""
    low = fmpq(lower.numerator, lower.denominator)
    at_low = poly(low)
    high = fmpq(upper.numerator, upper.denominator) if upper is not None else None
    roots = sturm_count(poly, low, high)
    if roots:
        return ANY
    beyond = poly.coeffs()[-1] if high is None else poly((low + high) / 2)
    mask = POSITIVE if beyond > 0 else NEGATIVE
    if at_low == 0 and not lower_open:
        mask |= ZERO
    if high is not None and poly(high) == 0:
        mask |= ZERO
    return mask


def sturm_count(poly: fmpq_poly, low: fmpq, high: fmpq | None) -> int:
    """Number of distinct roots in (low, high), ends excluded (high None: infinity)."""
    for end in (low, high):
        if end is not None:
            linear = fmpq_poly([-end, 1])
            while poly(end) == 0:
                poly = poly // linear
    if poly.degree() <= 0:
        return 0
    chain = [poly, poly.derivative()]
    while chain[-1].degree() > 0:
        remainder = chain[-2] % chain[-1]
        if remainder.degree() < 0:
            break
        chain.append(-remainder)

    def changes(at: fmpq | None) -> int:
        values = [p.coeffs()[-1] if at is None else p(at) for p in chain if p.degree() >= 0]
        signs = [v > 0 for v in values if v != 0]
        return sum(a != b for a, b in pairwise(signs))

    return changes(low) - changes(high)
