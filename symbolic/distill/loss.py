"""How far a formula is from the samples: in values and in slopes, which are what training feels.

The objective of a fit is the weighted mean of (f̂ − f)²/V + (∂f̂/∂r − ∂f/∂r)²/V', with V and V' the
weighted mean squares of the targets: both errors are relative, and 1 is the error of the formula 0.
Values alone leave slopes wrong by per cents; slopes alone lose where the drift has kinks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from symbolic.derivative import derivative
from symbolic.distill.samples import Floats, Samples
from symbolic.expression import Expression
from symbolic.numeric import evaluate_all


@dataclass(frozen=True)
class Errors:
    """Root mean squares over the weighted samples, relative to those of the targets."""

    value: float
    """Of f, or of a map."""
    slope: float
    """Of ∂f/∂r, or of a map by log x."""
    largest: float
    """Largest absolute error of the value at any sample, not relative."""

    @property
    def loss(self) -> float:
        """The objective."""
        return self.value**2 + self.slope**2


class Sampled(Protocol):
    """What every kind of samples has."""

    @property
    def points(self) -> dict[str, Floats]:
        """The variables of formulas, `[n]` each."""

    @property
    def weight(self) -> Floats:
        """Non-negative with sum 1, `[n]`."""


class Objective:
    """The loss over fixed samples of a drift."""

    samples: Sampled
    variable = "r"
    """What slopes are taken by."""
    value_weight: Floats
    """What an error of a value at each sample counts, `[n]`."""
    slope_weight: Floats
    """What an error of a slope at each sample counts, `[n]`."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self.value, self.slope = samples.f, samples.dfdr
        root = np.sqrt(samples.weight)
        self.value_weight = root / root_mean_square(samples.f, samples.weight)
        self.slope_weight = root / root_mean_square(samples.dfdr, samples.weight)

    @cached_property
    def target(self) -> Floats:
        """The samples' values and slopes as one weighted column, `[2n]`."""
        return self.stacked(self.value, self.slope)

    def stacked(self, value: Floats, slope: Floats) -> Floats:
        """Values and slopes at the samples as one weighted column, `[2n]`."""
        return np.concatenate([value * self.value_weight, slope * self.slope_weight])

    def column(self, formula: Expression) -> Floats:
        """What a formula gives, as one weighted column `[2n]`; nan where it is undefined."""
        roots = [formula, derivative(formula, self.variable)]
        value, slope = evaluate_all(roots, self.samples.points)
        shape = self.samples.weight.shape
        return self.stacked(np.broadcast_to(value, shape), np.broadcast_to(slope, shape))

    def errors(self, formula: Expression) -> Errors:
        """How far a formula is off; inf where it is undefined at a sample."""
        off = self.column(formula) - self.target
        value, slope = np.split(off, 2)
        if np.isnan(off).any():
            return Errors(np.inf, np.inf, np.inf)
        with np.errstate(over="ignore"):
            sizes = np.abs(value[self.value_weight > 0] / self.value_weight[self.value_weight > 0])
            return Errors(
                float(np.sqrt(value @ value)), float(np.sqrt(slope @ slope)), float(sizes.max())
            )


def root_mean_square(target: Floats, weight: Floats) -> float:
    """The root of the weighted mean square; 1 for a target that is 0 everywhere."""
    size = float(np.sqrt(weight @ target**2))
    return size if size > 0 else 1.0
