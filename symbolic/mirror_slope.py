"""Slopes of networks for mirror maps by log x, which is what training's gradients are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbolic.mirror_network import UNITS, MirrorNetwork

Floats = NDArray[np.float64]


def mirror_slope(network: MirrorNetwork, log_x: ArrayLike, t: ArrayLike = 0.0) -> Floats:
    """∂g/∂log x in float64, over arrays broadcast together; inf or nan where it is undefined."""
    points, progress = np.broadcast_arrays(np.asarray(log_x, float), np.asarray(t, float))
    start, end = network.factors_at_ends
    factors = start + (end - start) * progress[..., None]
    with np.errstate(all="ignore"):
        inputs = factors * np.exp(points)[..., None]
        parts = [
            unit.slope(inputs[..., network.groups == number]) for number, unit in enumerate(UNITS)
        ]
        hidden = (np.concatenate(parts, axis=-1) @ network.layers[1])[..., 0]
        log_odds = np.where(points < 0, -1 / np.expm1(np.minimum(points, 0)), np.nan)
        return np.asarray(hidden + network.skip * (log_odds if network.kind == "mirror-map" else 1))
