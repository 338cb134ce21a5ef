"""A formula's smooth pieces as formulas: kinks settled by the signs of their guards.

Where a sign is not known the formula splits, and the pieces carry the assumption. Unlike
the exact resolver this keeps formulas in the form in which their authors wrote them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

from symbolic.domains import Interval
from symbolic.expression import Expression, call, number, substitute
from verify.algebra.masks import ANY, NEGATIVE, NONNEGATIVE, NONPOSITIVE, POSITIVE, RELATIONS, ZERO
from verify.algebra.resolve import Resolver, Undecided
from verify.algebra.signs import Signs
from verify.proof.prove import with_scales

Guard = tuple[Expression, str]
"""A smooth formula and the relation to 0 that is assumed of it."""
SignOf = Callable[[Expression, tuple[Guard, ...]], int]
"""The mask of the signs that a smooth formula can have under some guards."""

_ZERO = number(0)


class TooManyPieces(Exception):
    """More pieces than a reader would read."""


@dataclass(frozen=True)
class Piece:
    """A smooth formula, and the guards under which the whole formula equals it."""

    guards: tuple[Guard, ...]
    tree: Expression


class _Open(Exception):
    def __init__(self, guard: Expression, cases: tuple[str, str]) -> None:
        self.guard = guard
        self.cases = cases


def smooth_pieces(root: Expression, sign_of: SignOf, limit: int) -> list[Piece]:
    """The pieces of `root`, splitting at the guards whose sign `sign_of` leaves open.

    Raises TooManyPieces beyond `limit`, and what `sign_of` raises.
    """
    found: list[Piece] = []
    waiting: list[tuple[Guard, ...]] = [()]
    while waiting:
        guards = waiting.pop()
        if len(found) + len(waiting) >= limit:
            raise TooManyPieces
        try:
            found.append(Piece(guards, _Settler(sign_of, guards).settle(root)))
        except _Open as kink:
            waiting += [(*guards, (kink.guard, case)) for case in reversed(kink.cases)]
    return found


class _Settler:
    """Rewrites a formula without its kinks, under fixed guards."""

    def __init__(self, sign_of: SignOf, guards: tuple[Guard, ...]) -> None:
        self.sign_of = sign_of
        self.guards = guards
        self.known: dict[Expression, int] = {}
        for guard, relation in guards:
            self.known[guard] = self.known.get(guard, ANY) & RELATIONS[relation]
        self._memo: dict[Expression, Expression] = {}

    def settle(self, root: Expression) -> Expression:
        stack = [root]
        while stack:
            node = stack[-1]
            missing = [arg for arg in self._needed(node) if arg not in self._memo]
            if missing and node not in self._memo:
                stack.extend(reversed(missing))
                continue
            if node not in self._memo:
                self._memo[node] = self._value(node)
            stack.pop()
        return self._memo[root]

    def _needed(self, node: Expression) -> tuple[Expression, ...]:
        if not node.op.startswith("where"):
            return node.args
        a, b, u, v = node.args
        if a not in self._memo or b not in self._memo:
            return (a, b)
        return (u,) if self._holds(node) else (v,)

    def _holds(self, node: Expression) -> bool:
        relation = node.op[5:]
        a, b = self._memo[node.args[0]], self._memo[node.args[1]]
        guard = _difference(*((b, a) if relation[0] == "<" else (a, b)))
        if len(relation) == 1:
            return self._is(guard, (POSITIVE, NONPOSITIVE), (">", "<="))
        return self._is(guard, (NONNEGATIVE, NEGATIVE), (">=", "<"))

    def _is(self, guard: Expression, masks: tuple[int, int], cases: tuple[str, str]) -> bool:
        """Whether the guard's sign lies in the first mask; if neither is sure, the guard is open."""
        mask = self.known.get(guard, ANY)
        if mask not in (NEGATIVE, ZERO, POSITIVE):
            mask &= self.sign_of(guard, self.guards)
        for answer, states in zip((True, False), masks):
            if mask & ~states == 0:
                return answer
        raise _Open(guard, cases)

    def _pick(
        self, above: Expression, below: Expression, a: Expression, b: Expression
    ) -> Expression:
        """`a` where above ≥ below, else `b` (which are equal at a tie)."""
        first = self._is(_difference(above, below), (NONNEGATIVE, NONPOSITIVE), (">", "<="))
        return a if first else b

    def _value(self, node: Expression) -> Expression:
        if not node.args:
            return node
        if node.op.startswith("where"):
            return self._memo[node.args[2] if self._holds(node) else node.args[3]]
        args = [self._memo[arg] for arg in node.args]
        x = args[0]
        match node.op:
            case "relu":
                return self._pick(x, _ZERO, x, _ZERO)
            case "abs":
                return self._pick(x, _ZERO, x, -x)
            case "sign":
                return self._sign(x)
            case "clip":
                inner = self._pick(x, args[1], x, args[1])
                return self._pick(inner, args[2], args[2], inner)
            case "max":
                return reduce(lambda a, b: self._pick(a, b, a, b), args)
            case "min":
                return reduce(lambda a, b: self._pick(a, b, b, a), args)
        return call(node.op, *args)

    def _sign(self, x: Expression) -> Expression:
        if self._is(x, (POSITIVE, NONPOSITIVE), (">", "<=")):
            return number(1)
        return number(-1) if self._is(x, (NEGATIVE, ZERO), ("<", "=")) else _ZERO


def _difference(a: Expression, b: Expression) -> Expression:
    return a if b is _ZERO else a - b


def sign_on(domains: dict[str, Interval], values: dict[str, Expression]) -> SignOf:
    """The exact kernel's inference on a region: `values` write r and A in its variables."""

    def sign_of(tree: Expression, guards: tuple[Guard, ...]) -> int:
        mask = ANY

        def infer(scales: dict[str, Any]) -> dict[str, Any]:
            nonlocal mask
            signs = Signs(domains, scales)
            for guard, relation in guards:
                signs.learn(Resolver(signs).resolve(substitute(guard, values)), RELATIONS[relation])
            mask = signs.infer(Resolver(signs).resolve(substitute(tree, values)))
            return {}

        try:
            with_scales(infer)
        except Undecided:
            return ANY  # the domain of a part is not clear
        return mask

    return sign_of
