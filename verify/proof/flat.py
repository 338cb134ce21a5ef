"""The germ of a formula at r = 1: one-sided limits and slopes, exactly.

With r = 1 ± s, s -> 0+, kinks are decided by the leading derivative of their guard, so
f is smooth for small s; its value and slope at s = 0 are then exact quotients in A and
the parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from flint import fmpq_mpoly

from symbolic.expression import Expression, number, substitute
from verify.algebra.masks import NEGATIVE, POSITIVE, ZERO, product
from verify.algebra.polynomials import GENERATORS, ONE_POLY, Quotient, used
from verify.algebra.resolve import NoLimit, Resolver, Undecided, Undefined
from verify.algebra.signs import Signs
from verify.proof.cells import Attempt, Cell, CellProver, Node, by_halves
from verify.proof.germs import definite, germ_of, limit_at_zero
from verify.proof.prove import Prover, with_scales
from verify.proof.scatter import Scatter

_MAX_ORDER = 8


class EventualResolver(Resolver):
    """Decides guards by their sign for all small enough s > 0."""

    def mask(self, value: Quotient) -> int:
        """The product of the eventual signs of the factors."""
        k = self.signs
        known = k.infer(value)
        if known in (POSITIVE, NEGATIVE, ZERO):
            return known
        content, factors = value.num.factor()
        total = POSITIVE if content > 0 else NEGATIVE
        for factor, multiplicity in [*factors, *value.den.factor()[1]]:
            sign = self._factor(factor)
            total = product(total, sign if multiplicity % 2 else POSITIVE | (sign & ZERO))
        return total

    def _factor(self, factor: fmpq_mpoly) -> int:
        """Sign of the first Taylor coefficient at s = 0 that is not 0."""
        k = self.signs
        known = k.infer_poly(factor)
        if known in (POSITIVE, NEGATIVE) or not k.depends(Quotient(factor, ONE_POLY), "_s"):
            return definite(Quotient(factor, ONE_POLY), known)
        atom = k.atoms[used(factor)[0]]
        if atom.kind == "log" and factor == GENERATORS[used(factor)[0]]:
            assert atom.inside is not None
            return self.mask(k.sub(atom.inside, k.one))
        term = Quotient(factor, ONE_POLY)
        for _ in range(_MAX_ORDER):
            try:
                at = k.div(limit_at_zero(k, term.num), limit_at_zero(k, term.den))
            except ZeroDivisionError:
                raise NoLimit("a pole at r = 1") from None
            sign = definite(at, k.infer(at))
            if sign != ZERO:
                return sign
            term = k.slope(term, "_s")
        return known


@dataclass(frozen=True)
class Failure:
    """A cell near r = 1 where f jumps, or where its slope in s is not 0 (None: infinite)."""

    jump: Quotient
    slope: Quotient | None
    change: Quotient
    """f(1 ± s) − f(1) on the cell."""
    cell: Cell


class GermProver(CellProver):
    """Proves that the slope at r = 1 vanishes; remembers where it does not."""

    resolver_type = EventualResolver

    def __init__(self, prover: Prover, attempt: Attempt, failures: list[Failure]) -> None:
        super().__init__(prover, attempt)
        self.failures = failures

    def over(self, prover: Prover) -> CellProver:
        return GermProver(prover, self.attempt, self.failures)

    def conclude(self, tree: Expression, value: Quotient) -> Node | None:
        signs = self.prover.signs
        try:
            identity = Resolver(signs).resolve(substitute(tree, {"_s": number(0)}))
        except Undecided as open_sign:
            return self.settle(tree, open_sign, self.splits)
        except Undefined:
            if self.attempt.where_defined:
                return {"conclude": {"rule": "undefined"}}
            raise
        try:
            germ = germ_of(signs, value)
        except Undecided as open_sign:
            return self.settle(tree, open_sign, self.splits)
        jump = signs.sub(germ.value, identity)
        if germ.slope is not None and signs.infer(jump) == ZERO == signs.infer(germ.slope):
            return {"conclude": {"rule": "flat"}}
        cell = Cell(self.attempt.region, "", value, self.prover, self.pins)
        self.failures.append(Failure(jump, germ.slope, signs.sub(value, identity), cell))
        return None


def prove_flat(attempt: Attempt) -> tuple[Node | None, list[Failure]]:
    """A certificate node that f is flat as r -> 1 on one side, or the cells where it is not."""
    region, failures = attempt.region, list[Failure]()

    def run(halved: bool, scales: dict[str, Fraction]) -> Node | None:
        failures.clear()
        prover = Prover(Signs(region.domains, scales), Scatter.over(region.domains), attempt.budget)
        cells = GermProver(prover, attempt, failures)
        return by_halves(cells, region.tree) if halved else cells.build(region.tree, 0)

    node = with_scales(partial(run, False), attempt.budget)
    if node is None and not failures:
        node = with_scales(partial(run, True), attempt.budget)
    return node, failures
