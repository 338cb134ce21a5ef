"""What a formula with kinks is on a cell where the signs of its guards are known."""

from __future__ import annotations

from symbolic.expression import Expression, call, number
from verify.checker.context import Context
from verify.checker.algebra import Unproved
from verify.checker.signs import NEGATIVE, NONNEGATIVE, NONPOSITIVE, POSITIVE, ZERO

NOUGHT = number(0)


def resolve(context: Context, root: Expression) -> Expression:
    """The smooth formula that equals `root` at every point of the context.

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
        missing = [arg for arg in _needed(context, node, memo) if id(arg) not in memo]
        if missing:
            stack.extend(reversed(missing))
            continue
        memo[id(node)] = _value(context, node, memo)
        stack.pop()
    smooth = memo[id(root)]
    context.normal(smooth)
    return smooth


def _needed(
    context: Context, node: Expression, memo: dict[int, Expression]
) -> tuple[Expression, ...]:
    if not node.op.startswith("where"):
        return node.args
    a, b = node.args[:2]
    if id(a) not in memo or id(b) not in memo:
        return (a, b)
    return (_branch(context, node, memo),)


def _branch(context: Context, node: Expression, memo: dict[int, Expression]) -> Expression:
    """The branch of `where` that holds on the whole cell."""
    a, b = memo[id(node.args[0])], memo[id(node.args[1])]
    relation = node.op[5:]
    guard = b - a if relation[0] == "<" else a - b
    yes, no = (POSITIVE, NONPOSITIVE) if len(relation) == 1 else (NONNEGATIVE, NEGATIVE)
    mask = context.mask(guard)
    if not mask & ~yes:
        return node.args[2]
    if not mask & ~no:
        return node.args[3]
    raise _open(guard)


def _value(context: Context, node: Expression, memo: dict[int, Expression]) -> Expression:
    if not node.args:
        return node
    if node.op.startswith("where"):
        return memo[id(_branch(context, node, memo))]
    args = [memo[id(arg)] for arg in node.args]
    match node.op:
        case "relu":
            return _larger(context, args[0], NOUGHT, args[0])
        case "abs":
            return _larger(context, args[0], -args[0], args[0])
        case "sign":
            return _sign(context, args[0])
        case "clip":
            upper = _larger(context, args[0], args[1])
            return _smaller(context, upper, args[2])
        case "max" | "min":
            pick = _larger if node.op == "max" else _smaller
            value = args[0]
            for other in args[1:]:
                value = pick(context, value, other)
            return value
    return call(node.op, *args)


def _larger(context: Context, a: Expression, b: Expression, guard: Expression | None = None) -> Expression:
    """max(a, b); `guard` has the sign of a − b."""
    guard = a - b if guard is None else guard
    mask = context.mask(guard)
    if not mask & NEGATIVE:
        return a
    if not mask & POSITIVE:
        return b
    raise _open(guard)


def _smaller(context: Context, a: Expression, b: Expression) -> Expression:
    return b if _larger(context, a, b) is a else a


def _sign(context: Context, guard: Expression) -> Expression:
    mask = context.mask(guard)
    for sign, value in ((POSITIVE, 1), (NEGATIVE, -1), (ZERO, 0)):
        if not mask & ~sign:
            return number(value)
    raise _open(guard)


def _open(guard: Expression) -> Unproved:
    text = str(guard)
    return Unproved(f"the sign of a guard is open: {text if len(text) < 120 else text[:117] + '...'}")
