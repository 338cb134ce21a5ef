"""What sign a quotient has on a region: from facts, coefficients, factors and exact constants."""

from __future__ import annotations

from fractions import Fraction

from flint import arb, ctx, fmpq, fmpq_mpoly, fmpq_poly

from symbolic.domains import Interval
from verify.algebra.elementary import Elementary
from verify.algebra.masks import ANY, NEGATIVE, NONZERO, POSITIVE, ZERO, flip, product
from verify.algebra.polynomials import (
    GENERATORS,
    MAX_TERMS,
    ONE_POLY,
    Atom,
    Quotient,
    coefficients,
    compose,
    constant,
    monic,
    unaffordable,
    used,
)
from verify.algebra.sturm import sign_on
from verify.clock import look

_MAX_PRECISION = 2048


class Signs(Elementary):
    """A kernel that knows facts about its region and infers signs from them."""

    def __init__(self, domains: dict[str, Interval], scales: dict[str, Fraction]) -> None:
        super().__init__(domains, scales)
        self.facts: dict[str, int] = {}
        self.stated: list[tuple[Quotient, int]] = []
        self._masks: dict[str, int] = {}
        self._depth = 0
        self._balls: dict[tuple[int, int], arb] = {}

    def fork(self) -> Signs:
        """A copy that may learn more facts; exact results found so far stay valid."""
        other = self.__class__.__new__(self.__class__)
        other.__dict__.update(self.__dict__)
        other.domains = dict(self.domains)
        other.atoms = list(self.atoms)
        other._balls = dict(self._balls)
        other._index = dict(self._index)
        other._slopes = dict(self._slopes)
        other._atom_trees = dict(self._atom_trees)
        other.facts = dict(self.facts)
        other.stated = list(self.stated)
        other._masks = {key: mask for key, mask in self._masks.items() if mask in (1, 2, 4)}
        return other

    def learn(self, value: Quotient, mask: int) -> None:
        """State that `value` has one of the signs of `mask` on the region."""
        self.stated.append((value, mask))
        self._learn(value, mask)
        self._masks = {key: known for key, known in self._masks.items() if known in (1, 2, 4)}

    def _learn(self, value: Quotient, mask: int) -> None:
        den = self.infer_poly(value.den)
        if den == NEGATIVE:
            mask = flip(mask)
        elif den != POSITIVE:
            return
        self._note(value.num, mask)
        unknown, rest = None, mask
        for factor, multiplicity in value.num.factor()[1]:
            known = self.infer_poly(factor)
            if multiplicity % 2 == 0:
                if not (known & ZERO):
                    continue
                return
            if known == POSITIVE:
                continue
            if known == NEGATIVE:
                rest = flip(rest)
            elif unknown is None:
                unknown = factor
            else:
                return
        if unknown is not None:
            self._note(unknown, flip(rest) if value.num.factor()[0] < 0 else rest)

    def _note(self, poly: fmpq_mpoly, mask: int) -> None:
        key, flipped = monic(poly)
        self.facts[key] = self.facts.get(key, ANY) & (flip(mask) if flipped else mask)

    # Inference --------------------------------------------------------------------

    def infer(self, value: Quotient) -> int:
        """The mask of a quotient (where it is defined)."""
        if value.num.is_zero():
            return ZERO
        den = self.infer_poly(value.den)
        return product(self.infer_poly(value.num), den & NONZERO)

    def strict(self, poly: fmpq_mpoly) -> int | None:
        """+1 or −1 where the sign is certain, else None."""
        mask = self.infer_poly(poly)
        return 1 if mask == POSITIVE else -1 if mask == NEGATIVE else None

    def weak_sign(self, poly: fmpq_mpoly) -> int | None:
        mask = self.infer_poly(poly)
        return 1 if not mask & NEGATIVE else -1 if not mask & POSITIVE else None

    def infer_poly(self, poly: fmpq_mpoly) -> int:
        if poly.is_zero():
            return ZERO
        if poly.is_constant():
            return POSITIVE if poly.leading_coefficient() > 0 else NEGATIVE
        key, flipped = monic(poly)
        mask = self._masks.get(key)
        if mask is None:
            look()
            if self._depth > 6:
                return ANY
            self._depth += 1
            try:
                mask = self._infer_monic(poly / poly.leading_coefficient(), key)
            finally:
                self._depth -= 1
            self._masks[key] = mask
        return flip(mask) if flipped else mask

    def _infer_monic(self, poly: fmpq_mpoly, key: str) -> int:
        mask = self.facts.get(key, ANY)
        if mask in (1, 2, 4):
            return mask
        mask &= self._by_coefficients(poly)
        if mask in (1, 2, 4):
            return mask
        content, factors = poly.factor()
        if len(factors) > 1 or factors[0][1] > 1:
            total = POSITIVE if content > 0 else NEGATIVE
            for factor, multiplicity in factors:
                known = self.infer_poly(factor)
                if multiplicity % 2 == 0:
                    known = POSITIVE | (known & ZERO)
                total = product(total, known)
            return mask & total
        if all(self.is_constant_atom(i) for i in used(poly)):
            return mask & self._constant_sign(poly)
        return mask & self._univariate(poly)

    def is_constant_atom(self, index: int) -> bool:
        """Whether an atom depends on no variable."""
        return not any(self.atom_depends(index, name) for name in self.domains)

    def _constant_sign(self, poly: fmpq_mpoly) -> int:
        precision = 64
        while precision <= _MAX_PRECISION:
            value = self.constant_ball(poly, precision)
            if value > 0:
                return POSITIVE
            if value < 0:
                return NEGATIVE
            precision *= 4
        return ANY

    def constant_ball(self, poly: fmpq_mpoly, precision: int) -> arb:
        """Enclosure of a polynomial in constant atoms."""
        old, ctx.prec = ctx.prec, precision
        try:
            return self._ball_poly(poly)
        finally:
            ctx.prec = old

    def _ball_poly(self, poly: fmpq_mpoly) -> arb:
        values = {i: self._ball_atom(i) for i in used(poly)}
        total = arb(0)
        for monomial, coefficient in poly.terms():
            term = arb(fmpq(coefficient))
            for i, value in values.items():
                if monomial[i]:
                    term *= value ** int(monomial[i])
            total += term
        return total

    def _ball_atom(self, index: int) -> arb:
        found = self._balls.get((index, ctx.prec))
        if found is None:
            found = self._balls[index, ctx.prec] = self._new_ball(self.atoms[index])
        return found

    def _new_ball(self, atom: Atom) -> arb:
        assert atom.inside is not None
        inside = self._ball_poly(atom.inside.num) / self._ball_poly(atom.inside.den)
        if atom.kind == "exp":
            return (inside * arb(fmpq(atom.rate.numerator, atom.rate.denominator))).exp()
        return inside.log() if atom.kind == "log" else inside.root(atom.index)

    # Coefficients -------------------------------------------------------------------

    def _by_coefficients(self, poly: fmpq_mpoly) -> int:
        mask = ANY
        for mode in ("plain", "shifted", "tangent", "bounded"):
            mask &= self._coefficient_mask(poly, mode)
            if mask != ANY and mask != NONZERO:
                if mode != "plain" or mask in (POSITIVE, NEGATIVE):
                    return mask
        return mask

    def _coefficient_mask(self, poly: fmpq_mpoly, mode: str) -> int:
        args: dict[int, fmpq_mpoly] = {}
        strict: dict[int, bool] = {}
        whole, closed = poly, list[int]()
        for index in self._closure(poly) if mode == "tangent" else used(poly):
            if self.is_constant_atom(index):
                continue
            written = self._bounded_below(index, mode, args)
            if written is None:
                if index in used(poly):
                    return ANY
                continue
            args[index], strict[index] = written
            if mode == "bounded" and self._both_ends(index):
                poly, args[index] = self._moebius(poly, index)
                if not self.domains[self.atoms[index].name].upper_open:
                    closed.append(index)
        if mode != "plain" and args:
            if unaffordable(poly, args):
                return ANY
            poly = compose(poly, args)
        if len(poly.coeffs()) > MAX_TERMS:
            return ANY
        mask = self._sign_of_coefficients(poly, strict)
        if mask in (POSITIVE, NEGATIVE) and any(self._at_top(whole, i) != mask for i in closed):
            return mask | ZERO
        return mask

    def _at_top(self, poly: fmpq_mpoly, index: int) -> int:
        """The sign at a closed upper end, which no w of `_moebius` reaches."""
        upper = self.domains[self.atoms[index].name].upper
        assert upper is not None
        return self.infer_poly(compose(poly, {index: constant(upper)}))

    def _closure(self, poly: fmpq_mpoly) -> list[int]:
        """Atoms that occur in a polynomial or inside its atoms, inner ones first."""
        found: set[int] = set()
        todo = used(poly)
        while todo:
            index = todo.pop()
            if index not in found:
                found.add(index)
                inside = self.atoms[index].inside
                if inside is not None:
                    todo += used(inside.num) + used(inside.den)
        return sorted(found)

    def _both_ends(self, index: int) -> bool:
        atom = self.atoms[index]
        domain = self.domains.get(atom.name) if atom.kind == "variable" else None
        return domain is not None and domain.lower is not None and domain.upper is not None

    def _moebius(self, poly: fmpq_mpoly, index: int) -> tuple[fmpq_mpoly, fmpq_mpoly]:
        """x = (lo + hi·w)/(1 + w), times (1 + w)^degree."""
        domain = self.domains[self.atoms[index].name]
        assert domain.lower is not None and domain.upper is not None
        w = GENERATORS[index]
        top, bottom = constant(domain.lower) + w * constant(domain.upper), ONE_POLY + w
        degree = poly.degrees()[index]
        total = poly * 0
        for power, part in coefficients(poly, index).items():
            total += part * top**power * bottom ** (degree - power)
        return total, w

    def _bounded_below(
        self, index: int, mode: str, args: dict[int, fmpq_mpoly]
    ) -> tuple[fmpq_mpoly, bool] | None:
        """(the atom as its lower bound plus a non-negative generator, whether that is > 0)."""
        atom, x = self.atoms[index], GENERATORS[index]
        if atom.kind == "variable":
            domain = self.domains[atom.name]
            if mode == "plain":
                return (x, domain.lower_open or domain.lower > 0) if domain.lower is not None and (
                    domain.lower >= 0
                ) else None  # fmt: skip
            if domain.lower is None and domain.upper is None:
                return None
            return self.shift(
                index
            ), domain.lower_open if domain.lower is not None else domain.upper_open
        assert atom.inside is not None
        if atom.kind == "root":
            return x, self.infer(atom.inside) == POSITIVE
        if atom.kind == "exp":
            if mode == "plain":
                return x, True
            inner = self.infer(atom.inside)
            if inner & NEGATIVE:
                return x, True
            if mode == "tangent" and atom.inside.den.is_one():
                linear = compose(atom.inside.num, args) * constant(atom.rate)
                return ONE_POLY + linear + x, inner == POSITIVE
            return x + 1, inner == POSITIVE
        inner = self.infer(self.sub(atom.inside, self.one))
        if not inner & NEGATIVE:
            return x, inner == POSITIVE
        return (-x, inner == NEGATIVE) if not inner & POSITIVE and mode != "plain" else None

    def _sign_of_coefficients(self, poly: fmpq_mpoly, strict: dict[int, bool]) -> int:
        constants = [i for i in used(poly) if self.is_constant_atom(i)]
        if not constants:
            return _plain_coefficients(poly, strict)
        groups: dict[tuple[int, ...], fmpq_mpoly] = {}
        for monomial, coefficient in poly.terms():
            rest = tuple(0 if i in constants else int(p) for i, p in enumerate(monomial))
            term = ONE_POLY * coefficient
            for i in constants:
                term *= GENERATORS[i] ** int(monomial[i])
            groups[rest] = groups[rest] + term if rest in groups else term
        mask, certain = 0, False
        for monomial, group in groups.items():
            sign = (POSITIVE if group.leading_coefficient() > 0 else NEGATIVE) if (
                group.is_constant()
            ) else self._constant_sign(group)  # fmt: skip
            if sign not in (POSITIVE, NEGATIVE) or mask | sign == NONZERO:
                return ANY
            mask |= sign
            certain |= all(strict.get(i, False) for i, p in enumerate(monomial) if p)
        return mask if certain else mask | ZERO

    def _univariate(self, poly: fmpq_mpoly) -> int:
        """A rational polynomial in one variable, exactly (Sturm's theorem through root isolation)."""
        present = used(poly)
        if len(present) != 1 or self.atoms[present[0]].kind == "root":
            return ANY
        atom = self.atoms[present[0]]
        lower, upper, lower_open = Fraction(0), None, True
        if atom.kind == "variable":
            domain = self.domains[atom.name]
            if domain.lower is None:
                return ANY
            lower, upper, lower_open = domain.lower, domain.upper, domain.lower_open
        else:
            assert atom.inside is not None
            if atom.kind == "exp" and not self.infer(atom.inside) & NEGATIVE:
                lower, lower_open = Fraction(1), self.infer(atom.inside) == POSITIVE
            elif atom.kind == "log":
                return ANY
        degree = int(poly.degrees()[present[0]])
        if degree > 60:
            return ANY
        dense = [fmpq(0)] * (degree + 1)
        for power, part in coefficients(poly, present[0]).items():
            dense[power] = part.leading_coefficient()
        return sign_on(fmpq_poly(dense), lower, upper, lower_open)


def _plain_coefficients(poly: fmpq_mpoly, strict: dict[int, bool]) -> int:
    """Sign of a polynomial with rational coefficients in non-negative generators."""
    coefficients = poly.coeffs()
    negative = coefficients[0] < 0
    if any((c < 0) != negative for c in coefficients):
        return ANY
    mask = NEGATIVE if negative else POSITIVE
    weak = [i for i in used(poly) if not strict.get(i, False)]
    certain = not weak or any(not any(m[i] for i in weak) for m in poly.monoms())
    return mask if certain else mask | ZERO
