"""Rules for particular shapes: square roots, logarithms, squares to complete, bounded variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from flint import fmpq_mpoly

from symbolic.expression import Expression, symbol
from verify.algebra.bounds import lower_bound
from verify.algebra.masks import NEGATIVE, NONNEGATIVE, NONPOSITIVE, POSITIVE
from verify.algebra.polynomials import (
    GENERATORS,
    ONE_POLY,
    Quotient,
    as_fraction,
    coefficients,
    used,
)
from verify.proof.scatter import Scatter

if TYPE_CHECKING:
    from verify.proof.prove import Prover

Proof = dict[str, Any]


def conjugate(prover: Prover, poly: fmpq_mpoly, strict: bool, depth: int) -> Iterator[Proof | None]:
    """c·R + d with R = sqrt(P): compare squares."""
    k = prover.signs
    for index in used(poly):
        atom = k.atoms[index]
        if atom.kind != "root" or atom.index != 2 or poly.degrees()[index] != 1:
            continue
        if k.is_constant_atom(index):
            continue
        assert atom.inside is not None
        parts = coefficients(poly, index)
        c, d = parts[1], parts.get(0, poly * 0)
        square = k.quotient(c * c * atom.inside.num - d * d)
        if prover.scatter.seen(k, k.quotient(c)) == POSITIVE:
            other, claim = k.quotient(c * GENERATORS[index] - d), square
        else:
            other, claim = k.quotient(d - c * GENERATORS[index]), k.sub(k.rational(0), square)
        positive = prover.prove(other, POSITIVE, depth + 2)
        proof = positive and prover.prove(claim, POSITIVE if strict else NONNEGATIVE, depth + 1)
        if proof:
            restated = {
                "rule": "restate", "claim": str(k.tree(claim)),
                "times": str(k.tree(k.div(k.one, other))), "proof": proof,
            }  # fmt: skip
            if positive == {"rule": "infer"}:
                yield restated
            else:
                yield {
                    "rule": "lemma", "of": str(k.tree(other)), "relation": ">",
                    "proof": positive, "then": restated,
                }  # fmt: skip


def exponentiate(
    prover: Prover, poly: fmpq_mpoly, strict: bool, depth: int
) -> Iterator[Proof | None]:
    """c·log(P) + d >= 0 because P·exp(d/c) >= 1, for a number c > 0."""
    k = prover.signs
    logs = [i for i in used(poly) if k.atoms[i].kind == "log" and not k.is_constant_atom(i)]
    if not logs or depth > 4 or int(poly.degrees()[logs[0]]) != 1:
        return
    scale = coefficients(poly, logs[0])[1]
    if not scale.is_constant():
        return
    by = abs(as_fraction(scale.leading_coefficient()))
    claim = k.sub(k.exp(k.mul(k.quotient(poly), k.rational(1 / by))), k.one)
    proof = prover.prove(claim, POSITIVE if strict else NONNEGATIVE, depth + 2)
    if proof is not None:
        yield {"rule": "exponentiate", "by": str(by), "proof": proof}


def quadratic(prover: Prover, poly: fmpq_mpoly, strict: bool, depth: int) -> Iterator[Proof | None]:
    """Complete the square in a power of one atom."""
    k = prover.signs
    for index in used(poly):
        parts = coefficients(poly, index)
        step = max(parts) // 2
        if max(parts) % 2 or set(parts) != {0, step, 2 * step}:
            continue
        lead = parts[2 * step]
        if k.strict(lead) == 1:
            yield from _completed(prover, poly, index, strict, depth)
        elif depth < 6 and prover.scatter.seen(k, k.quotient(lead)) == POSITIVE:
            shown = prover.prove(k.quotient(lead), POSITIVE, depth + 2)
            inner = prover.under(k.quotient(lead), POSITIVE) if shown else None
            if inner is not None and inner.signs.strict(lead) == 1:
                for proof in _completed(inner, poly, index, strict, depth):
                    yield proof and {
                        "rule": "lemma", "of": str(k.poly_tree(lead)), "relation": ">",
                        "proof": shown, "then": proof,
                    }  # fmt: skip


def _completed(
    prover: Prover, poly: fmpq_mpoly, index: int, strict: bool, depth: int
) -> Iterator[Proof | None]:
    k = prover.signs
    parts = coefficients(poly, index)
    step = max(parts) // 2
    square = _square(prover, poly, index, step, parts, strict, depth)
    if square is not None:
        yield square
        return
    # Where the linear coefficient is >= 0 there may be nothing to do.
    linear = k.quotient(parts[step])
    if prover.scatter.seen(k, linear) != POSITIVE | NEGATIVE or depth > 6:
        return
    above = prover.under(linear, POSITIVE).prove_poly(poly, strict, depth + 4)
    below = above and _square(
        prover.under(linear, NONPOSITIVE), poly, index, step, parts, strict, depth
    )
    yield below and {"rule": "split", "on": str(k.tree(linear)), ">": above, "<=": below}


def _square(
    prover: Prover,
    poly: fmpq_mpoly,
    index: int,
    step: int,
    parts: dict[int, fmpq_mpoly],
    strict: bool,
    depth: int,
) -> Proof | None:
    k = prover.signs
    lead, linear, rest = parts[2 * step], parts[step], parts[0]
    discriminant = k.quotient(lead * rest * 4 - linear * linear)
    met = len(prover.budget.suspects)
    proof = prover.prove(discriminant, POSITIVE if strict else NONNEGATIVE, depth + 2)
    if proof is None:
        if k.atoms[index].kind == "variable":
            prover.budget.suspects += [
                {**point, k.atoms[index].name: lowest ** (1 / step)}
                for point in prover.budget.suspects[met:]
                if (lowest := _lowest(prover, lead, linear, point)) > 0
            ]
        return None
    root = k.quotient(lead * GENERATORS[index] ** step * 2 + linear)
    weight = str(k.tree(k.div(k.one, k.quotient(lead * 4))))
    return {"rule": "combine", "terms": [
        {"factor": weight, "of": f"({k.tree(root)})**2", "relation": ">=", "proof": {"rule": "infer"}},
        {"factor": weight, "of": str(k.tree(discriminant)), "relation": ">" if strict else ">=",
         "proof": proof},
    ]}  # fmt: skip


def _lowest(
    prover: Prover, lead: fmpq_mpoly, linear: fmpq_mpoly, point: Mapping[str, float]
) -> float:
    """Where a square's parabola is lowest; not positive where that cannot be had."""
    k = prover.signs
    if not k.variables(k.quotient(lead)) | k.variables(k.quotient(linear)) <= set(point):
        return 0.0
    there = Scatter({name: np.array([value]) for name, value in point.items()})
    with np.errstate(all="ignore"):
        found = float((-there.poly(k, linear)[0] / (2 * there.poly(k, lead)[0]))[0])
    return found if isfinite(found) else 0.0


def shift(prover: Prover, poly: fmpq_mpoly, strict: bool, depth: int) -> Iterator[Proof | None]:
    """Start a variable at a bound that a fact gives it."""
    k = prover.signs
    if strict or depth > 8:
        return
    for fact, mask in k.stated:
        for name in k.variables(fact) - prover.shifted:
            bound = lower_bound(prover.signs, fact, mask, name)
            if bound is None or not k.depends(Quotient(poly, ONE_POLY), name):
                continue
            moved = _moved(prover, name, bound)
            inner = moved.renamed(k.poly_tree(poly), {name: bound + symbol(name)})
            if inner is None:
                continue
            proof = moved.prove(inner, NONNEGATIVE, depth + 2)
            if proof is not None:
                yield {"rule": "shift", "in": name, "by": str(bound), "proof": proof}


def _moved(prover: Prover, name: str, bound: Expression) -> Prover:
    k = prover.signs
    fresh = prover.starting_at_bound(name)
    for value, mask in k.stated:
        again = fresh.renamed(k.tree(value), {name: bound + symbol(name)})
        if again is not None:
            fresh = fresh.under(again, mask)
    return fresh
