"""Shapes of the drift networks that evolution trains, and vectors of weights that become them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbolic.errors import ConfigError
from symbolic.network import ACTIVATIONS, DriftNetwork
from symbolic.parser import parse

LPO_FEATURES = (
    "1-r", "(1-r)**2", "(1-r)*A", "(1-r)**2*A", "log(r)", "log(r)**2", "log(r)*A", "log(r)**2*A",
)  # fmt: skip
"""The inputs of Lu et al. 2022, section 4.2, in the order of network files."""
OFFICIAL_FEATURES = (
    "log(r)", "log(r)**2", "1-r", "(1-r)**2", "log(r)*A", "log(r)**2*A", "(1-r)*A", "(1-r)**2*A",
)  # fmt: skip
"""The same inputs in the order of the authors' code, where 1 − r is 1 − exp(log r)."""
STARTS = ("twins-differ", "zero")

FEATURE_SETS: Mapping[str, tuple[str, ...]] = {
    "all": LPO_FEATURES,
    "no-log": LPO_FEATURES[:4],
    "log-only": LPO_FEATURES[4:],
    "no-advantage": (*LPO_FEATURES[0:2], *LPO_FEATURES[4:6]),
    "advantage-only": (*LPO_FEATURES[2:4], *LPO_FEATURES[6:8]),
    "no-squares": LPO_FEATURES[::2],
}
"""Sets of inputs by name. Which sets figure 10 of the paper compares is not in its text."""


@dataclass(frozen=True, kw_only=True)
class NetworkShape:
    """A drift network without its weights."""

    features: str = "all"
    """A set of inputs by name."""
    temporal: bool = False
    """Feed every input times t as well (Jackson et al. 2024)."""
    hidden: tuple[int, ...] = (128,)
    """Hidden layers."""
    activation: str = "tanh"
    """Between layers: tanh or relu."""
    xi: str = "1e-6"
    """ξ, what the output has to exceed to count."""
    ppo_epsilon: str | None = "0.2"
    """ε of the PPO that the network starts as; null for a start from scratch."""
    start: str = "twins-differ"
    """First weights beside PPO. zero: all of them, as in the paper; with an odd activation and two
    layers the members of a pair are then the same function, and the first step follows rounding
    alone. twins-differ: hidden layers random, the last one zero; as much PPO, but pairs differ."""

    def __post_init__(self) -> None:
        if self.features not in FEATURE_SETS:
            raise ConfigError(
                f"features={self.features!r:.40} is unknown; use one of {', '.join(FEATURE_SETS)}"
            )
        if self.activation not in ACTIVATIONS:
            raise ConfigError(
                f"activation={self.activation!r:.40} is unknown; use one of {', '.join(ACTIVATIONS)}"
            )
        if self.start not in STARTS:
            raise ConfigError(
                f"start={self.start!r:.40} is unknown; use one of {', '.join(STARTS)}"
            )
        if not isinstance(self.hidden, tuple) or any(
            type(n) is not int or n < 1 for n in self.hidden
        ):
            raise ConfigError(
                f"hidden={self.hidden!r:.60} must be sizes of layers, each at least 1; try [128]"
            )
        if not isinstance(self.temporal, bool):
            raise ConfigError(f"temporal={self.temporal!r:.40} must be true or false")
        for name in ("xi", "ppo_epsilon"):
            value = getattr(self, name)
            if value is None and name == "ppo_epsilon":
                continue
            try:
                number = Fraction(str(value))
            except (ValueError, ZeroDivisionError):
                raise ConfigError(f"{name}={value!r:.40} is no number; try 1e-6 or 0.2") from None
            if not (number > 0 if name == "xi" else 0 <= number < 1):
                bounds = "above 0" if name == "xi" else "in [0, 1)"
                raise ConfigError(f"{name}={value} must lie {bounds}, or it is no drift")
        self.network(np.zeros(self.size))  # which has rules of its own

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The features as formulas."""
        plain = FEATURE_SETS[self.features]
        return (*plain, *(f"t*({text})" for text in plain)) if self.temporal else plain

    @cached_property
    def layer_shapes(self) -> tuple[tuple[int, int], ...]:
        """Of each layer, (rows, columns)."""
        sizes = (len(self.inputs), *self.hidden, 1)
        return tuple(itertools.pairwise(sizes))

    @property
    def size(self) -> int:
        """Number of weights."""
        return sum(math.prod(shape) for shape in self.layer_shapes)

    def layers(self, vectors: NDArray[np.floating[Any]]) -> tuple[NDArray[np.floating[Any]], ...]:
        """Vectors of weights, axes (…, size), as layers with axes (…, rows, columns)."""
        ends = np.cumsum([math.prod(shape) for shape in self.layer_shapes])[:-1]
        parts = np.split(vectors, ends, axis=-1)
        return tuple(
            part.reshape(*part.shape[:-1], *shape) for part, shape in zip(parts, self.layer_shapes)
        )

    def network(
        self, vector: NDArray[np.floating[Any]], training: Mapping[str, Any] | None = None
    ) -> DriftNetwork:
        """The network with these weights, and the story of its training on its card."""
        return DriftNetwork(
            layers=tuple(np.asarray(layer, np.float64) for layer in self.layers(vector)),
            features=tuple(map(parse, self.inputs)),
            activation=self.activation,
            xi=Fraction(str(self.xi)),
            ppo_epsilon=None if self.ppo_epsilon is None else Fraction(str(self.ppo_epsilon)),
            training=dict(training or {}),
        )

    def initial(self, seed: int) -> NDArray[np.float32]:
        """Where evolution starts: beside PPO as `start` says, else every weight random.

        Random weights have the variance 1 / rows (LeCun).
        """
        if self.ppo_epsilon is not None and self.start == "zero":
            return np.zeros(self.size, np.float32)
        random = np.random.default_rng(seed)
        layers = [
            random.normal(scale=rows**-0.5, size=rows * columns)
            for rows, columns in self.layer_shapes
        ]
        if self.ppo_epsilon is not None:
            layers[-1] *= 0.0
        return np.concatenate(layers).astype(np.float32)


def official_network(
    hidden: NDArray[np.floating[Any]],
    last: NDArray[np.floating[Any]],
    *,
    xi: str = "1e-4",
    ppo_epsilon: str | None = "0.2",
) -> DriftNetwork:
    """A network with weights of the authors' code, whose inputs come in another order.

    `hidden` has axes (8, units), `last` (units, 1). Raises ConfigError for other shapes.
    """
    return DriftNetwork(
        layers=(np.asarray(hidden, np.float64), np.asarray(last, np.float64)),
        features=tuple(map(parse, OFFICIAL_FEATURES)),
        xi=Fraction(xi),
        ppo_epsilon=None if ppo_epsilon is None else Fraction(ppo_epsilon),
        training={"source": "weights of the official code of Discovered Policy Optimisation"},
    )
