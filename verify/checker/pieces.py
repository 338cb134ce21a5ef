"""A formula in x cut into smooth pieces, each written in a chart of its own.

At the cuts the pieces are closed: their formulas are shown to be defined, hence continuous, up to
there. Nothing else about x is split on, so that at every value of t and of the parameters the whole
range is cut in finitely many places.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

from symbolic.expression import Expression, call, constant_value, number, symbol
from verify.checker.algebra import Range, Unproved, short
from verify.checker.context import Context
from verify.checker.germs import S
from verify.checker.proofs import (
    RELATIONS,
    as_node,
    cases,
    formula,
    halves,
    prove,
    relation_of,
    variable,
)
from verify.checker.regions import placed
from verify.checker.resolve import resolve
from verify.checker.signs import NEGATIVE, POSITIVE

X = "x"
_S = symbol(S)


def follow(
    context: Context, item: object, visit: Callable[[Context, Mapping[str, Any]], None]
) -> None:
    """Visit the leaves under splits by t and the parameters; the context does not know x."""
    node = as_node(item, "a node")
    context.budget.spend(5)
    if "split" in node:
        guard = formula(context, node, "split")
        for relation in cases(node):
            follow(context.under(guard, RELATIONS[relation]), node[relation], visit)
    elif "bisect" in node:
        name = variable(context, {"in": node["bisect"]})
        for part, half in halves(context, name, node):
            follow(half, node.get(part), visit)
    else:
        visit(context, node)


@dataclass(frozen=True)
class Segment:
    """Part of the range of x, between formulas in t and the parameters; `high` None: unbounded."""

    low: Expression
    high: Expression | None
    low_open: bool
    high_open: bool

    @property
    def numbers(self) -> tuple[Fraction | None, Fraction | None]:
        """The ends that are rational numbers."""
        return constant_value(self.low), None if self.high is None else constant_value(self.high)


class Piece:
    """The formula on one piece of the range of x: smooth inside, and up to the ends that are closed."""

    def __init__(self, base: Context, tree: Expression, item: object, where: Segment) -> None:
        node = as_node(item, "a piece")
        self.base = base
        self.where = where
        chart = _chart(node.get("chart"), where)
        self.name, x, self.box, self.rising, self._rate, self._ends = chart
        inside = replace(self.box, lower_open=True, upper_open=True)
        self.inside = with_lemmas(_over(base, self.name, inside), node, "lemmas")
        smooth = resolve(self.inside, placed(tree, {X: x}))
        self.formula = self.inside.simplified(smooth)
        self.closed = with_lemmas(_over(base, self.name, self.box), node, "closing")
        self.closed.normal(self.formula)

    def climbs(self, context: Context, proof: object) -> None:
        """Insist on a derivative > 0 in x at every point of `context`, this piece open or closed."""
        slope = context.slope(self.formula, self.name)
        prove(context, slope if self.rising else -slope, RELATIONS[">"], proof)

    def value_at(self, upper: bool) -> Expression:
        """The formula at an end that is closed, in t and the parameters."""
        return placed(self.formula, self._end(upper))

    def slope_at(self, upper: bool) -> Expression:
        """The derivative in x at an end that is closed."""
        slope = self.closed.slope(self.formula, self.name)
        return placed(slope, self._end(upper)) / self._rate

    def _end(self, upper: bool) -> dict[str, Expression]:
        return {self.name: number(self._ends[upper])}


def _over(base: Context, name: str, where: Range) -> Context:
    return base.moved({}, {**base.domains, name: where})


def _chart(
    name: object, where: Segment
) -> tuple[str, Expression, Range, bool, Expression, tuple[Fraction, Fraction]]:
    """The variable, x in it, its range, whether x rises with it, dx/ds at its ends, and the ends.

    Of a range without end only the end 0 may be closed.
    """
    low, high = where.numbers
    a, b, shrinking = where.low, where.high, call("exp", -_S)
    nought, unit, at_zero = Fraction(0), Fraction(1), (Fraction(0), Fraction(0))
    from_low, from_high = Range(nought, None, where.low_open), Range(nought, None, where.high_open)
    if name == "x" and low is not None and (b is None or high is not None):
        box = Range(low, high, where.low_open, where.high_open)
        return X, symbol(X), box, True, number(1), (low, high or nought)
    if name == "down" and low == 0 and where.low_open and b is not None:
        return S, b * shrinking, from_high, False, -b, at_zero
    if name == "up" and low is not None and low > 0 and b is None:
        return S, a * call("exp", _S), from_low, True, a, at_zero
    if name == "top" and b is not None and where.high_open:
        return S, b - (b - a) * shrinking, from_low, True, b - a, at_zero
    if name == "beyond" and b is None:
        return S, a + _S, from_low, True, number(1), at_zero
    if name == "between" and b is not None:
        box = Range(nought, unit, where.low_open, where.high_open)
        return S, a + (b - a) * _S, box, True, b - a, (nought, unit)
    raise Unproved(f"the chart {name!r:.20} does not fit this piece")


def with_lemmas(context: Context, node: Mapping[str, Any], key: str) -> Context:
    """The context with what is shown there first: signs of guards and of arguments."""
    lemmas = node.get(key, [])
    if not isinstance(lemmas, list):
        raise Unproved(f"'{key}' is a list")
    for item in lemmas:
        lemma = as_node(item, "a lemma")
        claim, mask = formula(context, lemma, "of"), relation_of(lemma)
        prove(context, claim, mask, lemma.get("proof"))
        context = context.under(claim, mask)
    return context


def pieces_of(
    base: Context, tree: Expression, node: Mapping[str, Any], where: Range
) -> list[Piece]:
    """The pieces of a range, from its cuts: formulas in t and the parameters, in order."""
    cuts, items = node.get("cuts"), node.get("pieces")
    if not isinstance(cuts, list) or not isinstance(items, list) or len(items) != len(cuts) + 1:
        raise Unproved("'cuts' and 'pieces' do not belong together")
    assert where.lower is not None
    last = None if where.upper is None else number(where.upper)
    ends = [number(where.lower), *(formula(base, {"cut": cut}, "cut") for cut in cuts), last]
    found = []
    for i, item in enumerate(items):
        low, high = ends[i], ends[i + 1]
        assert low is not None
        if high is not None and base.mask(high - low, POSITIVE) & ~POSITIVE:
            raise Unproved("the cuts are not shown to be in order")
        low_open = where.lower_open if i == 0 else False
        high_open = where.upper_open if i == len(cuts) else False
        found.append(Piece(base, tree, item, Segment(low, high, low_open, high_open)))
    return found


def joined(pieces: list[Piece], tree: Expression, where: Range, smoothly: bool) -> None:
    """Insist that the formula does not fall where pieces meet; `smoothly`: that it is C¹ there.

    The ends of the range that belong to it are such places, with one piece.
    """
    places: list[tuple[Piece | None, Piece | None]] = [*pairwise(pieces)]
    if not where.lower_open:
        places.append((None, pieces[0]))
    if not where.upper_open:
        places.append((pieces[-1], None))
    for before, after in places:
        _meet(before, after, tree, smoothly)


def _meet(before: Piece | None, after: Piece | None, tree: Expression, smoothly: bool) -> None:
    known = before or after
    assert known is not None
    base = known.base
    at = before.where.high if before else known.where.low
    assert at is not None
    middle = resolve(base, placed(tree, {X: at}))
    ends = [(piece, piece is before) for piece in (before, after) if piece]
    for piece, below in ends:
        found = piece.value_at(below)
        gap = middle - found if below else found - middle
        if base.vanishes(gap):
            continue
        if smoothly or base.mask(gap) & NEGATIVE:
            raise Unproved(f"a jump at x = {at} is not excluded: {short(gap)}")
    if smoothly and len(ends) == 2:
        slopes = [piece.slope_at(below) for piece, below in ends]
        bend = slopes[0] - slopes[1]
        if not base.vanishes(bend):
            raise Unproved(f"a kink at x = {at} is not excluded: {short(bend)}")
