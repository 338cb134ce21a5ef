"""Rules that use what is known: coefficients with known signs, and multiples of facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flint import fmpq_mpoly

from verify.algebra.masks import NEGATIVE, NONNEGATIVE, POSITIVE, ZERO
from verify.algebra.polynomials import GENERATORS, Quotient, coefficients, used

if TYPE_CHECKING:
    from verify.proof.prove import Prover

Proof = dict[str, Any]


def grouped(prover: Prover, poly: fmpq_mpoly, strict: bool, depth: int) -> Iterator[Proof | None]:
    """Every coefficient with respect to one non-negative atom is >= 0."""
    k = prover.signs
    for index in used(poly):
        if k.infer_poly(GENERATORS[index]) & NEGATIVE:
            continue
        parts = coefficients(poly, index)
        if len(parts) < 2 or any(k.infer_poly(part) & NEGATIVE for part in parts.values()):
            continue
        if strict and not any(
            k.infer_poly(part * GENERATORS[index] ** power) == POSITIVE
            for power, part in parts.items()
        ):
            continue
        yield {"rule": "combine", "terms": [
            {"factor": str(k.poly_tree(GENERATORS[index] ** power)), "of": str(k.poly_tree(part)),
             "relation": ">" if k.infer_poly(part) == POSITIVE else ">=", "proof": {"rule": "infer"}}
            for power, part in parts.items()
        ]}  # fmt: skip


def by_fact(prover: Prover, poly: fmpq_mpoly, strict: bool, depth: int) -> Iterator[Proof | None]:
    """Expand in powers of a fact that is linear in some atom."""
    k = prover.signs
    for fact, mask in k.stated:
        if not fact.den.is_constant() and k.infer_poly(fact.den) != POSITIVE:
            continue
        h = fact.num if mask & NEGATIVE == 0 else -fact.num
        if mask == ZERO or (mask & NEGATIVE and mask & POSITIVE):
            continue
        yield _divide(prover, poly, h, strict, depth)
        for index in used(h):
            parts = coefficients(h, index)
            if set(parts) - {0, 1} or poly.degrees()[index] == 0 or 1 not in parts:
                continue
            direction = k.strict(parts[1])
            if direction is None:
                continue
            yield _expand(prover, poly, index, h, parts, direction, strict, depth)


def _divide(
    prover: Prover, poly: fmpq_mpoly, h: fmpq_mpoly, strict: bool, depth: int
) -> Proof | None:
    """poly = quotient·h + remainder, both parts >= 0."""
    k = prover.signs
    quotient, remainder = divmod(poly, h)
    if quotient.is_zero() or k.infer_poly(quotient) & NEGATIVE:
        return None
    mask = POSITIVE if strict else NONNEGATIVE
    proof = prover.prove(k.quotient(remainder), mask, depth + 2)
    if proof is None:
        return None
    return {"rule": "combine", "terms": [
        {"factor": str(k.poly_tree(quotient)), "of": str(k.poly_tree(h)), "relation": ">=",
         "proof": {"rule": "infer"}},
        {"factor": "1", "of": str(k.poly_tree(remainder)), "relation": ">" if strict else ">=",
         "proof": proof},
    ]}  # fmt: skip


def _expand(prover: Prover, poly: fmpq_mpoly, index: int, h: fmpq_mpoly, parts: dict[int, fmpq_mpoly],
    direction: int, strict: bool, depth: int,
) -> Proof | None:  # fmt: skip
    """poly = sum of c_j h^j with c_j >= 0, where h >= 0 is linear in the atom `index`."""
    k = prover.signs
    slope = k.quotient(parts[1])
    centre = k.div(k.quotient(-parts.get(0, poly * 0)), slope)
    taylor, terms, factorial = poly, [], 1
    degree = int(poly.degrees()[index])
    base: Quotient | None = None
    for j in range(degree + 1):
        at = _poly_at(prover, taylor, index, centre)
        coefficient = k.div(k.div(at, k.rational(factorial)), k.power(slope, j))
        if j == 0:
            base = coefficient
        elif k.infer(coefficient) & NEGATIVE:
            return None
        elif not coefficient.is_zero:
            power = k.power(k.quotient(h), j - 1)
            terms.append({
                "factor": str(k.tree(k.mul(coefficient, power))), "of": str(k.poly_tree(h)),
                "relation": ">=", "proof": {"rule": "infer"},
            })  # fmt: skip
        taylor = taylor.derivative(index)
        factorial *= j + 1
    assert base is not None
    proof = prover.prove(base, POSITIVE if strict else NONNEGATIVE, depth + 1)
    if proof is None:
        return None
    terms.append(
        {
            "factor": "1",
            "of": str(k.tree(base)),
            "relation": ">" if strict else ">=",
            "proof": proof,
        }
    )
    return {"rule": "combine", "terms": terms}


def _poly_at(prover: Prover, poly: fmpq_mpoly, index: int, value: Quotient) -> Quotient:
    """Horner's rule in one atom (the others stay, even those built from it)."""
    k = prover.signs
    parts = coefficients(poly, index)
    total = k.rational(0)
    for power in range(max(parts, default=0), -1, -1):
        total = k.mul(total, value)
        if power in parts:
            total = k.add(total, k.quotient(parts[power]))
    return total
