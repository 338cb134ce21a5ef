"""Which formulas differ only in their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

from symbolic.expression import Expression, Number, fold

_NUMBER = "number"


def structure(formula: Expression) -> Hashable:
    """What is left of a formula without the values of its numbers, signs and the order of terms."""

    def visit(node: Expression, args: tuple[Hashable, ...]) -> Hashable:
        if not args:
            return _NUMBER if isinstance(node, Number) else node
        op = "add" if node.op == "sub" else node.op
        if op == "mul":
            args = tuple(arg for arg in args if arg != _NUMBER)
        if all(arg == _NUMBER for arg in args):
            return _NUMBER
        if op == "neg" or (op == "mul" and len(args) == 1):
            return args[0]
        return (op, frozenset(Counter(args).items()) if op in ("add", "mul") else args)

    return fold(formula, visit)
