"""The normal form of a smooth formula in a context: variables with ranges, and facts.

Evaluating a formula here also shows that it is defined wherever the facts hold: every
argument of log, sqrt, a division or a power must be shown to be good.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TypeVar

from flint import fmpq_mpoly, fmpz

from symbolic.expression import (
    Expression,
    Number,
    Symbol,
    constant_value,
    integer_exponent,
    number,
    substitute,
)
from verify.checker.algebra import (
    MAX_ATOMS,
    ONE,
    UNIT,
    ZERO_QUOTIENT,
    Budget,
    Finer,
    Quotient,
    Range,
    Table,
    TooLarge,
    Unproved,
    X,
    as_fraction,
    common_rate,
    constant,
    rational,
    used,
)
from verify.checker.signs import DECIDED, NEGATIVE, NONNEGATIVE, NONZERO, POSITIVE, ZERO, Signs

T = TypeVar("T")
Fact = tuple[Expression, int]
"""A smooth formula and the signs it has at every point of the context."""

MAX_ROOT = 12
_MAX_LITERAL_BITS = 20_000


class Undefined(Unproved):
    """An argument is bad at every point of the context: the formula is defined nowhere there."""


class Context(Signs):
    """Points of a box where the facts hold, and what is known of formulas there."""

    def __init__(
        self, domains: Mapping[str, Range], facts: tuple[Fact, ...], budget: Budget,
        table: Table | None = None,
    ) -> None:  # fmt: skip
        super().__init__(table or Table(domains, budget))
        self.domains = dict(domains)
        self.facts = facts
        self.budget = budget
        self._memo: dict[int, tuple[Expression, Quotient]] = {}
        self._version = -1
        self._busy = False
        self._unsettled = False
        """Whether some normal form would be simpler if more signs were known."""
        self._granting = False

    # Contexts from contexts -------------------------------------------------------------

    def under(self, tree: Expression, mask: int) -> Context:
        """The points where `tree` besides has one of the signs `mask`."""
        self.normal(tree)
        return self.with_facts((*self.facts, (tree, mask)))

    def with_facts(self, facts: tuple[Fact, ...]) -> Context:
        """The same box with other facts; keeps what follows from the old ones if they remain."""
        table = self.table if len(self.table.atoms) <= MAX_ATOMS // 2 else None
        child = self._like(self.domains, facts, table)
        if facts[: len(self.facts)] == self.facts and table is not None:
            if self._version == table.version:
                child._version = table.version
                child.known = dict(self.known)
                child.found = {k: entry for k, entry in self.found.items() if entry[0] in DECIDED}
                if not self._unsettled:
                    child._memo = dict(self._memo)
                child.work(lambda: child._learn_all(facts[len(self.facts) :]))
        return child

    def without(self, name: str) -> Context:
        """The same box, with the facts that do not speak of `name`."""
        kept = tuple(fact for fact in self.facts if name not in fact[0].symbols)
        return self if len(kept) == len(self.facts) else self.with_facts(kept)

    def granting(self) -> Context:
        """The same context, which takes the arguments of a formula for good and notes it as facts."""
        child = self.with_facts(self.facts)
        child._granting = True
        return child

    def moved(self, values: Mapping[str, Expression], domains: Mapping[str, Range]) -> Context:
        """Variables replaced by formulas in every fact, over another box."""
        facts = tuple((substitute(tree, values), mask) for tree, mask in self.facts)
        return self._like(domains, facts, None)

    def _like(
        self, domains: Mapping[str, Range], facts: tuple[Fact, ...], table: Table | None
    ) -> Context:
        return Context(domains, facts, self.budget, table)

    # Questions --------------------------------------------------------------------------

    def normal(self, tree: Expression) -> Quotient:
        """The formula as a quotient, at every point of the context.

        Raises Unproved where the formula is not shown to be defined.
        """
        return self.work(lambda: self._normal(tree))

    def mask(self, tree: Expression, goal: int = 0) -> int:
        """The signs that a formula has; the search for a better answer ends within `goal`."""
        return self.work(lambda: self.sign(self._normal(tree), goal))

    def vanishes(self, tree: Expression) -> bool:
        """Whether the formula is 0 at every point, by algebra alone."""
        return self.work(lambda: self._normal(tree).is_zero)

    def simplified(self, tree: Expression) -> Expression:
        """The normal form as a formula."""
        return self.work(lambda: self.table.tree(self._normal(tree)))

    def slope(self, tree: Expression, name: str) -> Expression:
        """The derivative of the normal form; shown to exist at every point."""
        return self.work(lambda: self.table.tree(self._slope(self._normal(tree), name)))

    def _slope(self, value: Quotient, name: str) -> Quotient:
        for index in self.table.closure(value.num) | self.table.closure(value.den):
            atom = self.table.atoms[index]
            if atom.kind == "root" and name in atom.names and self.sign(atom.inside) != POSITIVE:
                raise Unproved(f"the derivative by {name} of a root that may vanish")
        return self.table.slope(value, name)

    def work(self, question: Callable[[], T]) -> T:
        """Answer a question, again each time an exponential needs a finer rate."""
        if self._busy:
            return question()
        self._busy = True
        try:
            for _ in range(40):
                try:
                    self._settle()
                    return question()
                except Finer as finer:
                    self.table.refine(finer)
            raise TooLarge("exponentials with too many different exponents")
        finally:
            self._busy = False

    def _settle(self) -> None:
        if self._version != self.table.version:
            self._version = self.table.version
            self._memo, self.known, self.found, self._unsettled = {}, {}, {}, False
            self._learn_all(self.facts)

    def _learn_all(self, facts: tuple[Fact, ...]) -> None:
        """Take in facts; one that is not understood at first may be after the others."""
        waiting = list(facts)
        for _ in range(2):
            again = []
            for tree, mask in waiting:
                try:
                    understood = self.learn(self._normal(tree), mask)
                except Unproved:
                    understood = False
                if self._unsettled:
                    self._memo, self._unsettled = {}, False
                if not understood:
                    again.append((tree, mask))
            waiting = again
            if not waiting:
                break

    def require(self, value: Quotient, goal: int, what: str) -> None:
        """Insist that a quotient has a sign within `goal`, or grant it where it can have one."""
        mask = self.sign(value, goal)
        if not mask & ~goal:
            return
        if not mask & goal:
            raise Undefined(f"{what} is never {_WORDS[goal]}: {self._shown(value)}")
        if not self._granting:
            raise Unproved(f"{what} is not shown to be {_WORDS[goal]}: {self._shown(value)}")
        self.facts = (*self.facts, (self.table.tree(value), goal))
        self.learn(value, goal)

    def _shown(self, value: Quotient) -> str:
        text = str(self.table.tree(value))
        return text if len(text) <= 120 else text[:117] + "..."

    # Normal form --------------------------------------------------------------------------

    def _normal(self, root: Expression) -> Quotient:
        stack = [root]
        memo = self._memo
        while stack:
            node = stack[-1]
            if id(node) in memo:
                stack.pop()
                continue
            missing = [arg for arg in node.args if id(arg) not in memo]
            if missing:
                stack.extend(reversed(missing))
                continue
            self.budget.spend()
            memo[id(node)] = (node, self._value(node, [memo[id(arg)][1] for arg in node.args]))
            stack.pop()
        return memo[id(root)][1]

    def _value(self, node: Expression, args: list[Quotient]) -> Quotient:
        table = self.table
        if isinstance(node, Number):
            if (
                node.value.numerator.bit_length() + node.value.denominator.bit_length()
                > _MAX_LITERAL_BITS
            ):
                raise TooLarge("a literal with thousands of digits")
            return rational(node.value)
        if isinstance(node, Symbol):
            if node.name not in self.domains:
                raise Unproved(f"'{node.name}' is no variable of this context")
            return Quotient(X[table.variable(node.name)], UNIT)
        x = args[0]
        match node.op:
            case "add":
                return table.add(x, args[1])
            case "sub":
                return table.sub(x, args[1])
            case "mul":
                return table.mul(x, args[1])
            case "neg":
                return Quotient(-x.num, x.den)
            case "square":
                return table.mul(x, x)
            case "div":
                self.require(args[1], NONZERO, "the denominator")
                return table.div(x, args[1])
            case "inv":
                self.require(x, NONZERO, "the argument of inv")
                return table.div(ONE, x)
            case "exp":
                return self.exp(x)
            case "log":
                self.require(x, POSITIVE, "the argument of log")
                return self.log(x)
            case "sqrt":
                self.require(x, NONNEGATIVE, "the argument of sqrt")
                return self.root(x, Fraction(1, 2))
            case "pow":
                return self._power(node, x, args[1])
            case "tanh":
                e = self.exp(table.add(x, x))
                return table.div(table.sub(e, ONE), table.add(e, ONE))
            case "sigmoid":
                e = self.exp(x)
                return table.div(e, table.add(e, ONE))
            case "softplus":
                return self.log(table.add(self.exp(x), ONE))
        raise Unproved(f"'{node.op}' is not smooth: its sign must be settled first")

    def _power(self, node: Expression, base: Quotient, exponent: Quotient) -> Quotient:
        n = integer_exponent(node)
        if n is not None:
            if n < 0:
                self.require(base, NONZERO, "the base of a negative power")
            return self.table.power(base, n)
        value = constant_value(node.args[1])
        if base.is_zero:
            self.require(exponent, POSITIVE, "the exponent of 0")
            return ZERO_QUOTIENT
        if value is not None and value > 0 and value.denominator <= MAX_ROOT:
            self.require(base, NONNEGATIVE, "the base of a power")
            return self.root(base, value)
        self.require(base, POSITIVE, "the base of a power")
        if value is not None and value.denominator <= MAX_ROOT:
            return self.root(base, value)
        return self.exp(self.table.mul(exponent, self.log(base)))

    # exp ------------------------------------------------------------------------------------

    def exp(self, argument: Quotient) -> Quotient:
        """Split over the terms of the argument, its variables counted from their lower ends."""
        table = self.table
        result = ONE
        for monomial, coefficient in self._counted(argument.num).terms():
            term, factor = UNIT, as_fraction(coefficient)
            present = [i for i, power in enumerate(monomial) if power]
            for i in present:
                step, sign = self._remainder(i)
                term *= step ** monomial[i]
                factor *= sign ** int(monomial[i])
            inside = table.quotient(term, argument.den)
            lead = as_fraction(inside.num.leading_coefficient())
            inside, factor = Quotient(inside.num / constant(lead), inside.den), factor * lead
            result = table.mul(result, self._exp_term(inside, factor))
        return result

    def _exp_term(self, inside: Quotient, factor: Fraction) -> Quotient:
        """exp(factor·inside)."""
        table = self.table
        present = used(inside.num)
        linear = inside.den.is_one() and len(inside.num) == 1 and inside.num.total_degree() == 1
        if linear and factor.denominator <= MAX_ROOT:
            atom = table.atoms[present[0]]
            if atom.kind == "log":
                return self.root(atom.inside, factor)
        key = inside.key
        plain = linear or inside == ONE
        rate = table.rates.setdefault(
            key, common_rate(Fraction(1), factor) if plain else abs(factor)
        )
        if (factor / rate).denominator != 1:
            raise Finer(key, common_rate(rate, factor))
        power = int(factor / rate)
        if abs(power) > 200:  # keep the degree low: an atom of its own
            rate, power = abs(factor), 1 if factor > 0 else -1
        generator = X[table.exponential(inside, rate)] ** abs(power)
        return Quotient(generator, UNIT) if power >= 0 else table.quotient(UNIT, generator)

    def _counted(self, poly: fmpq_mpoly) -> fmpq_mpoly:
        """The polynomial in remainders, each in the place of its atom."""
        args = list(X)
        changed = False
        for i in used(poly):
            low, high = self._ends(i)
            if low is not None:
                args[i], changed = X[i] + constant(low), True
            elif high is not None:
                args[i], changed = constant(high) - X[i], True
        return poly.compose(*args) if changed else poly

    def _remainder(self, index: int) -> tuple[fmpq_mpoly, int]:
        """What `_counted` calls the atom, as a polynomial with positive lead, and its sign."""
        low, high = self._ends(index)
        if low is not None:
            return X[index] - constant(low), 1
        return (X[index] - constant(high), -1) if high is not None else (X[index], 1)

    def _ends(self, index: int) -> tuple[Fraction | None, Fraction | None]:
        atom = self.table.atoms[index]
        if atom.kind != "variable":
            return (Fraction(1), None) if atom.kind == "exp" else (None, None)
        domain = self.domains[atom.name]
        if domain.lower is None:
            return None, domain.upper
        return domain.lower or None, None

    # log and roots ------------------------------------------------------------------------------

    def log(self, argument: Quotient) -> Quotient:
        """log of a quotient > 0, split over its factors where all their signs are known."""
        table = self.table
        total = ZERO_QUOTIENT
        for poly, direction in ((argument.num, 1), (argument.den, -1)):
            content, factors = self._factors(poly)
            total = table.add(total, self._log_rational(abs(content), direction))
            for factor, multiplicity in factors:
                sign = self.sign_of(factor)
                if sign not in (POSITIVE, NEGATIVE):
                    self._unsettled = True
                    return Quotient(X[table.logarithm(argument)], UNIT)
                part = self._log_factor(factor if sign == POSITIVE else -factor)
                total = table.add(total, table.mul(rational(direction * multiplicity), part))
        return total

    def _log_factor(self, factor: fmpq_mpoly) -> Quotient:
        """log of a positive polynomial that does not factor."""
        table = self.table
        if len(factor) == 1 and factor.total_degree() == 1:
            atom = table.atoms[used(factor)[0]]
            if atom.kind == "exp" and factor.leading_coefficient() == 1:
                return table.mul(rational(atom.rate), atom.inside)
            if atom.kind == "root" and factor.leading_coefficient() == 1:
                return table.mul(rational(Fraction(1, atom.index)), self.log(atom.inside))
        return Quotient(X[table.logarithm(Quotient(factor, UNIT))], UNIT)

    def _log_rational(self, value: Fraction, direction: int) -> Quotient:
        total = ZERO_QUOTIENT
        for integer, sign in ((value.numerator, direction), (value.denominator, -direction)):
            for prime, power in _prime_powers(integer):
                atom = X[self.table.logarithm(rational(prime))]
                total = self.table.add(total, Quotient(atom * (sign * power), UNIT))
        return total

    def root(self, base: Quotient, exponent: Fraction) -> Quotient:
        """base**exponent for base >= 0 (> 0 if the exponent is negative)."""
        table, q = self.table, exponent.denominator
        if q == 1:
            return table.power(base, exponent.numerator)
        if base.is_zero:
            return base
        below = self.sign_of(base.den)
        if below == NEGATIVE:
            base = Quotient(-base.num, -base.den)
        elif below != POSITIVE:
            raise Unproved("a root of a quotient whose denominator has no known sign")
        # (N/D)**(1/q) = (N·D**(q-1))**(1/q) / D for D > 0.
        table._guard_power(base.den, q - 1)
        radicand = base.num * base.den ** (q - 1)
        top = self._poly_root(table.quotient(radicand).num, q)
        return table.power(table.div(top, Quotient(base.den, UNIT)), exponent.numerator)

    def _poly_root(self, radicand: fmpq_mpoly, q: int) -> Quotient:
        """The q-th root of a polynomial >= 0: the product of its factors' roots, if all are >= 0."""
        content, factors = self._factors(radicand)
        whole, pieces = UNIT, []
        for factor, multiplicity in factors:
            sign = self.sign_of(factor)
            if not sign & NEGATIVE:
                oriented = factor
            elif not sign & POSITIVE:
                oriented, content = -factor, content * (-1) ** multiplicity
            elif multiplicity % 2 == 0:  # a square is >= 0 and stays whole
                self._unsettled = True
                pieces.append((factor**multiplicity, 1))
                continue
            else:
                self._unsettled = True
                return Quotient(X[self.table.root(radicand, q)], UNIT)
            whole *= oriented ** (multiplicity // q)
            if multiplicity % q:
                pieces.append((oriented, multiplicity % q))
        if content < 0:  # then the radicand is 0 throughout
            return Quotient(X[self.table.root(radicand, q)], UNIT)
        result = self.table.mul(Quotient(whole, UNIT), self._rational_root(content, q))
        for oriented, multiplicity in pieces:
            result = self.table.mul(result, self._factor_root(oriented, multiplicity, q))
        return result

    def _factor_root(self, factor: fmpq_mpoly, multiplicity: int, q: int) -> Quotient:
        if len(factor) == 1 and factor.total_degree() == 1 and factor.leading_coefficient() == 1:
            atom = self.table.atoms[used(factor)[0]]
            if atom.kind == "exp":
                return self._exp_term(atom.inside, atom.rate * Fraction(multiplicity, q))
        index = self.table.root(factor, q)
        return self.table.quotient(X[index] ** multiplicity)

    def _rational_root(self, value: Fraction, q: int) -> Quotient:
        outside, result = Fraction(1), ONE
        for integer, sign in ((value.numerator, 1), (value.denominator, -1)):
            for prime, power in _prime_powers(integer):
                whole, rest = divmod(sign * power, q)
                outside *= Fraction(prime) ** whole
                if rest:
                    index = self.table.root(constant(prime), q)
                    result = self.table.mul(result, self.table.quotient(X[index] ** rest))
        return self.table.mul(rational(outside), result)

    @staticmethod
    def _factors(poly: fmpq_mpoly) -> tuple[Fraction, list[tuple[fmpq_mpoly, int]]]:
        if poly.is_constant():
            return as_fraction(poly.leading_coefficient()), []
        if len(poly) > 400 or poly.total_degree() > 400:
            return Fraction(1), [(poly, 1)]
        content, factors = poly.factor()
        return as_fraction(content), [(factor, int(power)) for factor, power in factors]


_WORDS = {POSITIVE: "> 0", NONNEGATIVE: ">= 0", NONZERO: "other than 0", ZERO: "0"}


def _prime_powers(value: int) -> list[tuple[int, int]]:
    """Factors of a positive integer: primes, or the whole where it is large."""
    if value == 1:
        return []
    if value.bit_length() > 64:
        return [(value, 1)]
    return [(int(prime), int(power)) for prime, power in fmpz(value).factor()]


def zero_at(tree: Expression, name: str) -> Expression:
    """The formula with a variable replaced by 0."""
    return substitute(tree, {name: number(0)})
