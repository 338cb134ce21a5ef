"""One-sided derivatives as formulas."""

from __future__ import annotations

from symbolic.expression import Expression, Symbol, fold
from symbolic.operations import ONE, OPERATIONS, ZERO


def derivative(root: Expression, variable: str = "r", side: int = 1) -> Expression:
    """∂f/∂`variable` from the right (`side=+1`) or the left (`-1`), as a formula.

    Exact at kinks of a continuous formula: the branch that holds just beside the point
    is chosen by comparing slopes. Jumps (of sign or where) are not seen by it, nor are two
    sides of a where that meet to second order; sqrt and powers give no number where their
    argument is 0 and moves.
    """
    if side not in (1, -1):
        raise ValueError(f"side={side!r}: use +1 (from the right) or -1 (from the left)")

    def visit(
        node: Expression, args: tuple[tuple[Expression, Expression], ...]
    ) -> tuple[Expression, Expression]:
        if isinstance(node, Symbol):
            return node, ONE if node.name == variable else ZERO
        if not args:
            return node, ZERO
        return node, OPERATIONS[node.op].derivative(node, tuple(slope for _, slope in args), side)

    return fold(root, visit)[1]
