"""Sums of few basis functions that follow samples of a mirror map, from one term to as many as help.

Weights are non-negative least squares, so that a sum increases as its terms do. Two searches make
one path: every set of up to three terms; and from all terms that the whole regression gives weight,
what is missed least is left out, a term, or of a shape by t and by 1 − t the difference of the two.

Source: Alfano et al., Learning Loss Landscapes in Preference Optimization, section 5.6.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.optimize import nnls

from symbolic.distill.constants import Fit, fit_from, without_spare
from symbolic.distill.maps.basis import SUM, Term, combined, independent, terms
from symbolic.distill.maps.loss import MapObjective
from symbolic.distill.samples import Floats
from symbolic.distill.tidy import tidied

_MOST_TRIED = 3
"""Terms of the sets that are all tried."""
_NEXT_TO_NOTHING = 1e-9
"""Size of a term, next to that of the target, that is rounding."""
_KEPT_A_SIZE = 3
_PROMISING = 2.0
"""A sum's loss is at most so many times the best of those no larger."""
_MOST_NODES = 45
"""Of a sum: a larger one is no closed form that anybody reads."""
_EXACT = 1e-16
"""A loss that float64 cannot tell from 0."""


@dataclass(frozen=True)
class _Sum:
    chosen: tuple[Term, ...]
    weights: tuple[float, ...]
    loss: float


def regressed(objective: MapObjective) -> list[Fit]:
    """Fits of few terms and of more, the smallest first; several of a size where they are close."""
    found = _Regression(objective)
    sums = {one.chosen: one for one in (*found.small(), *found.path())}
    sized = []
    for one in sums.values():
        formula, start = combined(one.chosen, one.weights)
        if (nodes := tidied(formula).nodes) <= _MOST_NODES:
            sized.append((nodes, one.loss, formula, start))
    sized.sort(key=lambda each: each[:2])
    fits: list[Fit] = []
    best, kept = math.inf, dict[int, int]()
    for nodes, loss, formula, start in sized:
        if best <= _EXACT or loss > _PROMISING * best or kept.get(nodes, 0) >= _KEPT_A_SIZE:
            continue
        kept[nodes] = kept.get(nodes, 0) + 1
        if (fit := fit_from(formula, start, objective)) is not None:
            fits.append(without_spare(fit, objective))
            best = min(best, fit.loss)
    return fits


class _Regression:
    """Terms that are defined at the samples, as columns of a triangle: all that least squares need."""

    def __init__(self, objective: MapObjective) -> None:
        temporal = "t" in objective.samples.points
        columns = [(term, objective.column(term.formula)) for term in terms(temporal)]
        columns = [(term, column) for term, column in columns if np.isfinite(column).all()]
        self.terms = [term for term, _ in columns]
        matrix = np.stack([column for _, column in columns], axis=1)
        self.sizes = np.sqrt((matrix**2).sum(axis=0))
        basis, self.triangle = np.linalg.qr(matrix / self.sizes)
        self.target = basis.T @ objective.target
        self.size = float(np.sqrt(objective.target @ objective.target))
        self.beyond = self.size**2 - float(self.target @ self.target)
        """What no sum of terms reaches."""

    def small(self) -> Iterator[_Sum]:
        """All sets of up to three terms whose weights come out positive."""
        for size in range(1, _MOST_TRIED + 1):
            sets = [
                each
                for each in combinations(range(len(self.terms)), size)
                if independent([self.terms[i] for i in each])
            ]
            if not sets:
                return
            columns = self.triangle[:, np.array(sets)].transpose(1, 0, 2)
            solved = (np.linalg.pinv(columns) @ self.target[:, None])[..., 0]
            for i in np.flatnonzero((solved > _NEXT_TO_NOTHING * self.size).all(axis=1)):
                yield self._sum(list(sets[i]), solved[i])

    def path(self) -> Iterator[_Sum]:
        """From the whole regression down to one term."""
        # A shape alone is its part by t and that by 1 − t, so that it would be there twice.
        temporal = any(term.factor for term in self.terms)
        left = [
            i
            for i, term in enumerate(self.terms)
            if bool(term.factor) == temporal and term.shape != SUM
        ]
        while left:
            weights, _ = nnls(self.triangle[:, left], self.target)
            held = weights > _NEXT_TO_NOTHING * self.size
            left, weights = [i for i, h in zip(left, held) if h], weights[held]
            if not left:
                return
            yield self._sum(left, weights)
            if len(left) == 1:
                return
            left = min(
                self._fewer(left),
                key=lambda each: float(nnls(self.triangle[:, each], self.target)[1]),
            )

    def _fewer(self, chosen: list[int]) -> Iterator[list[int]]:
        """One term less, in every way: left out, or two of a shape made one that knows no t."""
        for i in chosen:
            rest = [other for other in chosen if other != i]
            yield rest
            shape = self.terms[i].shape
            pair = [other for other in rest if self.terms[other].shape == shape]
            if pair and self.terms[i].factor == 1:
                alone = self.terms.index(Term(shape))
                yield sorted([alone, *(other for other in rest if other not in pair)])

    def _sum(self, chosen: list[int], weights: Floats) -> _Sum:
        off = self.triangle[:, chosen] @ weights - self.target
        return _Sum(
            tuple(self.terms[i] for i in chosen),
            tuple(map(float, weights / self.sizes[chosen])),
            max(0.0, self.beyond) + float(off @ off),
        )
