"""Smooth formulas as quotients of polynomials over atoms, with exact arithmetic.

An atom is a variable, `exp(rate·m)`, `log(P)` or the q-th root of P. Atoms are functions of the
variables, whatever is known about them; a quotient of polynomials over atoms is a function
wherever its denominator is not 0.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import comb, gcd

from flint import Ordering, fmpq, fmpq_mpoly, fmpq_mpoly_ctx

from symbolic.expression import Expression, call, number, symbol

MAX_ATOMS = 24
MAX_TERMS = 4000
MAX_POWER = 5000
_MAX_BITS = 400_000
_RING = fmpq_mpoly_ctx.get([f"x{i}" for i in range(MAX_ATOMS)], Ordering.lex)
X = _RING.gens()
NOTHING = _RING.from_dict({})
UNIT = _RING.from_dict({(0,) * MAX_ATOMS: 1})


class Unproved(Exception):
    """A step of a certificate does not replay; the text says which and why."""


_SHOWN_NODES, _SHOWN = 400, 120


def short(tree: Expression) -> str:
    """A formula in a message: cut, and not even written out where shared parts make it huge."""
    if tree.nodes > _SHOWN_NODES:
        return f"a formula of {tree.nodes} nodes"
    text = str(tree)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


class OverBudget(Exception):
    """The certificate needs more steps than the checker spends on one."""


class TooLarge(Unproved):
    """A polynomial grows beyond what the checker handles; another way may do without it."""


class Finer(Exception):
    """exp(m) is met with an exponent that is no multiple of the rate of its atom."""

    def __init__(self, key: str, rate: Fraction) -> None:
        self.key, self.rate = key, rate


@dataclass(frozen=True)
class Range:
    """An interval of reals; an end that is None is infinite (and open)."""

    lower: Fraction | None
    upper: Fraction | None
    lower_open: bool = True
    upper_open: bool = True


@dataclass(frozen=True, slots=True)
class Quotient:
    """num/den in lowest terms; the leading coefficient of den is 1."""

    num: fmpq_mpoly
    den: fmpq_mpoly

    @property
    def key(self) -> str:
        return f"{self.num}/{self.den}"

    @property
    def is_zero(self) -> bool:
        return len(self.num) == 0


ONE = Quotient(UNIT, UNIT)
ZERO_QUOTIENT = Quotient(NOTHING, UNIT)


@dataclass(frozen=True, slots=True)
class Atom:
    """A variable (`name`), exp(rate·inside), log(inside), or the `index`-th root of inside."""

    kind: str
    name: str
    inside: Quotient
    rate: Fraction
    index: int
    names: frozenset[str]
    """Variables it depends on."""


class Budget:
    """Steps left for one certificate, and the time (of `time.monotonic`) when it has to be done."""

    def __init__(self, steps: int, deadline: float = math.inf) -> None:
        self.steps = steps
        self.deadline = deadline

    def spend(self, steps: int = 1) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise OverBudget("the step budget of the checker is spent")
        if time.monotonic() > self.deadline:
            raise OverBudget("time ran out during the replay")


def constant(value: Fraction | int) -> fmpq_mpoly:
    """The number as a polynomial."""
    value = Fraction(value)
    return UNIT * fmpq(value.numerator, value.denominator)


def rational(value: Fraction | int) -> Quotient:
    """The number as a quotient."""
    return Quotient(constant(value), UNIT) if value else ZERO_QUOTIENT


def as_fraction(value: fmpq) -> Fraction:
    """The same rational in Python."""
    return Fraction(int(value.p), int(value.q))


def used(poly: fmpq_mpoly) -> list[int]:
    """Numbers of the atoms that occur."""
    return [i for i, degree in enumerate(poly.degrees()) if degree > 0]


def parts(poly: fmpq_mpoly, index: int) -> dict[int, fmpq_mpoly]:
    """Power of atom `index` -> its coefficient."""
    found: dict[int, dict[tuple[int, ...], fmpq]] = {}
    for monomial, coefficient in poly.terms():
        rest = (*monomial[:index], 0, *monomial[index + 1 :])
        found.setdefault(int(monomial[index]), {})[rest] = coefficient
    return {power: _RING.from_dict(part) for power, part in found.items()}


def common_rate(a: Fraction, b: Fraction) -> Fraction:
    """The largest rational of which both are integer multiples."""
    top = gcd(a.numerator * b.denominator, b.numerator * a.denominator)
    return Fraction(top, a.denominator * b.denominator)


class Table:
    """The atoms met so far over variables with given ranges, and arithmetic on quotients."""

    def __init__(self, domains: Mapping[str, Range], budget: Budget) -> None:
        self.domains = dict(domains)
        self.budget = budget
        self.atoms: list[Atom] = []
        self.roots: list[int] = []
        self.rates: dict[str, Fraction] = {}
        self.version = 0
        """Grows when an exponential gets a finer rate: results before and after do not compare."""
        self._numbers: dict[tuple[str, str, Fraction], int] = {}
        self._slopes: dict[tuple[int, str], Quotient] = {}
        self._trees: dict[int, Expression] = {}

    def refine(self, finer: Finer) -> None:
        self.rates[finer.key] = finer.rate
        self.version += 1
        self.budget.spend(20)

    # Arithmetic ---------------------------------------------------------------------

    def quotient(self, num: fmpq_mpoly, den: fmpq_mpoly = UNIT) -> Quotient:
        """num/den in lowest terms; den is not 0 as a polynomial."""
        self.budget.spend(1 + (len(num) + len(den)) // 8)
        if self.roots:
            num, den = self._reduced(num), self._reduced(den)
        if len(den) == 0:
            raise Unproved("a denominator is 0")
        if len(num) == 0:
            return ZERO_QUOTIENT
        if len(num) > MAX_TERMS or len(den) > MAX_TERMS:
            raise TooLarge(f"a polynomial has more than {MAX_TERMS} terms")
        if not (len(den) == 1 and den.is_one()):
            common = num.gcd(den)
            if not common.is_one():
                num, den = num / common, den / common
            lead = den.leading_coefficient()
            if lead != 1:
                num, den = num / lead, den / lead
        return Quotient(num, den)

    def _reduced(self, poly: fmpq_mpoly) -> fmpq_mpoly:
        """Powers of roots at or above their index replaced by the radicand."""
        degrees = poly.degrees()
        for index in reversed(self.roots):
            atom = self.atoms[index]
            if degrees[index] >= atom.index:
                total = NOTHING
                for power, part in parts(poly, index).items():
                    whole, rest = divmod(power, atom.index)
                    self.guard_power(atom.inside.num, whole)
                    total += part * atom.inside.num**whole * X[index] ** rest
                return self._reduced(total)
        return poly

    def add(self, a: Quotient, b: Quotient) -> Quotient:
        if a.den == b.den:
            return self.quotient(a.num + b.num, a.den)
        self._guard(a.num, b.den)
        self._guard(b.num, a.den)
        return self.quotient(a.num * b.den + b.num * a.den, a.den * b.den)

    def sub(self, a: Quotient, b: Quotient) -> Quotient:
        return self.add(a, Quotient(-b.num, b.den))

    def mul(self, a: Quotient, b: Quotient) -> Quotient:
        self._guard(a.num, b.num)
        self._guard(a.den, b.den)
        return self.quotient(a.num * b.num, a.den * b.den)

    def div(self, a: Quotient, b: Quotient) -> Quotient:
        self._guard(a.num, b.den)
        self._guard(a.den, b.num)
        return self.quotient(a.num * b.den, a.den * b.num)

    def power(self, a: Quotient, n: int) -> Quotient:
        if n < 0:
            return self.power(self.div(ONE, a), -n)
        self.guard_power(a.num, n)
        self.guard_power(a.den, n)
        return self.quotient(a.num**n, a.den**n)

    @staticmethod
    def guard_power(poly: fmpq_mpoly, n: int) -> None:
        if n < 2 or len(poly) == 0 or poly.is_one():
            return
        if n > MAX_POWER or comb(n + len(poly) - 1, len(poly) - 1) > MAX_TERMS:
            raise TooLarge(f"the power {n} of a sum of {len(poly)} terms")
        if n * sum(int(c.height_bits()) for c in poly.coeffs()) > _MAX_BITS:
            raise TooLarge(f"the power {n} of large coefficients")

    def _guard(self, a: fmpq_mpoly, b: fmpq_mpoly) -> None:
        size = len(a) * len(b)
        if size > 400_000:
            raise TooLarge("a product of two large polynomials")
        self.budget.spend(size // 50)

    # Atoms --------------------------------------------------------------------------------

    def variable(self, name: str) -> int:
        return self._atom("variable", name, ZERO_QUOTIENT, name=name)

    def exponential(self, inside: Quotient, rate: Fraction) -> int:
        return self._atom("exp", inside.key, inside, rate=rate)

    def logarithm(self, inside: Quotient) -> int:
        return self._atom("log", inside.key, inside)

    def root(self, radicand: fmpq_mpoly, index: int) -> int:
        """The atom of the real root >= 0 of a polynomial >= 0."""
        inside = Quotient(radicand, UNIT)
        return self._atom("root", inside.key, inside, rate=Fraction(index), index=index)

    def _atom(
        self, kind: str, key: str, inside: Quotient, *,
        name: str = "", rate: Fraction = Fraction(1), index: int = 1,
    ) -> int:  # fmt: skip
        found = self._numbers.get((kind, key, rate))
        if found is None:
            if len(self.atoms) >= MAX_ATOMS:
                raise TooLarge(f"a claim needs more than {MAX_ATOMS} atoms")
            found = len(self.atoms)
            names = frozenset([name]) if name else self.names(inside)
            self.atoms.append(Atom(kind, name, inside, rate, index, names))
            self._numbers[kind, key, rate] = found
            if kind == "root":
                self.roots.append(found)
        return found

    def names(self, value: Quotient) -> frozenset[str]:
        """Variables that a quotient is written in."""
        return frozenset().union(
            *(self.atoms[i].names for poly in (value.num, value.den) for i in used(poly))
        )

    def closure(self, poly: fmpq_mpoly) -> set[int]:
        """Atoms that occur in a polynomial or inside its atoms."""
        found: set[int] = set()
        todo = used(poly)
        while todo:
            index = todo.pop()
            if index not in found:
                found.add(index)
                inside = self.atoms[index].inside
                todo += used(inside.num) + used(inside.den)
        return found

    # Derivative -----------------------------------------------------------------------------

    def slope(self, value: Quotient, name: str) -> Quotient:
        """Derivative with respect to a variable, where every root's radicand is not 0."""
        num = self._poly_slope(value.num, name)
        if value.den.is_one():
            return num
        den = self._poly_slope(value.den, name)
        top, bottom = Quotient(value.num, UNIT), Quotient(value.den, UNIT)
        rise = self.sub(self.mul(num, bottom), self.mul(top, den))
        return self.div(rise, self.mul(bottom, bottom))

    def _poly_slope(self, poly: fmpq_mpoly, name: str) -> Quotient:
        total = ZERO_QUOTIENT
        for index in used(poly):
            if name in self.atoms[index].names:
                outer = self.quotient(poly.derivative(index))
                total = self.add(total, self.mul(outer, self._atom_slope(index, name)))
        return total

    def _atom_slope(self, index: int, name: str) -> Quotient:
        found = self._slopes.get((index, name))
        if found is None:
            atom = self.atoms[index]
            if atom.kind == "variable":
                found = ONE
            else:
                inner = self.slope(atom.inside, name)
                if atom.kind == "exp":
                    found = self.mul(Quotient(X[index] * constant(atom.rate), UNIT), inner)
                elif atom.kind == "log":
                    found = self.div(inner, atom.inside)
                else:
                    outer = Quotient(X[index] * constant(Fraction(1, atom.index)), UNIT)
                    found = self.div(self.mul(outer, inner), atom.inside)
            self._slopes[index, name] = found
        return found

    # Back to formulas -------------------------------------------------------------------------

    def tree(self, value: Quotient) -> Expression:
        """A formula that equals the quotient."""
        top = self._poly_tree(value.num)
        return top if value.den.is_one() else top / self._poly_tree(value.den)

    def _poly_tree(self, poly: fmpq_mpoly) -> Expression:
        self.budget.spend(len(poly) // 4)
        total: Expression | None = None
        for monomial, coefficient in poly.terms():
            term = number(abs(as_fraction(coefficient)))
            for i, power in enumerate(monomial):
                if power:
                    base = self._atom_tree(i)
                    factor = base if power == 1 else base ** number(int(power))
                    term = factor if term is number(1) else term * factor
            if total is None:
                total = -term if coefficient < 0 else term
            else:
                total = total - term if coefficient < 0 else total + term
        return number(0) if total is None else total

    def _atom_tree(self, index: int) -> Expression:
        found = self._trees.get(index)
        if found is None:
            atom = self.atoms[index]
            if atom.kind == "variable":
                found = symbol(atom.name)
            elif atom.kind == "exp":
                found = call("exp", number(atom.rate) * self.tree(atom.inside))
            elif atom.kind == "log":
                found = call("log", self.tree(atom.inside))
            elif atom.index == 2:
                found = call("sqrt", self.tree(atom.inside))
            else:
                found = self.tree(atom.inside) ** (number(1) / number(atom.index))
            self._trees[index] = found
        return found
