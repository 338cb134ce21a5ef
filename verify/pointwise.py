"""Values at an exact point, as balls: enough to certify a witness, never to prove a law."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from fractions import Fraction

from flint import arb, fmpq

from symbolic.expression import Expression, Number, Symbol, fold, integer_exponent
from symbolic.operations import OPERATIONS


class Outcome(Enum):
    """What else can come of evaluating a formula at a point."""

    UNDEFINED = "the formula is certainly undefined there"
    OPEN = "balls of this precision do not tell"


Value = arb | Outcome


def ball(value: Fraction) -> arb:
    """The rational as a ball."""
    return arb(fmpq(value.numerator, value.denominator))


def value_at(root: Expression, point: Mapping[str, Fraction]) -> Value:
    """A finite ball around f(point), UNDEFINED where that is certain, else OPEN.

    Works at the precision of flint's context.
    """

    def visit(node: Expression, args: tuple[Value, ...]) -> Value:
        if isinstance(node, Number):
            return ball(node.value)
        if isinstance(node, Symbol):
            return ball(point[node.name])
        if node.op.startswith("where"):
            return _chosen(node.op[5:], args)
        if Outcome.UNDEFINED in args:
            return Outcome.UNDEFINED
        balls = [arg for arg in args if isinstance(arg, arb)]
        if len(balls) < len(args):
            return Outcome.OPEN
        lacking = _lacking(node, balls)
        if lacking is not None:
            return lacking
        n = integer_exponent(node) if node.op == "pow" else None
        if n is not None:
            made = balls[0] ** n if n else arb(1)
        elif node.op == "pow" and balls[0].is_zero():
            made = arb(0)
        else:
            made = OPERATIONS[node.op].ball(*balls)
        return made if made.is_finite() else Outcome.OPEN

    return fold(root, visit)


def _chosen(relation: str, args: tuple[Value, ...]) -> Value:
    """The branch that a certain comparison chooses."""
    left, right, true, false = args
    if Outcome.UNDEFINED in (left, right):
        return Outcome.UNDEFINED
    if not isinstance(left, arb) or not isinstance(right, arb):
        return Outcome.OPEN
    gap = left - right if relation[0] == "<" else right - left
    holds, fails = (gap <= 0, gap > 0) if "=" in relation else (gap < 0, gap >= 0)
    return true if holds else false if fails else Outcome.OPEN


def _lacking(node: Expression, args: list[arb]) -> Outcome | None:
    """None if the operation is certainly defined at these arguments."""
    x = args[-1] if node.op == "div" else args[0]
    match node.op:
        case "log":
            good, bad = x > 0, x <= 0
        case "sqrt":
            good, bad = x >= 0, x < 0
        case "div" | "inv":
            good, bad = x != 0, x.is_zero()
        case "pow":
            n = integer_exponent(node)
            if n is not None:
                good, bad = n >= 0 or x != 0, n < 0 and x.is_zero()
            else:
                good = x > 0 or (x.is_zero() and args[1] > 0)
                bad = x < 0 or (x.is_zero() and args[1] <= 0)
        case _:
            return None
    return None if good else Outcome.UNDEFINED if bad else Outcome.OPEN
