"""Germs at s = 0+: truncated series in rational powers of s with exact constant coefficients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from symbolic.expression import Expression, Number, Symbol, integer_exponent
from verify.checker.algebra import (
    ONE,
    ZERO_QUOTIENT,
    Budget,
    Quotient,
    Range,
    Unproved,
    as_fraction,
    rational,
)
from verify.checker.context import Context, Undefined
from verify.checker.elementary import MAX_ROOT
from verify.checker.germs import S
from verify.checker.signs import NEGATIVE, POSITIVE, ZERO

_MAX_TERMS = 200


@dataclass(frozen=True)
class Series:
    """Sum of coefficient·s^exponent, up to O(s^end); end None: exactly that."""

    terms: dict[Fraction, Quotient]
    end: Fraction | None = None

    @property
    def low(self) -> Fraction | None:
        """The leading exponent, or what is known of it; None for the series 0."""
        return min(self.terms) if self.terms else self.end


class Germ:
    """Functions of s near 0+, as series of a given relative length."""

    grants = False

    def __init__(self, length: int, budget: Budget) -> None:
        self.constants = Context({}, (), budget)
        self.table = self.constants.table
        self.length = length
        self._memo: dict[int, tuple[Expression, Series]] = {}
        self._version = 0

    # What `resolve` asks -----------------------------------------------------------------

    def mask(self, tree: Expression, goal: int = 0) -> int:
        """The eventual sign of a smooth formula."""
        return self.leading(tree)[1]

    def normal(self, tree: Expression) -> object:
        """Shows that a smooth formula is defined for all small s > 0."""
        return self.constants.work(lambda: self.series(tree))

    def leading(self, tree: Expression) -> tuple[Fraction, int]:
        """Leading exponent and the sign of its coefficient (0 and ZERO for the formula 0)."""
        try:
            return self.constants.work(lambda: self.lead(self.series(tree)))
        except Unproved:
            if self._vanishes(tree):
                return Fraction(0), ZERO
            raise

    def _vanishes(self, tree: Expression) -> bool:
        """Whether the normal form is 0 for small s > 0, which no finite series shows."""
        try:
            domain = {S: Range(Fraction(0), Fraction(1, 1 << 20))}
            return Context(domain, (), self.constants.budget).vanishes(tree)
        except Unproved:
            return False

    def lead(self, x: Series) -> tuple[Fraction, int]:
        if x.terms:
            low = min(x.terms)
            return low, self._certain(x.terms[low])
        if x.end is None:
            return Fraction(0), ZERO
        raise Unproved("the leading term of a germ lies beyond the series' length")

    def _certain(self, value: Quotient) -> int:
        sign = self.constants.sign(value)
        if sign not in (NEGATIVE, POSITIVE):
            raise Unproved("a constant is not told from 0")
        return sign

    # Series of formulas --------------------------------------------------------------------

    def series(self, root: Expression) -> Series:
        if self._version != self.table.version:
            self._version, self._memo = self.table.version, {}
        stack, memo = [root], self._memo
        while stack:
            node = stack[-1]
            missing = [arg for arg in node.args if id(arg) not in memo]
            if missing and id(node) not in memo:
                stack.extend(reversed(missing))
                continue
            if id(node) not in memo:
                self.constants.budget.spend(5)
                memo[id(node)] = (node, self._of(node, [memo[id(arg)][1] for arg in node.args]))
            stack.pop()
        return memo[id(root)][1]

    def _of(self, node: Expression, args: list[Series]) -> Series:
        if isinstance(node, Number):
            return self._constant(rational(node.value))
        if isinstance(node, Symbol):
            if node.name != S:
                raise Unproved(f"'{node.name}' has no value")
            return Series({Fraction(1): ONE})
        x = args[0]
        match node.op:
            case "add":
                return self._add(x, args[1])
            case "sub":
                return self._add(x, self._scaled(args[1], rational(-1)))
            case "neg":
                return self._scaled(x, rational(-1))
            case "mul":
                return self._mul(x, args[1])
            case "square":
                return self._mul(x, x)
            case "div":
                return self._mul(x, self._power(args[1], Fraction(-1)))
            case "inv":
                return self._power(x, Fraction(-1))
            case "sqrt":
                return self._power(x, Fraction(1, 2))
            case "exp":
                return self._exp(x)
            case "log":
                return self._log(x)
            case "tanh":
                e = self._exp(self._scaled(x, rational(2)))
                return self._mul(self._plus(e, -1), self._power(self._plus(e, 1), Fraction(-1)))
            case "sigmoid":
                e = self._exp(self._scaled(x, rational(-1)))
                return self._power(self._plus(e, 1), Fraction(-1))
            case "softplus":
                return self._log(self._plus(self._exp(x), 1))
            case "pow":
                return self._general_power(node, x, args[1])
        raise Unproved(f"no germ of '{node.op}'")

    def _general_power(self, node: Expression, base: Series, exponent: Series) -> Series:
        n = integer_exponent(node)
        if n is not None:
            if n == 0:
                return self._constant(ONE)
            return self._power(base, Fraction(n))
        low, sign = self.lead(base)
        if sign == ZERO:
            if self.lead(exponent)[1] != POSITIVE:
                raise Undefined("0 to a power that is not positive")
            return base
        if sign == NEGATIVE:
            raise Undefined("a power of a negative number")
        fixed = exponent.terms.get(Fraction(0), ZERO_QUOTIENT)
        constant = exponent.end is None and set(exponent.terms) <= {Fraction(0)}
        if constant and fixed.num.is_constant() and fixed.den.is_one():
            if fixed.is_zero:
                return self._constant(ONE)
            return self._power(base, as_fraction(fixed.num.leading_coefficient()))
        if low != 0:
            raise Unproved("a power with a moving exponent of a vanishing base")
        return self._exp(self._mul(exponent, self._log(base)))

    # Arithmetic -------------------------------------------------------------------------------

    def _constant(self, value: Quotient) -> Series:
        return Series({} if value.is_zero else {Fraction(0): value})

    def _cut(self, terms: dict[Fraction, Quotient], end: Fraction | None) -> Series:
        """Keep `length` powers beyond the leading one."""
        terms = {e: c for e, c in terms.items() if not c.is_zero and (end is None or e < end)}
        if terms:
            limit = min(terms) + self.length
            if any(e >= limit for e in terms):
                terms = {e: c for e, c in terms.items() if e < limit}
                end = limit if end is None else min(end, limit)
            self._certain(terms[min(terms)])
        if len(terms) > _MAX_TERMS:
            raise Unproved("a germ with too many terms")
        return Series(terms, end)

    def _add(self, a: Series, b: Series) -> Series:
        ends = [x.end for x in (a, b) if x.end is not None]
        terms = dict(a.terms)
        for exponent, value in b.terms.items():
            terms[exponent] = self.table.add(terms.get(exponent, ZERO_QUOTIENT), value)
        return self._cut(terms, min(ends) if ends else None)

    def _plus(self, a: Series, value: int) -> Series:
        return self._add(a, self._constant(rational(value)))

    def _scaled(self, a: Series, factor: Quotient) -> Series:
        return Series({e: self.table.mul(c, factor) for e, c in a.terms.items()}, a.end)

    def _mul(self, a: Series, b: Series) -> Series:
        if a.low is None or b.low is None:
            return Series({})
        ends = [
            x.end + y.low for x, y in ((a, b), (b, a)) if x.end is not None and y.low is not None
        ]
        end = min(ends) if ends else None
        terms: dict[Fraction, Quotient] = {}
        for e, c in a.terms.items():
            for f, d in b.terms.items():
                if end is None or e + f < end:
                    product = self.table.mul(c, d)
                    terms[e + f] = self.table.add(terms.get(e + f, ZERO_QUOTIENT), product)
        return self._cut(terms, end)

    def _powers(self, u: Series, coefficient: Callable[[int], Fraction]) -> Series:
        """Sum of coefficient(k)·u^k for u -> 0."""
        total, power, k = self._constant(rational(coefficient(0))), self._constant(ONE), 0
        while True:
            k += 1
            power = self._mul(power, u)
            low = power.low
            if low is None:
                return total
            if low >= self.length:
                return self._cut(total.terms, min(low, total.end) if total.end is not None else low)
            total = self._add(total, self._scaled(power, rational(coefficient(k))))
            if k > _MAX_TERMS:
                raise Unproved("a germ with too many terms")

    def _split(self, x: Series) -> tuple[Quotient, Series]:
        """Constant term and the rest, for x that stays bounded."""
        if x.low is not None and (x.low < 0 or (x.low == 0 and not x.terms)):
            raise Unproved("an argument that is not bounded near r = 1")
        rest = {e: c for e, c in x.terms.items() if e != 0}
        if x.end is not None and x.end <= 0:
            raise Unproved("an argument that is not known near r = 1")
        return x.terms.get(Fraction(0), ZERO_QUOTIENT), Series(rest, x.end)

    def _exp(self, x: Series) -> Series:
        at_zero, u = self._split(x)
        factor = 1

        def coefficient(k: int) -> Fraction:
            nonlocal factor
            factor *= max(k, 1)
            return Fraction(1, factor)

        return self._scaled(self._powers(u, coefficient), self.constants.exp(at_zero))

    def _log(self, x: Series) -> Series:
        low, sign = self.lead(x)
        if sign != POSITIVE:
            raise Undefined("log of a number <= 0")
        if low != 0:
            raise Unproved("the logarithm of what vanishes or grows at r = 1")
        at_zero, _ = self._split(x)
        u = self._plus(self._scaled(x, self.table.div(ONE, at_zero)), -1)
        series = self._powers(u, lambda k: Fraction((-1) ** (k + 1), k) if k else Fraction(0))
        return self._add(series, self._constant(self.constants.log(at_zero)))

    def _power(self, x: Series, exponent: Fraction) -> Series:
        """x**exponent by the binomial series."""
        low, sign = self.lead(x)
        if sign == ZERO:
            if exponent <= 0:
                raise Undefined("division by 0")
            return x
        if sign == NEGATIVE and exponent.denominator != 1:
            raise Undefined("a root of a negative number")
        if exponent.denominator == 1 and 0 < exponent <= 8:
            product = x
            for _ in range(int(exponent) - 1):
                product = self._mul(product, x)
            return product
        first = x.terms[low]
        shifted = Series(
            {e - low: c for e, c in x.terms.items()}, None if x.end is None else x.end - low
        )
        u = self._plus(self._scaled(shifted, self.table.div(ONE, first)), -1)
        binomial = Fraction(1)

        def coefficient(k: int) -> Fraction:
            nonlocal binomial
            binomial = binomial * (exponent - k + 1) / k if k else Fraction(1)
            return binomial

        series = self._scaled(self._powers(u, coefficient), self._constant_power(first, exponent))
        moved = {e + low * exponent: c for e, c in series.terms.items()}
        return Series(moved, None if series.end is None else series.end + low * exponent)

    def _constant_power(self, value: Quotient, exponent: Fraction) -> Quotient:
        if exponent.denominator <= MAX_ROOT:
            return self.constants.root(value, exponent)
        logarithm = self.constants.log(value)
        return self.constants.exp(self.table.mul(rational(exponent), logarithm))
