"""exp, log and roots of quotients, in a form that makes equal functions equal polynomials."""

from __future__ import annotations

from fractions import Fraction
from math import floor

from flint import fmpq_mpoly, fmpz

from verify.checker.algebra import (
    ONE,
    UNIT,
    ZERO_QUOTIENT,
    Finer,
    Quotient,
    Table,
    Unproved,
    X,
    as_fraction,
    common_rate,
    constant,
    rational,
    used,
)
from verify.checker.signs import NEGATIVE, NONNEGATIVE, POSITIVE, ZERO, Signs

MAX_ROOT = 12
MAX_SPLIT, MAX_SPLIT_OVER = 8, 3
_LONG = 4096
"""Bits beyond which the power of a number is not multiplied out."""
_SMALL_PRIMES = 1000
"""How far primes are looked for in a long number."""


class Elementary(Signs):
    """Elementary functions of quotients whose arguments have been shown to be good."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self._unsettled = False
        """Whether some result would be simpler if more signs were known."""

    # exp ------------------------------------------------------------------------------------

    def exp(self, argument: Quotient) -> Quotient:
        """Split over the terms of the argument, its variables counted from their lower ends."""
        table = self.table
        result = ONE
        counted = self._counted(argument.num)
        if len(counted) > (MAX_SPLIT if argument.den.is_constant() else MAX_SPLIT_OVER):
            whole = as_fraction(argument.num.leading_coefficient())
            return self._exp_term(Quotient(argument.num / constant(whole), argument.den), whole)
        for monomial, coefficient in counted.terms():
            term, factor = UNIT, as_fraction(coefficient)
            present = [i for i, power in enumerate(monomial) if power]
            for i in present:
                step, sign = self._remainder(i)
                term *= step ** monomial[i]
                factor *= sign ** int(monomial[i])
            inside = table.quotient(term, argument.den)
            lead = as_fraction(inside.num.leading_coefficient())
            inside, factor = Quotient(inside.num / constant(lead), inside.den), factor * lead
            result = table.mul(result, self._exp_term(inside, factor))
        return result

    def _exp_term(self, inside: Quotient, factor: Fraction) -> Quotient:
        """exp(factor·inside)."""
        table = self.table
        present = used(inside.num)
        linear = inside.den.is_one() and len(inside.num) == 1 and inside.num.total_degree() == 1
        if linear and factor.denominator <= MAX_ROOT:
            atom = table.atoms[present[0]]
            if atom.kind == "log":
                return self.root(atom.inside, factor)
        return self._exponential(inside, factor, linear)

    def _exponential(self, inside: Quotient, factor: Fraction, linear: bool) -> Quotient:
        """exp(factor·inside) as a power of an atom."""
        table, key = self.table, inside.key
        plain = inside == ONE or (linear and bool(table.names(inside)))
        rate = table.rates.setdefault(
            key, common_rate(Fraction(1), factor) if plain else abs(factor)
        )
        if (factor / rate).denominator != 1:
            raise Finer(key, common_rate(rate, factor))
        power = int(factor / rate)
        if abs(power) > 200:  # keep the degree low: an atom of its own
            rate, power = abs(factor), 1 if factor > 0 else -1
        generator = X[table.exponential(inside, rate)] ** abs(power)
        return Quotient(generator, UNIT) if power >= 0 else table.quotient(UNIT, generator)

    def _counted(self, poly: fmpq_mpoly) -> fmpq_mpoly:
        """The polynomial in remainders, each in the place of its atom."""
        args = list(X)
        changed = False
        for i in used(poly):
            low, high = self._ends(i)
            if low is not None:
                args[i], changed = X[i] + constant(low), True
            elif high is not None:
                args[i], changed = constant(high) - X[i], True
        return poly.compose(*args) if changed else poly

    def _remainder(self, index: int) -> tuple[fmpq_mpoly, int]:
        """What `_counted` calls the atom, as a polynomial with positive lead, and its sign."""
        low, high = self._ends(index)
        if low is not None:
            return X[index] - constant(low), 1
        return (X[index] - constant(high), -1) if high is not None else (X[index], 1)

    def _ends(self, index: int) -> tuple[Fraction | None, Fraction | None]:
        atom = self.table.atoms[index]
        if atom.kind != "variable":
            return (Fraction(1), None) if atom.kind == "exp" else (None, None)
        domain = self.table.domains[atom.name]
        if domain.lower is None:
            return None, domain.upper
        return domain.lower or None, None

    # log and roots ------------------------------------------------------------------------------

    def log(self, argument: Quotient) -> Quotient:
        """log of a quotient > 0, split over its factors where all their signs are known."""
        table = self.table
        total = ZERO_QUOTIENT
        for poly, direction in ((argument.num, 1), (argument.den, -1)):
            content, factors = self._factors(poly)
            total = table.add(total, self._log_rational(abs(content), direction))
            for factor, multiplicity in factors:
                sign = self.sign_of(factor)
                if sign not in (POSITIVE, NEGATIVE):
                    self._unsettled = True
                    return Quotient(X[table.logarithm(argument)], UNIT)
                part = self._log_factor(factor if sign == POSITIVE else -factor)
                total = table.add(total, table.mul(rational(direction * multiplicity), part))
        return total

    def _log_factor(self, factor: fmpq_mpoly) -> Quotient:
        """log of a positive polynomial that does not factor."""
        table = self.table
        if len(factor) == 1 and factor.total_degree() == 1:
            atom = table.atoms[used(factor)[0]]
            if atom.kind == "exp" and factor.leading_coefficient() == 1:
                return table.mul(rational(atom.rate), atom.inside)
            if atom.kind == "root" and factor.leading_coefficient() == 1:
                return table.mul(rational(Fraction(1, atom.index)), self.log(atom.inside))
        return Quotient(X[table.logarithm(Quotient(factor, UNIT))], UNIT)

    def _log_rational(self, value: Fraction, direction: int) -> Quotient:
        total = ZERO_QUOTIENT
        for integer, sign in ((value.numerator, direction), (value.denominator, -direction)):
            for prime, power in _prime_powers(integer):
                atom = X[self.table.logarithm(rational(prime))]
                total = self.table.add(total, Quotient(atom * (sign * power), UNIT))
        return total

    def power(self, base: Quotient, n: int) -> Quotient:
        """base**n for an integer n (base != 0 if n < 0); of a long number in exponentials of logs."""
        table = self.table
        lead = as_fraction(base.num.leading_coefficient()) if not base.is_zero else Fraction(0)
        size = lead.numerator.bit_length() + lead.denominator.bit_length()
        if abs(lead) in (0, 1) or abs(n) * size <= _LONG:
            return table.power(base, n)
        result = table.power(Quotient(base.num / constant(lead), base.den), n)
        if lead < 0 and n % 2:
            result = Quotient(-result.num, result.den)
        for integer, sign in ((abs(lead.numerator), n), (lead.denominator, -n)):
            for prime, times in _prime_powers(integer):
                result = table.mul(result, self._prime_power(prime, sign * times))
        return result

    def _prime_power(self, prime: int, n: int) -> Quotient:
        if abs(n) * prime.bit_length() <= _LONG:
            return rational(Fraction(prime) ** n)
        logarithm = Quotient(X[self.table.logarithm(rational(prime))], UNIT)
        return self._exponential(logarithm, Fraction(n), True)

    def root(self, base: Quotient, exponent: Fraction) -> Quotient:
        """base**exponent for base >= 0 (> 0 if the exponent is negative)."""
        table, q = self.table, exponent.denominator
        if q == 1:
            return self.power(base, exponent.numerator)
        if base.is_zero or self.sign(base, NONNEGATIVE) == ZERO:
            return ZERO_QUOTIENT
        if base.num.is_constant() and base.den.is_one() and not 0 < exponent < 1:
            whole = floor(exponent)
            return table.mul(self.power(base, whole), self.root(base, exponent - whole))
        below = self.sign_of(base.den)
        if below == NEGATIVE:
            base = Quotient(-base.num, -base.den)
        elif below != POSITIVE:
            raise Unproved("a root of a quotient whose denominator has no known sign")
        # (N/D)**(1/q) = (N·D**(q-1))**(1/q) / D for D > 0.
        table.guard_power(base.den, q - 1)
        radicand = base.num * base.den ** (q - 1)
        top = self._poly_root(table.quotient(radicand).num, q)
        return table.power(table.div(top, Quotient(base.den, UNIT)), exponent.numerator)

    def _poly_root(self, radicand: fmpq_mpoly, q: int) -> Quotient:
        """The q-th root of a polynomial >= 0: the product of its factors' roots, if all are >= 0."""
        content, factors = self._factors(radicand)
        whole, pieces = UNIT, []
        for factor, multiplicity in factors:
            sign = self.sign_of(factor)
            if not sign & NEGATIVE:
                oriented = factor
            elif not sign & POSITIVE:
                oriented, content = -factor, content * (-1) ** multiplicity
            elif multiplicity % 2 == 0:  # a square is >= 0 and stays whole
                self._unsettled = True
                pieces.append((factor**multiplicity, 1))
                continue
            else:
                self._unsettled = True
                return Quotient(X[self.table.root(radicand, q)], UNIT)
            whole *= oriented ** (multiplicity // q)
            if multiplicity % q:
                pieces.append((oriented, multiplicity % q))
        if content < 0:  # then the radicand is 0 throughout
            return Quotient(X[self.table.root(radicand, q)], UNIT)
        result = self.table.mul(Quotient(whole, UNIT), self._rational_root(content, q))
        for oriented, multiplicity in pieces:
            result = self.table.mul(result, self._factor_root(oriented, multiplicity, q))
        return result

    def _factor_root(self, factor: fmpq_mpoly, multiplicity: int, q: int) -> Quotient:
        if len(factor) == 1 and factor.total_degree() == 1 and factor.leading_coefficient() == 1:
            atom = self.table.atoms[used(factor)[0]]
            if atom.kind == "exp":
                return self._exp_term(atom.inside, atom.rate * Fraction(multiplicity, q))
            if atom.kind == "root" and q * atom.index <= MAX_ROOT:
                return self.root(atom.inside, Fraction(multiplicity, q * atom.index))
        index = self.table.root(factor, q)
        return self.table.quotient(X[index] ** multiplicity)

    def _rational_root(self, value: Fraction, q: int) -> Quotient:
        outside, result = Fraction(1), ONE
        for integer, sign in ((value.numerator, 1), (value.denominator, -1)):
            for prime, power in _prime_powers(integer):
                whole, rest = divmod(sign * power, q)
                outside *= Fraction(prime) ** whole
                if rest:
                    index = self.table.root(constant(prime), q)
                    result = self.table.mul(result, self.table.quotient(X[index] ** rest))
        return self.table.mul(rational(outside), result)

    @staticmethod
    def _factors(poly: fmpq_mpoly) -> tuple[Fraction, list[tuple[fmpq_mpoly, int]]]:
        if poly.is_constant():
            return as_fraction(poly.leading_coefficient()), []
        if len(poly) > 400 or poly.total_degree() > 400:
            return Fraction(1), [(poly, 1)]
        content, factors = poly.factor()
        return as_fraction(content), [(factor, int(power)) for factor, power in factors]


def _prime_powers(value: int) -> list[tuple[int, int]]:
    """Factors of a positive integer: primes; of a long one small primes, and the rest."""
    if value == 1:
        return []
    limit = _SMALL_PRIMES if value.bit_length() > 64 else None
    return [(int(prime), int(power)) for prime, power in fmpz(value).factor(trial_limit=limit)]
