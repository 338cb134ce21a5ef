"""Proof of a condition on one region: choose a chart, settle the kinks, conclude."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Any

from symbolic.domains import Interval
from symbolic.expression import Expression, number, postorder, substitute, symbol
from symbolic.parser import parse
from verify.algebra.masks import NEGATIVE, NONNEGATIVE, NONPOSITIVE, POSITIVE, ZERO, relation
from verify.algebra.polynomials import Quotient, as_fraction, coefficients, used
from verify.algebra.resolve import Resolver, Undecided, Undefined
from verify.algebra.signs import Signs
from verify.proof.prove import Budget, Prover, with_scales
from verify.proof.regions import Region
from verify.proof.scatter import Scatter
from verify.proof.suspects import original

Node = dict[str, Any]
_MAX_SPLITS = 24
_ONE_VARIABLE, _TWO_VARIABLES = 100, 200
"""What variables weigh against atoms in the size of a chart."""
_TOO_LARGE = 10_000
_SPLITS: dict[tuple[int, ...], tuple[int, int]] = {
    (POSITIVE, NONPOSITIVE): (POSITIVE, NONPOSITIVE),
    (NONNEGATIVE, NEGATIVE): (NONNEGATIVE, NEGATIVE),
    (NONNEGATIVE, NONPOSITIVE): (POSITIVE, NONPOSITIVE),
    (NEGATIVE, ZERO): (NONNEGATIVE, NEGATIVE),
    (POSITIVE, ZERO): (POSITIVE, NONPOSITIVE),
}
_CHARTS = {
    "r>1": ("", "1/(exp(_s) - 1)", "1/_s"),
    "r<1": ("", "1/(1 - exp(-_s))", "1/_s"),
}


@dataclass(frozen=True)
class Cell:
    """A smooth piece of a region where the goal was not reached, with what f is there."""

    region: Region
    chart: str
    value: Quotient
    prover: Prover
    pins: dict[str, Fraction]
    """Variables that the cell's facts leave one value."""


@dataclass(frozen=True)
class Attempt:
    """What is to be proved, and how."""

    region: Region
    goal: str
    budget: Budget
    where_defined: bool = False
    """Take the formula's own domain for granted (its points of undefinedness are known)."""
    failures: list[Cell] = field(default_factory=list)
    suspects: list[dict[str, Fraction]] = field(default_factory=list)
    """Points, in the formula's own variables, where it may not hold."""


def prove_region(attempt: Attempt) -> Node | None:
    """A certificate node for the goal ("defined", "nonnegative" or "zero") on a region, or None."""
    for text in _ordered_charts(attempt.region):
        node = with_scales(partial(_in_chart, attempt, text), attempt.budget)
        if node is not None:
            return node
    return None


def _in_chart(attempt: Attempt, text: str, scales: dict[str, Fraction]) -> Node | None:
    region = attempt.region
    attempt.failures.clear()
    signs = Signs(region.domains, scales)
    prover = Prover(signs, Scatter.over(region.domains), attempt.budget)
    met = len(attempt.budget.suspects)
    node = by_halves(CellProver(prover, attempt, text), _charted(region, text))
    if node is None:
        attempt.suspects.extend(original(region, text, attempt.budget.suspects[met:]))
    return node if node is None or not text else {"rescale": "_a", "by": text, "then": node}


def by_halves(cells: CellProver, tree: Expression) -> Node | None:
    """Parameters that may have either sign are taken below and above 0 in turn."""
    signs = cells.prover.signs
    for name, domain in signs.domains.items():
        if (
            Fraction(0) in domain
            and domain.value is None
            and domain.lower != 0
            and domain.upper != 0
        ):
            node: Node = {"bisect": name, "at": "0"}
            for half, interval in (
                ("low", Interval(domain.lower, Fraction(0), domain.lower_open, False)),
                ("high", Interval(Fraction(0), domain.upper, False, domain.upper_open)),
            ):
                domains = {**signs.domains, name: interval}
                part = Prover(
                    Signs(domains, signs.scales), Scatter.over(domains), cells.prover.budget
                )
                inner = by_halves(cells.over(part), tree)
                if inner is None:
                    return None
                node[half] = inner
            return node
    return cells.build(tree, 0)


def _charted(region: Region, text: str) -> Expression:
    if not text:
        return region.tree
    return substitute(region.tree, {"_a": symbol("_a") * parse(text, names=["_s"])})


def _ordered_charts(region: Region) -> list[str]:
    """Charts of the advantage, those in which the formula needs the fewest atoms first."""
    if "_a" not in region.domains or region.ratio not in _CHARTS:
        return [""]
    sizes: list[tuple[int, int, str]] = []
    for position, text in enumerate(_CHARTS[region.ratio]):
        if sizes and sizes[0][0] < _TWO_VARIABLES:
            break  # another chart can only bring in a second one
        sizes.append((_size(region, text), position, text))
    return [text for size, _, text in sorted(sizes) if size < _TOO_LARGE] or [""]


def _size(region: Region, text: str) -> int:
    size = _TOO_LARGE

    def measure(scales: dict[str, Fraction]) -> Node:
        nonlocal size
        view = SmoothView(Signs(region.domains, scales))
        view.resolve(_charted(region, text))
        size = view.size()
        return {}

    with_scales(measure)
    return size


class SmoothView(Resolver):
    """Looks through kinks without deciding them, only to see which atoms a formula needs."""

    def __init__(self, signs: Signs) -> None:
        super().__init__(signs)
        self.guards: list[Quotient] = []

    def mask(self, value: Quotient) -> int:
        known = super().mask(value)
        if known not in (NEGATIVE, ZERO, POSITIVE):
            self.guards.append(value)
        return known & POSITIVE or POSITIVE

    def size(self) -> int:
        atoms = {i for q in self.guards for p in (q.num, q.den) for i in used(p)}
        atoms |= {i for _, q in self._memo.values() for p in (q.num, q.den) for i in used(p)}
        final = [q for _, q in list(self._memo.values())[-1:]]
        names = {n for q in [*self.guards, *final] for n in self.signs.variables(q)}
        return _ONE_VARIABLE * len(names) + len(atoms)


class CellProver:
    """Splits a region at kinks until the formula is smooth, then proves the goal."""

    resolver_type: type[Resolver] = Resolver

    def __init__(self, prover: Prover, attempt: Attempt, chart: str = "") -> None:
        self.prover = prover
        self.attempt = attempt
        self.chart = chart
        self.splits = 0
        self.pins: dict[str, Fraction] = {}

    def build(self, tree: Expression, splits: int) -> Node | None:
        """A node that settles every kink of `tree` and concludes."""
        self.splits = splits
        try:
            value = self.resolver_type(self.prover.signs).resolve(tree)
        except Undecided as open_sign:
            return self.settle(tree, open_sign, splits)
        except Undefined:
            if self.attempt.where_defined:
                return {"conclude": {"rule": "undefined"}}
            raise
        return self.conclude(tree, value)

    def conclude(self, tree: Expression, value: Quotient) -> Node | None:
        """The leaf: `value` is what the formula is on this cell."""
        if self.attempt.goal == "defined":
            return {"conclude": {"rule": "defined"}}
        if self.attempt.goal == "zero":
            if value.is_zero:
                return {"conclude": {"rule": "zero"}}
            proof = {"rule": "infer"} if self.prover.signs.infer(value) == ZERO else None
        else:
            proof = self.prover.prove(value, NONNEGATIVE)
        if proof is None:
            self.attempt.failures.append(
                Cell(self.attempt.region, self.chart, value, self.prover, self.pins)
            )
            return None
        return {"conclude": proof}

    def settle(self, tree: Expression, open_sign: Undecided, splits: int) -> Node | None:
        """Prove a sign that the formula depends on, or go on in each of its cases."""
        value, prover = open_sign.value, self.prover
        if splits > _MAX_SPLITS:
            return None
        seen = prover.scatter.seen(prover.signs, value)
        text = str(prover.signs.tree(value))
        for wanted in open_sign.wanted:
            if seen & ~(wanted | ZERO) or relation(wanted) is None:
                continue
            proof = prover.prove(value, wanted)
            if proof is not None:
                node = self.under(value, wanted).pinned(tree, value, splits + 1)
                return node and {
                    "lemma": text, "relation": relation(wanted), "proof": proof, "then": node,
                }  # fmt: skip
        if open_sign.danger:
            return (
                self._taken_for_granted(tree, open_sign, splits)
                if self.attempt.where_defined
                else None
            )
        return self._split(tree, value, _SPLITS.get(open_sign.wanted, ()), splits)

    def _split(
        self, tree: Expression, value: Quotient, cases: tuple[int, ...], splits: int
    ) -> Node | None:
        if not cases or not self.prover.budget.spend(2):
            return None
        node: Node = {"split": str(self.prover.signs.tree(value))}
        for case in cases:
            inner = self.under(value, case).pinned(tree, value, splits + 1)
            if inner is None:
                return None
            node[str(relation(case))] = inner
        return node

    def _taken_for_granted(
        self, tree: Expression, open_sign: Undecided, splits: int
    ) -> Node | None:
        """The argument has a good sign wherever f is defined; try each that it may have."""
        known = self.prover.signs.infer(open_sign.value)
        wanted = [mask for mask in open_sign.wanted if mask & known]
        if len(wanted) == 1:
            return self.under(open_sign.value, wanted[0]).build(tree, splits + 1)
        return self._split(tree, open_sign.value, (POSITIVE, NONPOSITIVE), splits)

    def pinned(self, tree: Expression, value: Quotient, splits: int) -> Node | None:
        """Build; where the fact just learned leaves a variable one value, with that value put in."""
        signs = self.prover.signs
        pin = _root(signs, value) if signs.infer(value) == ZERO else None
        if pin is None or _in_exponent(tree, pin[0]):
            return self.build(tree, splits)
        name, at, factor = pin
        domains = {n: domain for n, domain in signs.domains.items() if n != name}
        prover = Prover(Signs(domains, signs.scales), Scatter.over(domains), self.prover.budget)
        for fact, mask in signs.stated:
            again = prover.renamed(signs.tree(fact), {name: number(at)})
            if again is not None and not again.num.is_constant():
                prover = prover.under(again, mask)
        cell = self.over(prover)
        cell.pins = {**self.pins, name: at}
        node = cell.build(substitute(tree, {name: number(at)}), splits)
        return node and {
            "pin": name,
            "at": str(number(at)),
            "by": str(factor),
            "then": node,
        }

    def under(self, value: Quotient, mask: int) -> CellProver:
        """The part of this cell where `value` has a sign of `mask`."""
        cell = self.over(self.prover.under(value, mask))
        cell.pins = self.pins
        return cell

    def over(self, prover: Prover) -> CellProver:
        """The same goal in another region."""
        return CellProver(prover, self.attempt, self.chart)


def _in_exponent(tree: Expression, name: str) -> bool:
    """Whether a power of something that may be <= 0 has the variable in its exponent.

    x**p needs x >= 0 also where p = 2; putting 2 in would make a product of it.
    """
    return any(
        node.op == "pow" and node.args[0].op != "exp" and name in node.args[1].symbols
        for node in postorder(tree)
    )


def _root(signs: Signs, value: Quotient) -> tuple[str, Fraction, Expression] | None:
    """(variable, value, factor) if `value` = 0 says that a factor is, linear in one variable."""
    vanishing = [f for f, _ in value.num.factor()[1] if signs.infer_poly(f) & ZERO]
    if len(vanishing) != 1 or vanishing[0].total_degree() != 1 or len(used(vanishing[0])) != 1:
        return None
    index = used(vanishing[0])[0]
    if signs.atoms[index].kind != "variable":
        return None
    parts = coefficients(vanishing[0], index)
    at = -parts[0] / parts[1] if 0 in parts else parts[1] * 0
    zero = Fraction(0) if at.is_zero() else as_fraction(at.leading_coefficient())
    return signs.atoms[index].name, zero, signs.poly_tree(vanishing[0])
