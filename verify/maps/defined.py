"""Whether a formula in x is defined everywhere: by its form, or by cells over x or over log x."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from symbolic.domains import Interval
from symbolic.drift import Drift
from symbolic.expression import symbol
from verify.case import Case
from verify.falsify import falsify
from verify.maps.scopes import NO_RULE, Node
from verify.proof.cells import Attempt, prove_region
from verify.proof.prove import Budget
from verify.proof.regions import Region, placed, regions
from verify.proof.structure import Structure


class Defined:
    """The condition `defined` of one case."""

    def __init__(self, case: Case) -> None:
        self.case = case

    def quick(self, steps: int) -> None:
        """The form, a short search for a counterexample, a proof."""
        case = self.case
        if Structure(case.drift.domain).defined(case.drift.bound_formula()):
            case.proofs["defined"] = {"structure": {}}
            return
        self._refute(deep=False)
        self._prove(steps)

    def long(self, steps: int) -> None:
        """A long search for a counterexample, then a proof with more steps."""
        self._refute(deep=True)
        self._prove(steps)

    def _refute(self, deep: bool) -> None:
        case = self.case
        if case.open("defined"):
            found = falsify(case.drift, deep=deep, deadline=case.deadline).defined
            if found is not None:
                case.witnesses["defined"] = found

    def _prove(self, steps: int) -> None:
        case = self.case
        if not case.open("defined"):
            return
        for chart, every in (("x", self._over_x), ("ratio", self._over_log)):
            nodes: dict[str, Node] = {}
            for region in every():
                node = prove_region(Attempt(region, "defined", Budget(steps)))
                if node is None:
                    break
                nodes[region.key] = node
            else:
                if nodes:
                    case.proofs["defined"] = {"chart": chart, "regions": nodes}
                    return
        case.left["defined"] = "inside the ranges", NO_RULE

    def _over_x(self) -> Iterator[Region]:
        return regions(self.case.drift, ())

    def _over_log(self) -> Iterator[Region]:
        where = self.case.drift.domain("x")
        unit = where.lower == 0 and where.upper == 1
        sides: tuple[str, ...] = ("r<1",) if where.upper_open else ("r<1", "r=1")
        if where == Interval(Fraction(0), None, True, True):
            sides, unit = ("r<1", "r=1", "r>1"), True
        if not unit:
            return iter(())
        drift = self.case.drift
        domains = {name: domain for name, domain in drift.domains.items() if name != "x"}
        tree = placed(drift.formula, {"x": symbol("r")})
        return regions(Drift(formula=tree, domains=domains), sides)
