"""A network's value and its slope ∂f/∂r, from the right, in float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbolic.derivative import derivative
from symbolic.errors import ConfigError
from symbolic.network import DriftNetwork
from symbolic.numeric import evaluate_all

Floats = NDArray[np.float64]
_CHUNK = 32_768
"""Points at once: hidden layers are wide."""


def network_slope(
    network: DriftNetwork, r: ArrayLike, A: ArrayLike, t: ArrayLike | None = None
) -> tuple[Floats, Floats]:
    """(f, ∂f/∂r) over arrays broadcast together; nan where a feature is undefined.

    Raises ConfigError if a feature needs t and none is given.
    """
    if t is None and network.uses_progress:
        raise ConfigError("t is missing but a feature contains it; pass the training progress t")
    given = {"r": r, "A": A} if t is None else {"r": r, "A": A, "t": t}
    arrays = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in given.values()))
    shape, size = arrays[0].shape, arrays[0].size
    flat = [array.ravel() for array in arrays]
    parts = [
        _at(network, dict(zip(given, (array[i : i + _CHUNK] for array in flat))))
        for i in range(0, size, _CHUNK)
    ] or [(np.empty(0), np.empty(0))]
    values, slopes = (np.concatenate(part).reshape(shape) for part in zip(*parts))
    return values, slopes


def _at(network: DriftNetwork, points: dict[str, Floats]) -> tuple[Floats, Floats]:
    r, A = points["r"], points["A"]
    roots = [*network.features, *(derivative(feature) for feature in network.features)]
    found = [np.broadcast_to(part, r.shape) for part in evaluate_all(roots, points)]
    count = len(network.features)
    hidden, move = np.stack(found[:count], axis=-1), np.stack(found[count:], axis=-1)
    with np.errstate(all="ignore"):
        for layer in network.layers[:-1]:
            hidden, move = hidden @ layer, move @ layer
            if network.activation == "tanh":
                hidden = np.tanh(hidden)
                move = move * (1 - hidden**2)
            else:
                move = move * (hidden >= 0)
                hidden = np.maximum(hidden, 0.0)
        out = (hidden @ network.layers[-1])[..., 0] - float(network.xi)
        slope = (move @ network.layers[-1])[..., 0]
        if network.ppo_epsilon is not None:
            low, high = float(1 - network.ppo_epsilon), float(1 + network.ppo_epsilon)
            out = out + np.maximum((r - np.clip(r, low, high)) * A, 0.0)
            slope = slope + np.where(((r >= high) & (A > 0)) | ((r < low) & (A < 0)), A, 0.0)
        return np.maximum(out, 0.0), np.where(np.isnan(out), np.nan, np.where(out > 0, slope, 0.0))
