"""Exact algebra: smooth formulas as quotients of polynomials over atoms.

An atom is a variable, `exp(m/q)`, `log(P)`, or a q-th root of P. Exponentials are split over
the terms of their argument, written in variables shifted to their lower ends, so that
equal functions become equal polynomials and every exponent that can be non-negative is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import NoReturn

from flint import Ordering, fmpq, fmpq_mpoly, fmpq_mpoly_ctx, fmpz

from symbolic.domains import Interval
from symbolic.expression import Expression, call, number, symbol

MAX_ATOMS = 20
MAX_TERMS = 1500
MAX_POWER = 400
MAX_CONSTANT_POWER = 64
MAX_SPLIT, MAX_SPLIT_OVER = 8, 3
"""Terms over which exp is split: of a polynomial, of a proper quotient."""
_CTX = fmpq_mpoly_ctx.get([f"x{i}" for i in range(MAX_ATOMS)], Ordering.lex)
GENERATORS = _CTX.gens()
ZERO_POLY, ONE_POLY = _CTX.from_dict({}), _CTX.from_dict({(0,) * MAX_ATOMS: 1})


class TooLarge(Exception):
    """A step budget of the exact algebra is spent; the attempt is given up."""


class ScaleNeeded(Exception):
    """An exponential needs a finer root than was foreseen; the region starts again with it."""


@dataclass(frozen=True)
class Quotient:
    """num/den in lowest terms over the atoms of one kernel; den's leading coefficient is 1."""

    num: fmpq_mpoly
    den: fmpq_mpoly

    @property
    def key(self) -> str:
        return f"{self.num}/{self.den}"

    @property
    def is_zero(self) -> bool:
        return bool(self.num.is_zero())


@dataclass(frozen=True)
class Atom:
    """A generator: a variable, exp(rate·inside), log(inside), or the `index`-th root of inside."""

    kind: str
    name: str = ""
    inside: Quotient | None = None
    rate: Fraction = Fraction(1)
    index: int = 1


def constant(value: Fraction | int) -> fmpq_mpoly:
    value = Fraction(value)
    return ONE_POLY * fmpq(value.numerator, value.denominator)


def as_fraction(value: fmpq) -> Fraction:
    value = fmpq(value)
    return Fraction(int(value.p), int(value.q))


def key_of(poly: fmpq_mpoly) -> str:
    return str(poly)


def used(poly: fmpq_mpoly) -> list[int]:
    """Indices of the atoms that occur."""
    return [i for i, degree in enumerate(poly.degrees()) if degree > 0]


def coefficients(poly: fmpq_mpoly, index: int) -> dict[int, fmpq_mpoly]:
    """Power of atom `index` -> coefficient polynomial."""
    parts: dict[int, dict[tuple[int, ...], fmpq]] = {}
    for monomial, coefficient in poly.terms():
        rest = (*monomial[:index], 0, *monomial[index + 1 :])
        parts.setdefault(int(monomial[index]), {})[rest] = coefficient
    return {power: _CTX.from_dict(part) for power, part in parts.items()}


def substitute_atom(poly: fmpq_mpoly, index: int, value: fmpq_mpoly) -> fmpq_mpoly:
    args = list(GENERATORS)
    args[index] = value
    return poly.compose(*args)


class Kernel:
    """The algebra of one region: variables with domains, and the atoms met so far."""

    def __init__(self, domains: Mapping[str, Interval], scales: dict[str, Fraction]) -> None:
        self.domains = dict(domains)
        self.scales = scales
        self.atoms: list[Atom] = []
        self._index: dict[str, int] = {}
        self._trees: dict[int, tuple[Expression, Quotient]] = {}
        self._slopes: dict[tuple[int, str], Quotient] = {}
        self._atom_trees: dict[int, Expression] = {}

    # Arithmetic -----------------------------------------------------------------

    def quotient(self, num: fmpq_mpoly, den: fmpq_mpoly = ONE_POLY) -> Quotient:
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
        if len(num.coeffs()) > MAX_TERMS or len(den.coeffs()) > MAX_TERMS:
            raise TooLarge
        return Quotient(num, den)

    def reduced(self, poly: fmpq_mpoly) -> fmpq_mpoly:
        """Powers of roots beyond their index replaced by the radicand."""
        for index, atom in enumerate(self.atoms):
            if atom.kind != "root" or poly.degrees()[index] < atom.index:
                continue
            assert atom.inside is not None
            total = ZERO_POLY
            for power, part in coefficients(poly, index).items():
                whole, rest = divmod(power, atom.index)
                total += part * atom.inside.num**whole * GENERATORS[index] ** rest
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
        terms = max(len(a.num.coeffs()), len(a.den.coeffs()))
        if n > 64 and terms > 1 or terms > 2 and n * terms > 200:
            raise TooLarge
        return self.quotient(a.num**n, a.den**n)

    @staticmethod
    def _guard(a: fmpq_mpoly, b: fmpq_mpoly) -> None:
        if len(a.coeffs()) * len(b.coeffs()) > 200_000:
            raise TooLarge

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
                raise TooLarge
            found = len(self.atoms)
            self.atoms.append(Atom(kind, name, inside, rate, index))
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
        args = list(GENERATORS)
        for index in used(poly):
            args[index] = self.shift(index)
        return poly.compose(*args)

    # Transcendental functions -------------------------------------------------------

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
            if only.kind == "log":
                assert only.inside is not None
                return self.root_power(only.inside, coefficient)
        if not present and den.is_one():
            return self._exp_constant(coefficient)
        base = ONE_POLY
        for i in present:
            base *= self.unshift(i) ** monomial[i]
        return self._exp_power(self.quotient(base, den), coefficient)

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
        index = self.atom("exp", key, inside=inside, rate=rate)
        power = int(coefficient / rate)
        if abs(power) > MAX_POWER:
            raise TooLarge
        generator = GENERATORS[index] ** abs(power)
        return Quotient(generator, ONE_POLY) if power >= 0 else self.quotient(ONE_POLY, generator)

    def _exp_constant(self, value: Fraction) -> Quotient:
        """exp of a rational: a power of exp(1/d), or an atom of its own where that power is high."""
        rate = (
            Fraction(1, value.denominator)
            if abs(value.numerator) <= MAX_CONSTANT_POWER
            else abs(value)
        )
        index = self.atom("exp", f"constant {rate}", inside=self.one, rate=rate)
        generator = GENERATORS[index] ** int(abs(value) / rate)
        return Quotient(generator, ONE_POLY) if value > 0 else self.quotient(ONE_POLY, generator)

    def _first_rate(self, inside: Quotient, coefficient: Fraction) -> Fraction:
        """exp(s) itself where the argument is a variable, else exp of the argument as it is met."""
        present = used(inside.num)
        plain = inside.den.is_one() and len(present) == 1 and inside.num.total_degree() == 1
        return _gcd(Fraction(1), coefficient) if plain and present else abs(coefficient)

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
        for integer, sign in ((value.numerator, 1), (value.denominator, -1)):
            for prime, power in _factor_integer(integer):
                inside = self.rational(prime)
                index = self.atom("log", inside.key, inside=inside)
                total = self.quotient(
                    total.num + GENERATORS[index] * (sign * power * direction), total.den
                )
        return total

    def root_power(self, base: Quotient, exponent: Fraction) -> Quotient:
        """base**exponent for base > 0 (a rational exponent)."""
        if exponent.denominator == 1:
            return self.power(base, int(exponent))
        q = exponent.denominator
        # root_q(N/D) = root_q(N D^(q-1)) / D with D > 0: callers orient D.
        radicand = base.num * base.den ** (q - 1)
        outside, inside = ONE_POLY, ONE_POLY
        content, factors = radicand.factor()
        for factor, multiplicity in factors:
            present = used(factor)
            if len(present) == 1 and factor == GENERATORS[present[0]]:
                atom = self.atoms[present[0]]
                if atom.kind == "exp" and multiplicity % q and atom.inside != self.one:
                    assert atom.inside is not None
                    self.finer(atom.inside.key, atom.rate / q)
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
        root = constant(Fraction(1, value.denominator))
        for prime, power in _factor_integer(value.numerator * value.denominator ** (q - 1)):
            whole, rest = divmod(power, q)
            root *= constant(prime**whole)
            if rest:
                root *= self._root_atom(constant(prime), q) ** rest
        return root

    def weak_sign(self, poly: fmpq_mpoly) -> int | None:
        """+1 where a polynomial is certainly >= 0; a subclass knows more."""
        return 1 if all(c > 0 for c in self.shifted(poly).coeffs()) else None

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
            return call("exp", inside if atom.rate == 1 else number(atom.rate) * inside)
        if atom.kind == "log":
            return call("log", inside)
        return (
            call("sqrt", inside) if atom.index == 2 else inside ** (number(1) / number(atom.index))
        )


def _term_tree(coefficient: Fraction, factors: list[tuple[Expression, int]]) -> Expression:
    tree: Expression | None = None if coefficient == 1 and factors else number(coefficient)
    for base, power in factors:
        factor = base if power == 1 else base ** number(power)
        tree = factor if tree is None else tree * factor
    assert tree is not None
    return tree


def _factor_integer(value: int) -> list[tuple[int, int]]:
    if value == 1:
        return []
    if value.bit_length() > 64:
        return [(value, 1)]
    return [(int(p), int(k)) for p, k in fmpz(value).factor()]


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
