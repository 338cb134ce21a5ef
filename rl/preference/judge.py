"""The judge of Bradley and Terry: who ranks two trajectories by their returns, and how surely."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from symbolic.errors import ConfigError


def preference_probability(
    first: Float[np.ndarray, "rows"], second: Float[np.ndarray, "rows"], temperature: float
) -> Float[np.ndarray, "rows"]:
    """P(first ≻ second) = σ((first − second)/η), of returns and a temperature η > 0.

    Source: Bradley and Terry 1952, with returns over η as log-strengths.
    """
    difference = (np.asarray(first, np.float64) - np.asarray(second, np.float64)) / temperature
    return 0.5 * (1.0 + np.tanh(0.5 * difference))


def temperature_for(accuracy: float, difference: float) -> float:
    """η at which returns `difference` apart are ranked rightly with probability `accuracy`.

    Raises ConfigError unless 1/2 < accuracy < 1 and difference > 0.
    """
    if not 0.5 < accuracy < 1.0:
        raise ConfigError(f"accuracy={accuracy!r:.40} must lie between 0.5 and 1; try 0.95")
    if not 0.0 < difference < math.inf:
        raise ConfigError(f"difference={difference!r:.40} must be a positive number; try 300")
    return difference / math.log(accuracy / (1.0 - accuracy))
