"""Proofs for one variable by enclosures: cut its range into pieces and bound each by a ball.

Near an end where the function vanishes the piece is proved by its derivatives; towards
infinity it is handed back to calculus. Everything in between is mean-value enclosures.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import arb

from symbolic.domains import Interval
from symbolic.expression import Expression
from verify.algebra.masks import NONNEGATIVE, POSITIVE, ZERO
from verify.algebra.polynomials import ONE_POLY, Quotient
from verify.balls.boxes import enclose, hull
from verify.proof.scatter import Scatter

if TYPE_CHECKING:
    from flint import fmpq_mpoly

    from verify.proof.prove import Prover

Proof = dict[str, Any]
_MAX_PIECES = 1500
_MAX_ORDER = 4
_MARGIN = arb(2)
"""The checker writes the slope in its own normal form, whose enclosure may be wider."""
_NEAR = (Fraction(1), Fraction(1, 4), Fraction(1, 16), Fraction(1, 64), Fraction(1, 512))
_FAR = (Fraction(2), Fraction(8), Fraction(24))


class Cover:
    """One polynomial in one variable, with its slopes as formulas."""

    def __init__(self, prover: Prover, poly: fmpq_mpoly, name: str, strict: bool) -> None:
        self.prover = prover
        self.name = name
        self.strict = strict
        self.value = Quotient(poly, ONE_POLY)
        signs = prover.signs
        self.slopes: list[Quotient] = [self.value]
        self.trees: list[Expression] = [signs.tree(self.value)]
        for _ in range(_MAX_ORDER):
            self.slopes.append(signs.slope(self.slopes[-1], name))
            self.trees.append(signs.tree(self.slopes[-1]))
        self.pieces = 0

    def prove(self, depth: int) -> Proof | None:
        """A proof on the variable's whole range, or None."""
        domain = self.prover.signs.domains[self.name]
        if domain.lower is None:
            return None
        touching = self._touching(domain)
        if touching is not None:
            return self._around(touching, domain, depth)
        if domain.upper is not None:
            return self._from_start(domain.lower, domain.upper)
        for far in _FAR:
            end = domain.lower + far
            if depth > 8:
                return None
            high = self._tail(end, depth)
            if high is not None:
                low = self._from_start(domain.lower, end)
                return low and {
                    "rule": "bisect", "in": self.name, "at": str(end), "low": low, "high": high,
                }  # fmt: skip
        return None

    def _touching(self, domain: Interval) -> Fraction | None:
        """A simple rational inside the range where the function is exactly 0."""
        if self.strict:
            return None
        points = np.sort(self.prover.scatter.points[self.name])
        slope = Scatter({self.name: points}).signs(self.prover.signs, self.slopes[1])
        turns = np.nonzero((slope[:-1] < 0) & (slope[1:] > 0))[0]
        for turn in turns[:3]:
            low, high = float(points[turn]), float(points[turn + 1])
            for _ in range(60):
                middle = (low + high) / 2
                sign = Scatter({self.name: np.array([middle])}).signs(
                    self.prover.signs, self.slopes[1]
                )[0]
                low, high = (middle, high) if sign < 0 else (low, middle)
            at = Fraction(low).limit_denominator(1000)
            if (
                at in domain
                and self.prover.signs.infer(self.prover.at(self.value, self.name, at)) == ZERO
            ):
                return at
        return None

    def _around(self, at: Fraction, domain: Interval, depth: int) -> Proof | None:
        halves = {
            "low": Interval(domain.lower, at, domain.lower_open, False),
            "high": Interval(at, domain.upper, False, domain.upper_open),
        }
        proofs: dict[str, Proof] = {}
        for half, interval in halves.items():
            proof = self.prover.on(self.name, interval, self.trees[0], self.strict, depth + 3)
            if proof is None:
                return None
            proofs[half] = proof
        return {"rule": "bisect", "in": self.name, "at": str(at), **proofs}

    def _tail(self, start: Fraction, depth: int) -> Proof | None:
        return self.prover.on(
            self.name, Interval(start, None, False, True), self.trees[0], self.strict, depth + 5
        )

    def _from_start(self, low: Fraction, high: Fraction) -> Proof | None:
        whole = self._middle(low, high, 0) if self._positive_at(low) else None
        if whole is not None:
            return whole
        for near in _NEAR:
            cut = min(low + near, high)
            first = self._near(low, cut)
            if first is None:
                continue
            if cut == high:
                return first
            rest = self._middle(cut, high, 0)
            return rest and {
                "rule": "bisect",
                "in": self.name,
                "at": str(cut),
                "low": first,
                "high": rest,
            }
        return None

    def _positive_at(self, point: Fraction) -> bool:
        return bool(
            enclose(self.trees[0], {self.name: hull(Interval(point, point, False, False))}) > 0
        )

    def _near(self, low: Fraction, high: Fraction) -> Proof | None:
        """F(low) = F'(low) = … = 0 and the next derivative is >= 0 on the whole piece."""
        box = {self.name: hull(Interval(low, high, False, False))}
        signs = self.prover.signs
        for order in range(1, _MAX_ORDER + 1):
            at_start = self.prover.at(self.slopes[order - 1], self.name, low)
            mask = signs.infer(at_start)
            if mask & ~NONNEGATIVE:
                return None
            if _good(enclose(self.trees[order], box), self.strict):
                proof: Proof = {"rule": "ball", "centred": False}
                for n in range(order, 0, -1):
                    proof = {
                        "rule": "monotone", "in": self.name, "direction": "up", "start": {"rule": "infer"},
                        "slope": {"of": str(self.trees[n]), "times": "1", "proof": proof},
                    }  # fmt: skip
                return proof
            if mask == POSITIVE and order == 1:
                return None
        return None

    def _middle(self, low: Fraction, high: Fraction, depth: int) -> Proof | None:
        self.pieces += 1
        if self.pieces > _MAX_PIECES or depth > 40 or not self.prover.budget.spend(0):
            return None
        ball = hull(Interval(low, high, False, False))
        if _good(enclose(self.trees[0], {self.name: ball}), self.strict):
            return {"rule": "ball", "centred": False}
        middle = arb(ball.mid())
        slope = enclose(self.trees[1], {self.name: ball})
        centred = enclose(self.trees[0], {self.name: middle}) + slope * (ball - middle) * _MARGIN
        if _good(centred, self.strict):
            return {"rule": "ball", "centred": True}
        if enclose(self.trees[0], {self.name: middle}) < 0:
            return None
        cut = (low + high) / 2
        first = self._middle(low, cut, depth + 1)
        second = first and self._middle(cut, high, depth + 1)
        return second and {
            "rule": "bisect",
            "in": self.name,
            "at": str(cut),
            "low": first,
            "high": second,
        }


def _good(ball: arb, strict: bool) -> bool:
    return bool(ball.is_finite() and (ball > 0 if strict else ball >= 0))
