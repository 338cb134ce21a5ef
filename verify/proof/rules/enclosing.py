"""Enclosures by balls: a cover for one variable, plain bisection where all ranges are bounded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flint import fmpq_mpoly

from symbolic.domains import Interval
from symbolic.expression import Expression
from verify.algebra.polynomials import ONE_POLY, Quotient
from verify.balls.boxes import enclose, hull
from verify.proof.rules.covers import Cover

if TYPE_CHECKING:
    from verify.proof.prove import Prover

Proof = dict[str, Any]
_MAX_CUTS = 9


def numeric(prover: Prover, poly: fmpq_mpoly, strict: bool, depth: int) -> Iterator[Proof | None]:
    """Enclosures: a cover for one variable, plain bisection where all ranges are bounded."""
    names = sorted(prover.signs.variables(Quotient(poly, ONE_POLY)))
    if len(names) == 1:
        if prover.tail:
            return
        yield Cover(prover, poly, names[0], strict).prove(depth)
    elif names and all(_bounded(prover.signs.domains[name]) for name in names):
        tree = prover.signs.poly_tree(poly)
        boxes = {name: prover.signs.domains[name] for name in names}
        yield _bisect(prover, tree, boxes, strict, _MAX_CUTS)


def _bisect(
    prover: Prover, tree: Expression, boxes: dict[str, Interval], strict: bool, cuts: int
) -> Proof | None:
    value = enclose(tree, {name: hull(box) for name, box in boxes.items()})
    if value.is_finite() and (value > 0 or (not strict and value >= 0)):
        return {"rule": "ball"}
    if not cuts or not prover.budget.spend():
        return None
    name = max(sorted(boxes), key=lambda n: (boxes[n].upper or 0) - (boxes[n].lower or 0))
    box = boxes[name]
    assert box.lower is not None and box.upper is not None
    at = (box.lower + box.upper) / 2
    low = _bisect(
        prover, tree, {**boxes, name: Interval(box.lower, at, False, False)}, strict, cuts - 1
    )
    high = low and _bisect(
        prover, tree, {**boxes, name: Interval(at, box.upper, False, False)}, strict, cuts - 1
    )
    return high and {"rule": "bisect", "in": name, "at": str(at), "low": low, "high": high}


def _bounded(box: Interval) -> bool:
    return box.lower is not None and box.upper is not None
