"""Polynomials over a fixed set of generators, and quotients of them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod

from flint import Ordering, fmpq, fmpq_mpoly, fmpq_mpoly_ctx

MAX_ATOMS = 20
MAX_TERMS = 1500
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
    """A rational as a polynomial."""
    value = Fraction(value)
    return ONE_POLY * fmpq(value.numerator, value.denominator)


def as_fraction(value: fmpq) -> Fraction:
    """A coefficient as a Python fraction."""
    value = fmpq(value)
    return Fraction(int(value.p), int(value.q))


def key_of(poly: fmpq_mpoly) -> str:
    """Equal polynomials have equal keys (flint's polynomials cannot be hashed)."""
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


def monic(poly: fmpq_mpoly) -> tuple[str, bool]:
    """(canonical key, whether the sign was flipped)."""
    lead = poly.leading_coefficient()
    return key_of(poly / lead), bool(lead < 0)


def expansion(poly: fmpq_mpoly, args: dict[int, fmpq_mpoly]) -> int:
    """A bound for the number of terms that substitution produces before like ones meet."""
    wide = [(i, len(value.coeffs()) - 1) for i, value in args.items() if len(value.coeffs()) > 1]
    return sum(prod(1 + extra * int(m[i]) for i, extra in wide) for m in poly.monoms())


def compose(poly: fmpq_mpoly, args: dict[int, fmpq_mpoly]) -> fmpq_mpoly:
    """The polynomial with generators replaced, all at once."""
    full = list(GENERATORS)
    for index, value in args.items():
        full[index] = value
    return poly.compose(*full)
