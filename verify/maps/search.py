"""Where a mirror map may fail: values of t and the parameters, and of x, worth an exact look.

Floating point proposes; what counts is decided exactly by `witnesses`.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice, product

import numpy as np

from symbolic.derivative import derivative
from symbolic.domains import Interval
from symbolic.drift import Drift
from symbolic.expression import Expression, Number, constant_value, postorder
from symbolic.numeric import evaluate
from verify.maps.pieces import Goal, cut_up
from verify.maps.scopes import Scope, Split
from verify.maps.witnesses import Found, at_point, bound
from verify.proof.points import simple
from verify.proof.prove import Budget

_CHOICES = 36
_LOOKS = 12
"""Exact looks for one choice of the parameters."""
_STEPS = 80
_EDGE = 40
"""The grid goes to within e^(−40) of the ends."""
_FAR = 320
"""Towards 0 it goes on to e^(−320): maps are cut off there, and x is asked for there."""
_BESIDE = (Fraction(1, 1000), Fraction(1, 10**6))
_POINTS = 1201
_DENOMINATORS = (10, 100, 1000, 10**5, 10**8, 10**12)
SIDES = ("left", "right")


def choices(drift: Drift) -> Iterator[dict[str, Fraction]]:
    """Values of t and the parameters: closed ends, simple numbers, and what is next to open ends."""
    formula = drift.formula
    names = sorted(formula.symbols - {"x"})
    axes = []
    for name in names:
        domain = drift.domain(name)
        if domain.value is not None:
            axes.append([domain.value])
            continue
        ends = [end for end in (domain.upper, domain.lower) if end is not None and end in domain]
        literals = [v for v in _literals(formula) if v in domain]
        inner = [*islice(simple(domain), 4), *literals[:3], *_beside_open_ends(domain)]
        axes.append(list(dict.fromkeys([*ends, *inner])))
    for values in islice(product(*axes), _CHOICES):
        yield dict(zip(names, values, strict=True))


def _beside_open_ends(domain: Interval) -> Iterator[Fraction]:
    """Values by which a range misses its open ends."""
    for end, is_open, inwards in (
        (domain.lower, domain.lower_open, 1), (domain.upper, domain.upper_open, -1),
    ):  # fmt: skip
        if end is not None and is_open:
            near = (end + inwards * share * max(abs(end), Fraction(1)) for share in _BESIDE)
            yield from (at for at in near if at in domain)


def rough_places(drift: Drift) -> Iterator[dict[str, Found]]:
    """The derivatives by side at points where the formula has a kink or may not climb."""
    where = drift.domain("x")
    for values in choices(drift):
        for at in islice(_places(bound(drift, values), where), _LOOKS):
            sides = [side for side, end in zip(SIDES, (where.lower, where.upper)) if at != end]
            found = {side: at_point(drift, {"x": at, **values}, side) for side in sides}
            yield {side: one for side, one in found.items() if one is not None}


def _places(tree: Expression, where: Interval) -> Iterator[Fraction]:
    """Values of x: kinks and zeros of the slope first, then where floats see it fall or flat."""
    scope = Scope(tree, {}, (), Budget(_STEPS))
    try:
        cut_up(scope, where, Goal.CLIMBS)
    except Split:
        pass
    special = [at for at in dict.fromkeys([*scope.met, *_literals(tree)]) if _interior(at, where)]
    falling = list(islice(_falling(tree, where), 4))
    yield from dict.fromkeys([*scope.met, *falling, *special])


def _interior(at: Fraction, where: Interval) -> bool:
    return at in where and at != where.lower


def _falling(tree: Expression, where: Interval) -> Iterator[Fraction]:
    """Simple fractions at which the slope is not positive in floating point."""
    grid = _grid(where)
    with np.errstate(all="ignore"):
        slopes = {side: _slope(tree, grid, side) for side in (1, -1)}
        levels = np.broadcast_to(evaluate(tree, {"x": grid}), grid.shape)
        steps = np.diff(levels)
        scale = np.maximum.reduce([np.abs(levels[1:]), np.abs(levels[:-1])]) + 1e-300
    for slope in slopes.values():
        for rows in (np.flatnonzero(slope < 0), np.flatnonzero(slope == 0)):
            if not len(rows):
                continue
            middle = np.argmin(np.abs(grid[rows] - 0.5))  # 1/2 is the simplest of all
            for row in (rows[middle], rows[0], rows[-1]):
                yield _simplest(tree, float(grid[row]), where, slope[row] < 0)
    for row in np.flatnonzero(steps < -1e-9 * scale)[:2]:
        yield _simplest(tree, float(grid[row]), where, False)


def _slope(tree: Expression, grid: np.ndarray, side: int) -> np.ndarray:
    found = evaluate(derivative(tree, "x", side), {"x": grid})
    return np.broadcast_to(np.asarray(found, dtype=float), grid.shape)


def _simplest(tree: Expression, at: float, where: Interval, negative: bool) -> Fraction:
    """A short fraction near a float where the slope still has its sign."""
    exact = Fraction(at)
    for denominator in _DENOMINATORS:
        short = exact.limit_denominator(denominator)
        if short not in where or not _interior(short, where):
            continue
        with np.errstate(all="ignore"):
            slope = float(_slope(tree, np.array([float(short)]), 1)[0])
        if slope < 0 if negative else slope <= 0:
            return short
    return exact


def _grid(where: Interval) -> np.ndarray:
    low = float(where.lower or 0)
    if where.upper is None:
        tail = np.linspace(-_EDGE, _EDGE, _POINTS)
        return low + np.exp(tail)
    width = float(where.upper) - low
    near = 1 / (1 + np.exp(-np.linspace(-_EDGE, 34, _POINTS)))
    far = np.exp(-np.arange(_EDGE, _FAR, 5.0))
    inner = np.linspace(0, 1, _POINTS + 2)[1:-1]
    grid = low + width * np.unique(np.concatenate([far, near, inner]))
    return grid[(grid > low) & (grid < float(where.upper))]


def _literals(tree: Expression) -> list[Fraction]:
    """Numbers of a formula, its constant quotients included."""
    found: dict[Fraction, None] = {}
    for node in postorder(tree):
        if isinstance(node, Number):
            found[node.value] = None
        elif node.op in ("div", "neg", "sub", "add"):
            value = constant_value(node)
            if value is not None:
                found[value] = None
    return list(found)
