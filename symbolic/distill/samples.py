"""What is distilled: values and slopes of a drift at weighted points (r, A[, t]).

A file is `.npz` (or safetensors) with equal-length arrays `r`, `A`, `f`, `dfdr`, `weight` and, for
drifts that know the training's progress, `t`; a text `about`, JSON, says where they come from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbolic.arrays import read_arrays, read_json, write_arrays
from symbolic.errors import ConfigError

Floats = NDArray[np.float64]
REQUIRED = ("r", "A", "f", "dfdr", "weight")
_ROUNDING = 1e-12
FEWEST = 16
"""Points below which nothing can be told from chance."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """Points and targets; raises ConfigError, naming the array, its rule and the remedy."""

    r: Floats
    """Ratios, positive; `[n]`."""
    A: Floats
    """Advantages, normalised; `[n]`."""
    f: Floats
    """The drift; `[n]`."""
    dfdr: Floats
    """Its slope from the right; `[n]`."""
    weight: Floats
    """Non-negative, `[n]`; kept with sum 1."""
    t: Floats | None = None
    """Progress of the training in [0, 1]; `[n]`."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """Where the points and targets come from; JSON."""

    def __post_init__(self) -> None:
        size = np.size(self.r)
        if size < FEWEST:
            raise ConfigError(f"{size} samples are too few; give at least {FEWEST}")
        for name in self.names:
            object.__setattr__(self, name, column(name, getattr(self, name), size, of="r"))
        refuse("r", self.r, self.r <= 0, "a ratio is positive")
        if self.t is not None:
            refuse("t", self.t, (self.t < 0) | (self.t > 1), "progress lies in [0, 1]")
        object.__setattr__(self, "weight", normalised(self.weight))
        moving = self.weight > 0
        if not (np.any(self.f[moving] != 0) or np.any(self.dfdr[moving] != 0)):
            raise ConfigError(
                "f and dfdr are 0 at every sample that has weight: there is nothing to distil; does "
                "the drift never act where these samples lie?"
            )
        if np.ptp(self.f[moving]) == 0:
            raise ConfigError(
                f"f is {self.f[moving][0]:g} at every sample that has weight: a constant is no drift"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The arrays there are."""
        return REQUIRED if self.t is None else (*REQUIRED, "t")

    @property
    def points(self) -> dict[str, Floats]:
        """The variables of formulas at the samples."""
        return {name: getattr(self, name) for name in ("r", "A", "t") if name in self.names}

    def __len__(self) -> int:
        return len(self.r)

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Samples:
        """Some of the samples, weighted anew; raises ConfigError for too few."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in self.names})

    def thinned(self, size: int, seed: int) -> Samples:
        """At most so many samples, drawn without replacement and kept with their weights."""
        if len(self) <= size:
            return self
        chosen = np.random.default_rng(seed).choice(len(self), size, replace=False)
        return self.where(np.sort(chosen))

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the arrays, as `sha256:…`."""
        digest = hashlib.sha256()
        for name in self.names:
            digest.update(f"{name}{len(self)}".encode())
            digest.update(getattr(self, name).astype("<f8").tobytes())
        return f"sha256:{digest.hexdigest()}"


def load_samples(path: str | Path) -> Samples:
    """Read samples; nothing in the file is unpickled or evaluated.

    Raises ConfigError that names the file, the rule it breaks and the remedy.
    """
    arrays, texts = read_arrays(path)
    missing = [name for name in REQUIRED if name not in arrays]
    if missing:
        raise ConfigError(
            f"{path}: the array '{missing[0]}' is missing; samples have {', '.join(REQUIRED)} and "
            "perhaps t"
        )
    known = {f.name for f in fields(Samples)} & set(arrays)
    about = read_json(texts["about"], f"{path}: about") if "about" in texts else {}
    try:
        return Samples(**{name: arrays[name] for name in known}, about=about)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def save_samples(path: str | Path, samples: Samples) -> None:
    """Write a file that `load_samples` reads, atomically; raises OSError where that fails."""
    about = json.dumps(dict(samples.about), sort_keys=True, allow_nan=False)
    write_arrays(path, {n: getattr(samples, n) for n in samples.names}, {"about": about})


def column(name: str, values: Any, size: int, *, of: str) -> Floats:
    """An array of samples, read-only; raises ConfigError unless it has `size` finite numbers, as `of`."""
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ConfigError(f"{name} is no array of numbers; give {size} of them") from None
    if array.shape != (size,):
        raise ConfigError(f"{name} has shape {array.shape} where ({size},) must stand, as of {of}")
    refuse(name, array, ~np.isfinite(array), "every number must be finite")
    array.flags.writeable = False
    return array


def normalised(weight: Floats) -> Floats:
    """Weights with sum 1; raises ConfigError for what is negative, or nothing."""
    refuse("weight", weight, weight < 0, "a weight is 0 or more")
    total = float(weight.sum())
    if not total > 0:
        raise ConfigError("weight is 0 everywhere; weigh at least some of the samples")
    if not np.isfinite(total):
        raise ConfigError("weight adds up beyond float64; divide it by its largest value")
    # Left alone where it is 1, so that a file read again has the same hash.
    return weight if abs(total - 1) <= _ROUNDING else weight / total


def refuse(name: str, array: Floats, bad: NDArray[np.bool_], rule: str) -> None:
    """Raise ConfigError for the first sample that breaks a rule."""
    if bad.any():
        at = int(np.argmax(bad))
        raise ConfigError(f"{name}[{at}] is {array[at]}; {rule}; leave out such samples")
