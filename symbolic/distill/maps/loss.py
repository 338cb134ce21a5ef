"""How far a formula is from samples of a mirror map, in what training feels of it.

An objective takes differences of φ⁻¹ and gradients of ψ, so a constant is free in both, and in a map
that knows t a constant for each t: values are compared after their mean at that t is taken away.
Slopes are by log x, which is what a policy's gradient multiplies. The loss is the weighted mean of
(ĝ − g)²/V + (ĝ′ − g′)²/S²: V is the mean square of the values, S the larger of |g′| and its median. A
slope's error is relative where it is steep, since the slope of log-odds, 1/(1 − x), has no mean square
and would else be fitted at the few samples next to 1 alone.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from symbolic.distill.loss import Objective, root_mean_square
from symbolic.distill.maps.samples import MapSamples
from symbolic.distill.samples import Floats


class MapObjective(Objective):
    """The loss over fixed samples of a map; slopes come in by x and are compared by log x."""

    variable = "x"

    def __init__(self, samples: MapSamples) -> None:
        self.samples = samples
        self.value, self.slope = samples.g, samples.dgdlogx
        self._x = samples.points["x"]
        progress = np.zeros(len(samples)) if samples.t is None else samples.t
        _, self._level = np.unique(progress, return_inverse=True)
        mass = np.bincount(self._level, samples.weight)
        self._share = samples.weight / np.where(mass > 0, mass, 1.0)[self._level]
        root = np.sqrt(samples.weight)
        self.value_weight = root / root_mean_square(self._centred(self.value), samples.weight)
        size = np.abs(self.slope)
        median = np.quantile(size, 0.5, weights=samples.weight, method="inverted_cdf")
        self.slope_weight = root / np.maximum(size, median or samples.weight @ size)

    @cached_property
    def target(self) -> Floats:
        """The samples' values and slopes as one weighted column, `[2n]`."""
        return np.concatenate(
            [self._centred(self.value) * self.value_weight, self.slope * self.slope_weight]
        )

    def stacked(self, value: Floats, slope: Floats) -> Floats:
        """Values less their free constants, and slopes by x, as one weighted column, `[2n]`."""
        return np.concatenate(
            [self._centred(value) * self.value_weight, slope * self._x * self.slope_weight]
        )

    def _centred(self, value: Floats) -> Floats:
        return np.asarray(value - np.bincount(self._level, self._share * value)[self._level])
