"""The rule of structure: signs carried from the parts of a formula to the whole, kinks and all.

Everything here holds wherever a formula is defined.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

from symbolic.expression import (
    Expression,
    Number,
    Symbol,
    call,
    integer_exponent,
    number,
    postorder,
)
from verify.checker.algebra import Range
from verify.checker.signs import NEGATIVE, NONNEGATIVE, POSITIVE, ZERO, flip, times
from verify.checker.sturm import ANY

_UNIT, _NOUGHT = number(1), number(0)
_EITHER = POSITIVE | NEGATIVE


class Form:
    """Signs of a formula's nodes over a domain; `shown` are formulas proved >= 0 on all of it."""

    def __init__(
        self, root: Expression, domains: Mapping[str, Range], shown: Set[Expression] = frozenset()
    ) -> None:
        self.root = root
        self.domains = domains
        self.shown = shown
        self.signs: dict[Expression, int] = {}
        for node in postorder(root):
            found = self._sign(node)
            self.signs[node] = found & NONNEGATIVE if node in shown else found

    @property
    def nonnegative(self) -> bool:
        """Whether the formula is >= 0 wherever it is defined."""
        return not self.signs[self.root] & NEGATIVE

    @property
    def defined(self) -> bool:
        """Whether every argument of log, sqrt, a quotient or a power is good by its sign."""
        return all(self._good(node) for node in postorder(self.root))

    def _good(self, node: Expression) -> bool:
        args = [self.signs[arg] for arg in node.args]
        match node.op:
            case "log":
                return args[0] == POSITIVE
            case "sqrt":
                return not args[0] & NEGATIVE
            case "div" | "inv":
                return args[-1] in (POSITIVE, NEGATIVE)
            case "pow":
                n = integer_exponent(node)
                if n is not None:
                    return n >= 0 or args[0] in (POSITIVE, NEGATIVE)
                return args[0] == POSITIVE or (not args[0] & NEGATIVE and args[1] == POSITIVE)
        return True

    def _sign(self, node: Expression) -> int:
        if isinstance(node, Number):
            return POSITIVE if node.value > 0 else ZERO
        if isinstance(node, Symbol):
            return _of_range(self.domains[node.name])
        args = [self.signs[arg] for arg in node.args]
        x = args[0]
        match node.op:
            case "neg":
                return flip(x)
            case "add":
                return _plus(x, args[1])
            case "sub":
                return _plus(x, flip(args[1])) & self._gap(*node.args)
            case "mul":
                same = node.args[0] is node.args[1]
                return times(x, args[1]) & (NONNEGATIVE if same else ANY)
            case "div":
                return times(x, args[1] & _EITHER)
            case "inv":
                return x & _EITHER
            case "exp" | "sigmoid" | "softplus":
                return POSITIVE
            case "tanh" | "sign":
                return x
            case "abs" | "square":
                return (x & ZERO) | (POSITIVE if x & _EITHER else 0)
            case "sqrt":
                return x & NONNEGATIVE
            case "relu":
                return _most([x, ZERO])
            case "max":
                return _most(args)
            case "min":
                return _least(args)
            case "clip":
                return _least([_most(args[:2]), args[2]])
            case "log":
                return NONNEGATIVE if self._above_one(node.args[0]) else ANY
            case "pow":
                return _power(node, x)
        return self._chosen(node, *args[2:])  # where

    def _gap(self, a: Expression, b: Expression) -> int:
        """Signs of a − b that the forms of a and b tell."""
        if a is b:
            return ZERO
        if (b.op == "min" and a in b.args) or (a.op == "max" and b in a.args):
            return NONNEGATIVE
        if b is not _UNIT or a.op not in ("exp", "sqrt"):
            return ANY
        # exp(x) − 1 for x >= 0, sqrt(1 + x) − 1 for x >= 0
        above = (
            not self.signs[a.args[0]] & NEGATIVE if a.op == "exp" else self._above_one(a.args[0])
        )
        return NONNEGATIVE if above else ANY

    def _above_one(self, node: Expression) -> bool:
        """Whether the formula is written 1 + x or x + 1 with x >= 0."""
        if node.op != "add":
            return False
        a, b = node.args
        return (a is _UNIT and not self.signs[b] & NEGATIVE) or (
            b is _UNIT and not self.signs[a] & NEGATIVE
        )

    def _chosen(self, node: Expression, yes: int, no: int) -> int:
        """Signs of `where`: a branch that may be negative may be shown good where it is chosen."""
        a, b, u, v = node.args
        if call(node.op, a, b, u, _NOUGHT) in self.shown:
            yes &= NONNEGATIVE
            yes |= ZERO
        if call(node.op, a, b, _NOUGHT, v) in self.shown:
            no &= NONNEGATIVE
            no |= ZERO
        return yes | no


def _of_range(where: Range) -> int:
    below = where.lower is None or where.lower < 0
    above = where.upper is None or where.upper > 0
    from_below = below or (where.lower == 0 and not where.lower_open)
    from_above = above or (where.upper == 0 and not where.upper_open)
    return (
        (NEGATIVE if below else 0)
        | (ZERO if from_below and from_above else 0)
        | (POSITIVE if above else 0)
    )


def _plus(a: int, b: int) -> int:
    for good, bad in ((POSITIVE, NEGATIVE), (NEGATIVE, POSITIVE)):
        if not (a | b) & bad:
            return good if good in (a, b) else (a | b) & good | ZERO
    return ANY


def _most(args: list[int]) -> int:
    """Signs of a maximum: some argument has it, and every other can be as small or smaller."""
    found = 0
    for sign, up_to in ((NEGATIVE, NEGATIVE), (ZERO, NEGATIVE | ZERO), (POSITIVE, ANY)):
        if any(arg & sign for arg in args) and all(arg & up_to for arg in args):
            found |= sign
    return found


def _least(args: list[int]) -> int:
    """Signs of a minimum."""
    return flip(_most([flip(arg) for arg in args]))


def _power(node: Expression, base: int) -> int:
    n = integer_exponent(node)
    if n is None:  # the base is >= 0, and 0 only under a positive exponent
        return POSITIVE if base == POSITIVE else NONNEGATIVE
    if n == 0:
        return POSITIVE
    if n < 0:
        base &= _EITHER
    return base if n % 2 else (base & ZERO) | (POSITIVE if base & _EITHER else 0)
