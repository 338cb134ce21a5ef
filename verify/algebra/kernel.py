"""Exact algebra: smooth formulas as quotients of polynomials over atoms.

An atom is a variable, `exp(rate·m)`, `log(P)`, or a root of P. This is the part that needs no
transcendental function: arithmetic, derivatives, and the way back to formulas.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from flint import fmpq_mpoly

from symbolic.domains import Interval
from symbolic.expression import Expression, call, number, symbol
from verify.algebra.polynomials import (
    GENERATORS,
    MAX_ATOMS,
    MAX_TERMS,
    ONE_POLY,
    ZERO_POLY,
    Atom,
    Quotient,
    TooLarge,
    as_fraction,
    bounded,
    coefficients,
    compose,
    constant,
    powered,
    unaffordable,
    used,
)
from verify.clock import look

_DIGITS = 90
"""Of a literal in a certificate."""


class Kernel:
    """The algebra of one region: variables with domains, and the atoms met so far."""

    def __init__(self, domains: Mapping[str, Interval], scales: dict[str, Fraction]) -> None:
        self.domains = dict(domains)
        self.scales = scales
        self.atoms: list[Atom] = []
        self._has_roots = False
        self._index: dict[str, int] = {}
        self._trees: dict[int, tuple[Expression, Quotient]] = {}
        self._slopes: dict[tuple[int, str], Quotient] = {}
        self._atom_trees: dict[int, Expression] = {}

    def take_atoms(self, other: Kernel) -> None:
        """Number atoms as another kernel over the same variables does."""
        self.atoms, self._index = list(other.atoms), dict(other._index)
        self._has_roots = other._has_roots

    # Arithmetic -----------------------------------------------------------------

    def quotient(self, num: fmpq_mpoly, den: fmpq_mpoly = ONE_POLY) -> Quotient:
        """num/den in lowest terms. Raises ZeroDivisionError, TooLarge, OutOfTime."""
        look()
        if self._has_roots:
            num, den = self.reduced(num), self.reduced(den)
        if den.is_zero():
            raise ZeroDivisionError
        if num.is_zero():
            return Quotient(ZERO_POLY, ONE_POLY)
        if not den.is_constant():
            common = num.gcd(den)
            if not common.is_one():
                num, den = num / common, den / common
        lead = den.leading_coefficient()
        if lead != 1:
            num, den = num / lead, den / lead
        return Quotient(bounded(num), bounded(den))

    def reduced(self, poly: fmpq_mpoly) -> fmpq_mpoly:
        """Powers of roots beyond their index replaced by the radicand."""
        for index, atom in enumerate(self.atoms):
            if atom.kind != "root" or poly.degrees()[index] < atom.index:
                continue
            assert atom.inside is not None
            total = ZERO_POLY
            for power, part in coefficients(poly, index).items():
                whole, rest = divmod(power, atom.index)
                total += part * powered(atom.inside.num, whole) * GENERATORS[index] ** rest
            return self.reduced(total)
        return poly

    def add(self, a: Quotient, b: Quotient) -> Quotient:
        if a.den == b.den:
            return self.quotient(a.num + b.num, a.den)
        return self.quotient(a.num * b.den + b.num * a.den, a.den * b.den)

    def sub(self, a: Quotient, b: Quotient) -> Quotient:
        return self.add(a, Quotient(-b.num, b.den))

    def mul(self, a: Quotient, b: Quotient) -> Quotient:
        self._guard(a.num, b.num)
        return self.quotient(a.num * b.num, a.den * b.den)

    def div(self, a: Quotient, b: Quotient) -> Quotient:
        self._guard(a.num, b.den)
        return self.quotient(a.num * b.den, a.den * b.num)

    def power(self, a: Quotient, n: int) -> Quotient:
        if n < 0:
            return self.power(self.div(self.one, a), -n)
        return self.quotient(powered(a.num, n), powered(a.den, n))

    @staticmethod
    def _guard(a: fmpq_mpoly, b: fmpq_mpoly) -> None:
        if len(a) * len(b) > 200_000:
            raise TooLarge(f"a polynomial of more than {MAX_TERMS} terms")

    @property
    def one(self) -> Quotient:
        return Quotient(ONE_POLY, ONE_POLY)

    def rational(self, value: Fraction | int) -> Quotient:
        return Quotient(constant(value), ONE_POLY)

    # Atoms ------------------------------------------------------------------------

    def atom(
        self,
        kind: str,
        key: str,
        *,
        name: str = "",
        inside: Quotient | None = None,
        rate: Fraction = Fraction(1),
        index: int = 1,
    ) -> int:
        """The number of an atom, made when it is first met."""
        found = self._index.get(f"{kind}:{key}")
        if found is None:
            if len(self.atoms) >= MAX_ATOMS:
                raise TooLarge(
                    f"more than {MAX_ATOMS} different exponentials, logarithms and roots"
                )
            found = len(self.atoms)
            self.atoms.append(Atom(kind, name, inside, rate, index))
            self._has_roots |= kind == "root"
            self._index[f"{kind}:{key}"] = found
        return found

    def variable(self, name: str) -> int:
        return self.atom("variable", name, name=name)

    def shift(self, index: int) -> fmpq_mpoly:
        """The atom as lower end plus a non-negative remainder (written with the same generator)."""
        atom = self.atoms[index]
        if atom.kind == "exp":
            return GENERATORS[index] + 1
        if atom.kind == "variable":
            domain = self.domains[atom.name]
            if domain.lower is not None:
                return GENERATORS[index] + constant(domain.lower)
            if domain.upper is not None:
                return constant(domain.upper) - GENERATORS[index]
        return GENERATORS[index]

    def unshift(self, index: int) -> fmpq_mpoly:
        """The remainder of `shift`, as a polynomial in the atom."""
        atom = self.atoms[index]
        if atom.kind == "exp":
            return GENERATORS[index] - 1
        if atom.kind == "variable":
            domain = self.domains[atom.name]
            if domain.lower is not None:
                return GENERATORS[index] - constant(domain.lower)
            if domain.upper is not None:
                return constant(domain.upper) - GENERATORS[index]
        return GENERATORS[index]

    def shifted(self, poly: fmpq_mpoly) -> fmpq_mpoly:
        args = {index: self.shift(index) for index in used(poly)}
        if unaffordable(poly, args):
            raise TooLarge(f"a polynomial of more than {MAX_TERMS} terms")
        return compose(poly, args)

    # Derivatives and substitution ------------------------------------------------------

    def atom_slope(self, index: int, name: str) -> Quotient:
        """Derivative of an atom with respect to a variable."""
        found = self._slopes.get((index, name))
        if found is None:
            found = self._slopes[index, name] = self._new_slope(index, name)
        return found

    def _new_slope(self, index: int, name: str) -> Quotient:
        atom = self.atoms[index]
        if atom.kind == "variable":
            return self.rational(int(atom.name == name))
        assert atom.inside is not None
        inner = self.slope(atom.inside, name)
        if inner.is_zero:
            return inner
        if atom.kind == "exp":
            return self.mul(self.quotient(GENERATORS[index] * constant(atom.rate)), inner)
        if atom.kind == "log":
            return self.div(inner, atom.inside)
        outer = self.quotient(GENERATORS[index] * constant(Fraction(1, atom.index)))
        return self.div(self.mul(outer, inner), atom.inside)

    def slope(self, value: Quotient, name: str) -> Quotient:
        """Derivative with respect to a variable."""
        num = self._poly_slope(value.num, name)
        if value.den.is_constant():
            return num
        den = self._poly_slope(value.den, name)
        top = self.sub(
            self.mul(num, Quotient(value.den, ONE_POLY)),
            self.mul(Quotient(value.num, ONE_POLY), den),
        )
        return self.div(top, Quotient(value.den * value.den, ONE_POLY))

    def _poly_slope(self, poly: fmpq_mpoly, name: str) -> Quotient:
        total = self.rational(0)
        for index in used(poly):
            inner = self.atom_slope(index, name)
            if not inner.is_zero:
                total = self.add(total, self.mul(Quotient(poly.derivative(index), ONE_POLY), inner))
        return total

    def depends(self, value: Quotient, name: str) -> bool:
        return any(self.atom_depends(i, name) for p in (value.num, value.den) for i in used(p))

    def atom_depends(self, index: int, name: str) -> bool:
        atom = self.atoms[index]
        if atom.kind == "variable":
            return atom.name == name
        assert atom.inside is not None
        return self.depends(atom.inside, name)

    def variables(self, value: Quotient) -> set[str]:
        return {name for name in self.domains if self.depends(value, name)}

    # Back to formulas ---------------------------------------------------------------------

    def tree(self, value: Quotient) -> Expression:
        """The quotient as a formula (what a certificate states)."""
        top = self.poly_tree(value.num)
        return top if value.den.is_one() else top / self.poly_tree(value.den)

    def poly_tree(self, poly: fmpq_mpoly) -> Expression:
        total: Expression | None = None
        for monomial, coefficient in poly.terms():
            term = _term_tree(abs(as_fraction(coefficient)), [
                (self.atom_tree(i), int(power)) for i, power in enumerate(monomial) if power
            ])  # fmt: skip
            negative = coefficient < 0
            if total is None:
                total = -term if negative else term
            else:
                total = total - term if negative else total + term
        return number(0) if total is None else total

    def atom_tree(self, index: int) -> Expression:
        found = self._atom_trees.get(index)
        if found is None:
            found = self._atom_trees[index] = self._new_atom_tree(self.atoms[index])
        return found

    def _new_atom_tree(self, atom: Atom) -> Expression:
        if atom.kind == "variable":
            return symbol(atom.name)
        assert atom.inside is not None
        inside = self.tree(atom.inside)
        if atom.kind == "exp":
            return call("exp", inside if atom.rate == 1 else literal(atom.rate) * inside)
        if atom.kind == "log":
            return call("log", inside)
        return (
            call("sqrt", inside) if atom.index == 2 else inside ** (number(1) / number(atom.index))
        )


def literal(value: Fraction) -> Expression:
    """A number >= 0 as a formula that can be read again: no literal has too many digits."""
    if value.numerator.bit_length() < 160 and value.denominator.bit_length() < 40:
        return number(value)
    top = _digits(value.numerator)
    return top if value.denominator == 1 else top / _digits(value.denominator)


def _digits(value: int) -> Expression:
    high, low = divmod(value, 10**_DIGITS)
    if not high:
        return number(low)
    high_part = _digits(high) * number(10**_DIGITS)
    return high_part + number(low) if low else high_part


def _term_tree(coefficient: Fraction, factors: list[tuple[Expression, int]]) -> Expression:
    tree: Expression | None = None if coefficient == 1 and factors else literal(coefficient)
    for base, power in factors:
        factor = base if power == 1 else base ** number(power)
        tree = factor if tree is None else tree * factor
    assert tree is not None
    return tree
