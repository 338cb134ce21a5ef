"""Enclosures of formulas over boxes, by python-flint balls."""

from __future__ import annotations

from collections.abc import Mapping

from flint import arb

from symbolic.domains import Interval
from symbolic.expression import Expression, Number, Symbol
from symbolic.operations import OPERATIONS
from verify.balls.arithmetic import ball_power
from verify.balls.points import ball, compiled


def hull(box: Interval) -> arb:
    """The closed interval as one ball."""
    assert box.lower is not None and box.upper is not None
    return ball(box.lower).union(ball(box.upper))


def enclose(expr: Expression, box: Mapping[str, arb]) -> arb:
    """A ball that holds every value of `expr` over a box; not finite where nothing is known.

    Works at the precision of flint's context. `box` has every symbol that occurs.
    """
    values: list[arb] = []
    for node, places, exponent in compiled(expr):
        args = [values[place] for place in places]
        if isinstance(node, Number):
            made = ball(node.value)
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
