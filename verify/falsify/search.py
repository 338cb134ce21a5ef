"""Searches for points where a drift's conditions fail; every witness is exact and certified.

Floating point only proposes. `certify` decides, so a witness is never wrong, and finding none
means nothing. Work is bounded by fixed numbers of steps: the same formula gives the same
witness everywhere, unless the deadline ends the search early.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from symbolic.drift import Drift
from symbolic.expression import Expression, Number, integer_exponent, postorder
from verify.balls.points import Evaluation, Kind, certify
from verify.falsify.edges import edge_clouds
from verify.falsify.probes import beyond_floats
from verify.falsify.program import Program
from verify.falsify.rationals import simplest_between, simplified
from verify.falsify.running_error import Approximation
from verify.falsify.sampling import Cloud, Floats, Space, around, grid, mutated, scatter
from verify.report import Witness


@dataclass(frozen=True)
class Findings:
    """A certified witness against each condition that was found to fail."""

    defined: Witness | None = None
    nonnegative: Witness | None = None
    zero_at_identity: Witness | None = None


@dataclass(frozen=True)
class _Budget:
    """How many steps a search takes."""

    near: int
    far: int
    around: int
    rounds: int
    survivors: int
    certifications: int
    """Exact evaluations for each cloud of candidates."""
    drowned: int = 0
    """Points where floats see only noise that are looked at exactly."""
    exact: int = 0
    """Exact probes where floats do not reach."""
    wide: bool = False

    def shared(self, part: float) -> _Budget:
        """A part of the steps."""
        return replace(
            self,
            near=max(128, int(self.near * part)),
            far=max(128, int(self.far * part)),
            around=max(64, int(self.around * part)),
            rounds=max(1, int(self.rounds * part)),
            drowned=int(self.drowned * part),
            exact=int(self.exact * part),
        )


_FAST = _Budget(near=768, far=512, around=256, rounds=3, survivors=48, certifications=4)
_DEEP = _Budget(
    near=6000,
    far=5000,
    around=4000,
    rounds=36,
    survivors=96,
    certifications=16,
    drowned=40,
    exact=1200,
    wide=True,
)
_LARGE = 250
"""Formulas of more distinct nodes get fewer points and rounds, in proportion."""
_LEAST = Fraction(1, 10**290)
_ROOTS = 60
_SUSPECTS = 600
_CHECKED = ("log", "sqrt", "div", "inv", "pow")


def falsify(
    drift: Drift, *, deep: bool = False, deadline: float | None = None,
    suspects: Sequence[Mapping[str, Fraction]] = (),
) -> Findings:  # fmt: skip
    """Certified counterexamples to `defined`, `nonnegative` and `zero_at_identity`, if found.

    The quick search takes milliseconds; `deep` takes a few tenths of a second and is for
    formulas whose proof failed. `suspects` are points to try first. `deadline` (of
    `time.monotonic`) ends it early. For a mirror map only `defined` is looked at.
    """
    return _Search(drift, _DEEP if deep else _FAST, deadline).run(suspects)


class _OutOfTime(Exception):
    pass


class _Search:
    def __init__(self, drift: Drift, budget: _Budget, deadline: float | None) -> None:
        self.drift = drift
        self.deadline = deadline
        self.formula = drift.bound_formula()
        self.share = min(1.0, _LARGE / sum(1 for _ in postorder(self.formula)))
        self.budget = budget.shared(self.share)
        pivot = "r" if drift.kind == "drift" else "x"
        order = sorted(self.formula.symbols, key=lambda name: (name != pivot, name != "A", name))
        self.space = Space(tuple((name, drift.domain(name)) for name in order), pivot)
        self.guards = _guards(self.formula) if budget.wide else []
        self.program = Program([self.formula, *self.guards], pivot)
        self.findings = Findings()
        self.wanted = {"defined"} | ({"nonnegative", "zero_at_identity"} if pivot == "r" else set())
        self.can_fail = any(node.op in _CHECKED for node in postorder(self.formula))
        if not self.can_fail:
            self.wanted.discard("defined")
        self.anchors = _anchors(self.space, self.formula)
        self.drowned: list[tuple[Cloud, int]] = []

    def run(self, suspects: Sequence[Mapping[str, Fraction]] = ()) -> Findings:
        try:
            self._try_exact(suspects[:: 1 + len(suspects) // _SUSPECTS])
            if self.space.domains:
                self._search()
            else:
                self._try_exact([{}])
        except _OutOfTime:
            pass
        return self.findings

    def _search(self) -> None:
        self._identity()
        clouds = [self._clouds(near) for near in (True, False)]
        populations = []
        for parts in clouds:
            cloud = parts[0].joined(*parts[1:])
            if len(cloud):
                populations.append((cloud, self._try(cloud)))
        if self.budget.wide:
            self._beside_edges()
        for cloud, values in populations:
            self._evolve(cloud, values[0], 0)
            for k in range(1, len(values)):
                if "defined" in self.wanted:
                    self._evolve(cloud, values[k], k)
        if self.budget.wide:
            self._try_drowned()
            probes = list(beyond_floats(self.space, self.formula))
            self._try_exact(probes[:: 1 + len(probes) // (1 + self.budget.exact)])

    def _clouds(self, near: bool) -> list[Cloud]:
        budget = self.budget
        own = scatter(self.space, near, budget.near if near else budget.far, budget.wide)
        clouds = [grid(self.space), own] if near else [own]
        numbers = _numbers(self.formula)
        if numbers:
            clouds.append(around(self.space, tuple(numbers), budget.around)[0 if near else 1])
        return clouds

    def _check_time(self) -> None:
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise _OutOfTime

    # Trying clouds of points

    def _try(self, cloud: Cloud) -> list[Approximation]:
        """Looks for violations among points; gives the values of the formula and its guards."""
        self._check_time()
        values = self.program.values(cloud.arrays, cloud.near)
        f = values[0]
        shape = (len(cloud),)
        v, e = np.broadcast_to(f.v, shape), np.broadcast_to(f.e, shape)
        if "defined" in self.wanted and f.bad is not None:
            self._certify(cloud, np.broadcast_to(f.bad, shape), "defined")
        if "nonnegative" in self.wanted:
            with np.errstate(all="ignore"):
                negative = v < -2 * e
                negative = negative if f.bad is None else negative & ~f.bad
                self._certify(cloud, negative, "nonnegative")
                if self.budget.wide:
                    drowned = np.flatnonzero((np.abs(v) <= 2 * e) & (v != 0) & np.isfinite(e))
                    self.drowned += [(cloud, int(i)) for i in drowned[:: 1 + len(drowned) // 12]]
        return values

    def _certify(self, cloud: Cloud, candidates: Any, condition: str) -> None:
        """Certifies the most everyday of the candidates and keeps the first witness."""
        rows = np.flatnonzero(candidates)
        if not len(rows):
            return
        extremeness = cloud.extremeness[rows]
        best = rows[np.argsort(extremeness, kind="stable")][: self.budget.certifications]
        for row in best:
            self._check_time()
            if self._note(condition, cloud.point(int(row))):
                return

    def _note(self, condition: str, point: Mapping[str, Fraction]) -> bool:
        """Whether `point` certainly violates `condition`; then its simplest neighbour is kept."""
        if self._violation(condition, point) is None:
            return False
        at_identity = condition == "zero_at_identity" and self.space.pivot in point
        fixed = {self.space.pivot: Fraction(1)} if at_identity else {}
        short = simplified(
            {name: at for name, at in point.items() if name not in fixed},
            self.space.pivot,
            self.anchors,
            lambda near: self._violation(condition, fixed | dict(near)) is not None,
        )
        found = self._violation(condition, fixed | short)
        if found is None:
            return False
        full = self._full_point(fixed | short)
        self.findings = replace(self.findings, **{condition: Witness(full, "value", found.text)})
        self.wanted.discard(condition)
        return True

    def _violation(self, condition: str, point: Mapping[str, Fraction]) -> Evaluation | None:
        if point not in self.space:
            return None
        found = certify(self.formula, point, max_precision=4096 if self.budget.wide else 1024)
        if condition == "defined":
            return found if found.kind is Kind.UNDEFINED else None
        if condition == "nonnegative":
            return found if found.sign == -1 else None
        return found if found.sign in (1, -1) else None

    def _full_point(self, point: Mapping[str, Fraction]) -> dict[str, Fraction]:
        """Every variable and parameter that occurs, bound ones too; r and A always."""
        names = ["r", "A"] if self.drift.kind == "drift" else ["x"]
        names += [n for n in sorted(self.drift.formula.symbols) if n not in names]
        full = {}
        for name in names:
            bound = self.drift.domain(name).value
            full[name] = point[name] if name in point else Fraction(1) if bound is None else bound
        return full

    # Where to look

    def _identity(self) -> None:
        """f(1, A) over advantages, progress and parameters."""
        if "zero_at_identity" not in self.wanted:
            return
        cloud = grid(self.space).joined(scatter(self.space, True, self.budget.near // 6, False))
        pivot = self.space.pivot
        if pivot in cloud.arrays:
            cloud = Cloud(True, cloud.arrays | {pivot: np.zeros(len(cloud))}, pivot)
        f = self.program.values(cloud.arrays, True)[0]
        with np.errstate(all="ignore"):
            candidates = np.broadcast_to(np.abs(f.v) > 2 * f.e, (len(cloud),))
        self._certify(
            cloud, candidates if f.bad is None else candidates & ~f.bad, "zero_at_identity"
        )
        if self.budget.wide and "zero_at_identity" in self.wanted and len(cloud):
            for row in range(0, len(cloud), max(1, len(cloud) // 8)):
                if self._note("zero_at_identity", cloud.point(row)):
                    break

    def _beside_edges(self) -> None:
        for roots, beside in edge_clouds(self.formula, self.space, self.share):
            if not self.wanted & {"defined", "nonnegative"}:
                return
            if len(beside):
                self._try(beside)
            if "defined" in self.wanted:
                for row in range(0, len(roots), 1 + int(len(roots) / (1 + _ROOTS * self.share))):
                    self._check_time()
                    if self._note("defined", _rational_root(roots.point(row))):
                        break

    def _evolve(self, cloud: Cloud, value: Approximation, goal: int) -> None:
        """Survival of the points where v / e, the value in units of its noise, is least."""
        score = _score(value, len(cloud))
        rounds = self.budget.rounds if goal == 0 else self.budget.rounds // 3
        for k in range(rounds):
            if "nonnegative" not in self.wanted and (goal == 0 or "defined" not in self.wanted):
                return
            keep = _fittest(cloud, score, self.budget.survivors)
            cloud, score = cloud.take(keep), score[keep]
            family = cloud.joined(*([cloud] * 3))
            children = mutated(family, self.space, (k, goal, cloud.near))
            if not len(children):
                return
            values = self._try(children)
            cloud = cloud.joined(children)
            score = np.concatenate([score, _score(values[goal], len(children))])

    def _try_drowned(self) -> None:
        """Exact values where floating point sees only noise."""
        if "nonnegative" not in self.wanted:
            return
        for cloud, row in self.drowned[:: 1 + len(self.drowned) // (1 + self.budget.drowned)]:
            self._check_time()
            if self._note("nonnegative", cloud.point(row)):
                return

    def _try_exact(self, points: Iterable[Mapping[str, Fraction]]) -> None:
        for point in points:
            if not self.wanted:
                return
            self._check_time()
            found = certify(self.formula, point)
            if found.kind is Kind.UNDEFINED and "defined" in self.wanted:
                self._note("defined", point)
            if found.sign == -1 and "nonnegative" in self.wanted:
                self._note("nonnegative", point)
            at_identity = point.get(self.space.pivot, 1) == 1
            if found.sign in (-1, 1) and at_identity and "zero_at_identity" in self.wanted:
                self._note("zero_at_identity", point)


def _score(value: Approximation, count: int) -> Floats:
    with np.errstate(all="ignore"):
        score = value.v / (value.e + 1e-320)
        # An exact 0 is a plateau: better than nothing known, worse than any near miss.
        score = np.where(np.isfinite(score) & (np.asarray(value.v) != 0), score, 1e15)
    return np.array(np.broadcast_to(score, (count,)))


def _fittest(cloud: Cloud, score: Floats, count: int) -> Any:
    """Indices of the best rows, no quadrant and scale of the pivot taking more than a sixth."""
    niche = np.zeros(len(cloud), dtype=np.int64)
    with np.errstate(all="ignore"):
        for name, array in cloud.arrays.items():
            niche = niche * 3 + np.sign(array).astype(np.int64)
            if name == cloud.pivot:
                niche = niche * 64 + np.clip(np.log10(np.abs(array) + 1e-30), -30, 30).astype(int)
    order = np.argsort(score, kind="stable")[: 6 * count]
    grouped = np.argsort(niche[order], kind="stable")
    keys = niche[order][grouped]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    rank = np.empty(len(order), dtype=np.int64)
    rank[grouped] = np.arange(len(order)) - np.repeat(starts, np.diff([*starts, len(order)]))
    return order[rank < max(4, count // 6)][:count]


def _guards(root: Expression) -> list[Expression]:
    """Arguments that must be positive (or not negative) for the formula to be defined."""
    found: dict[Expression, None] = {}
    for node in postorder(root):
        general = node.op == "pow" and integer_exponent(node) is None
        if (node.op in ("log", "sqrt") or general) and node.args[0].args:
            found[node.args[0]] = None
    return list(found)[:4]


def _anchors(space: Space, root: Expression) -> dict[str, list[Fraction]]:
    """Values that a witness's coordinates may be given relative to: ends, literals, r = 1."""
    literals = [node.value for node in postorder(root) if isinstance(node, Number)][:20]
    signed = [*literals, *(-value for value in literals)]
    return {
        name: [end for end in (interval.lower, interval.upper) if end is not None]
        + signed
        + ([Fraction(1)] if name == space.pivot else [])
        for name, interval in space.domains
    }


def _numbers(root: Expression) -> list[float]:
    """The formula's own literals, as floats of ordinary size."""
    values = dict.fromkeys(node.value for node in postorder(root) if isinstance(node, Number))
    return [float(value) for value in values if _LEAST < value < 1 / _LEAST][:12]


def _rational_root(point: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """The simplest rationals that a bisected root may stand for."""
    width = Fraction(1, 10**14)
    return {
        name: simplest_between(at - abs(at) * width, at + abs(at) * width)
        for name, at in point.items()
    }
