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

from symbolic.expression import (
    Expression,
    Number,
    Symbol,
    integer_exponent,
    postorder,
)
from symbolic.operations import OPERATIONS
from verify.arithmetic import Run, Step, ball_power

_FIRST_PRECISION = 64
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
    expr: Expression, point: Mapping[str, Fraction], *, max_precision: int = 4096
) -> Evaluation:
    """The value of `expr` at `point` with its certain sign, or certainly undefined, or undecided.

    `point` has every symbol that occurs. The precision doubles from 64 bits until the sign is
    certain; memory and time are bounded whatever the formula (a tower of exponentials ends as
    UNDECIDED).
    """
    program = _program(expr)
    exact = {name: fmpq(at.numerator, at.denominator) for name, at in point.items()}
    best = Evaluation(Kind.UNDECIDED)
    precision = _FIRST_PRECISION
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


def enclose(expr: Expression, box: Mapping[str, arb]) -> arb:
    """A ball that holds every value of `expr` over a box; not finite where nothing is known.

    Works at the precision of flint's context. `box` has every symbol that occurs.
    """
    values: list[arb] = []
    for node, places, exponent in _program(expr):
        args = [values[place] for place in places]
        if isinstance(node, Number):
            made = arb(fmpq(node.value.numerator, node.value.denominator))
        elif isinstance(node, Symbol):
            made = box[node.name]
        elif exponent is not None:
            made = ball_power(args[0], exponent)
        elif node.op == "square":
            made = ball_power(args[0], 2)
        else:
            made = OPERATIONS[node.op].ball(*args)
        values.append(made)
    return values[-1]


@lru_cache(maxsize=64)
def _program(expr: Expression) -> tuple[Step, ...]:
    """Distinct nodes in order of evaluation, the places of their arguments, integer exponents."""
    places: dict[int, int] = {}
    steps: list[Step] = []
    for node in postorder(expr):
        exponent = integer_exponent(node) if node.op == "pow" else None
        steps.append((node, tuple(places[id(arg)] for arg in node.args), exponent))
        places[id(node)] = len(steps) - 1
    return tuple(steps)
