"""What every network file has in common: layers that fit together, their hash, and plain JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbolic.arrays import Decimal
from symbolic.errors import ConfigError

MAX_CARD = 2**20
"""Characters of a card."""
_MAX_DEPTH = 32


def checked_layers(
    layers: tuple[NDArray[np.float64], ...], inputs: int
) -> tuple[NDArray[np.float64], ...]:
    """Read-only float64 copies of layers that fit together, the last with one column.

    Raises ConfigError that names the layer, the rule and the remedy.
    """
    if not layers:
        raise ConfigError("layer_0 is missing; store at least one layer")
    checked = []
    width = inputs
    for i, layer in enumerate(layers):
        try:
            array = np.array(layer, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"layer_{i} is no array of numbers ({error}); reshape it") from None
        last = i == len(layers) - 1
        if (
            array.ndim != 2
            or array.shape[0] != width
            or array.shape[1] < 1
            or (last and array.shape[1] != 1)
        ):
            wanted = f"({width}, {'1' if last else 'hidden'})"
            raise ConfigError(
                f"layer_{i} has shape {array.shape} where {wanted} must stand: its rows are "
                f"{'the features' if i == 0 else f'the columns of layer_{i - 1}'}; reshape it"
            )
        if not np.isfinite(array).all():
            at = tuple(int(index) for index in np.argwhere(~np.isfinite(array))[0])
            raise ConfigError(
                f"layer_{i}[{at[0]}, {at[1]}] is {array[at]}; every weight must be finite"
            )
        array.flags.writeable = False
        checked.append(array)
        width = array.shape[1]
    return tuple(checked)


def digest(layers: Sequence[NDArray[np.float64]]) -> str:
    """SHA-256 of the layers' shapes and numbers, as `sha256:…`."""
    found = hashlib.sha256()
    for layer in layers:
        found.update(f"{layer.shape}".encode() + layer.astype("<f8").tobytes())
    return f"sha256:{found.hexdigest()}"


def plain(value: Any, depth: int = 0) -> Any:
    """A card's `training` with its decimals as floats; raises ConfigError."""
    if depth > _MAX_DEPTH:
        raise ConfigError(f"card: training is nested deeper than {_MAX_DEPTH}; flatten it")
    if isinstance(value, dict):
        return {key: plain(entry, depth + 1) for key, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry, depth + 1) for entry in value]
    if isinstance(value, Decimal):
        rounded = float(value)
        if not np.isfinite(rounded):
            raise ConfigError(
                f"card: training holds {value[:40]}, beyond float64; write it as text"
            )
        return rounded
    return value
