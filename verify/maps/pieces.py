"""Cuts the range of x at kinks, writes each piece as a smooth formula, and proves that it climbs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import partial
from itertools import pairwise

from flint import fmpq_mpoly

from symbolic.domains import Interval
from symbolic.expression import Expression, call, constant_value, number, substitute
from verify.algebra.masks import ANY, NEGATIVE, NONPOSITIVE, POSITIVE
from verify.algebra.polynomials import ONE_POLY, Quotient, as_fraction, coefficients
from verify.algebra.resolve import Resolver, Undecided, Undefined
from verify.algebra.signs import Signs
from verify.maps.charts import Chart, Segment, charts
from verify.maps.scopes import GIVES_UP, Cut, Node, Scope, Smooth, Split, Stuck, smooth_on
from verify.proof.prove import Prover, with_scales
from verify.proof.regions import placed

_MAX_CUTS = 8


class Goal(StrEnum):
    """What is wanted of the pieces."""

    CONTINUOUS = "continuous pieces"
    CLIMBS = "increasing"
    SMOOTH = "continuously differentiable with a derivative > 0"


@dataclass(frozen=True)
class Piece:
    """A piece that is done: its node, and its formula in the chart's variable."""

    where: Segment
    chart: Chart
    node: Node
    formula: Expression
    slope: Expression | None


def cut_up(scope: Scope, where: Interval, goal: Goal) -> tuple[Node, list[Piece]] | None:
    """The node of a range in pieces, with the pieces; None if one of them fails.

    Raises Split where the formula, or the place of a kink, hangs on a sign that t and the parameters
    decide.
    """
    whole = Segment.of(where)
    cuts: list[Expression] = []
    done: dict[tuple[Expression, Expression | None], Piece] = {}
    while len(cuts) <= _MAX_CUTS:
        pieces: list[Piece] = []
        for i, (low, high) in enumerate(pairwise([whole.low, *cuts, whole.high])):
            assert low is not None
            low_open = whole.low_open if i == 0 else False
            high_open = whole.high_open if i == len(cuts) else False
            found: Piece | Expression | None = done.get((low, high))
            if found is None:
                found = _piece(scope, Segment(low, high, low_open, high_open), goal)
            if found is None:
                return None
            if isinstance(found, Expression):
                cuts.insert(i, found)
                break
            done[low, high] = found
            pieces.append(found)
        else:
            if not _meet(scope, pieces, where, goal):
                return None
            node = {"cuts": [str(cut) for cut in cuts], "pieces": [piece.node for piece in pieces]}
            return node, pieces
    return None


def _piece(scope: Scope, where: Segment, goal: Goal) -> Piece | Expression | None:
    """A piece in the first chart that serves, or where to cut it."""
    for chart in charts(where):
        try:
            found: list[Piece] = []

            def attempt(
                scales: dict[str, Fraction], chart: Chart = chart, found: list[Piece] = found
            ) -> Node:
                found[:] = [_in_chart(scope, scales, chart, where, goal)]
                return found[0].node

            if with_scales(attempt, scope.budget) is not None:
                return found[0]
        except Cut as cut:
            for at in _roots(cut.guard, cut.signs, chart):
                if _inside(scope, at, where):
                    plain = constant_value(at)
                    scope.met.extend([] if plain is None else [plain])
                    return at
        except GIVES_UP:
            continue
    if where.high is None and where.numbers[0] == 0:
        return number(1)  # where the logarithm of x serves on either side
    return None


def _inside(scope: Scope, at: Expression, where: Segment) -> bool:
    """Whether a place lies inside a segment; raises Split where t and the parameters decide."""
    gaps = [at - where.low, *([] if where.high is None else [where.high - at])]
    for gap in gaps:
        mask = _sign(scope, gap)
        if not mask & POSITIVE:
            return False
        if mask != POSITIVE:
            raise Split(gap, (POSITIVE, NONPOSITIVE))
    return True


def _sign(scope: Scope, tree: Expression) -> int:
    found = ANY

    def attempt(scales: dict[str, Fraction]) -> Node:
        nonlocal found
        prover = scope.prover(scales)
        found = prover.signs.infer(smooth_on(prover, tree).value)
        return {}

    try:
        with_scales(attempt, scope.budget)
    except GIVES_UP:
        return 0
    return found


def _in_chart(
    scope: Scope, scales: dict[str, Fraction], chart: Chart, where: Segment, goal: Goal
) -> Piece:
    prover = scope.prover(scales, chart.variable, chart.inside)
    smooth = smooth_on(prover, placed(scope.tree, {"x": chart.x}), chart.variable)
    formula = smooth.prover.signs.tree(smooth.value)
    node: Node = {"chart": chart.name}
    if smooth.lemmas:
        node["lemmas"] = smooth.lemmas
    closed = smooth
    if chart.where != chart.inside:
        closed = smooth_on(scope.prover(scales, chart.variable, chart.where), formula)
        if closed.lemmas:
            node["closing"] = closed.lemmas
    slope = None
    if goal is not Goal.CONTINUOUS:
        judged = closed if goal is Goal.SMOOTH else smooth
        climb = _climb(judged, chart)
        proof = judged.prover.prove(climb, POSITIVE)
        if proof is None:
            if goal is Goal.CLIMBS:
                raise Cut(climb, judged.prover.signs)
            raise Stuck
        node["proof"] = proof
    if goal is Goal.SMOOTH:
        slope = closed.prover.signs.tree(closed.prover.signs.slope(closed.value, chart.variable))
    return Piece(where, chart, node, formula, slope)


def _climb(smooth: Smooth, chart: Chart) -> Quotient:
    """The derivative in the chart's variable, in the direction in which x grows."""
    signs = smooth.prover.signs
    slope = signs.slope(smooth.value, chart.variable)
    return slope if chart.rising else signs.sub(signs.rational(0), slope)


def _roots(value: Quotient, signs: Signs, chart: Chart) -> Iterator[Expression]:
    """Values of x, free of x, at which a factor vanishes that is linear in the chart's variable."""
    if value.is_zero:
        return
    for poly in (value.num, value.den):
        for factor, _ in poly.factor()[1]:
            at = _root(factor, signs, chart.variable)
            if at is not None:
                x = substitute(chart.x, {chart.variable: at})
                plain = constant_value(x)
                yield x if plain is None else number(plain)


def _root(factor: fmpq_mpoly, signs: Signs, variable: str) -> Expression | None:
    index = signs.variable(variable)
    parts = coefficients(factor, index)
    free = [Quotient(part, ONE_POLY) for part in parts.values()]
    if any(signs.depends(part, variable) for part in free):
        return None
    bottom = parts.get(max(parts))
    if set(parts) <= {0, 1} and 1 in parts and bottom is not None:
        if signs.strict(bottom) is None:
            return None
        return signs.tree(signs.quotient(-parts.get(0, bottom * 0), bottom))
    if set(parts) == {0, 2} and all(part.is_constant() for part in parts.values()):
        square = as_fraction((-parts[0] / parts[2]).leading_coefficient())
        return call("sqrt", number(square)) if square > 0 else None
    return None


# Where pieces meet ------------------------------------------------------------------------


def _meet(scope: Scope, pieces: list[Piece], where: Interval, goal: Goal) -> bool:
    """Whether the pieces fit together at the cuts and at the ends that belong to the range."""
    if goal is Goal.CONTINUOUS:
        return True
    places: list[tuple[Piece | None, Piece | None]] = [*pairwise(pieces)]
    if not where.lower_open:
        places.append((None, pieces[0]))
    if not where.upper_open:
        places.append((pieces[-1], None))

    def attempt(
        scales: dict[str, Fraction], before: Piece | None, after: Piece | None
    ) -> Node | None:
        return {} if _fits(scope.prover(scales), scope.tree, before, after, goal) else None

    for before, after in places:
        try:
            if with_scales(partial(attempt, before=before, after=after), scope.budget) is None:
                return False
        except (*GIVES_UP, Undecided, Undefined):
            return False
    return True


def _fits(
    prover: Prover, tree: Expression, before: Piece | None, after: Piece | None, goal: Goal
) -> bool:
    signs = prover.signs
    at = before.where.high if before else after.where.low if after else None
    assert at is not None
    middle = smooth_on(prover, placed(tree, {"x": at}))
    if middle.lemmas:
        return False
    slopes = []
    for piece, sign in ((before, 1), (after, -1)):
        if piece is None:
            continue
        end = {piece.chart.variable: number(piece.chart.ends[piece is before])}
        value = Resolver(signs).resolve(placed(piece.formula, end))
        gap = signs.mul(signs.sub(middle.value, value), signs.rational(sign))
        if not gap.is_zero and (goal is Goal.SMOOTH or signs.infer(gap) & NEGATIVE):
            return False
        if goal is Goal.SMOOTH:
            assert piece.slope is not None
            slope = Resolver(signs).resolve(placed(piece.slope, end))
            slopes.append(signs.div(slope, Resolver(signs).resolve(piece.chart.rate)))
    return len(slopes) < 2 or signs.sub(*slopes).is_zero
