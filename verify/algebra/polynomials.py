"""Polynomials over a fixed set of generators, and quotients of them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import comb, prod

from flint import Ordering, fmpq, fmpq_mpoly, fmpq_mpoly_ctx

MAX_ATOMS = 20
MAX_TERMS = 1500
MAX_EXPANSION = 6000
MAX_WORK = 10**6
"""Terms before like ones meet, where generators are replaced by sums."""
MAX_DEGREE = 100_000
MAX_BITS = 4096
"""The longest number that is multiplied out, as a coefficient or as the power of a number."""
_CTX = fmpq_mpoly_ctx.get([f"x{i}" for i in range(MAX_ATOMS)], Ordering.lex)
GENERATORS = _CTX.gens()
ZERO_POLY, ONE_POLY = _CTX.from_dict({}), _CTX.from_dict({(0,) * MAX_ATOMS: 1})


class TooLarge(Exception):
    """A size limit of the exact algebra is met; the text says which, and the attempt is given up."""


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


def bits(value: Fraction) -> int:
    """The length of the longer of numerator and denominator."""
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def bounded(poly: fmpq_mpoly) -> fmpq_mpoly:
    """The polynomial, if it keeps to the sizes of exact algebra. Raises TooLarge."""
    if len(poly) > MAX_TERMS:
        raise TooLarge(f"a polynomial of more than {MAX_TERMS} terms")
    if any(c.height_bits() > MAX_BITS for c in poly.coeffs()):
        raise TooLarge(f"a number of more than {MAX_BITS} bits")
    return poly


def powered(poly: fmpq_mpoly, n: int) -> fmpq_mpoly:
    """poly**n for n >= 0, if that is certain to keep to the sizes. Raises TooLarge."""
    if n > 1 and not poly.is_zero():
        degrees = [int(degree) for degree in poly.degrees() if degree]
        if n * max(degrees, default=0) > MAX_DEGREE:
            raise TooLarge(f"a power beyond {MAX_DEGREE}")
        free = comb(n + len(poly) - 1, len(poly) - 1)
        if min(free, prod(1 + n * degree for degree in degrees)) > MAX_TERMS:
            raise TooLarge(f"a polynomial of more than {MAX_TERMS} terms")
        longest = max((int(c.height_bits()) for c in poly.coeffs() if abs(c) != 1), default=0)
        if n * longest > MAX_BITS:
            raise TooLarge(f"a number of more than {MAX_BITS} bits")
    return poly**n


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


def unaffordable(poly: fmpq_mpoly, args: dict[int, fmpq_mpoly]) -> bool:
    """Whether a substitution would give too many terms, or raise sums to too high powers.

    A single call cannot be interrupted, so that no clock could end it.
    """
    wide = [i for i, value in args.items() if len(value.coeffs()) > 1]
    degree = max((int(m[i]) for m in poly.monoms() for i in wide), default=0)
    terms = expansion(poly, args)
    return terms > MAX_EXPANSION or terms * degree > MAX_WORK


def compose(poly: fmpq_mpoly, args: dict[int, fmpq_mpoly]) -> fmpq_mpoly:
    """The polynomial with generators replaced, all at once."""
    full = list(GENERATORS)
    for index, value in args.items():
        full[index] = value
    return poly.compose(*full)
