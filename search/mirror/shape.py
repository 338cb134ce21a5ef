"""Vectors of numbers as the weights of ψ and φ⁻¹, whatever the numbers are.

A unit's factor is given by its values at t = 0 and t = 1, between which it is linear: what holds at
both ends holds for every t. Mode `paper` cuts weights off at 0 (factors at a ten-thousandth: the
logarithm of 0·x would leave no function), and has what the paper has otherwise.
Mode `potential` has factors above 0 (by softplus), below 1 where log-odds are taken (by the
logistic function), and a positive weight of the logarithm outside the units: every vector is then a
potential.

Source: Alfano et al., Learning Loss Landscapes in Preference Optimization, section 3.1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbolic.checks import is_number
from symbolic.errors import ConfigError
from symbolic.mirror_network import MODES, UNITS, MirrorNetwork, of_units, unit_groups

Weights = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""(layer_0, layer_1, skip) with leading axes."""

_ONE = math.log(math.e - 1)
"""Where softplus is 1."""
_NARROWEST = 1e-4
"""Least factor of a unit, and of log-odds least distance from 1: a sum of rounded numbers must not pass."""


_WIDEST = 1e6
"""Greatest factor of a temporal unit at either end: a sum that holds it is rounded to less than the least."""


@dataclass(frozen=True, kw_only=True)
class MirrorShape:
    """The two networks of an objective without their weights."""

    hidden: int = 126
    """Units of each network, in nine equal groups."""
    temporal: bool = False
    """Feed x·t as well: the objective may change over the training."""
    mode: str = "potential"
    """Which weights there may be: potential, or paper."""
    spread: float = 1.0
    """Standard deviation of the first factors of units, before softplus and the logistic function."""

    def __post_init__(self) -> None:
        if type(self.hidden) is not int or self.hidden < 1 or self.hidden % len(UNITS):
            raise ConfigError(
                f"hidden={self.hidden!r:.40} must be a multiple of {len(UNITS)}, the groups of "
                f"units; try {self._nearest()}"
            )
        if not isinstance(self.temporal, bool):
            raise ConfigError(f"temporal={self.temporal!r:.40} must be true or false")
        if self.mode not in MODES:
            raise ConfigError(f"mode={self.mode!r:.40} is unknown; use {' or '.join(MODES)}")
        if not (is_number(self.spread) and 0 < self.spread < math.inf):
            raise ConfigError(f"spread={self.spread!r:.40} must be a positive number; try 1")

    def _nearest(self) -> int:
        """A number of units near the one that was asked for."""
        groups = round(self.hidden / len(UNITS)) if type(self.hidden) is int else 0
        return len(UNITS) * groups if groups > 0 else 126

    @property
    def _ends(self) -> int:
        return 2 if self.temporal else 1

    @property
    def _map_size(self) -> int:
        return (self._ends + 1) * self.hidden + 1

    @property
    def size(self) -> int:
        """Numbers of both networks."""
        return 2 * self._map_size

    def weights(self, vectors: NDArray[np.floating[Any]]) -> tuple[Weights, Weights]:
        """The weights of ψ and of φ⁻¹ that vectors with axes (…, size) stand for."""
        psi, phi_inverse = np.split(np.asarray(vectors, np.float64), 2, axis=-1)
        return self._weights(psi), self._weights(phi_inverse)

    def networks(
        self, vector: NDArray[np.floating[Any]], training: Mapping[str, Any] | None = None
    ) -> tuple[MirrorNetwork, MirrorNetwork]:
        """ψ and φ⁻¹ of a vector, with the story of their training on their cards."""
        psi, phi_inverse = self.weights(vector)
        story = dict(training or {})
        made = [
            MirrorNetwork(
                kind=kind, layers=(first, last), skip=float(skip), mode=self.mode, training=story
            )
            for kind, (first, last, skip) in (("psi", psi), ("mirror-map", phi_inverse))
        ]
        return made[0], made[1]

    def initial(self, seed: int) -> NDArray[np.float32]:
        """Where evolution starts: ψ = log x and φ⁻¹ = log x − log(1 − x), as ORPO has them.

        No unit has weight yet; their factors are random, and alike at both ends of the training.
        """
        random = np.random.default_rng(seed)
        parts = []
        for _ in range(2):
            factors = self.spread * random.normal(size=self.hidden)
            if self.mode == "paper":
                factors = _sigmoid(factors)
            skip = 1.0 if self.mode == "paper" else _ONE
            parts += [factors] * self._ends + [np.zeros(self.hidden), np.full(1, skip)]
        return np.concatenate(parts).astype(np.float32)

    def _weights(self, vectors: NDArray[np.float64]) -> Weights:
        ends, last, skip = np.split(
            vectors, [self._ends * self.hidden, (self._ends + 1) * self.hidden], axis=-1
        )
        ends = ends.reshape(*vectors.shape[:-1], self._ends, self.hidden)
        if self.mode == "paper":
            factors, skip = np.maximum(ends, _NARROWEST), np.maximum(skip[..., 0], 0.0)
        else:
            bounded = of_units(unit_groups(self.hidden), "ends_at_one")
            within = _NARROWEST + (1 - 2 * _NARROWEST) * _sigmoid(ends)
            free = _NARROWEST + np.minimum(_softplus(ends), _WIDEST)
            factors = np.where(bounded, within, free)
            skip = _NARROWEST + _softplus(skip[..., 0])
        first = np.concatenate([factors[..., :1, :], np.diff(factors, axis=-2)], axis=-2)
        return first, np.maximum(last, 0.0)[..., None], skip


def _softplus(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.logaddexp(x, 0.0))


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))
