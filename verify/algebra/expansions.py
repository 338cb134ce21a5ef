"""Exact quotients of one variable on a half-line, expanded by growth, with rigorous remainders.

A sum Σ M·(c + ε): growth monomials M, exact constants c, functions ε known to stay in a ball.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from flint import arb, fmpq, fmpq_mpoly

from verify.algebra.growth import CONSTANT, Exponent, Growth, exponents, vanishing
from verify.algebra.polynomials import GENERATORS, ONE_POLY, Quotient, as_fraction, used
from verify.algebra.signs import Signs
from verify.balls.points import ball
from verify.clock import look

_ORDER = 5
"""Terms of the series of 1/(1 + d), log(1 + d), (1 + d)^p and exp(d); the next is a remainder."""
_MAX_TERMS = 80
_LEAST_START = 2


class NoExpansion(Exception):
    """The function does not expand this way, or comparisons stay open."""


class Weight(NamedTuple):
    """The factor c + ε of a monomial."""

    exact: Quotient
    error: arb


Sum = dict[Growth, Weight]


class Expansions:
    """Expansions on [start, ∞) over the atoms of one region."""

    def __init__(self, signs: Signs, name: str, start: Fraction) -> None:
        if start < _LEAST_START:
            raise NoExpansion
        self.signs = signs
        self.name = name
        self.start = start
        self._atoms: dict[int, Sum] = {}

    def positive(self, poly: fmpq_mpoly) -> bool:
        """Whether a polynomial over the atoms is shown to be > 0 on the half-line."""
        total = self._poly(poly)
        lead = self._lead(total)
        return bool(self._relative(total, lead) > 0)

    def limit(self, value: Quotient) -> tuple[Quotient | None, arb]:
        """(the exact limit where it is one, a ball around it, infinite where the function grows).

        Raises NoExpansion.
        """
        total = self._quotient(value)
        if not total:
            return self.signs.rational(0), arb(0)
        lead = self._lead(total)
        if lead == CONSTANT:
            weight = total[lead]
            return (weight.exact if weight.error.is_zero() else None), self._ball(weight)
        if vanishing(lead, self.start):
            return self.signs.rational(0), arb(0)
        sign = self._relative(total, lead)
        if not vanishing(lead**-1, self.start) or not (sign > 0 or sign < 0):
            raise NoExpansion
        return None, arb.pos_inf() if sign > 0 else arb.neg_inf()

    # Sums -----------------------------------------------------------------------------------

    def _ball(self, weight: Weight) -> arb:
        return self._constant(weight.exact) + weight.error

    def _constant(self, value: Quotient) -> arb:
        if value.num.is_constant() and value.den.is_one():
            return arb(fmpq(value.num.leading_coefficient())) if not value.is_zero else arb(0)
        precision = 192
        return self.signs.constant_ball(value.num, precision) / self.signs.constant_ball(
            value.den, precision
        )

    def _range(self, growth: Growth) -> arb:
        """All values of a monomial that does not grow."""
        if growth == CONSTANT:
            return arb(1)
        if not vanishing(growth, self.start):
            raise NoExpansion
        return arb(0).union(growth.at(self.start))

    def _relative(self, total: Sum, lead: Growth) -> arb:
        """An enclosure of total/lead."""
        found = arb(0)
        for growth, weight in total.items():
            found += self._ball(weight) * self._range(growth * lead**-1)
        return found

    def _lead(self, total: Sum) -> Growth:
        """The monomial that outgrows the others."""
        for lead in total:
            if all(g is lead or vanishing(g * lead**-1, self.start) for g in total):
                return lead
        raise NoExpansion

    def _single(self, exact: Quotient, growth: Growth = CONSTANT) -> Sum:
        return {growth: Weight(exact, arb(0))}

    def _add(self, a: Sum, b: Sum) -> Sum:
        out = dict(a)
        for growth, weight in b.items():
            self._put(out, growth, weight)
        return out

    def _put(self, out: Sum, growth: Growth, weight: Weight) -> None:
        """Add one term to a sum in place."""
        if growth in out:
            exact = self.signs.add(out[growth].exact, weight.exact)
            weight = Weight(exact, out[growth].error + weight.error)
        out[growth] = weight
        if weight.exact.is_zero and weight.error.is_zero():
            del out[growth]

    def _mul(self, a: Sum, b: Sum) -> Sum:
        look()
        k, out = self.signs, dict[Growth, Weight]()
        if len(a) * len(b) > 8 * _MAX_TERMS:
            raise NoExpansion
        for g, (c, e) in a.items():
            for h, (d, f) in b.items():
                error = arb(0)
                if not e.is_zero() or not f.is_zero():
                    error = self._constant(c) * f + self._constant(d) * e + e * f
                self._put(out, g * h, Weight(k.mul(c, d), error))
        if len(out) > _MAX_TERMS:
            raise NoExpansion
        return out

    def _power(self, a: Sum, n: int) -> Sum:
        if len(a) == 1:
            ((growth, weight),) = a.items()
            if weight.error.is_zero():
                return self._single(self.signs.power(weight.exact, n), growth**n)
        out = self._single(self.signs.one)
        for _ in range(n):
            out = self._mul(out, a)
        return out

    def _blurred(self, a: Sum, by: arb) -> Sum:
        """a·x for some function x with values in a ball."""
        zero = self.signs.rational(0)
        return {g: Weight(zero, self._ball(weight) * by) for g, weight in a.items()}

    # Functions ----------------------------------------------------------------------------

    def _poly(self, poly: fmpq_mpoly) -> Sum:
        k, out = self.signs, dict[Growth, Weight]()
        for monomial, coefficient in poly.terms():
            term = self._single(k.quotient(ONE_POLY * coefficient))
            for i in used(poly):
                if monomial[i]:
                    term = self._mul(term, self._power(self._atom(i), int(monomial[i])))
            out = self._add(out, term)
        return out

    def _quotient(self, value: Quotient) -> Sum:
        top = self._poly(value.num)
        if value.den.is_one():
            return top
        lead, rest = self._normalised(self._poly(value.den))
        inverse = self._series(rest, [Fraction((-1) ** n) for n in range(_ORDER)], lambda d: (
            (-1) ** _ORDER / (1 + d)
        ))  # fmt: skip
        ((growth, weight),) = lead.items()
        scale = self._single(self.signs.div(self.signs.one, weight.exact), growth**-1)
        return self._mul(top, self._mul(scale, inverse))

    def _normalised(self, value: Sum) -> tuple[Sum, Sum]:
        """(lead, d) with value = lead·(1 + d), where d stays small."""
        k = self.signs
        growth = self._lead(value)
        lead = value[growth].exact
        if lead.is_zero:
            raise NoExpansion
        rest: Sum = {}
        for g, (c, e) in value.items():
            exact = k.rational(0) if g is growth else k.div(c, lead)
            error = e / self._constant(lead)
            if not exact.is_zero or not error.is_zero():
                rest[g * growth**-1] = Weight(exact, error)
        return self._single(lead, growth), rest

    def _series(self, d: Sum, coefficients: list[Fraction], remainder: Callable[[arb], arb]) -> Sum:
        """Σ c_n·d^n + R(x)·d^ORDER, where R is evaluated on all values between 0 and d."""
        k = self.signs
        values = self._relative(d, CONSTANT).union(arb(0)) if d else arb(0)
        rest = remainder(values)
        if not rest.is_finite() or not values.abs_upper() < 1:
            raise NoExpansion
        out, power = dict[Growth, Weight](), self._single(k.one)
        for c in coefficients:
            out = self._add(out, self._mul(power, self._single(k.rational(c))) if c else {})
            power = self._mul(power, d)
        return self._add(out, self._blurred(power, rest))

    def _atom(self, index: int) -> Sum:
        if index not in self._atoms:
            self._atoms[index] = self._expanded(index)
        return self._atoms[index]

    def _expanded(self, index: int) -> Sum:
        k, atom = self.signs, self.signs.atoms[index]
        if not k.atom_depends(index, self.name):
            if not k.is_constant_atom(index):
                raise NoExpansion
            return self._single(k.quotient(GENERATORS[index]))
        if atom.kind == "variable":
            return self._single(k.one, Growth(power=Fraction(1)))
        assert atom.inside is not None
        inside = self._quotient(atom.inside)
        if atom.kind == "exp":
            return self._exp(self._mul(inside, self._single(k.rational(atom.rate))))
        lead, rest = self._normalised(inside)
        ((growth, weight),) = lead.items()
        if not self._constant(weight.exact) > 0:
            raise NoExpansion
        if atom.kind == "log":
            return self._log(growth, weight.exact, rest)
        return self._root(growth, weight.exact, rest, Fraction(1, atom.index))

    def _log(self, growth: Growth, c: Quotient, d: Sum) -> Sum:
        k = self.signs
        if growth.log:
            raise NoExpansion
        out = self._single(k.log(c, k.strict))
        out = self._add(out, self._single(k.rational(growth.power), Growth(log=Fraction(1))))
        for exponent, rate in growth.inside:
            out = self._add(out, self._single(k.rational(rate), _of_exponent(exponent)))
        coefficients = [Fraction((-1) ** (n + 1), n) if n else Fraction(0) for n in range(_ORDER)]
        series = self._series(d, coefficients, lambda x: (
            (-1) ** (_ORDER + 1) / ((1 + x) ** _ORDER * _ORDER)
        ))  # fmt: skip
        return self._add(out, series)

    def _root(self, growth: Growth, c: Quotient, d: Sum, p: Fraction) -> Sum:
        coefficients = [Fraction(1)]
        for n in range(_ORDER):
            coefficients.append(coefficients[-1] * (p - n) / (n + 1))
        last = coefficients.pop()
        series = self._series(d, coefficients, lambda x: (
            ((1 + x).log() * ball(p - _ORDER)).exp() * ball(last)
        ))  # fmt: skip
        return self._mul(self._single(self.signs.root_power(c, p), growth**p), series)

    def _exp(self, value: Sum) -> Sum:
        """Growing terms go into the exponent, constants out of it, the rest into the series."""
        k = self.signs
        grown, scale, rest = Growth(), k.one, dict[Growth, Weight]()
        for growth, weight in value.items():
            if growth == CONSTANT:
                scale = k.exp(weight.exact)
                if not weight.error.is_zero():
                    rest[growth] = Weight(k.rational(0), weight.error)
            elif vanishing(growth, self.start):
                rest[growth] = weight
            else:
                grown = grown * _exponential(growth, weight)
        factorial, coefficients = 1, []
        for n in range(_ORDER):
            coefficients.append(Fraction(1, factorial))
            factorial *= n + 1
        series = self._series(rest, coefficients, lambda x: x.exp() / factorial)
        return self._mul(self._single(scale, grown), series)


def _of_exponent(exponent: Exponent) -> Growth:
    """The monomial v^j·e^(q·v)."""
    q, j = exponent
    return Growth(power=j, inside=exponents({(Fraction(0), Fraction(1)): q}))


def _exponential(growth: Growth, weight: Weight) -> Growth:
    """exp of one growing term."""
    exact = weight.exact
    if not weight.error.is_zero() or not exact.num.is_constant() or not exact.den.is_constant():
        raise NoExpansion
    rate = as_fraction(exact.num.leading_coefficient() / exact.den.leading_coefficient())
    if growth == Growth(log=Fraction(1)):
        return Growth(power=rate)
    exponent = growth.as_exponent
    if exponent is None:
        raise NoExpansion
    return Growth(inside=exponents({exponent: rate}))
