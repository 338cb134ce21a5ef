"""Rigorous values at exact points: rationals while they last, then balls of growing precision.

Only what this module calls certain may refute a condition. Every comparison is a proof in
one direction (`x > 0` on a ball), never the failure of a comparison.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from flint import arb, ctx, fmpq

from symbolic.expression import Expression, integer_exponent, postorder
from verify.balls.arithmetic import Run, Step

_ACCURATE_BITS = 20
_MAX_TEXT = 40


class Kind(StrEnum):
    """What came of evaluating a formula at a point."""

    VALUE = "a number"
    UNDEFINED = "certainly undefined"
    UNDECIDED = "not decided at the greatest precision"


@dataclass(frozen=True)
class Evaluation:
    """A formula at one exact point."""

    kind: Kind
    value: fmpq | arb | None = None
    """The exact rational, or a ball that holds the value."""
    sign: int | None = None
    """-1, 0 or 1 where certain."""
    reason: str = ""
    """Why the formula is undefined."""

    @property
    def text(self) -> str:
        """For reports: a short rational, a ball of few digits, or `undefined`."""
        if isinstance(self.value, fmpq):
            exact = str(self.value) if self.value.height_bits() < 3 * _MAX_TEXT else ""
            if exact and len(exact) <= _MAX_TEXT:
                return exact
            return str(arb(self.value).str(6))
        if self.value is None:
            return "undefined" if self.kind is Kind.UNDEFINED else "unknown"
        return str(self.value.str(6))


def certify(
    expr: Expression,
    point: Mapping[str, Fraction],
    *,
    precision: int = 64,
    max_precision: int = 4096,
) -> Evaluation:
    """The value of `expr` at `point` with its certain sign, or certainly undefined, or undecided.

    `point` has every symbol that occurs. The precision (in bits) doubles until the sign is
    certain; memory and time are bounded whatever the formula (a tower of exponentials ends as
    UNDECIDED).
    """
    program = compiled(expr)
    exact = {name: fmpq(at.numerator, at.denominator) for name, at in point.items()}
    best = Evaluation(Kind.UNDECIDED)
    while precision <= max_precision:
        with ctx.workprec(precision):
            result = Run(exact).evaluate(program)
            if result.reason:
                return Evaluation(Kind.UNDEFINED, reason=result.reason)
            number = result.number
            if number is not None:
                best = Evaluation(Kind.VALUE, number, result.sign)
                if isinstance(number, fmpq) or number.is_zero():
                    return best
                if best.sign is not None and number.rel_accuracy_bits() >= _ACCURATE_BITS:
                    return best
        precision *= 2
    return best


def ball(value: Fraction) -> arb:
    """The rational as a ball, at the precision of flint's context."""
    return arb(fmpq(value.numerator, value.denominator))


@lru_cache(maxsize=64)
def compiled(expr: Expression) -> tuple[Step, ...]:
    """Distinct nodes in order of evaluation, the places of their arguments, integer exponents."""
    places: dict[int, int] = {}
    steps: list[Step] = []
    for node in postorder(expr):
        exponent = integer_exponent(node) if node.op == "pow" else None
        steps.append((node, tuple(places[id(arg)] for arg in node.args), exponent))
        places[id(node)] = len(steps) - 1
    return tuple(steps)
