"""The search for a proof that a smooth quotient is non-negative (or positive) on a region.

Every function returns a certificate node (see docs/certificates.md) or None. The search
may be clever or wrong: what it returns counts only once the checker has replayed it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from flint import fmpq_mpoly

from symbolic.domains import Interval
from symbolic.expression import Expression
from verify.algebra.masks import (
    NEGATIVE,
    NONNEGATIVE,
    NONPOSITIVE,
    POSITIVE,
    ZERO,
    flip,
    relation,
    settled,
)
from verify.algebra.polynomials import (
    GENERATORS,
    ONE_POLY,
    Quotient,
    ScaleNeeded,
    TooLarge,
    monic,
    used,
)
from verify.algebra.resolve import NoLimit, Resolver, Undecided, Undefined
from verify.algebra.signs import Signs
from verify.clock import look
from verify.proof.rules import RULES, by_fact
from verify.proof.scatter import Scatter, Suspect

Proof = dict[str, Any]
_TERMS_A_STEP = 8


@dataclass
class Budget:
    """Steps left for one attempt, and what was met on the way."""

    steps: int
    suspects: list[Suspect] = field(default_factory=list)
    """Points where some goal seemed to fail."""
    limit: str = ""
    """The size limit of the exact algebra that ended an attempt, if one did."""

    def spend(self, steps: int = 1) -> bool:
        """Take steps; False once none are left. Raises OutOfTime."""
        look()
        self.steps -= steps
        return self.steps > 0

    @contextmanager
    def at_most(self, steps: int) -> Iterator[None]:
        """Within the block, no more than `steps` are left."""
        kept = max(0, self.steps - steps)
        self.steps -= kept
        try:
            yield
        finally:
            self.steps += kept


class Prover:
    """Proof search in one region."""

    def __init__(
        self, signs: Signs, scatter: Scatter, budget: Budget, *, tail: bool = False,
        shifted: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        self.signs = signs
        self.scatter = scatter
        self.budget = budget
        self.tail = tail
        """Whether this is what a cover left over: no covers there."""
        self.shifted = shifted
        """Variables that start at a bound already."""
        self._failed: set[tuple[str, bool]] = set()

    # Entry --------------------------------------------------------------------------

    def prove(self, value: Quotient, mask: int, depth: int = 0) -> Proof | None:
        """A proof that the sign of `value` is within `mask` (an order relation)."""
        k = self.signs
        known = k.infer(value)
        if known & ~mask == 0:
            return {"rule": "infer"}
        if not known & mask or mask == ZERO or depth > 14 or not self.budget.spend():
            return None
        if mask & POSITIVE == 0:
            return self.prove(k.sub(k.rational(0), value), flip(mask), depth)
        if self.scatter.seen(k, value) & NEGATIVE:
            self.budget.suspects += self.scatter.worst(k, value)
            return None
        return self._by_factors(value, mask, depth)

    def _by_factors(self, value: Quotient, mask: int, depth: int) -> Proof | None:
        k = self.signs
        lemmas: list[tuple[fmpq_mpoly, int, Proof]] = []
        strict = not mask & ZERO
        open_factors = [(f, n, True) for f, n in value.den.factor()[1] if k.strict(f) is None]
        open_factors += [
            (f, n, strict)
            for f, n in value.num.factor()[1]
            if not settled(k.infer_poly(f), n, strict)
        ]
        together = self._open_product(
            value, [f for f, n, _ in open_factors if n % 2], strict, depth
        )
        if together is not None:
            return together
        for factor, multiplicity, needs_strict in open_factors:
            seen = self.scatter.seen(k, k.quotient(factor))
            if seen not in (POSITIVE, NEGATIVE) and multiplicity % 2:
                if seen == ZERO:
                    seen = self._wanted(factor, value)
                else:
                    return self._split_on(factor, value, mask, depth)
            wanted = seen if needs_strict or seen == POSITIVE | NEGATIVE else seen | ZERO
            if seen == POSITIVE | NEGATIVE:
                return None
            proof = self.prove_poly(
                factor if seen == POSITIVE else -factor, not wanted & ZERO, depth
            )
            if proof is None:
                return None
            lemmas.append(
                (
                    factor if seen == POSITIVE else -factor,
                    POSITIVE if needs_strict else NONNEGATIVE,
                    proof,
                )
            )
        if (
            len(lemmas) == 1
            and len(value.den.factor()[1]) == 0
            and monic(lemmas[0][0])[0] == monic(value.num)[0]
        ):
            scale = value.num.leading_coefficient() / lemmas[0][0].leading_coefficient()
            if scale == 1:
                return lemmas[0][2]
        learned = k.fork()
        for factor, sign, _ in lemmas:
            learned.learn(learned.quotient(factor), sign)
        if learned.infer(value) & ~mask:
            return None
        proof = {"rule": "infer"}
        for factor, sign, inner in reversed(lemmas):
            proof = {
                "rule": "lemma", "of": str(k.poly_tree(factor)), "relation": relation(sign),
                "proof": inner, "then": proof,
            }  # fmt: skip
        return proof

    def _wanted(self, factor: fmpq_mpoly, value: Quotient) -> int:
        """The sign a factor needs where no sample shows one: that of the rest of the product."""
        k = self.signs
        rest = k.infer(k.div(value, k.quotient(factor)))
        return NEGATIVE if rest & NEGATIVE and not rest & POSITIVE else POSITIVE

    def _open_product(
        self, value: Quotient, factors: list[fmpq_mpoly], strict: bool, depth: int
    ) -> Proof | None:
        """Facts may bound a product whose factors they do not bound one by one."""
        k = self.signs
        if len(factors) < 2 or not k.stated or depth > 8:
            return None
        whole = ONE_POLY
        for factor in factors:
            whole *= factor
        scale = k.div(value, k.quotient(whole))
        if k.infer(scale) == NEGATIVE:
            whole, scale = -whole, k.sub(k.rational(0), scale)
        if k.infer(scale) != POSITIVE:
            return None
        for proof in by_fact(self, whole, strict, depth):
            if proof is not None:
                claim, times = str(k.poly_tree(whole)), str(k.tree(scale))
                return {"rule": "restate", "claim": claim, "times": times, "proof": proof}
        return None

    def _split_on(self, factor: fmpq_mpoly, value: Quotient, mask: int, depth: int) -> Proof | None:
        """Two cases by the sign of a factor that has both."""
        if depth > 6:
            return None
        k = self.signs
        cases = {}
        for name, case in ((">", POSITIVE), ("<=", NONPOSITIVE)):
            proof = self.under(k.quotient(factor), case).prove(value, mask, depth + 4)
            if proof is None:
                return None
            cases[name] = proof
        return {"rule": "split", "on": str(k.poly_tree(factor)), **cases}

    def under(self, value: Quotient, mask: int) -> Prover:
        """The same region with one more fact."""
        signs = self.signs.fork()
        signs.learn(value, mask)
        seen = self.scatter.signs(self.signs, value)
        keep = (seen > 0) if mask == POSITIVE else (seen < 0) if mask == NEGATIVE else (
            seen >= 0 if mask == NONNEGATIVE else seen <= 0
        )  # fmt: skip
        return self._like(signs, self.scatter.keep(keep))

    def _like(self, signs: Signs, scatter: Scatter) -> Prover:
        """The same search elsewhere."""
        return Prover(signs, scatter, self.budget, tail=self.tail, shifted=self.shifted)

    # One polynomial -------------------------------------------------------------------

    def prove_poly(self, poly: fmpq_mpoly, strict: bool, depth: int) -> Proof | None:
        """A proof that an irreducible polynomial is >= 0 (> 0 if `strict`)."""
        k = self.signs
        mask = POSITIVE if strict else NONNEGATIVE
        if k.infer_poly(poly) & ~mask == 0:
            return {"rule": "infer"}
        key = (str(poly), strict)
        if key in self._failed or not self.budget.spend(1 + len(poly) // _TERMS_A_STEP):
            return None
        if self.scatter.seen(k, Quotient(poly, ONE_POLY)) & NEGATIVE:
            return None
        self._failed.add(key)  # also cuts cycles
        for attempt in self._attempts(poly, strict, depth):
            if attempt is not None:
                self._failed.discard(key)
                return attempt
        return None

    def _attempts(self, poly: fmpq_mpoly, strict: bool, depth: int) -> Iterator[Proof | None]:
        for rule in RULES:
            try:
                yield from rule(self, poly, strict, depth)
            except (TooLarge, ZeroDivisionError, Undecided, Undefined, NoLimit):
                continue

    # Calculus -----------------------------------------------------------------------------

    def at(self, value: Quotient, name: str, end: Fraction) -> Quotient:
        """The quotient at an end of a variable's range."""
        k = self.signs
        values: dict[int, Quotient] = {}

        def atom_at(index: int) -> Quotient:
            if index not in values:
                atom = k.atoms[index]
                if not k.atom_depends(index, name):
                    values[index] = k.quotient(GENERATORS[index])
                elif atom.kind == "variable":
                    values[index] = k.rational(end)
                else:
                    assert atom.inside is not None
                    inside = quotient_at(atom.inside)
                    if atom.kind == "exp":
                        values[index] = k.exp(k.mul(inside, k.rational(atom.rate)))
                    elif k.infer(inside) != POSITIVE:
                        raise NoLimit("at the end of the range")
                    elif atom.kind == "log":
                        values[index] = k.log(inside, k.strict)
                    else:
                        values[index] = k.root_power(inside, Fraction(1, atom.index))
            return values[index]

        def poly_at(poly: fmpq_mpoly) -> Quotient:
            total = k.rational(0)
            indices = used(poly)
            for monomial, coefficient in poly.terms():
                term = k.quotient(ONE_POLY * coefficient)
                for i in indices:
                    if monomial[i]:
                        term = k.mul(term, k.power(atom_at(i), int(monomial[i])))
                total = k.add(total, term)
            return total

        def quotient_at(inner: Quotient) -> Quotient:
            return k.div(poly_at(inner.num), poly_at(inner.den))

        return quotient_at(value)

    def without(self, name: str, direction: str | None) -> Prover:
        """This region without the facts on `name` that a path along it might leave."""
        k = self.signs
        kept = [
            (value, mask) for value, mask in k.stated
            if not k.depends(value, name) or (direction and self._along(value, mask, name, direction))
        ]  # fmt: skip
        if len(kept) == len(k.stated):
            return self
        signs = Signs(k.domains, k.scales)
        signs.take_atoms(k)
        for value, mask in kept:
            signs.learn(value, mask)
        scatter = Scatter.over(k.domains)
        for value, mask in kept:
            seen = scatter.signs(signs, value)
            scatter = scatter.keep(seen >= 0 if mask & POSITIVE else seen <= 0)
        return self._like(signs, scatter)

    def _along(self, value: Quotient, mask: int, name: str, direction: str) -> bool:
        """Whether the fact still holds on the way from the starting end to a point where it does."""
        known = self.signs.infer(self.signs.slope(value, name))
        if mask & POSITIVE == 0:
            known = flip(known)
        return known & (POSITIVE if direction == "up" else NEGATIVE) == 0

    # Other shapes ---------------------------------------------------------------------------

    def starting_at_bound(self, name: str) -> Prover:
        """Search where a variable counts from a bound, over [0, ∞), without facts."""
        domains = {**self.signs.domains, name: Interval(Fraction(0), None, False, True)}
        signs = Signs(domains, dict(self.signs.scales))
        moved = self._like(signs, Scatter.over(domains))
        moved.shifted |= {name}
        return moved

    def renamed(self, tree: Expression, values: dict[str, Expression]) -> Quotient | None:
        """A formula of another region, with variables replaced, as a quotient of this one."""
        from symbolic.expression import substitute

        try:
            return Resolver(self.signs).resolve(substitute(tree, values))
        except (Undecided, Undefined, ZeroDivisionError, TooLarge):
            return None

    def on(
        self, name: str, interval: Interval, tree: Expression, strict: bool, depth: int,
        *, tail: bool = False,
    ) -> Proof | None:  # fmt: skip
        """A proof for a formula on a narrower range of one variable."""
        domains = {**self.signs.domains, name: interval}

        def attempt(scales: dict[str, Fraction]) -> Proof | None:
            signs = Signs(domains, scales)
            part = Prover(signs, Scatter.over(domains), self.budget, tail=tail or self.tail)
            for value, mask in self.signs.stated:
                again = part.renamed(self.signs.tree(value), {})
                if again is not None:
                    part = part.under(again, mask)
            claim = part.renamed(tree, {})
            goal = POSITIVE if strict else NONNEGATIVE
            return None if claim is None else part.prove(claim, goal, depth)

        return with_scales(attempt, self.budget)


def with_scales(
    attempt: Callable[[dict[str, Fraction]], Proof | None], budget: Budget | None = None
) -> Proof | None:
    """Run `attempt(scales)`, again with finer exponentials each time it asks for them.

    The budget takes a note if the attempt grows too large.
    """
    scales: dict[str, Fraction] = {}
    for _ in range(12):
        try:
            return attempt(scales)
        except ScaleNeeded:
            continue
        except TooLarge as error:
            if budget is not None:
                budget.limit = str(error)
            return None
        except (Undefined, NoLimit, ZeroDivisionError):
            return None
    return None
