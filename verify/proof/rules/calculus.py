"""Follow a derivative from an end of a variable's range: the rule that proves almost everything."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from flint import fmpq_mpoly

from verify.algebra.masks import NEGATIVE, NONNEGATIVE, NONPOSITIVE, POSITIVE, settled
from verify.algebra.polynomials import GENERATORS, ONE_POLY, Quotient, coefficients, used
from verify.algebra.resolve import NoLimit, Undecided

if TYPE_CHECKING:
    from verify.proof.prove import Prover

Proof = dict[str, Any]
_MAX_TERMS = 60


def monotone(prover: Prover, poly: fmpq_mpoly, strict: bool, depth: int) -> Iterator[Proof | None]:
    """Start at an end of a variable's range and follow the derivative."""
    if depth > 12 or len(poly.coeffs()) > _MAX_TERMS:
        return
    k = prover.signs
    options = []
    for name in k.variables(Quotient(poly, ONE_POLY)):
        domain = k.domains[name]
        for direction, end in (("up", domain.lower), ("down", domain.upper)):
            if end is None:
                continue
            for multiplier in _multipliers(prover, poly, name):
                option = _option(prover, poly, name, direction, end, multiplier)
                if option is not None:
                    options.append(option)
    options.sort(key=lambda option: option[0])
    for _, name, direction, multiplier, scaled, start, slope in options[:6]:
        proof = _follow(prover, name, direction, start, slope, strict, depth)
        if proof is None:
            continue
        if multiplier == k.one:
            yield proof
        else:
            yield {
                "rule": "restate", "claim": str(k.tree(scaled)),
                "times": str(k.tree(multiplier)), "proof": proof,
            }  # fmt: skip


def _option(
    prover: Prover, poly: fmpq_mpoly, name: str, direction: str, end: Fraction, multiplier: Quotient
) -> tuple[Any, ...] | None:
    k = prover.signs
    scaled = k.div(Quotient(poly, ONE_POLY), multiplier)
    slope = k.slope(scaled, name)
    seen = prover.scatter.seen(k, slope)
    if seen & (NEGATIVE if direction == "up" else POSITIVE):
        return None
    try:
        start = prover.at(scaled, name, end)
    except (ZeroDivisionError, Undecided, NoLimit):
        return None
    if prover.scatter.seen(k, start) & NEGATIVE and not start.is_zero:
        return None
    size = sum(len(f.coeffs()) * (1 + f.total_degree()) for f, _ in slope.num.factor()[1])
    return (
        (_rank(prover, slope, name), size, str(slope.num)),
        name,
        direction,
        multiplier,
        scaled,
        start,
        slope,
    )


def _rank(prover: Prover, value: Quotient, name: str) -> int:
    """How much calculus is left: transcendental classes of the open factors."""
    total = 0
    for factor, multiplicity in value.num.factor()[1]:
        if settled(prover.signs.infer_poly(factor), multiplicity, False):
            continue
        classes = {
            tuple(
                int(p) for i, p in enumerate(m)
                if prover.signs.atoms[i : i + 1] and prover.signs.atoms[i].kind != "variable"
            )
            for m, _ in factor.terms()
        }  # fmt: skip
        total += len(classes) + int(factor.total_degree() > 0)
    return total


def _multipliers(prover: Prover, poly: fmpq_mpoly, name: str) -> list[Quotient]:
    """Positive functions to divide by before differentiating: coefficients and monomials."""
    k = prover.signs
    found: dict[str, Quotient] = {"1": k.one}
    moving = [i for i in used(poly) if k.atom_depends(i, name)]
    exponentials = [i for i in moving if k.atoms[i].kind == "exp"]
    for index in moving:
        if k.atoms[index].kind == "exp" or poly.degrees()[index] > 4:
            continue
        for power, part in coefficients(poly, index).items():
            if power == 0 or part.is_constant():
                continue
            sign = k.strict(part)
            if sign is not None:
                part = part if sign > 0 else -part
                found[str(part)] = k.quotient(part)
    monomials = {
        tuple(int(m[i]) if i in exponentials else 0 for i in range(len(m))) for m, _ in poly.terms()
    }
    for monomial in sorted(monomials):
        product = ONE_POLY
        for i, power in enumerate(monomial):
            product *= GENERATORS[i] ** power
        if not product.is_constant():
            found[str(product)] = k.quotient(product)
    return list(found.values())[:9]


def _follow(
    prover: Prover,
    name: str,
    direction: str,
    start: Quotient,
    slope: Quotient,
    strict: bool,
    depth: int,
) -> Proof | None:
    k = prover.signs
    domain = k.domains[name]
    end_open = domain.lower_open if direction == "up" else domain.upper_open
    start_mask = NONNEGATIVE
    slope_strict = strict
    if strict and (not end_open or k.infer(start) == POSITIVE):
        start_mask, slope_strict = POSITIVE, False
    first = prover.without(name, None).prove(start, start_mask, depth + 1)
    if first is None:
        return None
    if direction == "up":
        sign = POSITIVE if slope_strict else NONNEGATIVE
    else:
        sign = NEGATIVE if slope_strict else NONPOSITIVE
    then = prover.without(name, direction).prove(slope, sign, depth + 1)
    if then is None:
        return None
    return {
        "rule": "monotone", "in": name, "direction": direction, "start": first,
        "slope": {"of": str(k.tree(slope)), "times": "1", "proof": then},
    }  # fmt: skip
