"""exp, log and roots of exact quotients, so that equal functions become equal polynomials.

Exponentials are split over the terms of their argument, written in variables counted from
their lower ends, so that every exponent that can be non-negative is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from math import floor, gcd
from typing import NoReturn

from flint import fmpq_mpoly, fmpz

from verify.algebra.kernel import Kernel
from verify.algebra.polynomials import (
    GENERATORS,
    MAX_BITS,
    ONE_POLY,
    Quotient,
    ScaleNeeded,
    as_fraction,
    bits,
    constant,
    powered,
    used,
)

MAX_POWER = 300
"""As large an exponent as the language writes."""
MAX_ROOT = 12
"""The largest index of a root; exp(c·log(P)) stays an exponential beyond."""
MAX_CONSTANT_POWER, MAX_CONSTANT_ROOT = 64, 60
_CONSTANT = "constant"
"""The key of the exponentials of rationals: powers of one atom, as far as that is handy."""
_TRIAL = 1000
"""Primes up to here are looked for in long numbers."""
MAX_SPLIT, MAX_SPLIT_OVER = 8, 3
"""Terms over which exp is split: of a polynomial, of a proper quotient."""


class Elementary(Kernel):
    """A kernel with the elementary functions."""

    def exp(self, argument: Quotient) -> Quotient:
        """Split over the terms of the argument, unless they are many: then one atom for the whole."""
        result = self.one
        shifted = self.shifted(argument.num)
        if len(shifted) > (MAX_SPLIT if argument.den.is_constant() else MAX_SPLIT_OVER):
            return self._exp_whole(argument)
        for monomial, coefficient in shifted.terms():
            result = self.mul(
                result, self._exp_term(monomial, as_fraction(coefficient), argument.den)
            )
        return result

    def _exp_term(
        self, monomial: tuple[int, ...], coefficient: Fraction, den: fmpq_mpoly
    ) -> Quotient:
        present = [i for i, power in enumerate(monomial) if power]
        if den.is_one() and len(present) == 1 and monomial[present[0]] == 1:
            only = self.atoms[present[0]]
            if only.kind == "log" and coefficient.denominator <= MAX_ROOT:
                assert only.inside is not None
                return self.root_power(only.inside, coefficient)
        if not present and den.is_one():
            return self._exp_constant(coefficient)
        base = ONE_POLY
        for i in present:
            base *= self.unshift(i) ** monomial[i]
        inside = self.quotient(base, den)
        if inside.num.is_constant() and inside.den.is_one():
            return self._exp_constant(coefficient * as_fraction(inside.num.leading_coefficient()))
        return self._exp_power(inside, coefficient)

    def _exp_whole(self, argument: Quotient) -> Quotient:
        lead = as_fraction(argument.num.leading_coefficient())
        inside = Quotient(argument.num / argument.num.leading_coefficient(), argument.den)
        return self._exp_power(inside, lead)

    def _exp_power(self, inside: Quotient, coefficient: Fraction) -> Quotient:
        """exp(coefficient·inside) as a power of one atom."""
        key = inside.key
        rate = self.scales.setdefault(key, self._first_rate(inside, coefficient))
        if (coefficient / rate).denominator != 1:
            self.finer(key, coefficient)
        power = int(coefficient / rate)
        if abs(power) > MAX_POWER:  # keep the degree low: an atom of its own
            key, rate, power = (
                f"{key} {abs(coefficient)}",
                abs(coefficient),
                int(coefficient / abs(coefficient)),
            )
        index = self.atom("exp", key, inside=inside, rate=rate)
        generator = GENERATORS[index] ** abs(power)
        return Quotient(generator, ONE_POLY) if power >= 0 else self.quotient(ONE_POLY, generator)

    def _exp_constant(self, value: Fraction) -> Quotient:
        """exp of a rational: a power of one exp(1/d), or an atom of its own where that is unhandy."""
        key, rate = _CONSTANT, self.scales.get(_CONSTANT, Fraction(1))
        common = _gcd(rate, value)
        if common.denominator > MAX_CONSTANT_ROOT or abs(value / common) > MAX_CONSTANT_POWER:
            key, rate = f"{_CONSTANT} {abs(value)}", abs(value)
        elif common != rate:
            self.scales[_CONSTANT] = common
            raise ScaleNeeded
        index = self.atom("exp", key, inside=self.one, rate=rate)
        generator = GENERATORS[index] ** int(abs(value) / rate)
        return Quotient(generator, ONE_POLY) if value > 0 else self.quotient(ONE_POLY, generator)

    def _first_rate(self, inside: Quotient, coefficient: Fraction) -> Fraction:
        """exp(s) itself where the argument is a variable, else exp of the argument as it is met."""
        present = used(inside.num)
        plain = inside.den.is_one() and len(present) == 1 and inside.num.total_degree() == 1
        if plain and self.atoms[present[0]].kind == "variable":
            return _gcd(Fraction(1), coefficient)
        return abs(coefficient)

    def power(self, a: Quotient, n: int) -> Quotient:
        """a**n; the power of a number that is too long to multiply out is an exponential."""
        lead = as_fraction(a.num.leading_coefficient()) if not a.is_zero else Fraction(0)
        if abs(n) * bits(lead) <= MAX_BITS or abs(lead) in (0, 1):
            return super().power(a, n)
        total = self.rational(-1 if lead < 0 and n % 2 else 1)
        for prime, power in _prime_powers(abs(lead)):
            total = self.mul(total, self._prime_power(prime, power * n))
        rest = Quotient(a.num / a.num.leading_coefficient(), a.den)
        return self.mul(total, super().power(rest, n))

    def _prime_power(self, prime: int, power: int) -> Quotient:
        if abs(power) * prime.bit_length() <= MAX_BITS:
            return self.rational(Fraction(prime) ** power)
        return self._exp_power(self._log_rational(Fraction(prime), 1), Fraction(power))

    def _finer_constant(self, q: int) -> None:
        """Ask for a finer exponential of rationals, if it stays handy."""
        rate = self.scales.get(_CONSTANT, Fraction(1)) / q
        if rate.denominator <= MAX_CONSTANT_ROOT:
            self.scales[_CONSTANT] = rate
            raise ScaleNeeded

    def finer(self, key: str, coefficient: Fraction) -> NoReturn:
        """Ask for an exponential of which both its present rate and `coefficient` are multiples."""
        self.scales[key] = _gcd(self.scales[key], coefficient)
        raise ScaleNeeded

    def log(self, argument: Quotient, sign: Callable[[fmpq_mpoly], int | None]) -> Quotient:
        """log of a positive quotient; `sign(factor)` is +1 or -1, or None where it is not known.

        Split over the factors when every sign is known, else one atom for the whole.
        """
        total = self.rational(0)
        for poly, direction in ((argument.num, 1), (argument.den, -1)):
            content, factors = poly.factor()
            total = self.add(total, self._log_rational(abs(as_fraction(content)), direction))
            for factor, multiplicity in factors:
                known = sign(factor)
                if known is None:
                    index = self.atom("log", argument.key, inside=argument)
                    return Quotient(GENERATORS[index], ONE_POLY)
                part = self._log_factor(factor if known > 0 else -factor)
                total = self.add(total, self.mul(self.rational(direction * multiplicity), part))
        return total

    def _log_factor(self, factor: fmpq_mpoly) -> Quotient:
        """log of a positive polynomial that does not factor."""
        present = used(factor)
        if not present:
            return self._log_rational(as_fraction(factor.leading_coefficient()), 1)
        atom = self.atoms[present[0]]
        if factor == GENERATORS[present[0]] and atom.kind in ("exp", "root"):
            assert atom.inside is not None
            if atom.kind == "exp":
                return self.mul(self.rational(atom.rate), atom.inside)
            return self.mul(
                self.rational(Fraction(1, atom.index)), self._log_factor(atom.inside.num)
            )
        inside = self.quotient(factor)
        return Quotient(GENERATORS[self.atom("log", inside.key, inside=inside)], ONE_POLY)

    def _log_rational(self, value: Fraction, direction: int) -> Quotient:
        total = self.rational(0)
        for prime, power in _prime_powers(value):
            inside = self.rational(prime)
            index = self.atom("log", inside.key, inside=inside)
            total = self.quotient(total.num + GENERATORS[index] * (power * direction), total.den)
        return total

    def root_power(self, base: Quotient, exponent: Fraction) -> Quotient:
        """base**exponent for base > 0 (a rational exponent)."""
        if exponent.denominator == 1:
            return self.power(base, int(exponent))
        q = exponent.denominator
        if base.num.is_constant() and base.den.is_constant() and not 0 < exponent < 1:
            whole = floor(exponent)
            return self.mul(self.power(base, whole), self.root_power(base, exponent - whole))
        # root_q(N/D) = root_q(N D^(q-1)) / D with D > 0: callers orient D.
        radicand = base.num * powered(base.den, q - 1)
        outside, inside = ONE_POLY, ONE_POLY
        content, factors = radicand.factor()
        for factor, multiplicity in factors:
            present = used(factor)
            if len(present) == 1 and factor == GENERATORS[present[0]]:
                atom = self.atoms[present[0]]
                if atom.kind == "exp" and multiplicity % q:
                    assert atom.inside is not None
                    if atom.inside != self.one:
                        self.finer(atom.inside.key, atom.rate / q)
                    if self._index.get(f"exp:{_CONSTANT}") == present[0]:
                        self._finer_constant(q)
                if atom.kind == "root" and q * atom.index <= MAX_ROOT:
                    rest, power = radicand / factor**multiplicity, Fraction(multiplicity, q)
                    assert atom.inside is not None
                    root = self.mul(
                        self.root_power(Quotient(rest, ONE_POLY), Fraction(1, q)),
                        self.root_power(atom.inside, power / atom.index),
                    )
                    return self.power(
                        self.div(root, Quotient(base.den, ONE_POLY)), exponent.numerator
                    )
            inside *= factor ** (multiplicity % q)
            outside *= factor ** (multiplicity // q)
        sign = self.weak_sign(outside) if q % 2 == 0 else 1
        if sign is None:
            outside, inside = ONE_POLY, radicand / content
        elif sign < 0:
            outside = -outside
        if content < 0:
            content, inside = -content, -inside
        fraction = as_fraction(content)
        rational_root = _exact_root(fraction, q)
        if rational_root is not None:
            outside = outside * constant(rational_root)
        else:
            outside = outside * self._rational_root(fraction, q)
        if inside.is_one():
            root = self.quotient(outside, base.den)
        else:
            root = self.quotient(self._root_atom(inside, q) * outside, base.den)
        return self.power(root, exponent.numerator)

    def _root_atom(self, radicand: fmpq_mpoly, q: int) -> fmpq_mpoly:
        argument = Quotient(radicand, ONE_POLY)
        return GENERATORS[self.atom("root", f"{q}:{argument.key}", inside=argument, index=q)]

    def _rational_root(self, value: Fraction, q: int) -> fmpq_mpoly:
        """value**(1/q) over the roots of its primes, so that sqrt(2)·sqrt(3) is sqrt(6)."""
        root = ONE_POLY
        for prime, power in _prime_powers(value):
            whole, rest = divmod(power, q)
            root *= constant(Fraction(prime) ** whole)
            if rest:
                root *= self._root_atom(constant(prime), q) ** rest
        return root

    def weak_sign(self, poly: fmpq_mpoly) -> int | None:
        """+1 where a polynomial is certainly >= 0; a subclass knows more."""
        return 1 if all(c > 0 for c in self.shifted(poly).coeffs()) else None


def _prime_powers(value: Fraction) -> Iterator[tuple[int, int]]:
    """Primes and their powers in a positive number; of a long one small primes and the rest."""
    for integer, sign in ((value.numerator, 1), (value.denominator, -1)):
        limit = _TRIAL if integer.bit_length() > 64 else None
        for prime, power in fmpz(integer).factor(trial_limit=limit):
            yield int(prime), sign * int(power)


def _exact_root(value: Fraction, q: int) -> Fraction | None:
    tops = []
    for part in (value.numerator, value.denominator):
        root = int(fmpz(part).root(q)) if part > 0 else -1
        if root < 0 or root**q != part:
            return None
        tops.append(root)
    return Fraction(tops[0], tops[1])


def _gcd(a: Fraction, b: Fraction) -> Fraction:
    """The largest rational of which both are integer multiples."""
    a, b = abs(a), abs(b)
    return Fraction(
        gcd(a.numerator * b.denominator, b.numerator * a.denominator), a.denominator * b.denominator
    )
