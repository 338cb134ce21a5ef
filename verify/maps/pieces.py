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
from symbolic.expression import Expression, number
from verify.algebra.masks import NEGATIVE, POSITIVE
from verify.algebra.polynomials import Quotient, as_fraction, coefficients, used
from verify.algebra.resolve import Resolver, Undecided, Undefined
from verify.algebra.signs import Signs
from verify.maps.charts import Chart, charts
from verify.maps.scopes import GIVES_UP, Cut, Node, Scope, Smooth, Stuck, smooth_on
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

    where: Interval
    chart: Chart
    node: Node
    formula: Expression
    slope: Expression | None


def cut_up(scope: Scope, where: Interval, goal: Goal) -> tuple[Node, list[Piece]] | None:
    """The node of a range in pieces, with the pieces; None if one of them fails.

    Raises Split where the formula hangs on a sign that t and the parameters decide.
    """
    cuts: list[Fraction] = []
    done: dict[tuple[Fraction | None, Fraction | None], Piece] = {}
    while len(cuts) <= _MAX_CUTS:
        ends = [where.lower, *cuts, where.upper]
        more: list[Fraction] = []
        for i, (low, high) in enumerate(pairwise(ends)):
            if (low, high) in done:
                continue
            part = Interval(
                low, high,
                where.lower_open if i == 0 else False,
                where.upper_open if i == len(cuts) else False,
            )  # fmt: skip
            piece, wanted = _piece(scope, part, goal)
            if piece is not None:
                done[low, high] = piece
            elif wanted:
                more += wanted
            else:
                return None
        if not more:
            pieces = [done[pair] for pair in pairwise(ends)]
            if not _meet(scope, pieces, where, goal):
                return None
            node = {"cuts": [str(cut) for cut in cuts], "pieces": [piece.node for piece in pieces]}
            return node, pieces
        cuts = sorted({*cuts, *more})
    return None


def _piece(scope: Scope, where: Interval, goal: Goal) -> tuple[Piece | None, list[Fraction]]:
    """A piece in the first chart that serves, or where to cut it."""
    cuts: list[Fraction] = []
    for chart in charts(where):
        try:
            found: list[Piece] = []

            def attempt(
                scales: dict[str, Fraction], chart: Chart = chart, found: list[Piece] = found
            ) -> Node:
                found[:] = [_in_chart(scope, scales, chart, where, goal)]
                return found[0].node

            if with_scales(attempt, scope.budget) is not None:
                return found[0], []
        except Cut as cut:
            cuts += [at for at in _roots(cut.guard, cut.signs) if _inside(at, where)]
            scope.met.extend(cuts)
            if cuts:
                break
        except GIVES_UP:
            continue
    if not cuts and where.lower == 0 and where.upper is None:
        cuts = [Fraction(1)]  # where the logarithm of x serves on either side
    return None, cuts


def _inside(at: Fraction, where: Interval) -> bool:
    assert where.lower is not None
    return where.lower < at and (where.upper is None or at < where.upper)


def _in_chart(
    scope: Scope, scales: dict[str, Fraction], chart: Chart, where: Interval, goal: Goal
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


def _roots(value: Quotient, signs: Signs) -> Iterator[Fraction]:
    """Rational zeros in x of the factors that have no other variable."""
    if value.is_zero:
        return
    for poly in (value.num, value.den):
        for factor, _ in poly.factor()[1]:
            at = _linear_root(factor, signs)
            if at is not None:
                yield at


def _linear_root(factor: fmpq_mpoly, signs: Signs) -> Fraction | None:
    present = used(factor)
    if len(present) != 1 or factor.total_degree() != 1:
        return None
    atom = signs.atoms[present[0]]
    if atom.kind != "variable" or atom.name != "x":
        return None
    parts = coefficients(factor, present[0])
    if 0 not in parts:
        return Fraction(0)
    return as_fraction((-parts[0] / parts[1]).leading_coefficient())


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
    at = before.where.upper if before else after.where.lower if after else None
    assert at is not None
    middle = smooth_on(prover, placed(tree, {"x": number(at)}))
    if middle.lemmas:
        return False
    slopes = []
    for piece, sign in ((before, 1), (after, -1)):
        if piece is None:
            continue
        end = {piece.chart.variable: number(at if piece.chart.name == "x" else 0)}
        value = Resolver(signs).resolve(placed(piece.formula, end))
        gap = signs.mul(signs.sub(middle.value, value), signs.rational(sign))
        if not gap.is_zero and (goal is Goal.SMOOTH or signs.infer(gap) & NEGATIVE):
            return False
        if goal is Goal.SMOOTH:
            assert piece.slope is not None
            slope = Resolver(signs).resolve(placed(piece.slope, end))
            slopes.append(signs.mul(slope, signs.rational(1 / piece.chart.rate)))
    return len(slopes) < 2 or signs.sub(*slopes).is_zero
