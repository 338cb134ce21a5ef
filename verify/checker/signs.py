"""Which signs a quotient can have: from facts, coefficients, factors, roots and constants.

A set of signs is a mask over NEGATIVE, ZERO and POSITIVE. The empty mask says that the facts
exclude every point. All that is inferred holds at every point where the facts hold.
"""

from __future__ import annotations

from fractions import Fraction

import flint
from flint import arb, fmpq, fmpq_mpoly, fmpq_poly

from verify.checker.algebra import (
    MAX_TERMS,
    ONE,
    UNIT,
    Atom,
    Quotient,
    Range,
    Table,
    TooLarge,
    X,
    constant,
    parts,
    used,
)
from verify.checker.sturm import (
    ANY,
    MAX_DEGREE,
    NEGATIVE,
    NONNEGATIVE,
    NONPOSITIVE,
    NONZERO,
    POSITIVE,
    ZERO,
    sign_on,
)

DECIDED = (0, NEGATIVE, ZERO, POSITIVE)
_MAX_DEPTH = 7
_MAX_PRECISION = 4096


def flip(mask: int) -> int:
    """The signs of −x."""
    return (
        (mask & ZERO) | (POSITIVE if mask & NEGATIVE else 0) | (NEGATIVE if mask & POSITIVE else 0)
    )


def times(a: int, b: int) -> int:
    """The signs of x·y."""
    if not a or not b:
        return 0
    mask = (a | b) & ZERO
    if (a & POSITIVE and b & POSITIVE) or (a & NEGATIVE and b & NEGATIVE):
        mask |= POSITIVE
    if (a & POSITIVE and b & NEGATIVE) or (a & NEGATIVE and b & POSITIVE):
        mask |= NEGATIVE
    return mask


class Signs:
    """Inference of signs over the atoms of a table, given what is known of some polynomials."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.known: dict[str, int] = {}
        """Monic polynomial -> its signs, from facts."""
        self.found: dict[str, tuple[int, int]] = {}
        """Monic polynomial -> (its signs, how many methods were tried)."""
        self._depth = 0
        self._cut = False
        """Whether the depth limit has withheld something from the result in the making."""

    def sign(self, value: Quotient, goal: int = 0) -> int:
        """The signs of a quotient whose denominator is not 0 where it is used.

        Stops as soon as they are within `goal`.
        """
        if value.is_zero:
            return ZERO
        if value.den.is_one():
            return self.sign_of(value.num, goal)
        below = self.sign_of(value.den) & NONZERO
        goal = goal if below == POSITIVE else flip(goal) if below == NEGATIVE else 0
        return times(self.sign_of(value.num, goal), below)

    def sign_of(self, poly: fmpq_mpoly, goal: int = 0) -> int:
        """The signs of a polynomial over the atoms."""
        if len(poly) == 0:
            return ZERO
        lead = poly.leading_coefficient()
        if poly.is_constant():
            return POSITIVE if lead > 0 else NEGATIVE
        monic = poly if lead == 1 else poly / lead
        goal = goal if lead > 0 else flip(goal)
        mask = self._monic(monic, goal)
        return mask if lead > 0 else flip(mask)

    def _monic(self, poly: fmpq_mpoly, goal: int) -> int:
        key = str(poly)
        mask, stage = self.found.get(key, (ANY, 0))
        mask &= self.known.get(key, ANY)
        if self._depth > _MAX_DEPTH:
            self._cut = True
            return mask
        outer_cut, self._cut = self._cut, False
        self._depth += 1
        try:
            while mask & ~goal and mask not in DECIDED and stage < len(_METHODS):
                self.table.budget.spend(2)
                try:
                    mask &= _METHODS[stage](self, poly)
                except TooLarge:
                    pass  # this method tells nothing
                stage += 1
        finally:
            self._depth -= 1
        self.found[key] = (mask, 0 if self._cut and self._depth else stage)
        self._cut |= outer_cut
        return mask

    def learn(self, value: Quotient, mask: int) -> bool:
        """Take in that a quotient has one of the signs `mask`; False if that told nothing."""
        below = self.sign_of(value.den)
        if below not in (POSITIVE, NEGATIVE):
            return False
        mask = mask if below == POSITIVE else flip(mask)
        self._note(value.num, mask)
        if value.num.is_constant() or len(value.num) > 400:
            return True
        content, factors = value.num.factor()
        rest = mask if content > 0 else flip(mask)
        open_factors = []
        for factor, multiplicity in factors:
            sign = self.sign_of(factor)
            if multiplicity % 2 == 0 and not sign & ZERO:
                continue
            if multiplicity % 2 and sign in (POSITIVE, NEGATIVE):
                rest = rest if sign == POSITIVE else flip(rest)
            else:
                open_factors.append((factor, multiplicity))
            if not mask & ZERO:
                self._note(factor, NONZERO)
        if len(open_factors) == 1:
            factor, multiplicity = open_factors[0]
            if multiplicity % 2:
                self._note(factor, rest)
            elif not rest & ZERO:
                self._note(factor, NONZERO)
            elif not rest & POSITIVE:
                self._note(factor, ZERO)
        return len(open_factors) <= 1

    def _note(self, poly: fmpq_mpoly, mask: int) -> None:
        if poly.is_constant():
            return
        lead = poly.leading_coefficient()
        key = str(poly / lead)
        self.known[key] = self.known.get(key, ANY) & (mask if lead > 0 else flip(mask))
        self.found = {k: entry for k, entry in self.found.items() if entry[0] in DECIDED}

    # Methods, cheapest first; each gives a mask that holds wherever the facts hold ------------

    def _by_constants(self, poly: fmpq_mpoly) -> int:
        """Numbers only: balls of growing precision."""
        if any(self.table.atoms[i].names for i in used(poly)):
            return ANY
        precision = 64
        while precision <= _MAX_PRECISION:
            with flint.ctx.workprec(precision):
                value = self._ball(poly)
            if value > 0:
                return POSITIVE
            if value < 0:
                return NEGATIVE
            precision *= 4
        return ANY

    def _ball(self, poly: fmpq_mpoly) -> arb:
        atoms = {i: self._atom_ball(self.table.atoms[i]) for i in used(poly)}
        total = arb(0)
        for monomial, coefficient in poly.terms():
            term = arb(coefficient)
            for i, value in atoms.items():
                if monomial[i]:
                    term *= value ** int(monomial[i])
            total += term
        return total

    def _atom_ball(self, atom: Atom) -> arb:
        inside = self._ball(atom.inside.num) / self._ball(atom.inside.den)
        if atom.kind == "exp":
            return (inside * arb(fmpq(atom.rate.numerator, atom.rate.denominator))).exp()
        return inside.log() if atom.kind == "log" else inside.root(atom.index)

    def _plain(self, poly: fmpq_mpoly) -> int:
        return self._by_coefficients(poly, "plain")

    def _shifted(self, poly: fmpq_mpoly) -> int:
        return self._by_coefficients(poly, "shifted")

    def _tangent(self, poly: fmpq_mpoly) -> int:
        return self._by_coefficients(poly, "tangent")

    def _bounded(self, poly: fmpq_mpoly) -> int:
        return self._by_coefficients(poly, "bounded")

    def _by_factors(self, poly: fmpq_mpoly) -> int:
        if len(poly) > 400 or poly.total_degree() > 400:
            return ANY
        content, factors = poly.factor()
        if len(factors) == 1 and factors[0][1] == 1:
            return ANY
        mask = POSITIVE if content > 0 else NEGATIVE
        for factor, multiplicity in factors:
            sign = self.sign_of(factor)
            mask = times(mask, sign if multiplicity % 2 else times(sign, sign) & ~NEGATIVE)
        return mask

    def _by_roots(self, poly: fmpq_mpoly) -> int:
        """One atom only: its polynomial has no root where the atom ranges."""
        present = used(poly)
        degree = int(poly.total_degree())
        if len(present) != 1 or degree > MAX_DEGREE:
            return ANY
        dense = [fmpq(0)] * (degree + 1)
        for power, part in parts(poly, present[0]).items():
            dense[power] = part.leading_coefficient()
        return sign_on(fmpq_poly(dense), self._range(present[0]))

    def _range(self, index: int) -> Range:
        """An interval that holds every value of an atom."""
        atom, table = self.table.atoms[index], self.table
        zero, one = Fraction(0), Fraction(1)
        if atom.kind == "variable":
            return table.domains[atom.name]
        if atom.kind == "root":
            return Range(zero, None, self.sign(atom.inside) == POSITIVE)
        if atom.kind == "exp":
            inner = self.sign(atom.inside)
            if not inner & NEGATIVE:
                return Range(one, None, inner == POSITIVE)
            if not inner & POSITIVE:
                return Range(zero, one, True, inner == NEGATIVE)
            return Range(zero, None)
        inner = self.sign(table.sub(atom.inside, ONE))
        if not inner & NEGATIVE:
            return Range(zero, None, inner == POSITIVE)
        if not inner & POSITIVE:
            return Range(None, zero, True, inner == NEGATIVE)
        return Range(None, None)

    # Coefficients -------------------------------------------------------------------------------

    def _by_coefficients(self, poly: fmpq_mpoly, mode: str) -> int:
        """Every atom is written over quantities >= 0; then the coefficients decide."""
        if not self.table.names(Quotient(poly, UNIT)):
            return ANY
        whole, strict, closed = poly, {}, []
        degrees = poly.degrees()
        for index in range(len(self.table.atoms) - 1, -1, -1):
            if degrees[index] == 0 or not self.table.atoms[index].names:
                continue
            written = self._written(index, mode)
            if written is None:
                if any(power % 2 for power in parts(poly, index)):
                    return ANY
                strict[index] = False
                continue
            top, bottom, strict[index], is_closed = written
            if is_closed:
                closed.append(index)
            if top != X[index] or len(bottom) > 1:
                poly = self._replaced(poly, index, top, bottom)
                degrees = poly.degrees()
        mask = self._of_coefficients(poly, strict)
        if mask in (POSITIVE, NEGATIVE):
            for index in closed:  # the end of the range lies at infinity of the new quantity
                upper = self.table.domains[self.table.atoms[index].name].upper
                assert upper is not None
                at_end = self._replaced(whole, index, constant(upper), UNIT)
                if self.sign_of(at_end) != mask:
                    return mask | ZERO
        return mask

    def _replaced(
        self, poly: fmpq_mpoly, index: int, top: fmpq_mpoly, bottom: fmpq_mpoly
    ) -> fmpq_mpoly:
        """bottom^degree · poly with the atom replaced by top/bottom."""
        degree = int(poly.degrees()[index])
        if len(poly) * (len(top) + len(bottom)) * degree > MAX_TERMS:
            raise TooLarge("a substitution into a large polynomial")
        total = poly * 0
        for power, part in parts(poly, index).items():
            total += part * top**power * bottom ** (degree - power)
        return total

    def _written(self, index: int, mode: str) -> tuple[fmpq_mpoly, fmpq_mpoly, bool, bool] | None:
        """The atom as top/bottom over quantities >= 0, where x stands for a new one in its place.

        (top, bottom, whether x > 0 always, whether x = infinity stands for a point); None if the
        sign of the atom is not known. top/bottom > 0 or >= 0 needs bottom > 0 for all x >= 0.
        """
        atom, x = self.table.atoms[index], X[index]
        if atom.kind == "variable":
            return self._written_variable(self.table.domains[atom.name], x, mode)
        if atom.kind == "root":
            return x, UNIT, self.sign(atom.inside) == POSITIVE, False
        if atom.kind == "exp":
            if mode == "plain":
                return x, UNIT, True, False
            inner = self.sign(atom.inside)
            if inner & NEGATIVE and inner & POSITIVE:
                return x, UNIT, True, False
            line = UNIT
            if mode == "tangent" and atom.inside.den.is_one():  # exp m >= 1 + m
                step = atom.inside.num * constant(atom.rate)
                line = UNIT + (step if not inner & NEGATIVE else -step)
            if not inner & NEGATIVE:
                return line + x, UNIT, inner == POSITIVE, False
            return UNIT, line + x, inner == NEGATIVE, False
        inner = self.sign(self.table.sub(atom.inside, ONE))
        if not inner & NEGATIVE:
            return x, UNIT, inner == POSITIVE, False
        return (-x, UNIT, inner == NEGATIVE, False) if not inner & POSITIVE else None

    @staticmethod
    def _written_variable(
        where: Range, x: fmpq_mpoly, mode: str
    ) -> tuple[fmpq_mpoly, fmpq_mpoly, bool, bool] | None:
        low, high = where.lower, where.upper
        if mode == "plain":
            if low is not None and low >= 0:
                return x, UNIT, where.lower_open or low > 0, False
            if high is not None and high <= 0:
                return -x, UNIT, where.upper_open or high < 0, False
            return None
        if mode == "bounded" and low is not None and high is not None:
            if low == high:
                return constant(low), UNIT, False, False
            top = constant(low) + x * constant(high)
            return top, UNIT + x, where.lower_open, not where.upper_open
        if low is not None:
            return x + constant(low), UNIT, where.lower_open, False
        if high is not None:
            return constant(high) - x, UNIT, where.upper_open, False
        return None

    def _of_coefficients(self, poly: fmpq_mpoly, strict: dict[int, bool]) -> int:
        """The signs of a polynomial in quantities >= 0, some of them > 0."""
        constants = [i for i in used(poly) if not self.table.atoms[i].names]
        groups: dict[tuple[int, ...], fmpq_mpoly] = {}
        for monomial, coefficient in poly.terms():
            term = UNIT * coefficient
            for i in constants:
                term *= X[i] ** int(monomial[i])
            rest = tuple(0 if i in constants else int(p) for i, p in enumerate(monomial))
            groups[rest] = groups[rest] + term if rest in groups else term
        mask, certain = 0, False
        for monomial, group in groups.items():
            sign = self.sign_of(group)
            if sign == ZERO:
                continue
            if sign not in (POSITIVE, NEGATIVE) or mask | sign == NONZERO:
                return ANY
            mask |= sign
            certain |= all(strict.get(i, False) for i, power in enumerate(monomial) if power)
        return mask if certain else mask | ZERO


_METHODS = (
    Signs._by_constants,
    Signs._plain,
    Signs._by_factors,
    Signs._shifted,
    Signs._by_roots,
    Signs._tangent,
    Signs._bounded,
)

__all__ = [
    "ANY", "DECIDED", "NEGATIVE", "NONNEGATIVE", "NONPOSITIVE", "NONZERO", "POSITIVE", "ZERO",
    "Signs", "flip", "times",
]  # fmt: skip
