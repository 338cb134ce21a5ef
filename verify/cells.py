"""Proof of a condition on one region: choose a chart, settle the kinks, conclude."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from symbolic.expression import Expression, substitute, symbol
from symbolic.parser import parse
from verify.kernel import Quotient, ScaleNeeded, TooLarge, used
from verify.prove import Budget, Prover
from verify.regions import Region
from verify.resolve import Resolver, Undecided, Undefined
from verify.scatter import Scatter
from verify.signs import NEGATIVE, NONNEGATIVE, NONPOSITIVE, POSITIVE, ZERO, Signs, relation

Node = dict[str, Any]
_MAX_SPLITS = 14
_SPLITS = {
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


def prove_region(region: Region, goal: str, budget: Budget) -> Node | None:
    """A certificate node for `goal` ("defined", "nonnegative" or "zero") on a region, or None."""
    charts = _ordered_charts(region)
    for text in charts:
        node = _with_scales(lambda scales, text=text: _in_chart(region, text, goal, budget, scales))
        if node is not None:
            return node
    return None


def _with_scales(attempt: Any) -> Node | None:
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


def _in_chart(region: Region, text: str, goal: str, budget: Budget, scales: dict[str, Fraction]) -> Node | None:
    signs = Signs(region.domains, scales)
    builder = CellProver(Prover(signs, Scatter.over(region.domains), budget), goal)
    tree = _charted(region, text)
    node = builder.build(tree, 0)
    return node if node is None or not text else {"rescale": "_a", "by": text, "then": node}


def _charted(region: Region, text: str) -> Expression:
    if not text:
        return region.tree
    return substitute(region.tree, {"_a": symbol("_a") * parse(text, names=["_s"])})


def _ordered_charts(region: Region) -> list[str]:
    """Charts of the advantage, those in which the formula needs the fewest atoms first."""
    if "_a" not in region.domains or region.ratio not in _CHARTS:
        return [""]
    sizes = []
    for position, text in enumerate(_CHARTS[region.ratio]):
        sizes.append((_size(region, text), position, text))
    return [text for size, _, text in sorted(sizes) if size < 1000] or [""]


def _size(region: Region, text: str) -> int:
    size = 1000

    def measure(scales: dict[str, Fraction]) -> Node:
        nonlocal size
        view = SmoothView(Signs(region.domains, scales))
        view.resolve(_charted(region, text))
        size = view.size()
        return {}

    _with_scales(measure)
    return size


class SmoothView(Resolver):
    """Looks through kinks without deciding them, only to see which atoms a formula needs."""

    def __init__(self, signs: Signs) -> None:
        super().__init__(signs)
        self.guards: list[Quotient] = []

    def mask(self, value: Quotient) -> int:
        self.guards.append(value)
        return super().mask(value) & POSITIVE or POSITIVE

    def size(self) -> int:
        atoms = {i for q in self.guards for p in (q.num, q.den) for i in used(p)}
        atoms |= {i for _, q in self._memo.values() for p in (q.num, q.den) for i in used(p)}
        final = [q for _, q in list(self._memo.values())[-1:]]
        names = {n for q in [*self.guards, *final] for n in self.signs.variables(q)}
        return 10 * len(names) + len(atoms)


class CellProver:
    """Splits a region at kinks until the formula is smooth, then proves the goal."""

    resolver_type: type[Resolver] = Resolver

    def __init__(self, prover: Prover, goal: str) -> None:
        self.prover = prover
        self.goal = goal

    def build(self, tree: Expression, splits: int) -> Node | None:
        try:
            value = self.resolver_type(self.prover.signs).resolve(tree)
        except Undecided as open_sign:
            return self._settle(tree, open_sign, splits)
        return self.conclude(value)

    def conclude(self, value: Quotient) -> Node | None:
        if self.goal == "defined":
            return {"conclude": {"rule": "defined"}}
        if self.goal == "zero":
            mask = self.prover.signs.infer(value)
            return {"conclude": {"rule": "zero"}} if value.is_zero else (
                {"conclude": {"rule": "infer"}} if mask == ZERO else None
            )  # fmt: skip
        proof = self.prover.prove(value, NONNEGATIVE)
        return None if proof is None else {"conclude": proof}

    def _settle(self, tree: Expression, open_sign: Undecided, splits: int) -> Node | None:
        value, prover = open_sign.value, self.prover
        seen = prover.scatter.seen(prover.signs, value)
        text = str(prover.signs.tree(value))
        for wanted in self._candidates(open_sign):
            if seen & ~(wanted | ZERO) or relation(wanted) is None:
                continue
            proof = prover.prove(value, wanted)
            if proof is not None:
                node = self._under(value, wanted).build(tree, splits)
                return node and {
                    "lemma": text, "relation": relation(wanted), "proof": proof, "then": node,
                }  # fmt: skip
        if open_sign.danger or splits >= _MAX_SPLITS or not prover.budget.spend(2):
            return None
        cases = _SPLITS.get(open_sign.wanted)
        if cases is None:
            return None
        node: Node = {"split": text}
        for case in cases:
            inner = self._under(value, case).build(tree, splits + 1)
            if inner is None:
                return None
            node[str(relation(case))] = inner
        return node

    @staticmethod
    def _candidates(open_sign: Undecided) -> Iterator[int]:
        yield from open_sign.wanted

    def _under(self, value: Quotient, mask: int) -> CellProver:
        return self.__class__(self.prover.under(value, mask), self.goal)
