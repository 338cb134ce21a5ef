"""Exact Taylor coefficients of polynomials over atoms, at an end of a variable's range."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

from flint import fmpq_mpoly

from verify.checker.algebra import (
    ONE,
    UNIT,
    ZERO_QUOTIENT,
    Quotient,
    Unproved,
    X,
    rational,
    used,
)
from verify.checker.elementary import Elementary
from verify.checker.signs import NEGATIVE, POSITIVE

Series = tuple[Quotient, ...]


def expansion(
    context: Elementary, poly: fmpq_mpoly, name: str, end: Fraction, length: int
) -> Series:
    """Coefficients of h**0 … h**(length − 1) at `name` = end + h, free of `name`.

    Raises Unproved where an atom is not smooth at the end.
    """
    table = context.table

    def total(terms: list[tuple[Fraction, Quotient, Quotient]]) -> Quotient:
        """The sum of weight·a·b."""
        found = ZERO_QUOTIENT
        for weight, a, b in terms:
            if weight and not a.is_zero and not b.is_zero:
                found = table.add(found, table.mul(rational(weight), table.mul(a, b)))
        return found

    def product(a: Series, b: Series) -> Series:
        return tuple(
            total([(Fraction(1), a[i], b[n - i]) for i in range(n + 1)]) for n in range(length)
        )

    def of_poly(poly: fmpq_mpoly) -> Series:
        found: Series = (ZERO_QUOTIENT,) * length
        for monomial, coefficient in poly.terms():
            term: Series = (table.quotient(UNIT * coefficient), *(ZERO_QUOTIENT,) * (length - 1))
            for index in used(poly):
                if monomial[index]:
                    term = product(term, power(index, int(monomial[index])))
            found = tuple(table.add(a, b) for a, b in zip(found, term))
        return found

    @cache
    def power(index: int, n: int) -> Series:
        return atom(index) if n == 1 else product(power(index, n - 1), atom(index))

    def ratio(value: Quotient) -> Series:
        top, bottom = of_poly(value.num), of_poly(value.den)
        if context.sign(bottom[0]) not in (POSITIVE, NEGATIVE):
            raise Unproved("a denominator may vanish at an end of the range")
        found: list[Quotient] = []
        for n in range(length):
            known = total([(Fraction(1), bottom[j], found[n - j]) for j in range(1, n + 1)])
            found.append(table.div(table.sub(top[n], known), bottom[0]))
        return tuple(found)

    @cache
    def atom(index: int) -> Series:
        it = table.atoms[index]
        if name not in it.names:
            return (Quotient(X[index], UNIT), *(ZERO_QUOTIENT,) * (length - 1))
        if it.kind == "variable":
            return (rational(end), ONE, *(ZERO_QUOTIENT,) * length)[:length]
        inside = ratio(it.inside)
        if it.kind == "exp":
            return exponential(tuple(table.mul(rational(it.rate), u) for u in inside))
        if context.sign(inside[0], POSITIVE) != POSITIVE:
            raise Unproved("a log or a root is not smooth at an end of the range")
        return logarithm(inside) if it.kind == "log" else root(inside, Fraction(1, it.index))

    # Each of these solves the linear differential equation that its function obeys.

    def exponential(u: Series) -> Series:
        found = [context.exp(u[0])]
        for n in range(1, length):
            found.append(total([(Fraction(j, n), u[j], found[n - j]) for j in range(1, n + 1)]))
        return tuple(found)

    def logarithm(p: Series) -> Series:
        found = [context.log(p[0])]
        for n in range(1, length):
            known = total([(Fraction(j, n), found[j], p[n - j]) for j in range(1, n)])
            found.append(table.div(table.sub(p[n], known), p[0]))
        return tuple(found)

    def root(p: Series, q: Fraction) -> Series:
        found = [context.root(p[0], q)]
        for n in range(1, length):
            terms = [((q * j - n + j) / n, p[j], found[n - j]) for j in range(1, n + 1)]
            found.append(table.div(total(terms), p[0]))
        return tuple(found)

    return of_poly(poly)
