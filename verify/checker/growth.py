"""Growth on a half-line v >= start >= 2: products of powers of gauges, compared rigorously.

A gauge is log(v), v, or exp(v^j·e^(q·v)), written (q, j); the gauges are ordered as they grow.
"""

from __future__ import annotations

from fractions import Fraction

import flint
from flint import arb

from verify.checker.balls import ball

Gauge = tuple[Fraction, Fraction]
Growth = tuple[tuple[Gauge, Fraction], ...]
"""(gauge, exponent) in the order of the gauges; no exponent is 0. The empty product is 1."""

ONE_GROWTH: Growth = ()
LOG: Gauge = (Fraction(-2), Fraction(0))
POWER: Gauge = (Fraction(-1), Fraction(0))
EXP: Gauge = (Fraction(0), Fraction(1))
"""exp(v)."""
_PRECISION = 128


def product(a: Growth, b: Growth) -> Growth:
    """a·b."""
    total = dict(a)
    for gauge, exponent in b:
        total[gauge] = total.get(gauge, Fraction(0)) + exponent
    return tuple(sorted((gauge, exponent) for gauge, exponent in total.items() if exponent))


def power(a: Growth, n: Fraction | int) -> Growth:
    """a**n."""
    return tuple((gauge, exponent * n) for gauge, exponent in a) if n else ONE_GROWTH


def exponential_of(growth: Growth) -> Gauge | None:
    """The gauge exp(growth), where growth is v^j·e^(q·v)."""
    exponents = dict(growth)
    if set(exponents) - {POWER, EXP}:
        return None
    rate = exponents.get(EXP, Fraction(0))
    # Negative rates are the codes of POWER and LOG.
    return None if rate < 0 else (rate, exponents.get(POWER, Fraction(0)))


def logarithm_of(gauge: Gauge) -> Growth | None:
    """log(gauge) as a growth: log(v) for v, v^j·e^(q·v) for exp of that; None for log(v)."""
    if gauge == LOG:
        return None
    if gauge == POWER:
        return ((LOG, Fraction(1)),)
    q, j = gauge
    return tuple((g, e) for g, e in ((POWER, j), (EXP, q)) if e)


def at_start(growth: Growth, start: Fraction) -> arb:
    """The value at the start."""
    with flint.ctx.workprec(_PRECISION):
        v, total = ball(start), arb(0)
        for gauge, exponent in growth:
            inner = {LOG: v.log().log(), POWER: v.log()}.get(gauge)
            total += ball(exponent) * (_inside(gauge, v) if inner is None else inner)
        return total.exp()


def falls(growth: Growth, start: Fraction) -> bool:
    """Whether the product does not grow anywhere on v >= start.

    v·(log growth)′ is the sum of exponent·w over its gauges, with w = 1/log(v) for log(v), 1 for v,
    (j + q·v)·v^j·e^(q·v) for the others. The last gauge has a negative exponent; the quotients of
    the other w by its w are shown not to grow, so it is enough to compare at the start.
    """
    if not growth:
        return False
    (top_q, top_j), top = growth[-1]
    if top >= 0 or any(not _usable(gauge, start) for gauge, _ in growth):
        return False
    with flint.ctx.workprec(_PRECISION):
        v = ball(start)
        total = ball(top) * _rise(growth[-1][0], v)
        for (q, j), exponent in growth[:-1]:
            if exponent < 0:
                continue
            if q >= 0:
                degree = j - top_j + (1 if q > 0 else 0)
                if degree > (top_q - q) * start:
                    return False
            total += ball(exponent) * _rise((q, max(j, Fraction(0))), v, j)
        return bool(total <= 0)


def _usable(gauge: Gauge, start: Fraction) -> bool:
    """Whether w >= 0, and for the last two kinds also does not fall, from the start on."""
    q, j = gauge
    return gauge in (LOG, POWER) or (q >= 0 and j + q * start >= 0 and (q > 0 or j > 0))


def _rise(gauge: Gauge, v: arb, degree: Fraction | None = None) -> arb:
    """w at v; `degree` replaces j in v^j."""
    if gauge == LOG:
        return 1 / v.log()
    if gauge == POWER:
        return arb(1)
    q, j = gauge
    return (ball(j) + ball(q) * v) * _inside((q, j if degree is None else degree), v)


def _inside(gauge: Gauge, v: arb) -> arb:
    """v^j·e^(q·v)."""
    q, j = gauge
    return (ball(j) * v.log() + ball(q) * v).exp()
