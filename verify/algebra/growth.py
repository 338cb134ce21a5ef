"""How functions of one variable v grow: monomials log(v)^b · v^a · exp(Σ c·v^j·e^(q·v)).

They are compared on a half-line [start, ∞), start ≥ 2: a monomial is `vanishing` if it is shown
to fall from its value at the start to 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from flint import arb

from verify.balls.points import ball

Exponent = tuple[Fraction, Fraction]
"""(q, j) for v^j·e^(q·v); the larger pair grows faster."""


@dataclass(frozen=True, slots=True)
class Growth:
    """log(v)^log · v^power · exp(Σ c·v^j·e^(q·v)); `inside` holds ((q, j), c) in order, no c is 0."""

    log: Fraction = Fraction(0)
    power: Fraction = Fraction(0)
    inside: tuple[tuple[Exponent, Fraction], ...] = ()

    def __mul__(self, other: Growth) -> Growth:
        total: dict[Exponent, Fraction] = dict(self.inside)
        for exponent, c in other.inside:
            total[exponent] = total.get(exponent, Fraction(0)) + c
        return Growth(self.log + other.log, self.power + other.power, exponents(total))

    def __pow__(self, n: Fraction | int) -> Growth:
        inside = exponents({exponent: c * n for exponent, c in self.inside})
        return Growth(self.log * n, self.power * n, inside)

    @property
    def as_exponent(self) -> Exponent | None:
        """(q, j) if the monomial is v^j·e^(q·v) and can stand in an exponent."""
        if self.log or any(exponent != _PLAIN for exponent, _ in self.inside):
            return None
        return (self.inside[0][1] if self.inside else Fraction(0)), self.power

    def at(self, start: Fraction) -> arb:
        """The value at the start."""
        v = ball(start)
        total = v.log() * ball(self.power)
        if self.log:
            total += v.log().log() * ball(self.log)
        for exponent, c in self.inside:
            total += _term(exponent, v) * ball(c)
        return total.exp()


CONSTANT = Growth()
_PLAIN = (Fraction(0), Fraction(1))


def exponents(inside: Mapping[Exponent, Fraction]) -> tuple[tuple[Exponent, Fraction], ...]:
    """The terms of an exponent in order, without those that cancel."""
    return tuple(sorted((exponent, c) for exponent, c in inside.items() if c))


def _term(exponent: Exponent, v: arb) -> arb:
    q, j = exponent
    return (v * ball(q) + v.log() * ball(j)).exp()


@lru_cache(maxsize=4096)
def vanishing(growth: Growth, start: Fraction) -> bool:
    """Whether a monomial is shown to fall to 0 on [start, ∞).

    With the leading term −|c|·v^J·e^(Q·v) of its logarithm, v·(log M)′ ≤ 0 says that
    Σ c·(j + q·v)·v^(j−J)·e^((q−Q)·v) + (a + b/log v)·v^(−J)·e^(−Q·v) ≤ |c|·(J + Q·v): the right
    side grows, each positive term on the left is shown to fall, so the start decides.
    """
    v = ball(start)
    if not growth.inside:
        if growth.power >= 0:
            return growth.power == 0 and growth.log < 0
        return bool(ball(growth.power) + ball(growth.log) / v.log() < 0)
    (top_q, top_j), top = growth.inside[-1]
    if top > 0 or top_q < 0 or (top_q == 0 and top_j <= 0):
        return False
    left = arb(0)
    for (q, j), c in growth.inside[:-1]:
        if q < 0 or j + q * start < 0:
            return False
        if c > 0:
            if not _falls(j - top_j + (q > 0), top_q - q, start):
                return False
            rise = ball(max(j, Fraction(0))) + ball(q) * v
            left += ball(c) * rise * _term((q - top_q, j - top_j), v)
    for weight in (
        ball(max(growth.power, Fraction(0))),
        ball(max(growth.log, Fraction(0))) / v.log(),
    ):
        if not weight.is_zero():
            if not _falls(-top_j, top_q, start):
                return False
            left += weight * _term((-top_q, -top_j), v)
    return bool(left <= ball(-top) * (ball(top_j) + ball(top_q) * v))


def _falls(power: Fraction, rate: Fraction, start: Fraction) -> bool:
    """Whether v^power·e^(−rate·v) does not grow on [start, ∞)."""
    return rate >= 0 and power <= rate * start
