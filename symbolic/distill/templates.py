"""Distillation by templates: sums of shapes that are drifts by construction.

A beam search over subsets of the library. A subset is fitted as a whole, its weights by linear and
its constants by nonlinear least squares; it grows by the shapes that explain most of what is
left. Three searches run: over all samples, and over those with A ≥ 0 and with A < 0, whose best fits are
paired by where(A >= 0, …, …).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np
from scipy.optimize import least_squares, nnls

from symbolic.distill.engine import Effort, Engine, Found, installed_version
from symbolic.distill.loss import Objective
from symbolic.distill.samples import FEWEST, Floats, Samples
from symbolic.distill.shapes import CONSTANT, Shape, library, with_constant
from symbolic.distill.tidy import tidied
from symbolic.errors import ConfigError
from symbolic.expression import Expression, call, number, symbol
from symbolic.numeric import Prepared, evaluate_all, prepared
from symbolic.operations import ZERO

_GRID = (0.05, 0.1, 0.2, 0.35, 0.6, 1.0, 1.7, 3.0, 6.0)
"""Constants to begin with, relative to the size of the shape's input."""
_BEYOND = 1.5
"""Factor by which a fitted constant may leave the grid."""
_SEARCHED = 500
"""Samples that a search looks at; constants are fitted to all of them later."""
_BEAM = 6
_EXTENSIONS = 12
"""Shapes that a subset is tried with."""
_KEPT = 7
"""Fits of each half that are paired with the other half's."""
_EXACT = 1e-18
"""A loss at which nothing is left to explain."""
_STEPS = 12
_REMEMBERED = 256
"""Columns that a search keeps."""
_DIGITS = 12


@dataclass(frozen=True)
class _Term:
    shape: Shape
    constant: float
    """1 for a shape without c."""


@dataclass(frozen=True)
class _Subset:
    """Terms with their weights: a sum, inside a relu where a weight is negative."""

    terms: tuple[_Term, ...]
    weights: tuple[float, ...]
    loss: float

    @property
    def formula(self) -> Expression:
        total: Expression = ZERO
        for weight, term in zip(self.weights, self.terms):
            shape = with_constant(term.shape, number(_rounded(term.constant)))
            part = number(_rounded(abs(weight))) * shape
            total = total + part if weight > 0 else total - part
        return tidied(total if min(self.weights) >= 0 else call("relu", total))


class Templates(Engine):
    """The embedded engine; a generation is one more term in the sums."""

    name = "templates"
    default_generations = 4

    def missing(self) -> str:
        return ""

    def version(self) -> str:
        return installed_version("mirrordrift")

    def search(self, samples: Samples, effort: Effort) -> Iterator[Found]:
        whole = _Beam(samples, effort.seed)
        halves = [_half(samples, above, effort.seed) for above in (True, False)]
        for generation in range(1, effort.generations + 1):
            # One half may do nothing worth a formula.
            parts = [[ZERO, *beam.grown()] if beam else [ZERO] for beam in halves]
            paired = [_by_sign(*pair) for pair in product(*parts) if pair != (ZERO, ZERO)]
            yield Found(
                generation / effort.generations, tuple(dict.fromkeys([*whole.grown(), *paired]))
            )


class _Beam:
    """A search over one part of the samples."""

    def __init__(self, samples: Samples, seed: int) -> None:
        self.objective = Objective(samples.thinned(_SEARCHED, seed))
        self.prepared: dict[Shape, Prepared] = {}
        self.evaluated: dict[_Term, Floats] = {}
        self.sizes: dict[Expression, float] = {}
        self.atoms: list[_Term] = []
        columns = []
        for shape in library(progress=samples.t is not None):
            for constant in self._constants(shape):
                term = _Term(shape, constant)
                column = self._evaluated(term)
                if np.isfinite(column).all() and column.any():
                    self.atoms.append(term)
                    columns.append(column)
        self.columns: Floats = np.stack(columns, axis=1)
        self.subsets: list[_Subset] = []
        self.best: dict[frozenset[Shape], _Subset] = {}

    def grown(self) -> list[Expression]:
        """One more term; the formulas that are best for their size so far."""
        if self.subsets and self.subsets[0].loss < _EXACT:
            return self._front()
        proposed: dict[frozenset[Shape], tuple[float, tuple[_Term, ...]]] = {}
        starts: list[_Subset | None] = [*self.subsets] or [None]
        for start in starts:
            for term in self._extensions(start):
                terms = (term,) if start is None else (*start.terms, term)
                key = frozenset(t.shape for t in terms)
                if len(key) == len(terms) and key not in proposed and key not in self.best:
                    left = self._weighed(terms)[1]
                    proposed[key] = float(left @ left), terms
        promising = sorted(proposed.values(), key=lambda pair: pair[0])[: 2 * _BEAM]
        fits = [fit for _, terms in promising if (fit := self._fitted(terms)) is not None]
        self.best |= {frozenset(t.shape for t in fit.terms): fit for fit in fits}
        self.subsets = sorted(fits, key=lambda subset: subset.loss)[:_BEAM]
        return self._front()

    def _front(self) -> list[Expression]:
        """Formulas that no smaller one beats."""
        ranked = sorted(
            ((subset.formula, subset.loss) for subset in self.best.values()),
            key=lambda pair: (pair[0].nodes, pair[1]),
        )
        front: list[tuple[Expression, float]] = []
        for formula, loss in ranked:
            if not front or loss < 0.98 * front[-1][1]:
                front.append((formula, loss))
        return [formula for formula, _ in front[-_KEPT:]]

    def _extensions(self, subset: _Subset | None) -> list[_Term]:
        """The terms that explain most of what a subset leaves, of each shape one."""
        if subset is None:
            left, columns = self.objective.target, self.columns
        else:
            basis = np.linalg.qr(np.stack([self._column(t) for t in subset.terms], axis=1))[0]
            left = self.objective.target - basis @ (basis.T @ self.objective.target)
            columns = self.columns - basis @ (basis.T @ self.columns)
        sizes = (columns**2).sum(axis=0)
        with np.errstate(all="ignore"):
            gains = np.where(
                sizes > 1e-9 * (self.columns**2).sum(axis=0), (left @ columns) ** 2 / sizes, 0
            )
        chosen: dict[Shape, _Term] = {}
        wanted = _EXTENSIONS if subset else 3 * _EXTENSIONS
        for index in np.argsort(-gains):
            chosen.setdefault(self.atoms[index].shape, self.atoms[index])
            if len(chosen) == wanted:
                break
        return list(chosen.values())

    def _fitted(self, terms: tuple[_Term, ...]) -> _Subset | None:
        """Weights and constants of least loss near those given; None where a weight is 0."""
        free = [i for i, term in enumerate(terms) if term.shape.scale is not None]

        def placed(logarithms: Floats) -> tuple[_Term, ...]:
            moved = list(terms)
            for i, value in zip(free, np.exp(logarithms)):
                moved[i] = _Term(terms[i].shape, float(value))
            return tuple(moved)

        def residuals(logarithms: Floats) -> Floats:
            return self._weighed(placed(logarithms))[1]

        start = np.log([terms[i].constant for i in free])
        if free:
            found = least_squares(
                residuals, start, max_nfev=_STEPS, bounds=self._bounds(terms, free), xtol=1e-12,
                ftol=1e-12, gtol=1e-14,
            )  # fmt: skip
            start = found.x
        weights, left = self._weighed(placed(start))
        if not np.isfinite(weights).all() or np.any(weights == 0):
            return None
        return _Subset(placed(start), tuple(map(float, weights)), float(left @ left))

    def _bounds(self, terms: Sequence[_Term], free: Sequence[int]) -> tuple[Floats, Floats]:
        """Of the logarithms of constants: a little beyond the grid of each shape."""
        sizes = np.log([self._constants(terms[i].shape)[0] / _GRID[0] for i in free])
        reach = np.log(_BEYOND)
        return sizes + np.log(_GRID[0]) - reach, sizes + np.log(_GRID[-1]) + reach

    def _weighed(self, terms: Sequence[_Term]) -> tuple[Floats, Floats]:
        """(weights, residuals) of the best sum; of relu of one with a negative weight if better."""
        columns = np.stack([self._column(term) for term in terms], axis=1)
        target = self.objective.target
        if not np.isfinite(columns).all():
            return np.zeros(len(terms)), np.full_like(target, 1e3)
        weights, _ = nnls(columns, target)
        left = columns @ weights - target
        if len(terms) == 1 or left @ left < _EXACT:
            return weights, left
        signed, through = _rectified(columns, target, weights)
        return (signed, through) if through @ through < 0.98 * (left @ left) else (weights, left)

    def _column(self, term: _Term) -> Floats:
        if term not in self.evaluated:
            if len(self.evaluated) > _REMEMBERED:
                self.evaluated.clear()
            self.evaluated[term] = self._evaluated(term)
        return self.evaluated[term]

    def _evaluated(self, term: _Term) -> Floats:
        if term.shape not in self.prepared:
            roots = [term.shape.formula, term.shape.slope]
            self.prepared[term.shape] = prepared(roots, self.objective.samples.points)
        shape = self.objective.samples.weight.shape
        value, slope = self.prepared[term.shape]({CONSTANT: term.constant})
        return self.objective.stacked(np.broadcast_to(value, shape), np.broadcast_to(slope, shape))

    def _constants(self, shape: Shape) -> list[float]:
        if shape.scale is None:
            return [1.0]
        if shape.scale not in self.sizes:
            samples = self.objective.samples
            values = evaluate_all([shape.scale], samples.points)[0]
            self.sizes[shape.scale] = float(np.sqrt(samples.weight @ np.square(values))) or 1.0
        return [self.sizes[shape.scale] * factor for factor in _GRID]


def _rectified(columns: Floats, target: Floats, start: Floats) -> tuple[Floats, Floats]:
    """(weights of any sign, residuals) of relu of the sum, by least squares where it is active.

    Values come first in a column, slopes second: where the sum is negative both are 0.
    """
    half = len(target) // 2
    needed = target[:half] > 0
    weights = start
    best = start, columns @ start - target
    for _ in range(3):
        on = needed | (columns[:half] @ weights > 0)
        part = columns * np.concatenate([on, on])[:, None]
        gram = part.T @ columns
        weights = np.linalg.pinv(gram, rcond=1e-12, hermitian=True) @ (part.T @ target)
        total = columns @ weights
        active = total[:half] > 0
        left = np.where(np.concatenate([active, active]), total, 0.0) - target
        if left @ left < best[1] @ best[1]:
            best = weights, left
        needed = active
    return best


def _half(samples: Samples, above: bool, seed: int) -> _Beam | None:
    """The search over one sign of A; None where the drift does nothing there."""
    chosen = samples.A >= 0 if above else samples.A < 0
    if int(chosen.sum()) < FEWEST:
        return None
    try:
        return _Beam(samples.where(chosen), seed)
    except ConfigError:  # nothing but zeros, or samples without weight
        return None


def _by_sign(above: Expression, below: Expression) -> Expression:
    return tidied(call("where>=", symbol("A"), ZERO, above, below))


def _rounded(value: float) -> Fraction:
    return Fraction(f"{value:.{_DIGITS}g}")
