"""Exact points at r = 1 where f is not 0, jumps, or is not flat, from the cells whose proofs failed."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import islice

from verify.algebra.masks import NEGATIVE, POSITIVE
from verify.proof.cells import Attempt, Cell
from verify.proof.flat import Failure
from verify.proof.points import candidate_points, in_cell, nonzero_point, simple, value_at
from verify.report import Witness

_MAX_POINTS = 60
_SMALL_STEP = Fraction(1, 10**12)


def value_witness(attempt: Attempt) -> Witness | None:
    """A point with r = 1 and f != 0, if a failed cell has one."""
    for cell in attempt.failures:
        found = nonzero_point(cell.prover, cell.value)
        if found is not None:
            point, _, text = found
            return Witness(_original(cell, point), "value", text)
    return None


def slope_witness(failure: Failure) -> Witness | None:
    """An exact point where f jumps at r = 1, or where its one-sided slope is not 0."""
    region, prover = failure.cell.region, failure.cell.prover
    right = region.ratio == "r->1+"
    side = "right" if right else "left"
    jumped = None if failure.jump.is_zero else nonzero_point(prover, failure.jump)
    if jumped is not None:
        point, sign, _ = jumped
        rises = (sign == POSITIVE) == right
        return Witness(_original(failure.cell, point), "limit", "+inf" if rises else "-inf", side)
    if failure.slope is None:
        return _infinite_slope(failure, right, side)
    # dr/ds is +1 at r = 1 + s, -1 at r = 1 - s.
    k = prover.signs
    slope = failure.slope if right else k.sub(k.rational(0), failure.slope)
    found = nonzero_point(prover, slope)
    if found is None:
        return None
    point, _, text = found
    return Witness(_original(failure.cell, point), "derivative", text, side)


def _infinite_slope(failure: Failure, right: bool, side: str) -> Witness | None:
    """The slope is infinite in the whole cell; its sign is that of a small step."""
    prover = failure.cell.prover
    for point in islice(candidate_points(prover, failure.change), _MAX_POINTS):
        if not in_cell(prover.signs, point):
            continue
        sign, _ = value_at(prover.signs, failure.change, {**point, "_s": _SMALL_STEP})
        if sign in (POSITIVE, NEGATIVE):
            rises = (sign == POSITIVE) == right
            return Witness(
                _original(failure.cell, point), "derivative", "+inf" if rises else "-inf", side
            )
    return None


def _original(cell: Cell, point: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """A point of a cell at r = 1 in the formula's own variables; r and A always present."""
    region, point = cell.region, {**point, **cell.pins}
    out = {"r": Fraction(1), "A": Fraction(1)} | region.point
    for name, value in point.items():
        if name == "_a":
            out["A"] = -value if "A<0" in region.key.split(",") else value
        elif name != "_s":
            out[name] = value
    if "_a" in region.domains and "_a" not in point and "A<0" in region.key.split(","):
        out["A"] = Fraction(-1)
    for name, domain in region.domains.items():
        if name not in ("_a", "_s") and name not in out:
            # A guard on a variable alone is kept as its range in the cell, not as a fact.
            out[name] = next(simple(cell.prover.signs.domains.get(name, domain)))
    return out
