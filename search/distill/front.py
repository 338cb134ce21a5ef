"""From candidates to a front: constants fitted and simplified, each formula decided, the best kept.

A front holds the formulas that no smaller one beats, once among all and once among those that are
proved, so that a formula that is refuted never takes the place of a drift.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from search.distill.repair import repaired
from symbolic.derivative import derivative
from symbolic.distill.constants import Fit, fitted, simplified
from symbolic.distill.loss import Errors, Objective
from symbolic.distill.samples import Samples
from symbolic.drift import Drift
from symbolic.expression import Expression
from symbolic.numeric import evaluate
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
_KNEE = 1.1
"""The knee's loss, at most, next to the least."""
_NOTHING = 1e-16
"""A loss that is 0, as far as float64 can tell."""

_MOST_FITTED = 14
"""Candidates of one finder whose constants are fitted, of either kind of promising ones."""
_CLOSE_BY = np.geomspace(1e-5, 0.05, 60)
_STEEPER = 2.0
"""How much steeper than the samples a repaired formula may be near r = 1."""

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
    """The engine that found it, with `, repaired` where it was made a drift."""
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
    interrupted: bool = False
    """Whether an interrupt cut short the search or what was made of it."""

    @property
    def knee(self) -> Member | None:
        """The formula to take where nothing else decides: the marked one."""
        return next((member for member in self.members if member.knee), None)


def build(
    candidates: Mapping[str, Iterable[Expression]],
    samples: Samples,
    *,
    reference: Reference | None = None,
    box: Box,
    timeout: float = 10.0,
    seed: int = 0,
    tell: Tell = lambda what, done, total: None,
) -> Front:
    """The front of candidates, given by who found them.

    `reference` is what distances are certified to, over `box`; `timeout` bounds one verdict, in
    seconds. A formula that has other symbols than the samples is left out. An interrupt ends one step
    of the work, and the next goes on with what there is; it goes through where there is nothing yet.
    """
    whole, fit_to = Objective(samples), Objective(samples.thinned(_FITTED, seed))
    chosen = {
        origin: _promising(
            [c for c in dict.fromkeys(own) if c.symbols <= set(samples.points)], fit_to
        )
        for origin, own in candidates.items()
    }
    proposals = [(origin, c) for origin, own in chosen.items() for c in own]
    fits: dict[str, list[Fit]] = {origin: [] for origin in chosen}
    cut = each(
        proposals,
        "fitting constants",
        tell,
        lambda proposal: fits[proposal[0]].append(fitted(proposal[1], fit_to)),
    )
    # Each finder's own front: one whose formulas are no drifts does not hide another's that are.
    kept = [
        (origin, fit)
        for origin, own in fits.items()
        for fit in pareto(own, lambda fit: fit.nodes, lambda fit: fit.loss)
    ]
    members: list[Member] = []
    duplicates: list[Mapping[str, str]] = []
    cut |= each(
        kept,
        "simplifying and deciding",
        tell,
        lambda pair: add(
            _members(*pair, whole, fit_to, timeout),
            members,
            duplicates,
            partial(_equal, timeout=timeout),
        ),
    )
    if cut and not members:
        raise KeyboardInterrupt
    # A number is worth telling only where there is nothing else.
    front = best_of([m for m in members if m.formula.symbols] or members)
    if reference is not None:
        known: dict[Expression, tuple[float, float]] = {}
        cut |= each(
            [m.formula for m in front],
            "certifying distances",
            tell,
            lambda formula: known.update({formula: sup_distance(reference, formula, box)}),
        )
        front = [replace(m, sup_distance=known.get(m.formula)) for m in front]
    return Front(tuple(with_knee(front)), tuple(duplicates), cut)


def _members(
    origin: str, fit: Fit, whole: Objective, fit_to: Objective, timeout: float
) -> list[Member]:
    """A fit as a member; where it is not proved, also what makes a drift of it at little cost."""
    formula = simplified(fit, fit_to)
    first = Member(formula, whole.errors(formula), _decided(formula, timeout), origin)
    if first.proved:
        return [first]
    careful = simplified(fit, fit_to, zeros=False)
    if careful is not formula:
        second = Member(careful, whole.errors(careful), _decided(careful, timeout), origin)
        if second.proved:
            return [first, second]
    return [first, *_repaired(first, whole, fit_to, timeout)]


def add(
    found: Sequence[Member],
    members: list[Member],
    duplicates: list[Mapping[str, str]],
    equal: Callable[[Expression, Expression], str],
) -> None:
    """Add members, but for those that are equal to one that is there; `equal` says by what.

    Of equal ones a proved one stays, and of several the smallest.
    """
    for member in found:
        for i, other in enumerate(members):
            if not math.isclose(
                member.errors.loss, other.errors.loss, rel_tol=_ALIKE, abs_tol=_NOTHING
            ):
                continue
            if by := equal(member.formula, other.formula):
                kept, dropped = sorted((member, other), key=lambda m: (not m.proved, m.complexity))
                members[i] = kept
                if dropped.formula is not kept.formula:
                    duplicates.append(
                        {"formula": str(dropped.formula), "of": str(kept.formula), "by": by}
                    )
                break
        else:
            members.append(member)


def _promising(candidates: Sequence[Expression], objective: Objective) -> list[Expression]:
    """Those that are not much worse than a smaller one, without those that are alike at all samples.

    If they are many, the smallest of those that are about as good as the best, and the best for
    their size.
    """
    losses = {c: objective.errors(c).loss for c in candidates}
    ranked = sorted(candidates, key=lambda c: (c.nodes, losses[c]))
    best, relative, seen = math.inf, dict[Expression, float](), set[float]()
    for candidate in ranked:
        loss = losses[candidate]
        if math.isfinite(loss) and loss <= _PROMISING * best and loss not in seen:
            relative[candidate] = loss / best if best else 1.0
            seen.add(loss)
        best = min(best, loss)
    good = [c for c in relative if losses[c] <= _PROMISING * best]
    rest = sorted(set(relative).difference(good), key=lambda c: (relative[c], c.nodes))
    chosen = {*good[:_MOST_FITTED], *rest[:_MOST_FITTED]}
    return [c for c in ranked if c in chosen]


def best_of(members: Sequence[Member]) -> list[Member]:
    """What nothing smaller beats: among the proved ones, and among all."""
    front = pareto([m for m in members if m.proved], _complexity, _loss)
    front += [m for m in pareto(members, _complexity, _loss) if m not in front]
    return sorted(front, key=lambda m: (m.complexity, -m.errors.loss))


def pareto(items: Iterable[T], size: Callable[[T], int], loss: Callable[[T], float]) -> list[T]:
    """What no smaller one beats, nor comes near to; losses that float64 takes for 0 are equal."""
    found: list[T] = []
    for item in sorted(items, key=lambda item: (size(item), loss(item))):
        if not math.isfinite(loss(item)):
            continue
        if not found or max(loss(item), _NOTHING) < _BETTER * max(loss(found[-1]), _NOTHING):
            found.append(item)
    return found


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
        if errors.loss > _CLOSE * member.errors.loss + _NOTHING or not _tame(formula, whole):
            continue
        report = _decided(formula, timeout)
        if report.verdict == "proved":
            found.append(Member(formula, errors, report, f"{member.origin}, repaired"))
    return found


def _tame(formula: Expression, objective: Objective) -> bool:
    """Whether it is no steeper close to r = 1 than the samples are anywhere.

    A repair could else keep its error small by a jump so near r = 1 that no sample lies there.
    """
    near = np.concatenate([-_CLOSE_BY, _CLOSE_BY]) + 1.0
    advantage = np.linspace(-3.0, 3.0, 25)
    points = {"r": near[:, None], "A": advantage[None, :], "t": np.asarray(0.5)}
    steepest = np.abs(np.asarray(evaluate(derivative(formula), points))).max()
    return bool(steepest <= _STEEPER * np.abs(objective.slope).max())


def with_knee(members: Sequence[Member], enough: float = 0.0) -> list[Member]:
    """The front with its knee marked: the smallest proved member of at most 1.1 times the least loss.

    A loss of `enough` will do, too, unless there is a proved member of none.
    """
    drifts = [m for m in members if m.proved]
    if not drifts:
        return list(members)
    least = max(min(m.errors.loss for m in drifts), _NOTHING)
    bound = _KNEE * least if least == _NOTHING else max(_KNEE * least, enough)
    knee = min((m for m in drifts if m.errors.loss <= bound), key=_complexity)
    return [replace(m, knee=m is knee) for m in members]


def each(items: Sequence[T], what: str, tell: Tell, work: Callable[[T], None]) -> bool:
    """Do the work for each, and tell how far it is; whether an interrupt ended it."""
    try:
        for done, item in enumerate(items):
            tell(what, done, len(items))
            work(item)
        tell(what, len(items), len(items))
    except KeyboardInterrupt:
        return True
    return False


def _complexity(member: Member) -> int:
    return member.complexity


def _loss(member: Member) -> float:
    return member.errors.loss


def as_json(front: Front, box: Box) -> dict[str, Any]:
    """`members` and `duplicates` of the contract's front; `box` is where it was asked."""
    return {
        "members": [
            {
                "formula": str(m.formula),
                **({"parameters": dict(m.report.parameters)} if m.report.parameters else {}),
                "complexity": m.complexity,
                "error_f": m.errors.value,
                "error_grad": m.errors.slope,
                "largest_error": m.errors.largest,
                "sup_distance": None
                if m.sup_distance is None
                else [_finite(d) for d in m.sup_distance],
                "box": {name: list(side) for name, side in box.items()},
                "verdict": m.report.verdict.value,
                "refuted": [
                    f"{c.id}: {c.witness}" for c in m.report.conditions if c.verdict == "refuted"
                ],
                "origin": m.origin,
                "knee": m.knee,
            }
            for m in front.members
        ],
        "duplicates": [dict(each) for each in front.duplicates],
    }


def _finite(value: float) -> float | None:
    """None for a bound that there is not: the formula may be undefined in the box."""
    return value if math.isfinite(value) else None
