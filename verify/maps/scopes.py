"""Where a mirror map is looked at: values of t and the parameters, and provers over them and x.

Splits speak of t and the parameters alone; x is cut in pieces below them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product
from typing import Any

from symbolic.domains import Interval
from symbolic.drift import Drift
from symbolic.expression import Expression, number
from verify.algebra.masks import NEGATIVE, NONNEGATIVE, NONPOSITIVE, POSITIVE, ZERO, relation
from verify.algebra.polynomials import Quotient, TooLarge
from verify.algebra.resolve import Resolver, Undecided, Undefined
from verify.algebra.signs import Signs
from verify.proof.prove import Budget, Prover
from verify.proof.regions import closed_ends, placed
from verify.proof.scatter import Scatter

Node = dict[str, Any]
NO_RULE = "no rule applies within the step budget"
_MAX_LEMMAS = 12
_MAX_SPLITS = 8
_CASES: dict[tuple[int, ...], tuple[int, int]] = {
    (NEGATIVE, ZERO): (NONNEGATIVE, NEGATIVE),
    (NONNEGATIVE, NEGATIVE): (NONNEGATIVE, NEGATIVE),
}


class Stuck(Exception):
    """A piece is not smooth, or its formula is not shown to be defined."""


class Cut(Stuck):
    """The formula has a kink inside the piece, where this quotient changes its sign."""

    def __init__(self, guard: Quotient, signs: Signs) -> None:
        self.guard = guard
        self.signs = signs


class Split(Exception):
    """The formula depends on a sign that t and the parameters decide."""

    def __init__(self, guard: Expression, cases: tuple[int, int]) -> None:
        self.guard = guard
        self.cases = cases


@dataclass(frozen=True)
class Scope:
    """Values of t and the parameters: a box and facts, and the formula over them."""

    tree: Expression
    domains: dict[str, Interval]
    facts: tuple[tuple[Expression, int], ...]
    budget: Budget
    depth: int = 0
    met: list[Fraction] = field(default_factory=list)
    """Values of x where the formula was found to have a kink, or a slope of 0."""

    def prover(
        self, scales: dict[str, Fraction], variable: str = "", where: Interval | None = None
    ) -> Prover:
        """A prover over the box, and over one more variable."""
        domains = dict(self.domains)
        if where is not None:
            domains[variable] = where
        prover = Prover(Signs(domains, scales), Scatter.over(domains), self.budget)
        for tree, mask in self.facts:
            fact = prover.renamed(tree, {})
            if fact is not None:
                prover = prover.under(fact, mask)
        return prover


def scopes(drift: Drift, budget: Callable[[], Budget]) -> Iterator[tuple[str, Scope]]:
    """(key, scope): inner values and closed ends of t and the parameters, as the checker names them."""
    formula = drift.bound_formula()
    names = sorted(formula.symbols - {"x"})
    axes = [["", *closed_ends(name, drift.domain(name))] for name in names]
    for choice in product(*axes):
        values: dict[str, Expression] = {}
        domains: dict[str, Interval] = {}
        for name, end in zip(names, choice, strict=True):
            if end:
                values[name] = number(Fraction(end.partition("=")[2]))
            else:
                domain = drift.domain(name)
                domains[name] = Interval(domain.lower, domain.upper, True, True)
        key = ",".join(end for end in choice if end)
        yield key, Scope(placed(formula, values), domains, (), budget())


def follow(scope: Scope, visit: Callable[[Scope], Node | None]) -> Node | None:
    """What `visit` gives, under the splits that it asks for. None if a part of them fails."""
    for name, domain in scope.domains.items():
        low, high = domain.lower, domain.upper
        if Fraction(0) in domain and low != 0 and high != 0:
            node: Node = {"bisect": name, "at": "0"}
            for part, half in (
                ("low", Interval(low, Fraction(0), domain.lower_open, False)),
                ("high", Interval(Fraction(0), high, False, domain.upper_open)),
            ):
                inner = follow(replace(scope, domains={**scope.domains, name: half}), visit)
                if inner is None:
                    return None
                node[part] = inner
            return node
    try:
        return visit(scope)
    except Split as split:
        if scope.depth >= _MAX_SPLITS or not scope.budget.spend(2):
            return None
        node = {"split": str(split.guard)}
        for case in split.cases:
            facts = (*scope.facts, (split.guard, case))
            inner = follow(replace(scope, facts=facts, depth=scope.depth + 1), visit)
            if inner is None:
                return None
            node[str(relation(case))] = inner
        return node


@dataclass(frozen=True)
class Smooth:
    """What a formula is where its kinks are settled, and the lemmas that settle them."""

    value: Quotient
    prover: Prover
    lemmas: list[Node]


def smooth_on(prover: Prover, tree: Expression, variable: str = "") -> Smooth:
    """The formula as a quotient, with every sign that it depends on proved.

    Raises Split where t and the parameters decide, Cut where `variable` does, Stuck where the
    formula is not shown to be defined.
    """
    lemmas: list[Node] = []
    for _ in range(_MAX_LEMMAS):
        try:
            return Smooth(Resolver(prover.signs).resolve(tree), prover, lemmas)
        except Undefined:
            raise Stuck from None
        except Undecided as open_sign:
            prover = _settled(prover, open_sign, variable, lemmas)
    raise Stuck


def _settled(prover: Prover, open_sign: Undecided, variable: str, lemmas: list[Node]) -> Prover:
    value, signs = open_sign.value, prover.signs
    seen = prover.scatter.seen(signs, value)
    for wanted in open_sign.wanted:
        name = relation(wanted)
        if seen & ~(wanted | ZERO) or name is None:
            continue
        proof = prover.prove(value, wanted)
        if proof is not None:
            lemmas.append({"of": str(signs.tree(value)), "relation": name, "proof": proof})
            return prover.under(value, wanted)
    if not (variable and signs.depends(value, variable)):
        cases = _CASES.get(open_sign.wanted, (POSITIVE, NONPOSITIVE))
        if open_sign.danger and not (seen & POSITIVE and seen & NEGATIVE):
            raise Stuck
        raise Split(signs.tree(value), cases)
    raise Stuck if open_sign.danger else Cut(value, signs)


GIVES_UP = (Stuck, TooLarge, ZeroDivisionError)
"""What ends the attempt on a piece."""
