"""Taylor coefficients of exact quotients at an end of a variable's range, exactly."""

from __future__ import annotations

from fractions import Fraction

from flint import fmpq_mpoly

from verify.algebra.masks import POSITIVE
from verify.algebra.polynomials import GENERATORS, Quotient, used
from verify.algebra.resolve import NoLimit
from verify.algebra.signs import Signs
from verify.clock import look

Jet = list[Quotient]
"""Coefficients of h**0, h**1, …, in the other variables and in constants."""


class Jets:
    """Expansions in h = v − end of everything that a region's atoms make up, to a fixed length.

    Raises NoLimit where a log or a root is not smooth at the end, ZeroDivisionError at a pole.
    """

    def __init__(self, signs: Signs, name: str, end: Fraction, length: int) -> None:
        self.signs = signs
        self.name = name
        self.end = end
        self.length = length
        self._zero = signs.rational(0)
        self._atoms: dict[int, Jet] = {}
        self._powers: dict[tuple[int, int], Jet] = {}

    def of(self, poly: fmpq_mpoly) -> Jet:
        """The coefficients of a polynomial over the atoms."""
        k = self.signs
        total = [self._zero] * self.length
        indices = used(poly)
        for monomial, coefficient in poly.terms():
            term = self._constant(k.quotient(GENERATORS[0] ** 0 * coefficient))
            for i in indices:
                if monomial[i]:
                    term = self._times(term, self._power(i, int(monomial[i])))
            total = [a if b.is_zero else k.add(a, b) for a, b in zip(total, term)]
        return total

    def _constant(self, value: Quotient) -> Jet:
        return [value] + [self._zero] * (self.length - 1)

    def _times(self, a: Jet, b: Jet) -> Jet:
        look()
        k = self.signs
        out = [self._zero] * self.length
        for i, x in enumerate(a):
            if not x.is_zero:
                for j in range(self.length - i):
                    if not b[j].is_zero:
                        out[i + j] = k.add(out[i + j], k.mul(x, b[j]))
        return out

    def _power(self, index: int, n: int) -> Jet:
        found = self._powers.get((index, n))
        if found is None:
            half = self._power(index, n // 2) if n > 1 else None
            found = self._times(half, half) if half else self._atom(index)
            if half and n % 2:
                found = self._times(found, self._atom(index))
            self._powers[index, n] = found
        return found

    def _atom(self, index: int) -> Jet:
        if index not in self._atoms:
            self._atoms[index] = self._expanded(index)
        return self._atoms[index]

    def _expanded(self, index: int) -> Jet:
        k, atom = self.signs, self.signs.atoms[index]
        if not k.atom_depends(index, self.name):
            return self._constant(k.quotient(GENERATORS[index]))
        if atom.kind == "variable":
            return [k.rational(self.end), k.one, *[self._zero] * self.length][: self.length]
        assert atom.inside is not None
        inside = self._quotient(atom.inside)
        if atom.kind == "exp":
            return self._exp([k.mul(u, k.rational(atom.rate)) for u in inside])
        if k.infer(inside[0]) != POSITIVE:
            raise NoLimit("at the end of the range")
        return (
            self._log(inside) if atom.kind == "log" else self._root(inside, Fraction(1, atom.index))
        )

    def _quotient(self, value: Quotient) -> Jet:
        k, top, bottom = self.signs, self.of(value.num), self.of(value.den)
        out: Jet = []
        for n in range(self.length):
            rest = top[n]
            for j in range(1, n + 1):
                if not bottom[j].is_zero:
                    rest = k.sub(rest, k.mul(bottom[j], out[n - j]))
            out.append(k.div(rest, bottom[0]))
        return out

    def _exp(self, u: Jet) -> Jet:
        k = self.signs
        out = [k.exp(u[0])]
        for n in range(1, self.length):
            out.append(self._mean(n, [(Fraction(j, n), u[j], out[n - j]) for j in range(1, n + 1)]))
        return out

    def _log(self, p: Jet) -> Jet:
        k = self.signs
        out = [k.log(p[0], k.strict)]
        for n in range(1, self.length):
            known = self._mean(n, [(Fraction(j, n), out[j], p[n - j]) for j in range(1, n)])
            out.append(k.div(k.sub(p[n], known), p[0]))
        return out

    def _root(self, p: Jet, power: Fraction) -> Jet:
        k = self.signs
        out = [k.root_power(p[0], power)]
        for n in range(1, self.length):
            terms = [((power * j - (n - j)) / n, p[j], out[n - j]) for j in range(1, n + 1)]
            out.append(k.div(self._mean(n, terms), p[0]))
        return out

    def _mean(self, n: int, terms: list[tuple[Fraction, Quotient, Quotient]]) -> Quotient:
        k, total = self.signs, self._zero
        for weight, a, b in terms:
            if weight and not a.is_zero and not b.is_zero:
                total = k.add(total, k.mul(k.rational(weight), k.mul(a, b)))
        return total
