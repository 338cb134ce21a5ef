"""The normal form of a smooth formula in a context: variables with ranges, and facts.

Evaluating a formula here also shows that it is defined wherever the facts hold: every
argument of log, sqrt, a division or a power must be shown to be good.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TypeVar

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
    rational,
    short,
)
from verify.checker.elementary import MAX_ROOT, Elementary
from verify.checker.signs import DECIDED, NONNEGATIVE, NONPOSITIVE, NONZERO, POSITIVE, ZERO

T = TypeVar("T")
Fact = tuple[Expression, int]
"""A smooth formula and the signs it has at every point of the context."""

_MAX_LITERAL_BITS = 20_000


def _even_power(tree: Expression) -> bool:
    """Whether a formula is written as a square: its normal form may hide that behind roots."""
    n = integer_exponent(tree) if tree.op == "pow" else None
    return tree.op == "square" or (n is not None and n % 2 == 0)


class Undefined(Unproved):
    """An argument is bad at every point of the context: the formula is defined nowhere there."""


class Context(Elementary):
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

    @property
    def grants(self) -> bool:
        """Whether arguments of the formula are taken for good."""
        return self._granting

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
        found = self.work(lambda: self.sign(self._normal(tree), goal))
        return found & NONNEGATIVE if _even_power(tree) else found

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
        return short(self.table.tree(value))

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
            return self.power(base, n)
        value = constant_value(node.args[1])
        if base.is_zero or self.sign(base, ZERO) == ZERO:
            self.require(exponent, POSITIVE, "the exponent of 0")
            return ZERO_QUOTIENT
        if value is not None and value > 0 and value.denominator <= MAX_ROOT:
            self.require(base, NONNEGATIVE, "the base of a power")
            return self.root(base, value)
        self._positive_base(base, exponent)
        if value is not None and value.denominator <= MAX_ROOT:
            return self.root(base, value)
        return self.exp(self.table.mul(exponent, self.log(base)))

    def _positive_base(self, base: Quotient, exponent: Quotient) -> None:
        """Insist on a base > 0; it is not granted where 0 to this power may be defined."""
        mask = self.sign(base, POSITIVE)
        if mask & ZERO and self.sign(exponent, NONPOSITIVE) & POSITIVE:
            raise Unproved(f"the base of a power may be 0: {self._shown(base)}")
        self.require(base, POSITIVE, "the base of a power")


_WORDS = {POSITIVE: "> 0", NONNEGATIVE: ">= 0", NONZERO: "other than 0", ZERO: "0"}


def zero_at(tree: Expression, name: str) -> Expression:
    """The formula with a variable replaced by 0."""
    return substitute(tree, {name: number(0)})
