"""Whether two formulas agree to many digits at random exact points: a sign of equality, no proof."""

from __future__ import annotations

import random
from fractions import Fraction

from flint import arb, fmpq

from symbolic.expression import Expression
from verify.balls.points import Kind, certify

_POINTS = 24
_DIGITS = 25
_GRAIN = 997


def agree(f: Expression, g: Expression, *, seed: int = 0) -> bool:
    """Whether |f − g| is certainly below 1e-25 at 24 points of r in (0, 4], A in [-4, 4], t in [0, 1].

    Both are formulas in r, A and t alone.
    """
    draw = random.Random(seed)
    least = arb(10) ** -_DIGITS
    for _ in range(_POINTS):
        point = {
            "r": Fraction(draw.randint(1, 4 * _GRAIN), _GRAIN),
            "A": Fraction(draw.randint(-4 * _GRAIN, 4 * _GRAIN), _GRAIN),
            "t": Fraction(draw.randint(0, _GRAIN), _GRAIN),
        }
        found = certify(f - g, point)
        value = found.value
        if found.kind is not Kind.VALUE or value is None:
            return False
        ball = arb(value) if isinstance(value, fmpq) else value
        if not abs(ball) < least:
            return False
    return True
