"""Nearly valid candidates made valid: the value and slope that are wrong at r = 1 taken away.

Two ways, each keeping f ≥ 0 by its form: the tangent at r = 1 is subtracted inside the relu, or
what there is is damped near r = 1 by (r − 1)²/((r − 1)² + c).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from symbolic.derivative import derivative
from symbolic.distill.tidy import tidied
from symbolic.expression import Expression, call, number, substitute, symbol
from symbolic.operations import ONE
from symbolic.parser import parse

_R = symbol("r")
_DAMPING = parse("(r - 1)**2/((r - 1)**2 + 0.01)")
"""The constant is fitted afterwards."""
_MOST_NODES = 200


def repaired(formula: Expression) -> Iterator[Expression]:
    """Candidates near a formula that keep the conditions at r = 1 by their form."""
    for way in (_without_tangent, _damped):
        found = tidied(_by_branch(formula, way))
        if found is not formula and found.nodes <= _MOST_NODES:
            yield found


def _by_branch(formula: Expression, way: Callable[[Expression], Expression]) -> Expression:
    """Each branch of a formula that goes by the sign of A on its own."""
    if (
        formula.op.startswith("where")
        and "r" not in formula.args[0].symbols | formula.args[1].symbols
    ):
        left, right, *branches = formula.args
        return call(formula.op, left, right, *(_by_branch(branch, way) for branch in branches))
    return way(formula)


def _inner(formula: Expression) -> Expression:
    return formula.args[0] if formula.op == "relu" else formula


def _without_tangent(formula: Expression) -> Expression:
    """relu(g − g(1) − g'(1)·(r − 1)); the formula itself where g has a kink at r = 1."""
    inner = _inner(formula)
    value = _at_identity(inner)
    slopes = [_at_identity(derivative(inner, "r", side)) for side in (1, -1)]
    if slopes[0] is not slopes[1]:
        return formula
    return call("relu", inner - value - slopes[0] * (_R - ONE))


def _damped(formula: Expression) -> Expression:
    return call("relu", _inner(formula)) * _DAMPING


def _at_identity(formula: Expression) -> Expression:
    return tidied(substitute(formula, {"r": number(1)}))
