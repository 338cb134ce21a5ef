"""From candidates to a front: constants fitted and simplified, each formula decided, the best kept.

A front holds the formulas that no smaller one beats, once among all and once among those that are
proved, so that a formula that is refuted never takes the place of a drift.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from search.distill.repair import repaired
from symbolic.distill.constants import fitted, simplified
from symbolic.distill.loss import Errors, Objective
from symbolic.distill.samples import Samples
from symbolic.drift import Drift
from symbolic.expression import Expression
from verify.agreement import agree
from verify.decide import decide
from verify.distance import Box, Reference, sup_distance
from verify.equality import decide_equal
from verify.report import Report

T = TypeVar("T")

_FITTED = 600
"""Samples that constants are fitted to; errors are measured on all."""
_PROMISING = 2.0
"""A candidate whose loss is at most so many times the best of its size has its constants fitted."""
_BETTER = 0.98
"""A larger formula must have less than this share of a smaller one's loss."""
_ALIKE = 1e-6
"""Relative difference of losses below which two formulas may be the same function."""
_CLOSE = 1.5
"""A repaired formula's loss, at most, next to that of what was repaired."""
_KNEE = 1.5
"""The knee's loss, at most, next to the least."""
_NOTHING = 1e-16
"""A loss that is 0, as far as float64 can tell."""

Tell = Callable[[str, int, int], None]
"""(what is being done, how much is done, of how much)."""


@dataclass(frozen=True)
class Member:
    """One formula of a front."""

    formula: Expression
    errors: Errors
    """Over all samples."""
    report: Report
    origin: str
    """`candidate`, or `repaired`."""
    sup_distance: tuple[float, float] | None = None
    """Lower and upper bound of the largest distance over the box; None without a reference."""
    knee: bool = False

    @property
    def proved(self) -> bool:
        return self.report.verdict == "proved"

    @property
    def complexity(self) -> int:
        """Nodes, as PySR counts them."""
        return self.formula.nodes


@dataclass(frozen=True)
class Front:
    """Formulas by complexity, with what was told of duplicates."""

    members: tuple[Member, ...]
    duplicates: tuple[Mapping[str, str], ...] = field(default=())
    """Formulas left out as equal to a smaller one: `formula`, `of`, and `by`, "proof" or "digits"."""

    @property
    def knee(self) -> Member | None:
        """The formula to take where nothing else decides: the marked one."""
        return next((member for member in self.members if member.knee), None)


def build(
    candidates: Iterable[Expression],
    samples: Samples,
    *,
    reference: Reference | None = None,
    box: Box,
    timeout: float = 10.0,
    seed: int = 0,
    tell: Tell = lambda what, done, total: None,
) -> Front:
    """The front of these candidates.

    `reference` is what distances are certified to, over `box`; `timeout` bounds one verdict, in
    seconds. A formula that has other symbols than the samples is left out.
    """
    whole, fit_to = Objective(samples), Objective(samples.thinned(_FITTED, seed))
    known = set(samples.points)
    unique = [c for c in dict.fromkeys(candidates) if c.symbols <= known]
    chosen = _promising(unique, fit_to)
    fits = [fitted(c, fit_to) for c in _told(chosen, "fitting constants", tell)]
    fits = _pareto(fits, lambda fit: fit.nodes, lambda fit: fit.loss)
    formulas = [simplified(fit, fit_to) for fit in _told(fits, "simplifying", tell)]
    formulas, duplicates = _distinct(dict.fromkeys(formulas), whole, timeout)
    members: list[Member] = []
    for formula in _told(formulas, "deciding", tell):
        member = Member(formula, whole.errors(formula), _decided(formula, timeout), "candidate")
        members.append(member)
        if not member.proved:
            members += _repaired(member, whole, fit_to, timeout)
    kept = _pareto([m for m in members if m.proved], _complexity, _loss)
    kept += [m for m in _pareto(members, _complexity, _loss) if m not in kept]
    kept.sort(key=lambda m: (m.complexity, -m.errors.loss))
    if reference is not None:
        kept = [
            replace(m, sup_distance=sup_distance(reference, m.formula, box))
            for m in _told(kept, "certifying distances", tell)
        ]
    return Front(tuple(_with_knee(kept)), tuple(duplicates))


def _promising(candidates: Sequence[Expression], objective: Objective) -> list[Expression]:
    """Those that are not much worse than a smaller one."""
    losses = {c: objective.errors(c).loss for c in candidates}
    best, found = math.inf, []
    for candidate in sorted(candidates, key=lambda c: (c.nodes, losses[c])):
        if losses[candidate] <= _PROMISING * best and math.isfinite(losses[candidate]):
            found.append(candidate)
        best = min(best, losses[candidate])
    return found


def _pareto(items: Iterable[T], size: Callable[[T], int], loss: Callable[[T], float]) -> list[T]:
    """What no smaller one beats, nor comes near to; losses that float64 takes for 0 are equal."""
    found: list[T] = []
    for item in sorted(items, key=lambda item: (size(item), loss(item))):
        if not math.isfinite(loss(item)):
            continue
        if not found or max(loss(item), _NOTHING) < _BETTER * max(loss(found[-1]), _NOTHING):
            found.append(item)
    return found


def _distinct(
    formulas: Iterable[Expression], objective: Objective, timeout: float
) -> tuple[list[Expression], list[dict[str, str]]]:
    """(formulas, those left out): of equal ones the smallest stays."""
    kept: list[tuple[Expression, float]] = []
    dropped = []
    losses = {formula: objective.errors(formula).loss for formula in formulas}
    for formula in sorted(losses, key=lambda formula: formula.nodes):
        loss = losses[formula]
        near = [
            f for f, other in kept if math.isclose(loss, other, rel_tol=_ALIKE, abs_tol=_NOTHING)
        ]
        same = next(((f, by) for f in near if (by := _equal(formula, f, timeout))), None)
        if same is None:
            kept.append((formula, loss))
        else:
            dropped.append({"formula": str(formula), "of": str(same[0]), "by": same[1]})
    return [formula for formula, _ in kept], dropped


def _equal(f: Expression, g: Expression, timeout: float) -> str:
    """How two formulas are known to be equal: by proof, by digits, or not at all."""
    verdict = decide_equal(Drift(formula=f), Drift(formula=g), timeout=timeout).verdict
    if verdict == "unknown":
        return "digits" if agree(f, g) else ""
    return "proof" if verdict == "proved" else ""


def _decided(formula: Expression, timeout: float) -> Report:
    return decide(Drift(formula=formula), timeout=timeout)


def _repaired(member: Member, whole: Objective, fit_to: Objective, timeout: float) -> list[Member]:
    """What repairs of a formula are drifts, and close to it."""
    found = []
    for candidate in repaired(member.formula):
        formula = simplified(fitted(candidate, fit_to), fit_to)
        errors = whole.errors(formula)
        if errors.loss > _CLOSE * member.errors.loss + _NOTHING:
            continue
        report = _decided(formula, timeout)
        if report.verdict == "proved":
            found.append(Member(formula, errors, report, "repaired"))
    return found


def _with_knee(members: Sequence[Member]) -> list[Member]:
    """The front with its knee marked: among drifts of about the least loss, where it fell most.

    That is the largest −Δ log loss / Δ complexity against the drift before it, among those whose loss
    is at most 1.5 times the least, as PySR chooses its best.
    """
    drifts = [m for m in members if m.proved]
    if not drifts:
        return list(members)
    losses = [max(m.errors.loss, _NOTHING) for m in drifts]
    least = min(losses)
    gains = {}
    for i, member in enumerate(drifts):
        before, size = (losses[i - 1], drifts[i - 1].complexity) if i else (2.0, 0)
        if losses[i] <= _KNEE * least:
            gains[i] = (math.log(before) - math.log(losses[i])) / (member.complexity - size)
    knee = drifts[max(gains, key=lambda i: gains[i])]
    return [replace(m, knee=m is knee) for m in members]


def _told(items: Sequence[T], what: str, tell: Tell) -> Iterable[T]:
    for done, item in enumerate(items):
        tell(what, done, len(items))
        yield item
    tell(what, len(items), len(items))


def _complexity(member: Member) -> int:
    return member.complexity


def _loss(member: Member) -> float:
    return member.errors.loss


def as_json(front: Front, box: Box) -> dict[str, Any]:
    """`members` and `duplicates` of the contract's front."""
    names = ("r", "A", "t")
    return {
        "members": [
            {
                "formula": str(m.formula),
                "complexity": m.complexity,
                "error_f": m.errors.value,
                "error_grad": m.errors.slope,
                "largest_error": m.errors.largest,
                "sup_distance": None if m.sup_distance is None else list(m.sup_distance),
                "box": {name: list(box[name]) for name in names if name in box},
                "verdict": m.report.verdict.value,
                "origin": m.origin,
                "knee": m.knee,
            }
            for m in front.members
        ],
        "duplicates": [dict(each) for each in front.duplicates],
    }
