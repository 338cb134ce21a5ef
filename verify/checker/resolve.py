"""What a formula with kinks is on a cell where the signs of its guards are known."""

from __future__ import annotations

from typing import Protocol

from symbolic.expression import Expression, call, constant_value, number
from verify.checker.algebra import Unproved, short
from verify.checker.signs import NEGATIVE, NONNEGATIVE, NONPOSITIVE, POSITIVE, ZERO

NOUGHT = number(0)
PARTIAL = frozenset({"div", "inv", "log", "sqrt", "pow"})


class Cell(Protocol):
    """What knows the signs of smooth formulas on a cell."""

    @property
    def grants(self) -> bool:
        """Whether the formula's own arguments are taken for good."""
        ...

    def mask(self, tree: Expression, goal: int = 0) -> int:
        """The signs that a smooth formula has."""
        ...

    def normal(self, tree: Expression) -> object:
        """Shows that a smooth formula is defined, or raises Unproved."""
        ...


def resolve(cell: Cell, root: Expression) -> Expression:
    """The smooth formula that equals `root` at every point of the cell.

    Every part of `root` that is used is shown to be defined, guards included; of `where` only
    the chosen branch is visited. Raises Unproved.
    """
    memo: dict[int, Expression] = {}
    stack = [root]
    while stack:
        node = stack[-1]
        if id(node) in memo:
            stack.pop()
            continue
        missing = [arg for arg in _needed(cell, node, memo) if id(arg) not in memo]
        if missing:
            stack.extend(reversed(missing))
            continue
        memo[id(node)] = _value(cell, node, memo)
        stack.pop()
    smooth = memo[id(root)]
    cell.normal(smooth)
    return smooth


def _needed(cell: Cell, node: Expression, memo: dict[int, Expression]) -> tuple[Expression, ...]:
    if not node.op.startswith("where"):
        return node.args
    a, b = node.args[:2]
    if id(a) not in memo or id(b) not in memo:
        return (a, b)
    return (_branch(cell, node, memo),)


def _branch(cell: Cell, node: Expression, memo: dict[int, Expression]) -> Expression:
    """The branch of `where` that holds on the whole cell."""
    a, b = memo[id(node.args[0])], memo[id(node.args[1])]
    relation = node.op[5:]
    guard = b - a if relation[0] == "<" else a - b
    yes, no = (POSITIVE, NONPOSITIVE) if len(relation) == 1 else (NONNEGATIVE, NEGATIVE)
    mask = cell.mask(guard)
    if not mask & ~yes:
        return node.args[2]
    if not mask & ~no:
        return node.args[3]
    raise _open(guard)


def _value(cell: Cell, node: Expression, memo: dict[int, Expression]) -> Expression:
    if not node.args:
        return node
    if node.op.startswith("where"):
        return memo[id(_branch(cell, node, memo))]
    args = [memo[id(arg)] for arg in node.args]
    match node.op:
        case "relu":
            return _larger(cell, args[0], NOUGHT, args[0])
        case "abs":
            return _larger(cell, args[0], -args[0], args[0])
        case "sign":
            return _sign(cell, args[0])
        case "clip":
            upper = _larger(cell, args[0], args[1])
            return _smaller(cell, upper, args[2])
        case "max" | "min":
            pick = _larger if node.op == "max" else _smaller
            value = args[0]
            for other in args[1:]:
                value = pick(cell, value, other)
            return value
    made = power(node, *args) if node.op == "pow" else call(node.op, *args)
    if cell.grants and node.op in PARTIAL:
        cell.normal(made)  # what is undefined here ends the matter, before any later guard
    return made


def power(node: Expression, base: Expression, exponent: Expression) -> Expression:
    """The power `node` with its arguments replaced; it stays a power although it may look a product.

    Only an exponent that is written as a constant integer makes a product. `x**p` needs x >= 0
    also where p = 2, and `x**max(1, 2)` does. The factor sqrt(x)**0 = 1 (log(x)**0 for exponents
    <= 0) keeps that demand.
    """
    made = call("pow", base, exponent)
    if constant_value(node.args[1]) is None:
        fixed = constant_value(exponent)
        if fixed is not None and fixed.denominator == 1:
            return made * call("sqrt" if fixed > 0 else "log", base) ** NOUGHT
    return made


def _larger(
    cell: Cell, a: Expression, b: Expression, guard: Expression | None = None
) -> Expression:
    """max(a, b); `guard` has the sign of a − b."""
    guard = a - b if guard is None else guard
    mask = cell.mask(guard)
    if not mask & NEGATIVE:
        return a
    if not mask & POSITIVE:
        return b
    raise _open(guard)


def _smaller(cell: Cell, a: Expression, b: Expression) -> Expression:
    return b if _larger(cell, a, b) is a else a


def _sign(cell: Cell, guard: Expression) -> Expression:
    mask = cell.mask(guard)
    for sign, value in ((POSITIVE, 1), (NEGATIVE, -1), (ZERO, 0)):
        if not mask & ~sign:
            return number(value)
    raise _open(guard)


def _open(guard: Expression) -> Unproved:
    return Unproved(f"the sign of a guard is open: {short(guard)}")
