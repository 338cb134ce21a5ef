"""Limit and one-sided slope of an exact quotient as s -> 0+, by dual numbers over the atoms.

A power of what vanishes at s = 0 is no smooth atom: its order in s decides whether it adds nothing
to the slope, something, or makes it infinite. Its logarithm counts as a power of order 0 that is
not bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any

from flint import fmpq_mpoly

from verify.algebra.masks import NEGATIVE, NONPOSITIVE, POSITIVE, ZERO
from verify.algebra.polynomials import GENERATORS, ONE_POLY, Quotient, coefficients, used
from verify.algebra.resolve import NoLimit, Undecided
from verify.algebra.signs import Signs
from verify.proof.prove import Budget, Prover
from verify.proof.scatter import Scatter

_MAX_ORDER = 8
_NO_BUDGET = Budget(steps=0)
Powers = tuple[tuple[int, int], ...]
"""(atom, exponent) for the powers in a monomial whose bases vanish, and the logarithms of such bases."""


@dataclass(frozen=True)
class Germ:
    """Limit and one-sided slope in s as s -> 0+; slope None means infinite or not finite."""

    value: Quotient
    slope: Quotient | None


def germ_of(signs: Signs, value: Quotient) -> Germ:
    """Value and slope at s = 0+.

    Raises NoLimit, ZeroDivisionError; Undecided where a power's exponent has to be known better.
    """
    expansion = _Expansion(signs)
    top, top_slope = expansion.of(value.num)
    bottom, bottom_slope = expansion.of(value.den)
    limit = signs.div(top, bottom)
    if top_slope is None or bottom_slope is None:
        return Germ(limit, None)
    rise = signs.sub(signs.mul(top_slope, bottom), signs.mul(top, bottom_slope))
    return Germ(limit, signs.div(rise, signs.mul(bottom, bottom)))


def value_at_zero(signs: Signs, value: Quotient) -> Quotient:
    """The quotient at s = 0. Raises NoLimit, ZeroDivisionError."""
    return Prover(signs, Scatter({}), _NO_BUDGET).at(value, "_s", Fraction(0))


def limit_at_zero(signs: Signs, poly: fmpq_mpoly) -> Quotient:
    """The limit as s -> 0+ of a polynomial in smooth atoms and in powers that vanish.

    Raises NoLimit, ZeroDivisionError.
    """
    limit, expansion = signs.rational(0), _Expansion(signs)
    for powers, part in expansion.by_powers(poly).items():
        at_zero = value_at_zero(signs, Quotient(part, ONE_POLY))
        if not powers:
            limit = at_zero
        elif signs.infer(expansion.order_of(powers)) != POSITIVE:
            raise NoLimit("a logarithm near r = 1")
    return limit


def definite(value: Quotient, sign: int) -> int:
    """A definite sign; raises Undecided where it is not known."""
    if sign in (POSITIVE, NEGATIVE, ZERO):
        return sign
    if sign & POSITIVE == 0:
        raise Undecided(value, (NEGATIVE, ZERO))
    raise Undecided(value, (POSITIVE, ZERO) if sign & NEGATIVE == 0 else (POSITIVE, NONPOSITIVE))


class _Expansion:
    """Values and slopes at s = 0+ of polynomials over the atoms of one region."""

    def __init__(self, signs: Signs) -> None:
        self.signs = signs
        self._smooth: dict[int, tuple[Quotient, Quotient]] = {}
        self._powers: dict[int, tuple[Quotient, Quotient] | None] = {}

    def of(self, poly: fmpq_mpoly) -> tuple[Quotient, Quotient | None]:
        """(value, slope); slope None where it is infinite."""
        signs = self.signs
        value, slope, steep = signs.rational(0), signs.rational(0), 0
        for powers, part in self.by_powers(poly).items():
            if not powers:
                value, slope = self._of_smooth(part)
        for powers, part in self.by_powers(poly).items():
            if not powers:
                continue
            factor = Quotient(part, ONE_POLY)
            order = _order(signs, factor)
            beyond = signs.add(self.order_of(powers), signs.rational(order - 1))
            sign = definite(beyond, signs.infer(beyond))
            if sign == POSITIVE:
                continue
            lead = value_at_zero(signs, factor)
            if order or signs.infer(lead) not in (POSITIVE, NEGATIVE):
                raise NoLimit("a power near r = 1 times what may vanish")
            if any(signs.atoms[index].kind == "log" for index, _ in powers):
                raise NoLimit("a logarithm near r = 1")
            if sign == ZERO:
                slope = signs.add(slope, signs.mul(lead, self._lead_of(powers)))
            else:
                steep += 1
        if steep > 1:
            raise NoLimit("two infinite slopes at r = 1")
        return value, None if steep else slope

    def by_powers(self, poly: fmpq_mpoly) -> dict[Powers, fmpq_mpoly]:
        """The polynomial's parts by the vanishing powers that they are multiplied by."""
        found: dict[Powers, fmpq_mpoly] = {(): poly}
        for index in used(poly):
            if self._power(index) is not None:
                found = {
                    (*powers, (index, n)) if n else powers: part
                    for powers, whole in found.items()
                    for n, part in coefficients(whole, index).items()
                }
        return found

    def _power(self, index: int) -> tuple[Quotient, Quotient] | None:
        """(base, exponent > 0) of an atom base**exponent whose base is 0 at s = 0; of its log (base, 0)."""
        if index not in self._powers:
            power = _power_of(self.signs, index)
            if power is not None and self.signs.infer(value_at_zero(self.signs, power[0])) != ZERO:
                power = None
            if power is not None and self.signs.atoms[index].kind != "log":
                if definite(power[1], self.signs.infer(power[1])) != POSITIVE:
                    raise NoLimit("a power that does not vanish with its base")
            self._powers[index] = power
        return self._powers[index]

    def order_of(self, powers: Powers) -> Quotient:
        """The order in s of a product of powers."""
        signs, total = self.signs, self.signs.rational(0)
        for index, n in powers:
            power = self._power(index)
            assert power is not None
            order = _lead(signs, power[0])[0]
            total = signs.add(total, signs.mul(power[1], signs.rational(n * order)))
        return total

    def _lead_of(self, powers: Powers) -> Quotient:
        """The coefficient of that order: a product of powers of positive leading coefficients."""
        signs = self.signs

        def of(index: int, n: int) -> Quotient:
            power = self._power(index)
            assert power is not None
            base, exponent = _lead(signs, power[0])[1], signs.mul(power[1], signs.rational(n))
            return signs.exp(signs.mul(exponent, signs.log(base, signs.strict)))

        return reduce(signs.mul, (of(index, n) for index, n in powers), signs.one)

    def _of_smooth(self, poly: fmpq_mpoly) -> tuple[Quotient, Quotient]:
        point = {i: self._dual(i) for i in used(poly)}
        slope = self.signs.rational(0)
        for i, (_, rise) in point.items():
            weight = _value_at(self.signs, poly.derivative(i), point)
            slope = self.signs.add(slope, self.signs.mul(weight, rise))
        return _value_at(self.signs, poly, point), slope

    def _dual(self, index: int) -> tuple[Quotient, Quotient]:
        if index not in self._smooth:
            generator = self.signs.quotient(GENERATORS[index])
            slope = self.signs.atom_slope(index, "_s")
            self._smooth[index] = (
                value_at_zero(self.signs, generator), value_at_zero(self.signs, slope),
            )  # fmt: skip
        return self._smooth[index]


def _power_of(signs: Signs, index: int) -> tuple[Quotient, Quotient] | None:
    """(base, exponent) of an atom that is a root, or exp(exponent·log(base)); (base, 0) of log(base)."""
    atom = signs.atoms[index]
    if atom.inside is None or not signs.atom_depends(index, "_s"):
        return None
    if atom.kind == "log":
        return atom.inside, signs.rational(0)
    if atom.kind == "root":
        return atom.inside, signs.rational(Fraction(1, atom.index))
    if atom.kind != "exp":
        return None
    logs = [
        i for i in used(atom.inside.num)
        if signs.atoms[i].kind == "log" and signs.atom_depends(i, "_s")
    ]  # fmt: skip
    parts = coefficients(atom.inside.num, logs[0]) if len(logs) == 1 else {}
    if set(parts) != {1}:
        return None
    factor = signs.mul(signs.quotient(parts[1], atom.inside.den), signs.rational(atom.rate))
    base = signs.atoms[logs[0]].inside
    assert base is not None
    return None if signs.depends(factor, "_s") else (base, factor)


def _order(signs: Signs, value: Quotient) -> int:
    """How many Taylor coefficients at s = 0, up to 3, are identically 0 (a lower bound)."""
    for order in range(3):
        try:
            if not value_at_zero(signs, value).is_zero:
                return order
        except NoLimit:
            return order
        value = signs.slope(value, "_s")
    return 3


def _value_at(signs: Signs, poly: Any, point: dict[int, tuple[Quotient, Quotient]]) -> Quotient:
    total = signs.rational(0)
    for monomial, coefficient in poly.terms():
        term = signs.quotient(ONE_POLY * coefficient)
        for i, (value, _) in point.items():
            term = signs.mul(term, signs.power(value, int(monomial[i])))
        total = signs.add(total, term)
    return total


def _lead(signs: Signs, base: Quotient) -> tuple[int, Quotient]:
    """Order and coefficient of the first term of a base at s = 0 that is not 0; it is positive."""
    term = base
    for order in range(1, _MAX_ORDER):
        term = signs.mul(signs.slope(term, "_s"), signs.rational(Fraction(1, order)))
        lead = value_at_zero(signs, term)
        sign = signs.infer(lead)
        if sign == POSITIVE:
            return order, lead
        if sign != ZERO:
            raise NoLimit("a power near r = 1")
    raise NoLimit("a power of what vanishes at r = 1 to a high order")
