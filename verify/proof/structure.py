"""What the form of a formula alone says: relu(x) >= 0, sums of such, max, min, tanh, powers.

Non-negativity is carried from parts to the whole; parts of which the form says nothing are left
over, to be proved as formulas of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from symbolic.domains import Interval
from symbolic.expression import (
    Expression,
    Number,
    Symbol,
    call,
    constant_value,
    integer_exponent,
    number,
    postorder,
)
from verify.algebra.masks import ANY, NEGATIVE, NONNEGATIVE, NONPOSITIVE, POSITIVE, ZERO, flip
from verify.algebra.masks import product as product_mask

_ONE = number(1)
_MAX_PARTS = 8


class Structure:
    """Signs of formulas by their form, wherever they are defined."""

    def __init__(self, domain: Callable[[str], Interval]) -> None:
        self._domain = domain
        self._masks: dict[Expression, int] = {}

    def defined(self, root: Expression) -> bool:
        """Whether the form shows that a formula is defined everywhere."""
        return all(self.good(node) for node in postorder(root))

    def parts(self, root: Expression) -> list[Expression] | None:
        """Formulas whose non-negativity makes `root` >= 0; None if the form says nothing of it."""
        left = list(dict.fromkeys(self._left(root)))
        return None if left == [root] or len(left) > _MAX_PARTS else left

    def good(self, node: Expression) -> bool:
        """Whether the form shows that one operation is defined where its arguments are."""
        self.mask(node)
        if node.op in ("log", "sqrt"):
            return not self.mask(node.args[0]) & ~(POSITIVE if node.op == "log" else NONNEGATIVE)
        if node.op in ("div", "inv"):
            return self.mask(node.args[-1]) in (POSITIVE, NEGATIVE)
        if node.op != "pow":
            return True
        base, n = self.mask(node.args[0]), integer_exponent(node)
        if n is not None:
            return n >= 0 or base in (POSITIVE, NEGATIVE)
        if base == POSITIVE:
            return True
        return not base & NEGATIVE and self.mask(node.args[1]) == POSITIVE

    def mask(self, root: Expression) -> int:
        """The signs that a formula can have."""
        todo = [] if root in self._masks else [root]
        while todo:
            missing = [arg for arg in todo[-1].args if arg not in self._masks]
            if missing:
                todo += missing
            else:
                node = todo.pop()
                self._masks[node] = self._mask(node)
        return self._masks[root]

    def _mask(self, node: Expression) -> int:
        if isinstance(node, Number):
            return POSITIVE if node.value else ZERO
        if isinstance(node, Symbol):
            return _of_interval(self._domain(node.name))
        args = [self._masks[arg] for arg in node.args]
        x = args[0]
        match node.op:
            case "neg":
                return flip(x)
            case "add":
                return _sum(x, args[1])
            case "sub":
                return _sum(x, flip(args[1])) & _difference(node, self._masks)
            case "mul":
                square = node.args[0] is node.args[1]
                return product_mask(x, args[1]) & (NONNEGATIVE if square else ANY)
            case "div":
                return product_mask(x, args[1] & ~ZERO)
            case "inv":
                return x & ~ZERO
            case "exp" | "softplus" | "sigmoid":
                return POSITIVE
            case "tanh" | "sign":
                return x
            case "abs" | "square":
                return x & ZERO | (POSITIVE if x & ~ZERO else 0)
            case "sqrt":
                return x & NONNEGATIVE or ZERO
            case "relu":
                return x & NONNEGATIVE | (ZERO if x & NEGATIVE else 0)
            case "pow":
                return _power(node, x)
            case "log":
                return NONNEGATIVE if _above_one(node.args[0], self._masks) else ANY
            case "max":
                return _largest(args)
            case "min":
                return flip(_largest([flip(arg) for arg in args]))
            case "clip":
                return flip(_largest([flip(_largest(args[:2])), flip(args[2])]))
        return args[2] | args[3]  # where

    # Non-negativity from parts -------------------------------------------------------------

    def _left(self, node: Expression) -> Iterator[Expression]:
        """What is left to prove for node >= 0."""
        if not self.mask(node) & NEGATIVE:
            return
        args = node.args
        match node.op:
            case "add" | "min":
                for arg in args:
                    yield from self._left(arg)
            case "mul" | "div" if self._one_is_positive(node):
                for arg in args:
                    yield from self._left(arg)
            case "max":
                yield from min((list(self._left(arg)) for arg in args), key=_work)
            case "tanh" | "sign":
                yield from self._left(args[0])
            case "clip":
                yield from min((list(self._left(arg)) for arg in args[:2]), key=_work)
                yield from self._left(args[2])
            case "log" | "sub" if (inner := _grows_from_zero(node)) is not None:
                yield from self._left(inner)
            case "pow" if (n := integer_exponent(node)) is not None and n > 0:
                yield from self._left(args[0])
            case "where<" | "where<=" | "where>" | "where>=":
                yield from self._branches(node)
            case _:
                yield node

    def _one_is_positive(self, node: Expression) -> bool:
        """Whether some factor is >= 0 by its form (a divisor has to be > 0)."""
        a, b = (self.mask(arg) for arg in node.args)
        if node.op == "div":
            return b == POSITIVE
        return not a & NEGATIVE or not b & NEGATIVE

    def _branches(self, node: Expression) -> Iterator[Expression]:
        """A branch need be >= 0 only where it is chosen."""
        a, b, u, v = node.args
        zero = number(0)
        for branch, alone in ((u, (u, zero)), (v, (zero, v))):
            left = list(self._left(branch))
            if left:
                yield call(node.op, a, b, *alone)


def _of_interval(domain: Interval) -> int:
    mask = 0
    if domain.lower is None or domain.lower < 0:
        mask |= NEGATIVE
    if domain.upper is None or domain.upper > 0:
        mask |= POSITIVE
    return mask | (ZERO if Fraction(0) in domain else 0)


def _sum(a: int, b: int) -> int:
    if not (a | b) & NEGATIVE:
        return POSITIVE if POSITIVE in (a, b) else NONNEGATIVE if (a | b) & POSITIVE else ZERO
    if not (a | b) & POSITIVE:
        return NEGATIVE if NEGATIVE in (a, b) else NONPOSITIVE
    return ANY


def _difference(node: Expression, masks: dict[Expression, int]) -> int:
    """a − min(a, …) >= 0, max(b, …) − b >= 0, exp(x) − 1 >= 0 and sqrt(1 + x) − 1 >= 0 for x >= 0."""
    a, b = node.args
    if a is b:
        return ZERO
    if (b.op == "min" and a in b.args) or (a.op == "max" and b in a.args):
        return NONNEGATIVE
    inner = _grows_from_zero(node)
    return NONNEGATIVE if inner is not None and not masks[inner] & NEGATIVE else ANY


def _grows_from_zero(node: Expression) -> Expression | None:
    """x, where the formula is log(1 + x), exp(x) − 1 or sqrt(1 + x) − 1."""
    if node.op == "log":
        return _beyond_one(node.args[0])
    a, b = node.args
    if b is _ONE and a.op == "exp":
        return a.args[0]
    return _beyond_one(a.args[0]) if b is _ONE and a.op == "sqrt" else None


def _beyond_one(node: Expression) -> Expression | None:
    """x in 1 + x or x + 1."""
    if node.op == "add" and _ONE in node.args:
        return node.args[1] if node.args[0] is _ONE else node.args[0]
    return None


def _above_one(node: Expression, masks: dict[Expression, int]) -> bool:
    beyond = _beyond_one(node)
    return beyond is not None and not masks[beyond] & NEGATIVE


def _power(node: Expression, base: int) -> int:
    n = integer_exponent(node)
    if n is None:
        value = constant_value(node.args[1])
        return POSITIVE if base == POSITIVE else NONNEGATIVE if value != 0 else POSITIVE
    if n == 0:
        return POSITIVE
    if n % 2:
        return base if n > 0 else base & ~ZERO
    return (base & ZERO if n > 0 else 0) | POSITIVE


def _largest(masks: list[int]) -> int:
    """The mask of the maximum."""
    if POSITIVE in masks:
        return POSITIVE
    mask = 0
    for one in masks:
        mask |= one
    if any(not one & NEGATIVE for one in masks):
        mask &= NONNEGATIVE
    return mask


def _work(parts: list[Expression]) -> tuple[int, int]:
    return len(parts), sum(part.nodes for part in parts)
