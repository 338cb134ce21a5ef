"""The last piece of an unbounded cover: f > 0 on [start, ∞), by an expansion for large v.

Every function becomes a sum of growth·(c + ε): c an exact constant, ε a function that stays in a
ball. What does not cancel exactly is bounded at the start, where shrinking growths are largest.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import factorial

import flint
from flint import arb, fmpq_mpoly

from symbolic.expression import Expression
from verify.checker.algebra import ONE, UNIT, Quotient, Unproved, X, as_fraction, rational, used
from verify.checker.balls import ball, enclose
from verify.checker.context import Context
from verify.checker.growth import (
    LOG,
    ONE_GROWTH,
    POWER,
    Growth,
    at_start,
    exponential_of,
    falls,
    logarithm_of,
    power,
    product,
)
from verify.checker.signs import POSITIVE

_ORDER = 5
_MAX_TERMS = 150
_PRECISION = 192
_ZERO = rational(0)

Part = tuple[Quotient, arb]
"""c and a ball for ε."""
Parts = dict[Growth, Part]


def tail(context: Context, claim: Expression, name: str, start: Fraction) -> None:
    """Insist on claim > 0 from `start` on, for a variable unbounded above. Raises Unproved."""
    if start < 2:
        raise Unproved("a tail starts at 2 or beyond")

    def shown() -> bool:
        value = context.normal(claim)
        signs = []
        with flint.ctx.workprec(_PRECISION):
            for poly in (value.num, value.den):
                found = _Tail(context, name, start)
                parts = found.of_poly(poly)
                signs.append(found.relative(parts, found.leading(parts)))
        return any(all(bool(sign * way > 0) for sign in signs) for way in (1, -1))

    if not context.work(shown):
        raise Unproved(f"the expansion for large {name} does not show the sign")


class _Tail:
    """Expansions in one variable on [start, ∞)."""

    def __init__(self, context: Context, name: str, start: Fraction) -> None:
        self.context = context
        self.table = context.table
        self.name = name
        self.start = start
        self.found: dict[int, Parts] = {}

    # Comparing --------------------------------------------------------------------------

    def constant(self, value: Quotient) -> arb:
        """A ball around an exact constant."""
        if value.num.is_constant() and value.den.is_one():
            return ball(as_fraction(value.num.leading_coefficient())) if len(value.num) else arb(0)
        return enclose(self.table.tree(value), {})

    def relative(self, parts: Parts, lead: Growth) -> arb:
        """A ball around all values of the sum divided by a growth."""
        total = arb(0)
        for growth, (c, error) in parts.items():
            ratio = product(growth, power(lead, -1))
            total += (self.constant(c) + error) * self.values(ratio)
        return total

    def values(self, growth: Growth) -> arb:
        """All values of a growth that does not grow."""
        if growth == ONE_GROWTH:
            return arb(1)
        if not falls(growth, self.start):
            raise Unproved("two terms of an expansion cannot be compared")
        return arb(0).union(at_start(growth, self.start))

    def leading(self, parts: Parts) -> Growth:
        """The growth that all others shrink against."""
        for lead in parts:
            inverse = power(lead, -1)
            if all(g == lead or falls(product(g, inverse), self.start) for g in parts):
                return lead
        raise Unproved("an expansion has no leading term")

    # Arithmetic -------------------------------------------------------------------------

    def plus(self, a: Parts, b: Parts) -> Parts:
        out = dict(a)
        for growth, part in b.items():
            self.put(out, growth, part)
        if len(out) > _MAX_TERMS:
            raise Unproved("an expansion has too many terms")
        return out

    def put(self, out: Parts, growth: Growth, part: Part) -> None:
        """Add one term in place."""
        old, old_error = out.pop(growth, (_ZERO, arb(0)))
        c, error = self.table.add(old, part[0]), old_error + part[1]
        if not c.is_zero or not error.is_zero():
            out[growth] = c, error

    def times(self, a: Parts, b: Parts) -> Parts:
        self.context.budget.spend(4 * len(a) * len(b))
        out: Parts = {}
        for g, (c, c_error) in a.items():
            for h, (d, d_error) in b.items():
                error = arb(0)
                if not (c_error.is_zero() and d_error.is_zero()):
                    error = self.constant(c) * d_error + c_error * (self.constant(d) + d_error)
                self.put(out, product(g, h), (self.table.mul(c, d), error))
        if len(out) > _MAX_TERMS:
            raise Unproved("an expansion has too many terms")
        return out

    def raised(self, a: Parts, n: int) -> Parts:
        if len(a) == 1:
            ((growth, (c, error)),) = a.items()
            if error.is_zero():
                return {power(growth, n): (self.table.power(c, n), arb(0))}
        out: Parts = {ONE_GROWTH: (ONE, arb(0))}
        for _ in range(n):
            out = self.times(out, a)
        return out

    # Functions --------------------------------------------------------------------------

    def of_poly(self, poly: fmpq_mpoly) -> Parts:
        out: Parts = {}
        for monomial, coefficient in poly.terms():
            term: Parts = {ONE_GROWTH: (Quotient(UNIT * coefficient, UNIT), arb(0))}
            for index in used(poly):
                if monomial[index]:
                    term = self.times(term, self.raised(self.atom(index), int(monomial[index])))
            out = self.plus(out, term)
        return out

    def of_quotient(self, value: Quotient) -> Parts:
        top = self.of_poly(value.num)
        if value.den.is_one():
            return top
        growth, c, small = self.around_lead(self.of_poly(value.den))
        scale: Parts = {power(growth, -1): (self.table.div(ONE, c), arb(0))}
        signs = [Fraction((-1) ** n) for n in range(_ORDER)]
        series = self.series(small, signs, lambda x: (-1) ** _ORDER / (1 + x))
        return self.times(self.times(top, scale), series)

    def around_lead(self, parts: Parts) -> tuple[Growth, Quotient, Parts]:
        """growth, c and d with parts = growth·c·(1 + d)."""
        growth = self.leading(parts)
        c = parts[growth][0]
        if c.is_zero:
            raise Unproved("a leading coefficient is only known as a ball")
        inverse, size = power(growth, -1), self.constant(c)
        small: Parts = {}
        for g, (d, error) in parts.items():
            part = (_ZERO if g == growth else self.table.div(d, c), error / size)
            small = self.plus(small, {product(g, inverse): part})
        return growth, c, small

    def series(
        self, small: Parts, coefficients: list[Fraction], rest: Callable[[arb], arb]
    ) -> Parts:
        """Σ c_n·d^n and the remainder rest(x)·d^ORDER for some x between 0 and d."""
        between = arb(0).union(self.relative(small, ONE_GROWTH))
        last = rest(between)
        if not (between.abs_upper() < 1 and last.is_finite()):
            raise Unproved("a part of an expansion is not small at the start")
        out: Parts = {}
        for n, c in enumerate(coefficients):
            scale: Parts = {ONE_GROWTH: (rational(c), arb(0))} if c else {}
            out = self.plus(out, self.times(scale, self.raised(small, n)))
        remainder = self.raised(small, _ORDER)
        return self.plus(out, {
            g: (_ZERO, (self.constant(c) + error) * last) for g, (c, error) in remainder.items()
        })  # fmt: skip

    def atom(self, index: int) -> Parts:
        if index not in self.found:
            self.found[index] = self._atom(index)
        return self.found[index]

    def _atom(self, index: int) -> Parts:
        it = self.table.atoms[index]
        if it.kind == "variable" and it.name == self.name:
            return {((POWER, Fraction(1)),): (ONE, arb(0))}
        if not it.names:
            return {ONE_GROWTH: (Quotient(X[index], UNIT), arb(0))}
        if it.names != {self.name}:
            raise Unproved("a tail has one variable")
        inside = self.of_quotient(it.inside)
        if it.kind == "exp":
            return self.exponential(self.times(inside, {ONE_GROWTH: (rational(it.rate), arb(0))}))
        growth, c, small = self.around_lead(inside)
        if self.context.sign(c, POSITIVE) != POSITIVE:
            raise Unproved("a log or a root of what may be negative far out")
        if it.kind == "log":
            return self.logarithm(growth, c, small)
        return self.root(growth, c, small, Fraction(1, it.index))

    def exponential(self, parts: Parts) -> Parts:
        growth, scale, small = ONE_GROWTH, ONE, dict[Growth, Part]()
        for g, (c, error) in parts.items():
            if g == ONE_GROWTH:
                scale = self.context.exp(c)
                small = self.plus(small, {g: (_ZERO, error)})
            elif falls(g, self.start):
                small[g] = c, error
            else:
                growth = product(growth, self._into_exponent(g, c, error))
        coefficients = [Fraction(1, factorial(n)) for n in range(_ORDER)]
        series = self.series(small, coefficients, lambda x: x.exp() / factorial(_ORDER))
        return self.times({growth: (scale, arb(0))}, series)

    @staticmethod
    def _into_exponent(growth: Growth, c: Quotient, error: arb) -> Growth:
        """exp(c·growth) as a growth."""
        if not error.is_zero() or not (c.num.is_constant() and c.den.is_one()):
            raise Unproved("an exponent grows by no rational rate")
        rate = as_fraction(c.num.leading_coefficient())
        if growth == ((LOG, Fraction(1)),):
            return ((POWER, rate),)
        gauge = exponential_of(growth)
        if gauge is None:
            raise Unproved("an exponent grows in an unknown way")
        return ((gauge, rate),)

    def logarithm(self, growth: Growth, c: Quotient, small: Parts) -> Parts:
        out: Parts = {}
        if c != ONE:
            out = self.plus(out, {ONE_GROWTH: (self.context.log(c), arb(0))})
        for gauge, exponent in growth:
            inner = logarithm_of(gauge)
            if inner is None:
                raise Unproved("log(log(v)) is not expanded")
            out = self.plus(out, {inner: (rational(exponent), arb(0))})
        coefficients = [Fraction((-1) ** (n + 1), n or 1) * (n > 0) for n in range(_ORDER)]
        sign = (-1) ** (_ORDER + 1)
        series = self.series(small, coefficients, lambda x: sign / (_ORDER * (1 + x) ** _ORDER))
        return self.plus(out, series)

    def root(self, growth: Growth, c: Quotient, small: Parts, q: Fraction) -> Parts:
        binomial = [Fraction(1)]
        for n in range(_ORDER):
            binomial.append(binomial[-1] * (q - n) / (n + 1))
        last, beyond = ball(binomial.pop()), ball(q - _ORDER)
        series = self.series(small, binomial, lambda x: last * (beyond * (1 + x).log()).exp())
        return self.times({power(growth, q): (self.context.root(c, q), arb(0))}, series)
