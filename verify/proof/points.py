"""Exact points of a cell where an exact quotient is certainly not zero."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice, product

from flint import arb, ctx

from symbolic.domains import Interval
from symbolic.expression import constant_value, number, substitute
from verify.algebra.masks import NEGATIVE, POSITIVE, ZERO
from verify.algebra.polynomials import Quotient
from verify.algebra.signs import Signs
from verify.balls.boxes import enclose
from verify.proof.prove import Prover

_MAX_POINTS = 400
_PRECISIONS = (64, 256, 1024)
_MAX_BITS = 12_000
"""Of a rational that can be written out; Python writes 4300 digits."""


def ball_text(value: arb) -> str:
    """A ball with few digits; its radius is rounded up."""
    return str(value.str(12)) if not value.is_exact() else str(value.str(20, radius=False))


def value_at(signs: Signs, value: Quotient, point: dict[str, Fraction]) -> tuple[int, str]:
    """(sign mask, text) of a quotient at an exact point; the text is a rational where it is one."""
    tree = substitute(signs.tree(value), {name: number(at) for name, at in point.items()})
    exact = constant_value(tree, _MAX_BITS)
    if exact is not None:
        return (POSITIVE if exact > 0 else NEGATIVE if exact < 0 else ZERO), str(exact)
    old = ctx.prec
    try:
        for precision in _PRECISIONS:
            ctx.prec = precision
            ball = enclose(tree, {})
            if ball > 0 or ball < 0:
                return (POSITIVE if ball > 0 else NEGATIVE), ball_text(ball)
    finally:
        ctx.prec = old
    return POSITIVE | NEGATIVE | ZERO, ""


def nonzero_point(prover: Prover, value: Quotient) -> tuple[dict[str, Fraction], int, str] | None:
    """(point, sign, text): a rational point of the cell where `value` is certainly not zero."""
    signs = prover.signs
    for point in candidate_points(prover, value):
        sign, text = value_at(signs, value, point)
        if sign in (POSITIVE, NEGATIVE) and in_cell(signs, point):
            return point, sign, text
    return None


def in_cell(signs: Signs, point: dict[str, Fraction]) -> bool:
    """Whether the facts certainly hold at a point."""
    return all(value_at(signs, fact, point)[0] & ~mask == 0 for fact, mask in signs.stated)


def candidate_points(prover: Prover, value: Quotient) -> Iterator[dict[str, Fraction]]:
    """Points for the variables (other than _s) of a quotient and of the cell's facts."""
    signs = prover.signs
    needed = set(signs.variables(value))
    for fact, _ in signs.stated:
        needed |= signs.variables(fact)
    return islice(_points(sorted(needed - {"_s"}), prover), _MAX_POINTS)


def _points(names: list[str], prover: Prover) -> Iterator[dict[str, Fraction]]:
    """Simple rationals first, then points where the cell was sampled."""
    choices = [list(simple(prover.signs.domains[name])) for name in names]
    for values in islice(product(*choices), _MAX_POINTS // 2):
        yield dict(zip(names, values, strict=True))
    points = prover.scatter.points
    for i in range(prover.scatter.size if names else 0):
        found = {name: _shortened(points[name][i], prover.signs.domains[name]) for name in names}
        if all(found[name] in prover.signs.domains[name] for name in names):
            yield found


def _shortened(value: float, domain: Interval) -> Fraction:
    """A short fraction near a float, or the float itself where the short one leaves the range."""
    exact = Fraction(float(value))
    short = exact.limit_denominator(10_000)
    return short if short in domain else exact


def simple(domain: Interval) -> Iterator[Fraction]:
    """A few simple members of an interval, the simplest first."""
    candidates = [
        Fraction(n, d)
        for n, d in ((1, 1), (2, 1), (1, 2), (3, 1), (5, 1), (1, 4), (10, 1), (1, 10))
    ]
    if domain.lower is not None and domain.upper is not None:
        width = domain.upper - domain.lower
        candidates = [domain.lower + width * Fraction(k, 8) for k in (4, 2, 6, 1, 7)]
    elif domain.lower is not None:
        candidates = [domain.lower + c for c in candidates]
    elif domain.upper is not None:
        candidates = [domain.upper - c for c in candidates]
    else:
        candidates += [-c for c in candidates]
    yield from (c for c in candidates if c in domain)
