"""The germ of a formula at r = 1: one-sided limits and slopes, exactly.

With r = exp(±s), s -> 0+, kinks are decided by the leading derivative of their guard, so
f is smooth for small s; its value and slope at s = 0 are then exact quotients in A and
the parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import fmpq_mpoly

from symbolic.expression import Expression, number, substitute
from verify.algebra.masks import NEGATIVE, NONPOSITIVE, POSITIVE, ZERO, product
from verify.algebra.polynomials import GENERATORS, ONE_POLY, Quotient, coefficients, used
from verify.algebra.resolve import NoLimit, Resolver, Undecided, Undefined
from verify.algebra.signs import Signs
from verify.proof.cells import Attempt, Cell, CellProver, Node
from verify.proof.prove import Budget, Prover, with_scales
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
            return self._or_split(Quotient(factor, ONE_POLY), known)
        term = Quotient(factor, ONE_POLY)
        for _ in range(_MAX_ORDER):
            try:
                at = Prover(k, Scatter({}), _NO_BUDGET).at(term, "_s", Fraction(0))
            except ZeroDivisionError:
                raise NoLimit("a pole at r = 1") from None
            sign = self._or_split(at, k.infer(at))
            if sign != ZERO:
                return sign
            term = k.slope(term, "_s")
        return known

    @staticmethod
    def _or_split(value: Quotient, sign: int) -> int:
        """A definite sign; raises Undecided where it is not known."""
        if sign in (POSITIVE, NEGATIVE, ZERO):
            return sign
        if sign & POSITIVE == 0:
            raise Undecided(value, (NEGATIVE, ZERO))
        raise Undecided(
            value, (POSITIVE, ZERO) if sign & NEGATIVE == 0 else (POSITIVE, NONPOSITIVE)
        )


_NO_BUDGET = Budget(steps=0)


@dataclass(frozen=True)
class Germ:
    """Limit and one-sided slope in s as s -> 0+; slope None means infinite or not finite."""

    value: Quotient
    slope: Quotient | None


def germ_of(signs: Signs, value: Quotient) -> Germ:
    """Value and slope at s = 0+ by dual numbers over the atoms.

    A square root whose radicand vanishes to second order contributes its one-sided slope.
    Raises NoLimit, ZeroDivisionError.
    """
    duals: dict[int, tuple[Quotient, Quotient | None]] = {}
    at = Prover(signs, Scatter({}), _NO_BUDGET).at
    zero = Fraction(0)

    def dual(index: int) -> tuple[Quotient, Quotient | None]:
        if index not in duals:
            generator = signs.quotient(GENERATORS[index])
            atom = signs.atoms[index]
            if atom.kind == "root" and atom.index == 2 and atom.inside is not None:
                if signs.infer(at(atom.inside, "_s", zero)) == ZERO:
                    duals[index] = signs.rational(0), _root_slope(signs, atom.inside)
                    return duals[index]
            duals[index] = at(generator, "_s", zero), at(signs.atom_slope(index, "_s"), "_s", zero)
        return duals[index]

    def poly_at(poly: Any) -> tuple[Quotient, Quotient | None]:
        total, slope = signs.rational(0), signs.rational(0)
        infinite = False
        indices = used(poly)
        point = {i: dual(i) for i in indices}
        for monomial, coefficient in poly.terms():
            term = signs.quotient(ONE_POLY * coefficient)
            for i in indices:
                term = signs.mul(term, signs.power(point[i][0], int(monomial[i])))
            total = signs.add(total, term)
        for i in indices:
            weight = _value_at(signs, poly.derivative(i), point)
            rise = point[i][1]
            if rise is None:
                if signs.infer(weight) in (POSITIVE, NEGATIVE):
                    infinite = True
                elif not _flattened(signs, poly, i):
                    raise NoLimit("an infinite slope times 0 at r = 1")
            else:
                slope = signs.add(slope, signs.mul(weight, rise))
        return total, None if infinite else slope

    top, top_slope = poly_at(value.num)
    bottom, bottom_slope = poly_at(value.den)
    limit = signs.div(top, bottom)
    if top_slope is None or bottom_slope is None:
        return Germ(limit, None)
    rise = signs.sub(signs.mul(top_slope, bottom), signs.mul(top, bottom_slope))
    return Germ(limit, signs.div(rise, signs.mul(bottom, bottom)))


def _flattened(signs: Signs, poly: fmpq_mpoly, root: int) -> bool:
    """Whether every term with a root of infinite slope is o(s): orders of the factors add up."""
    atom = signs.atoms[root]
    assert atom.inside is not None
    rise = Fraction(_order(signs, atom.inside), atom.index)
    return all(
        _order(signs, Quotient(part, ONE_POLY)) + power * rise > 1
        for power, part in coefficients(poly, root).items()
        if power
    )


def _order(signs: Signs, value: Quotient) -> int:
    """How many Taylor coefficients at s = 0, up to 3, are identically 0 (a lower bound)."""
    at = Prover(signs, Scatter({}), _NO_BUDGET).at
    for order in range(3):
        try:
            if not at(value, "_s", Fraction(0)).is_zero:
                return order
        except NoLimit:
            return order
        value = signs.slope(value, "_s")
    return 3


def _value_at(
    signs: Signs, poly: Any, point: dict[int, tuple[Quotient, Quotient | None]]
) -> Quotient:
    total = signs.rational(0)
    for monomial, coefficient in poly.terms():
        term = signs.quotient(ONE_POLY * coefficient)
        for i, (value, _) in point.items():
            term = signs.mul(term, signs.power(value, int(monomial[i])))
        total = signs.add(total, term)
    return total


def _root_slope(signs: Signs, radicand: Quotient) -> Quotient | None:
    """One-sided slope of sqrt(P) at a zero of P: infinite, sqrt(P''/2), or 0 by P's order."""
    at = Prover(signs, Scatter({}), _NO_BUDGET).at
    term = radicand
    for order in range(1, _MAX_ORDER):
        term = signs.slope(term, "_s")
        lead = at(term, "_s", Fraction(0))
        sign = signs.infer(lead)
        if sign == ZERO:
            continue
        if sign != POSITIVE:
            raise NoLimit("a square root near r = 1")
        if order == 1:
            return None
        return signs.root_power(signs.mul(lead, signs.rational(Fraction(1, 2))), Fraction(1, 2)) if (
            order == 2
        ) else signs.rational(0)  # fmt: skip
    return signs.rational(0)


@dataclass(frozen=True)
class Failure:
    """A cell near r = 1 where f jumps, or where its slope in s is not 0 (None: infinite)."""

    jump: Quotient
    slope: Quotient | None
    change: Quotient
    """f(exp(±s)) − f(1) on the cell."""
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
        germ = germ_of(signs, value)
        jump = signs.sub(germ.value, identity)
        if germ.slope is not None and signs.infer(jump) == ZERO == signs.infer(germ.slope):
            return {"conclude": {"rule": "flat"}}
        cell = Cell(self.attempt.region, "", value, self.prover, self.pins)
        self.failures.append(Failure(jump, germ.slope, signs.sub(value, identity), cell))
        return None


def prove_flat(attempt: Attempt) -> tuple[Node | None, list[Failure]]:
    """A certificate node that f is flat as r -> 1 on one side, or the cells where it is not."""
    region, failures = attempt.region, list[Failure]()

    def run(scales: dict[str, Fraction]) -> Node | None:
        failures.clear()
        prover = Prover(Signs(region.domains, scales), Scatter.over(region.domains), attempt.budget)
        return GermProver(prover, attempt, failures).build(region.tree, 0)

    return with_scales(run), failures
