"""The trees of pyoperon 0.6 as formulas.

`fmin` and `fmax` are swapped there, so what is read from a tree goes by what it computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from symbolic.distill.tidy import tidied
from symbolic.expression import Expression, call, number


def read_tree(nodes: Sequence[Any], variables: dict[int, Expression]) -> Expression | None:
    """The formula of a tree in postfix order; None for a constant that is no number."""
    stack: list[Expression] = []
    for node in nodes:
        if node.IsConstant or node.IsVariable:
            if not np.isfinite(node.Value):
                return None
            value = number(Fraction(repr(float(node.Value))))
            stack.append(value if node.IsConstant else value * variables[node.HashValue])
            continue
        args = [stack.pop() for _ in range(node.Arity)]
        stack.append(_CALLS[_kind(node)](args))
    return tidied(stack[0])


def _kind(node: Any) -> str:
    """What a node computes, by name."""
    kind = str(node.Type).rpartition(".")[2]
    return {"Fmin": _lesser_of_two(), "Fmax": _OTHER[_lesser_of_two()]}.get(kind, kind)


_OTHER = {"Fmin": "Fmax", "Fmax": "Fmin"}


@cache
def _lesser_of_two() -> str:
    """What the node called Fmin computes in this version: Fmin, or Fmax where they are swapped."""
    import pyoperon as op

    data = op.Dataset(np.asfortranarray([[1.0, 2.0], [1.0, 2.0]]))
    one, two = (op.Node.Constant(value) for value in (1.0, 2.0))
    least = op.Node(op.NodeType.Fmin)
    tree = op.Tree([one, two, least]).UpdateNodes()
    value = op.Evaluate(op.DispatchTable(), tree, data, op.Range(0, 2))
    return "Fmin" if float(np.ravel(value)[0]) == 1.0 else "Fmax"


def _folded(op: str) -> Any:
    def made(args: list[Expression]) -> Expression:
        total = args[0]
        for other in args[1:]:
            total = call(op, total, other)
        return total

    return made


_CALLS = {
    "Add": _folded("add"),
    "Sub": _folded("sub"),
    "Mul": _folded("mul"),
    "Div": _folded("div"),
    "Fmin": lambda args: call("min", *args),
    "Fmax": lambda args: call("max", *args),
    "Square": lambda args: args[0] ** 2,
    "Log": lambda args: call("log", args[0]),
    "Exp": lambda args: call("exp", args[0]),
    "Sqrt": lambda args: call("sqrt", args[0]),
    "Tanh": lambda args: call("tanh", args[0]),
}
