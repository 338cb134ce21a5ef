"""Proofs for one variable by Taylor models: cut its range into pieces and enclose each.

Where the function vanishes at an end of the range, exact Taylor coefficients prove the piece
beside that end; towards infinity the proof is handed back to calculus.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import arb, ctx

from symbolic.domains import Interval
from verify.algebra.expansions import Expansions, NoExpansion
from verify.algebra.jets import Jets
from verify.algebra.masks import ZERO
from verify.algebra.polynomials import ONE_POLY, Quotient
from verify.algebra.resolve import NoLimit
from verify.balls.boxes import hull
from verify.balls.points import ball
from verify.balls.series import taylor
from verify.proof.scatter import Scatter

if TYPE_CHECKING:
    from flint import fmpq_mpoly

    from verify.proof.prove import Prover

Proof = dict[str, Any]
_MAX_PIECES = 400
_MAX_LENGTH = 10
"""Terms of an expansion at an end where the function may vanish."""
_ORDER = 6
"""Terms of the models in between."""
_HALVINGS = 40
_TAIL_STEPS = 25
_FAR = (Fraction(3), Fraction(12), Fraction(48))


class Cover:
    """One polynomial in one variable."""

    def __init__(self, prover: Prover, poly: fmpq_mpoly, name: str, strict: bool) -> None:
        self.prover = prover
        self.name = name
        self.strict = strict
        self.poly = poly
        self.tree = prover.signs.poly_tree(poly)

    def prove(self, depth: int) -> Proof | None:
        """A proof on the variable's whole range, or None."""
        domain = self.prover.signs.domains[self.name]
        if domain.lower is None:
            return None
        touching = self._touching(domain)
        if touching is not None:
            return self._around(touching, domain, depth)
        if domain.upper is not None:
            return self._between(domain)
        return self._with_tail(domain, depth)

    def _with_tail(self, domain: Interval, depth: int) -> Proof | None:
        """A cover as far as calculus needs it, calculus from there."""
        low = domain.lower
        assert low is not None
        start = self._start(low, low + _FAR[0], domain.lower_open, 1)
        if start is None:
            return None
        order, at = start
        cuts: list[Fraction] = [at] * (at != low)
        end = next((low + far for far in _FAR if self._positive_beyond(low + far)), None)
        if end is not None:
            found = self._scan(at, end)
            return None if found is None else self._cover([*cuts, *found, end], [order, 0])
        for far in _FAR:
            found = self._scan(at, low + far)
            if found is None:
                return None
            at, cuts = low + far, cuts + found
            high = self._followed(at, depth)
            if high is not None:
                return {
                    "rule": "bisect", "in": self.name, "at": str(at),
                    "low": self._cover(cuts, [order, 0]), "high": high,
                }  # fmt: skip
            cuts.append(at)
        return None

    def _touching(self, domain: Interval) -> Fraction | None:
        """A simple rational inside the range where the function is exactly 0."""
        if self.strict:
            return None
        value = Quotient(self.poly, ONE_POLY)
        slope = self.prover.signs.slope(value, self.name)
        points = np.sort(self.prover.scatter.points[self.name])
        signs = Scatter({self.name: points}).signs(self.prover.signs, slope)
        turns = np.nonzero((signs[:-1] < 0) & (signs[1:] > 0))[0]
        for turn in turns[:3]:
            low, high = float(points[turn]), float(points[turn + 1])
            for _ in range(60):
                middle = (low + high) / 2
                sign = Scatter({self.name: np.array([middle])}).signs(self.prover.signs, slope)[0]
                low, high = (middle, high) if sign < 0 else (low, middle)
            at = Fraction(low).limit_denominator(1000)
            if at in domain and at not in (domain.lower, domain.upper):
                if self.prover.signs.infer(self.prover.at(value, self.name, at)) == ZERO:
                    return at
        return None

    def _around(self, at: Fraction, domain: Interval, depth: int) -> Proof | None:
        halves = {
            "low": Interval(domain.lower, at, domain.lower_open, False),
            "high": Interval(at, domain.upper, False, domain.upper_open),
        }
        proofs: dict[str, Proof] = {}
        for half, interval in halves.items():
            proof = self.prover.on(self.name, interval, self.tree, self.strict, depth + 3)
            if proof is None:
                return None
            proofs[half] = proof
        return {"rule": "bisect", "in": self.name, "at": str(at), **proofs}

    def _positive_beyond(self, start: Fraction) -> bool:
        """Whether an expansion for large values shows f > 0 from there on."""
        if not self.prover.budget.spend(_TAIL_STEPS // 5):
            return False
        try:
            return Expansions(self.prover.signs, self.name, start).positive(self.poly)
        except (NoExpansion, ZeroDivisionError):
            return False

    def _followed(self, start: Fraction, depth: int) -> Proof | None:
        """A proof by calculus from there on."""
        beyond = Interval(start, None, False, True)
        with self.prover.budget.at_most(_TAIL_STEPS):
            return self.prover.on(self.name, beyond, self.tree, self.strict, depth + 2, tail=True)

    # Between two ends ---------------------------------------------------------------------

    def _between(self, domain: Interval) -> Proof | None:
        """A cover of a bounded range."""
        low, high = domain.lower, domain.upper
        assert low is not None and high is not None
        first = self._start(low, high, domain.lower_open, 1)
        last = first and self._start(high, first[1], domain.upper_open, -1)
        if first is None or last is None:
            return None
        inner = self._scan(first[1], last[1])
        if inner is None:
            return None
        cuts = (
            [first[1]] * (low < first[1] < high) + inner + [last[1]] * (first[1] < last[1] < high)
        )
        return self._cover(cuts, [first[0], last[0]])

    def _cover(self, cuts: list[Fraction], orders: list[int]) -> Proof:
        return {
            "rule": "cover", "in": self.name, "cuts": [str(cut) for cut in dict.fromkeys(cuts)],
            "order": _ORDER, "ends": orders,
        }  # fmt: skip

    def _start(
        self, end: Fraction, other: Fraction, is_open: bool, inwards: int
    ) -> tuple[int, Fraction] | None:
        """(order of the zero at an end, where the piece beside that end stops), or None."""
        order = self._order_at(end, inwards)
        if order is None or (order and self.strict and not is_open):
            return None
        if not order or end == other:
            return 0, end
        width = self._near(end, other - end, order)
        return None if width is None else (order, end + width)

    def _order_at(self, end: Fraction, inwards: int) -> int | None:
        """How many Taylor coefficients vanish at an end; None if that is not shown or f < 0 beside it."""
        with ctx.workprec(256):
            found = taylor(self.tree, self.name, ball(end), {}, _MAX_LENGTH)
        if found is None:
            return None
        if found[0] > 0:
            return 0
        order = next((n for n, c in enumerate(found) if c > 0 or c < 0), None)
        if not order or found[order] * inwards**order < 0:
            return None
        try:
            exact = Jets(self.prover.signs, self.name, end, order).of(self.poly)
        except (NoLimit, ZeroDivisionError):
            return None
        return order if all(self.prover.signs.infer(c) == ZERO for c in exact) else None

    def _near(self, end: Fraction, width: Fraction, order: int) -> Fraction | None:
        """A signed width: on that side of the end the coefficient of h**order keeps its sign."""
        direction = -1 if width < 0 and order % 2 else 1
        for _ in range(_HALVINGS):
            if not self.prover.budget.spend(0):
                return None
            piece = _piece(end, end + width)
            found = taylor(self.tree, self.name, piece, {}, order + 1)
            if found is not None and found[order] * direction > 0:
                return width
            width /= 2
        return None

    def _scan(self, low: Fraction, high: Fraction) -> list[Fraction] | None:
        """Cuts between `low` and `high` such that a model shows f > 0 on every piece."""
        cuts: list[Fraction] = []
        at, width = low, high - low
        for _ in range(_MAX_PIECES):
            if at >= high:
                return cuts
            if not self.prover.budget.spend(0):
                return None
            to = min(at + width, high)
            shown = self._positive(at, to)
            if shown:
                at = to
                cuts += [at] * (at < high)
                width *= 2
            elif shown is None or width < (high - low) / 2**_HALVINGS:
                return None
            else:
                width /= 2
        return None

    def _positive(self, low: Fraction, high: Fraction) -> bool | None:
        """Whether a Taylor model around the middle shows f > 0; None if f is not positive there."""
        middle, whole = ball((low + high) / 2), _piece(low, high)
        model = taylor(self.tree, self.name, middle, {}, _ORDER)
        if model is None:
            return False
        if not model[0] > 0:
            if model[0] < 0:
                self.prover.budget.suspects.append({self.name: float((low + high) / 2)})
            return None
        rest = taylor(self.tree, self.name, whole, {}, _ORDER + 1)
        if rest is None:
            return False
        return bool(model_ball([*model, rest[_ORDER]], whole - middle) > 0)


def model_ball(coefficients: list[arb], step: arb) -> arb:
    """The sum of c_n·h**n for h in a ball around 0."""
    far = step.abs_upper()
    square = arb(0).union(far * far)
    total, odd, even = arb(0), step, arb(1)
    for n, coefficient in enumerate(coefficients):
        total += coefficient * (odd if n % 2 else even)
        if n % 2:
            odd, even = odd * square, even * square
    return total


def _piece(low: Fraction, high: Fraction) -> arb:
    return hull(Interval(min(low, high), max(low, high), False, False))
