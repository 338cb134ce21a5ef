"""The search for a proof that a smooth quotient is non-negative (or positive) on a region.

Every function returns a certificate node (see docs/certificates.md) or None. The search
may be clever or wrong: what it returns counts only once the checker has replayed it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import fmpq_mpoly

from symbolic.domains import Interval
from symbolic.expression import Expression, symbol
from verify.balls import enclose, hull
from verify.covers import Cover
from verify.kernel import (
    GENERATORS,
    ONE_POLY,
    Quotient,
    ScaleNeeded,
    TooLarge,
    as_fraction,
    coefficients,
    used,
)
from verify.resolve import Resolver, Undecided, Undefined
from verify.scatter import Scatter
from verify.signs import (
    NEGATIVE,
    NONNEGATIVE,
    NONPOSITIVE,
    POSITIVE,
    ZERO,
    Signs,
    flip,
    monic,
    relation,
)

Proof = dict[str, Any]
_MAX_CUTS = 9
_MAX_CALCULUS = 60


class OutOfTime(Exception):
    """The clock ran out; the condition is unknown."""


@dataclass
class Budget:
    """Steps left for one formula; the clock only ever aborts."""

    steps: int
    deadline: float

    def spend(self, steps: int = 1) -> bool:
        if time.monotonic() > self.deadline:
            raise OutOfTime
        self.steps -= steps
        return self.steps > 0


class Prover:
    """Proof search in one region."""

    def __init__(self, signs: Signs, scatter: Scatter, budget: Budget) -> None:
        self.signs = signs
        self.scatter = scatter
        self.budget = budget
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
            proof = self.prove(k.sub(k.rational(0), value), flip(mask), depth)
            return proof
        if self.scatter.seen(k, value) & NEGATIVE:
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
            if not _settled(k.infer_poly(f), n, strict)
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
                    seen = POSITIVE
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
        proof = {"rule": "infer"}
        for factor, sign, inner in reversed(lemmas):
            proof = {
                "rule": "lemma", "of": str(k.poly_tree(factor)), "relation": relation(sign),
                "proof": inner, "then": proof,
            }  # fmt: skip
        return proof

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
        for proof in self._by_fact(whole, strict, depth):
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
        return Prover(signs, self.scatter.keep(keep), self.budget)

    # One polynomial -------------------------------------------------------------------

    def prove_poly(self, poly: fmpq_mpoly, strict: bool, depth: int) -> Proof | None:
        """A proof that an irreducible polynomial is >= 0 (> 0 if `strict`)."""
        k = self.signs
        mask = POSITIVE if strict else NONNEGATIVE
        if k.infer_poly(poly) & ~mask == 0:
            return {"rule": "infer"}
        key = (str(poly), strict)
        if key in self._failed or not self.budget.spend():
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
        for rule in (
            self._grouped,
            self._by_fact,
            self._conjugate,
            self._exponentiate,
            self._monotone,
            self._quadratic,
            self._shift,
            self._numeric,
        ):
            try:
                yield from rule(poly, strict, depth)
            except (TooLarge, ZeroDivisionError, Undecided, Undefined):
                continue

    def _by_fact(self, poly: fmpq_mpoly, strict: bool, depth: int) -> Iterator[Proof | None]:
        """Expand in powers of a fact that is linear in some atom."""
        k = self.signs
        for fact, mask in k.stated:
            if not fact.den.is_constant() and k.infer_poly(fact.den) != POSITIVE:
                continue
            h = fact.num if mask & NEGATIVE == 0 else -fact.num
            if mask == ZERO or (mask & NEGATIVE and mask & POSITIVE):
                continue
            yield self._divide(poly, h, strict, depth)
            for index in used(h):
                parts = coefficients(h, index)
                if set(parts) - {0, 1} or poly.degrees()[index] == 0 or 1 not in parts:
                    continue
                direction = k.strict(parts[1])
                if direction is None:
                    continue
                yield self._expand(poly, index, h, parts, direction, strict, depth)

    def _divide(self, poly: fmpq_mpoly, h: fmpq_mpoly, strict: bool, depth: int) -> Proof | None:
        """poly = quotient·h + remainder, both parts >= 0."""
        k = self.signs
        quotient, remainder = divmod(poly, h)
        if quotient.is_zero() or k.infer_poly(quotient) & NEGATIVE:
            return None
        mask = POSITIVE if strict else NONNEGATIVE
        proof = self.prove(k.quotient(remainder), mask, depth + 2)
        if proof is None:
            return None
        return {"rule": "combine", "terms": [
            {"factor": str(k.poly_tree(quotient)), "of": str(k.poly_tree(h)), "relation": ">=",
             "proof": {"rule": "infer"}},
            {"factor": "1", "of": str(k.poly_tree(remainder)), "relation": ">" if strict else ">=",
             "proof": proof},
        ]}  # fmt: skip

    def _grouped(self, poly: fmpq_mpoly, strict: bool, depth: int) -> Iterator[Proof | None]:
        """Every coefficient with respect to one non-negative atom is >= 0."""
        k = self.signs
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
                 "relation": relation(k.infer_poly(part)), "proof": {"rule": "infer"}}
                for power, part in parts.items()
            ]}  # fmt: skip

    def _expand(
        self, poly: fmpq_mpoly, index: int, h: fmpq_mpoly, parts: dict[int, fmpq_mpoly],
        direction: int, strict: bool, depth: int,
    ) -> Proof | None:  # fmt: skip
        """poly = sum of c_j h^j with c_j >= 0, where h >= 0 is linear in the atom `index`."""
        k = self.signs
        slope = k.quotient(parts[1])
        centre = k.div(k.quotient(-parts.get(0, poly * 0)), slope)
        taylor, terms, factorial = poly, [], 1
        degree = int(poly.degrees()[index])
        base: Quotient | None = None
        for j in range(degree + 1):
            at = self._poly_at(taylor, index, centre)
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
        proof = self.prove(base, POSITIVE if strict else NONNEGATIVE, depth + 1)
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

    def _poly_at(self, poly: fmpq_mpoly, index: int, value: Quotient) -> Quotient:
        """Horner's rule in one atom (the others stay, even those built from it)."""
        k = self.signs
        parts = coefficients(poly, index)
        total = k.rational(0)
        for power in range(max(parts, default=0), -1, -1):
            total = k.mul(total, value)
            if power in parts:
                total = k.add(total, k.quotient(parts[power]))
        return total

    def _conjugate(self, poly: fmpq_mpoly, strict: bool, depth: int) -> Iterator[Proof | None]:
        """c·R + d with R = sqrt(P): compare squares."""
        k = self.signs
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
            if self.scatter.seen(k, k.quotient(c)) == POSITIVE:
                other, claim = k.quotient(c * GENERATORS[index] - d), square
            else:
                other, claim = k.quotient(d - c * GENERATORS[index]), k.sub(k.rational(0), square)
            positive = self.prove(other, POSITIVE, depth + 2)
            proof = positive and self.prove(claim, POSITIVE if strict else NONNEGATIVE, depth + 1)
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

    def _exponentiate(self, poly: fmpq_mpoly, strict: bool, depth: int) -> Iterator[Proof | None]:
        """c·log(P) + d >= 0 because P·exp(d/c) >= 1, for a number c > 0."""
        k = self.signs
        logs = [i for i in used(poly) if k.atoms[i].kind == "log" and not k.is_constant_atom(i)]
        if not logs or depth > 4 or int(poly.degrees()[logs[0]]) != 1:
            return
        scale = coefficients(poly, logs[0])[1]
        if not scale.is_constant():
            return
        by = abs(as_fraction(scale.leading_coefficient()))
        claim = k.sub(k.exp(k.mul(k.quotient(poly), k.rational(1 / by))), k.one)
        proof = self.prove(claim, POSITIVE if strict else NONNEGATIVE, depth + 2)
        if proof is not None:
            yield {"rule": "exponentiate", "by": str(by), "proof": proof}

    # Calculus -----------------------------------------------------------------------------

    def _monotone(self, poly: fmpq_mpoly, strict: bool, depth: int) -> Iterator[Proof | None]:
        """Start at an end of a variable's range and follow the derivative."""
        if depth > 12 or len(poly.coeffs()) > _MAX_CALCULUS:
            return
        k = self.signs
        options = []
        for name in k.variables(Quotient(poly, ONE_POLY)):
            domain = k.domains[name]
            for direction, end in (("up", domain.lower), ("down", domain.upper)):
                if end is None:
                    continue
                for multiplier in self._multipliers(poly, name):
                    option = self._option(poly, name, direction, end, multiplier)
                    if option is not None:
                        options.append(option)
        options.sort(key=lambda option: option[0])
        for _, name, direction, multiplier, scaled, start, slope in options[:6]:
            proof = self._follow(name, direction, start, slope, strict, depth)
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
        self, poly: fmpq_mpoly, name: str, direction: str, end: Fraction, multiplier: Quotient
    ) -> tuple[Any, ...] | None:
        k = self.signs
        scaled = k.div(Quotient(poly, ONE_POLY), multiplier)
        slope = k.slope(scaled, name)
        seen = self.scatter.seen(k, slope)
        if seen & (NEGATIVE if direction == "up" else POSITIVE):
            return None
        try:
            start = self.at(scaled, name, end)
        except (ZeroDivisionError, Undecided, Undefined):
            return None
        if self.scatter.seen(k, start) & NEGATIVE and not start.is_zero:
            return None
        size = sum(len(f.coeffs()) * (1 + f.total_degree()) for f, _ in slope.num.factor()[1])
        return (
            (self._rank(slope, name), size, str(slope.num)),
            name,
            direction,
            multiplier,
            scaled,
            start,
            slope,
        )

    def _rank(self, value: Quotient, name: str) -> int:
        """How much calculus is left: transcendental classes of the open factors."""
        total = 0
        for factor, multiplicity in value.num.factor()[1]:
            if _settled(self.signs.infer_poly(factor), multiplicity, False):
                continue
            classes = {
                tuple(
                    int(p) for i, p in enumerate(m)
                    if self.signs.atoms[i : i + 1] and self.signs.atoms[i].kind != "variable"
                )
                for m, _ in factor.terms()
            }  # fmt: skip
            total += len(classes) + int(factor.total_degree() > 0)
        return total

    def _multipliers(self, poly: fmpq_mpoly, name: str) -> list[Quotient]:
        """Positive functions to divide by before differentiating: coefficients and monomials."""
        k = self.signs
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
            tuple(int(m[i]) if i in exponentials else 0 for i in range(len(m)))
            for m, _ in poly.terms()
        }
        for monomial in sorted(monomials):
            product = ONE_POLY
            for i, power in enumerate(monomial):
                product *= GENERATORS[i] ** power
            if not product.is_constant():
                found[str(product)] = k.quotient(product)
        return list(found.values())[:9]

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
                        raise Undefined("at the end of the range")
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

    def _follow(
        self, name: str, direction: str, start: Quotient, slope: Quotient, strict: bool, depth: int
    ) -> Proof | None:
        k = self.signs
        domain = k.domains[name]
        end_open = domain.lower_open if direction == "up" else domain.upper_open
        start_mask = NONNEGATIVE
        slope_strict = strict
        if strict and (not end_open or k.infer(start) == POSITIVE):
            start_mask, slope_strict = POSITIVE, False
        first = self.without(name, None).prove(start, start_mask, depth + 1)
        if first is None:
            return None
        if direction == "up":
            sign = POSITIVE if slope_strict else NONNEGATIVE
        else:
            sign = NEGATIVE if slope_strict else NONPOSITIVE
        then = self.without(name, direction).prove(slope, sign, depth + 1)
        if then is None:
            return None
        return {
            "rule": "monotone", "in": name, "direction": direction, "start": first,
            "slope": {"of": str(k.tree(slope)), "times": "1", "proof": then},
        }  # fmt: skip

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
        signs.atoms, signs._index = list(k.atoms), dict(k._index)
        for value, mask in kept:
            signs.learn(value, mask)
        scatter = Scatter.over(k.domains)
        for value, mask in kept:
            seen = scatter.signs(signs, value)
            scatter = scatter.keep(seen >= 0 if mask & POSITIVE else seen <= 0)
        return Prover(signs, scatter, self.budget)

    def _along(self, value: Quotient, mask: int, name: str, direction: str) -> bool:
        """Whether the fact still holds on the way from the starting end to a point where it does."""
        known = self.signs.infer(self.signs.slope(value, name))
        if mask & POSITIVE == 0:
            known = flip(known)
        return known & (POSITIVE if direction == "up" else NEGATIVE) == 0

    # Other shapes ---------------------------------------------------------------------------

    def _quadratic(self, poly: fmpq_mpoly, strict: bool, depth: int) -> Iterator[Proof | None]:
        """Complete the square in a power of one atom."""
        k = self.signs
        for index in used(poly):
            parts = coefficients(poly, index)
            step = max(parts) // 2
            if (
                max(parts) % 2
                or set(parts) != {0, step, 2 * step}
                or k.strict(parts[2 * step]) != 1
            ):
                continue
            square = self._square(poly, index, step, parts, strict, depth)
            if square is not None:
                yield square
                continue
            # Where the linear coefficient is >= 0 there may be nothing to do.
            linear = k.quotient(parts[step])
            if self.scatter.seen(k, linear) != POSITIVE | NEGATIVE or depth > 6:
                continue
            above = self.under(linear, POSITIVE).prove_poly(poly, strict, depth + 4)
            below = above and self.under(linear, NONPOSITIVE)._square(
                poly, index, step, parts, strict, depth
            )
            yield below and {"rule": "split", "on": str(k.tree(linear)), ">": above, "<=": below}

    def _square(
        self,
        poly: fmpq_mpoly,
        index: int,
        step: int,
        parts: dict[int, fmpq_mpoly],
        strict: bool,
        depth: int,
    ) -> Proof | None:
        k = self.signs
        lead, linear, rest = parts[2 * step], parts[step], parts[0]
        discriminant = k.quotient(lead * rest * 4 - linear * linear)
        proof = self.prove(discriminant, POSITIVE if strict else NONNEGATIVE, depth + 2)
        if proof is None:
            return None
        root = k.quotient(lead * GENERATORS[index] ** step * 2 + linear)
        weight = str(k.tree(k.div(k.one, k.quotient(lead * 4))))
        return {"rule": "combine", "terms": [
            {"factor": weight, "of": f"({k.tree(root)})**2", "relation": ">=", "proof": {"rule": "infer"}},
            {"factor": weight, "of": str(k.tree(discriminant)), "relation": ">" if strict else ">=",
             "proof": proof},
        ]}  # fmt: skip

    def _shift(self, poly: fmpq_mpoly, strict: bool, depth: int) -> Iterator[Proof | None]:
        """Start a variable at a bound that a fact gives it."""
        k = self.signs
        if strict or depth > 8:
            return
        for fact, mask in k.stated:
            for name in k.variables(fact):
                bound = self._lower_bound(fact, mask, name)
                if bound is None or not k.depends(Quotient(poly, ONE_POLY), name):
                    continue
                moved = self._moved(name, bound)
                inner = moved.renamed(k.poly_tree(poly), {name: bound + symbol(name)})
                if inner is None:
                    continue
                proof = moved.prove(inner, NONNEGATIVE, depth + 2)
                if proof is not None:
                    yield {"rule": "shift", "in": name, "by": str(bound), "proof": proof}

    def _lower_bound(self, fact: Quotient, mask: int, name: str) -> Expression | None:
        """e with name >= e, where the fact says coefficient·exp(rate·name) >= constant and the like."""
        from verify.bounds import lower_bound

        return lower_bound(self.signs, fact, mask, name)

    def _moved(self, name: str, bound: Expression) -> Prover:
        k = self.signs
        domains = {**k.domains, name: Interval(Fraction(0), None, False, True)}
        fresh = Prover(Signs(domains, dict(k.scales)), Scatter.over(domains), self.budget)
        for value, mask in k.stated:
            again = fresh.renamed(k.tree(value), {name: bound + symbol(name)})
            if again is not None:
                fresh = fresh.under(again, mask)
        return fresh

    def renamed(self, tree: Expression, values: dict[str, Expression]) -> Quotient | None:
        """A formula of another region, with variables replaced, as a quotient of this one."""
        from symbolic.expression import substitute

        try:
            return Resolver(self.signs).resolve(substitute(tree, values))
        except (Undecided, Undefined, ZeroDivisionError, TooLarge):
            return None

    def _numeric(self, poly: fmpq_mpoly, strict: bool, depth: int) -> Iterator[Proof | None]:
        """Enclosures: a cover for one variable, plain bisection where all ranges are bounded."""
        names = sorted(self.signs.variables(Quotient(poly, ONE_POLY)))
        if len(names) == 1:
            yield Cover(self, poly, names[0], strict).prove(depth)
        elif names and all(_bounded(self.signs.domains[name]) for name in names):
            tree = self.signs.poly_tree(poly)
            boxes = {name: self.signs.domains[name] for name in names}
            yield self._bisect(tree, boxes, strict, _MAX_CUTS)

    def _bisect(
        self, tree: Expression, boxes: dict[str, Interval], strict: bool, cuts: int
    ) -> Proof | None:
        value = enclose(tree, {name: hull(box) for name, box in boxes.items()})
        if value.is_finite() and (value > 0 or (not strict and value >= 0)):
            return {"rule": "ball", "centred": False}
        if not cuts or not self.budget.spend():
            return None
        name = max(sorted(boxes), key=lambda n: (boxes[n].upper or 0) - (boxes[n].lower or 0))
        box = boxes[name]
        assert box.lower is not None and box.upper is not None
        at = (box.lower + box.upper) / 2
        low = self._bisect(
            tree, {**boxes, name: Interval(box.lower, at, False, False)}, strict, cuts - 1
        )
        high = low and self._bisect(
            tree, {**boxes, name: Interval(at, box.upper, False, False)}, strict, cuts - 1
        )
        return high and {"rule": "bisect", "in": name, "at": str(at), "low": low, "high": high}

    def on(
        self, name: str, interval: Interval, tree: Expression, strict: bool, depth: int
    ) -> Proof | None:
        """A proof for a formula on a narrower range of one variable."""
        domains = {**self.signs.domains, name: interval}

        def attempt(scales: dict[str, Fraction]) -> Proof | None:
            part = Prover(Signs(domains, scales), Scatter.over(domains), self.budget)
            for value, mask in self.signs.stated:
                again = part.renamed(self.signs.tree(value), {})
                if again is not None:
                    part = part.under(again, mask)
            value = part.renamed(tree, {})
            return value and part.prove(value, POSITIVE if strict else NONNEGATIVE, depth)

        return with_scales(attempt)


def with_scales(attempt: Callable[[dict[str, Fraction]], Proof | None]) -> Proof | None:
    """Run `attempt(scales)`, again with finer exponentials each time it asks for them."""
    scales: dict[str, Fraction] = {}
    for _ in range(12):
        try:
            return attempt(scales)
        except ScaleNeeded:
            continue
        except (TooLarge, Undefined, ZeroDivisionError):
            return None
    return None


def _settled(mask: int, multiplicity: int, strict: bool) -> bool:
    if strict:
        return mask in (POSITIVE, NEGATIVE)
    return multiplicity % 2 == 0 or mask & ~NONNEGATIVE == 0 or mask & ~NONPOSITIVE == 0


def _bounded(box: Interval) -> bool:
    return box.lower is not None and box.upper is not None
