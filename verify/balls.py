"""Enclosures of smooth formulas over boxes, by python-flint balls."""

from __future__ import annotations

from collections.abc import Mapping

from flint import arb, fmpq

from symbolic.domains import Interval
from symbolic.expression import Expression, Number, Symbol, fold, integer_exponent
from symbolic.operations import OPERATIONS


def hull(box: Interval) -> arb:
    """The closed interval as one ball."""
    assert box.lower is not None and box.upper is not None
    low, high = (arb(fmpq(end.numerator, end.denominator)) for end in (box.lower, box.upper))
    return low.union(high)


def enclose(root: Expression, values: Mapping[str, arb]) -> arb:
    """Ball that holds every value of a formula over balls; not finite where nothing is known."""

    def visit(node: Expression, args: tuple[arb, ...]) -> arb:
        if isinstance(node, Number):
            return arb(fmpq(node.value.numerator, node.value.denominator))
        if isinstance(node, Symbol):
            return values[node.name]
        n = integer_exponent(node) if node.op == "pow" else None
        return args[0] ** n if n is not None else OPERATIONS[node.op].ball(*args)

    return fold(root, visit)
