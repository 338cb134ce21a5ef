"""Mirror maps and ψ: what is shown of a formula in x, piece by piece and at the ends of its range.

x = e·exp(−s) tends to 0, and x = 1 − e·exp(−s) to 1, as s grows; h(s) is the formula there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

from symbolic.expression import Expression, call, number, symbol, terms
from verify.checker.algebra import Budget, Range, Unproved, short
from verify.checker.context import Context
from verify.checker.germs import Eventual, S
from verify.checker.pieces import Piece, X, follow, joined, pieces_of, with_lemmas
from verify.checker.proofs import as_node, formula, prove, value
from verify.checker.regions import Region, check_region, placed, regions
from verify.checker.resolve import resolve
from verify.checker.signs import NEGATIVE, NONNEGATIVE, POSITIVE

CONDITIONS = {
    "psi": ("defined", "increasing", "continuously_differentiable"),
    "mirror-map": (
        "defined", "increasing", "continuously_differentiable", "lower_limit", "integrable",
    ),
}  # fmt: skip
_S = symbol(S)
_RATIO_SIDES: dict[Range, tuple[str, ...]] = {
    Range(Fraction(0), Fraction(1)): ("r<1",),
    Range(Fraction(0), Fraction(1), True, False): ("r<1", "r=1"),
    Range(Fraction(0), None): ("r<1", "r=1", "r>1"),
}
"""Ranges of x on which log x may serve as the variable."""


class Potential:
    """A formula in x, with the ranges of all its symbols."""

    def __init__(self, tree: Expression, ranges: Mapping[str, Range], budget: Budget) -> None:
        self.tree = tree
        self.ranges = ranges
        self.where = ranges[X]
        self.budget = budget

    def defined(self, entry: Mapping[str, Any]) -> None:
        """Replay that the formula is defined everywhere, over log x or over x. Raises Unproved."""
        tree, sides = self.tree, tuple[str, ...]()
        if entry.get("chart") == "ratio":
            found = _RATIO_SIDES.get(self.where)
            if found is None:
                raise Unproved("log x does not serve as the variable on this range")
            tree, sides = placed(tree, {X: symbol("r")}), found
        for region in regions(tree, self.ranges, "defined", sides):
            check_region(region, "defined", _of(entry, region), self.budget, False)

    def everywhere(self, entry: Mapping[str, Any], smoothly: bool) -> None:
        """Replay that the formula climbs; `smoothly`: C¹ with a derivative > 0. Raises Unproved."""

        def visit(tree: Expression, base: Context, node: Mapping[str, Any]) -> None:
            pieces = pieces_of(base, tree, node, self.where)
            for piece, item in zip(pieces, node["pieces"], strict=True):
                piece.climbs(piece.closed if smoothly else piece.inside, item.get("proof"))
            joined(pieces, tree, self.where, smoothly)

        self._regions(entry, visit)

    def falls_to_minus_infinity(self, entry: Mapping[str, Any]) -> None:
        """Replay that the formula tends to −∞ as x → 0+. Raises Unproved.

        −dh/ds ≥ c·w(s) with c > 0 and ∫ w = ∞ shows it, for all s or for all small enough x.
        """

        def visit(tree: Expression, base: Context, node: Mapping[str, Any]) -> None:
            end = End(base, tree, node, self.where, at_zero=True)
            rate = _parameter(base, node, "rate")
            if base.mask(rate, POSITIVE) & ~POSITIVE:
                raise Unproved(f"the rate is not shown to be > 0: {short(rate)}")
            if end.near:
                end.insist(end.pace - rate, None)
                return
            weights = {"constant": number(1), "inverse": number(1) / (number(1) + _S)}
            weight = weights.get(str(node.get("weight")))
            if weight is None:
                raise Unproved("the weight is constant or inverse")
            end.insist(end.pace - rate * weight, node.get("proof"))

        self._regions(entry, visit)

    def integrable(self, entry: Mapping[str, Any]) -> None:
        """Replay that the integral of |f| over (0, 1) is finite. Raises Unproved.

        f is continuous on the pieces, so only the ends count: it is continuous up to an end, or
        k = ±dh/ds is >= 0 with dk/ds <= p·k, p < 1: then |h| e^(−s) is integrable.
        """
        closed = self.where.upper != 1 or not self.where.upper_open
        where = Range(Fraction(0), Fraction(1), True, not closed)

        def visit(tree: Expression, base: Context, node: Mapping[str, Any]) -> None:
            pieces = pieces_of(base, tree, node, where)
            _tame(pieces[0], tree, node.get("zero"), where, at_zero=True)
            if not closed:
                _tame(pieces[-1], tree, node.get("one"), where, at_zero=False)

        self._regions(entry, visit)

    def _regions(self, entry: Mapping[str, Any], visit: Any) -> None:
        """Visit the leaves at every combination of inner values and closed ends of the parameters."""
        inner = {**self.ranges, X: Range(self.where.lower, self.where.upper)}
        for region in regions(self.tree, inner, "defined"):
            box = {name: where for name, where in region.domains.items() if name != X}
            base = Context(box, (), self.budget)
            follow(base, _of(entry, region), partial(visit, region.tree))


def _of(entry: Mapping[str, Any], region: Region) -> object:
    proofs = as_node(entry.get("regions"), "'regions'")
    if region.key not in proofs:
        raise Unproved(f"the region '{region.key}' is missing")
    return proofs[region.key]


def _parameter(base: Context, node: Mapping[str, Any], key: str) -> Expression:
    """A formula in t and the parameters, defined for all of them."""
    found = formula(base, node, key)
    base.normal(found)
    return found


class End:
    """The formula as x tends to 0 or to 1, over s > 0 or, `near`, over all small enough distances."""

    def __init__(
        self, base: Context, tree: Expression, node: Mapping[str, Any], where: Range, at_zero: bool
    ) -> None:
        self.near = "near" in node
        if self.near:
            distance: Expression = _S
            box = Range(Fraction(0), Fraction(1))
            self.context: Context = Eventual({**base.domains, S: box}, base.facts, base.budget)
        else:
            below = value(node, "from")
            if not 0 < below <= 1 or (where.upper is not None and below > where.upper):
                raise Unproved("'from' lies outside the range of x")
            distance = number(below) * call("exp", -_S)
            self.context = base.moved({}, {**base.domains, S: Range(Fraction(0), None)})
            self.context = with_lemmas(self.context, node, "lemmas")
        x = distance if at_zero else number(1) - distance
        smooth = resolve(self.context, placed(tree, {X: x}))
        self.formula = self.context.simplified(smooth)

    @property
    def pace(self) -> Expression:
        """−dh/ds, for x or 1 − x = e^(−s)."""
        slope = self.context.slope(self.formula, S)
        return _S * slope if self.near else -slope

    def onwards(self, k: Expression) -> Expression:
        """dk/ds."""
        slope = self.context.slope(k, S)
        return -_S * slope if self.near else slope

    def insist(self, claim: Expression, proof: object) -> None:
        """claim >= 0 for all s, or, near the end, for all small distances. Raises Unproved."""
        if not self.near:
            prove(self.context, claim, NONNEGATIVE, proof)
        elif self.context.mask(claim, NONNEGATIVE) & NEGATIVE:
            raise Unproved(f"not shown to be >= 0 near the end: {short(claim)}")


def _tame(piece: Piece, tree: Expression, item: object, where: Range, at_zero: bool) -> None:
    """Insist that the formula, or each term of a sum, is integrable towards an open end of (0, 1)."""
    node = as_node(item, "an end")
    if "terms" in node:
        items, parts = node["terms"], terms(tree)
        if not isinstance(items, list) or not 2 <= len(items) == len(parts):
            raise Unproved(f"'terms' has one end for each of {len(parts)} terms")
        for part, each in zip(parts, items, strict=True):
            _tame(piece, part, each, where, at_zero)
        return
    if "closed" in node:
        low_open, high_open = piece.where.low_open, piece.where.high_open
        closure = replace(
            piece.where, low_open=low_open and not at_zero, high_open=high_open and at_zero
        )
        Piece(piece.base, tree, node, closure)
        return
    end = End(piece.base, tree, node, where, at_zero)
    power, sign = _parameter(piece.base, node, "power"), node.get("sign")
    if piece.base.mask(number(1) - power, POSITIVE) & ~POSITIVE:
        raise Unproved(f"the power is not shown to be < 1: {short(power)}")
    if sign not in ("+", "-"):
        raise Unproved("the sign is + or -")
    proofs = node.get("proofs", [None, None])
    if not isinstance(proofs, list) or len(proofs) != 2:
        raise Unproved("'proofs' has two proofs")
    k = end.pace if sign == "+" else -end.pace
    end.insist(k, proofs[0])
    end.insist(power * k - end.onwards(k), proofs[1])
