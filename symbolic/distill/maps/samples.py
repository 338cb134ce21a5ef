"""What is distilled of a mirror map: values and slopes by log x at weighted points (log x[, t]).

A file is `.npz` (or safetensors) with equal-length arrays `log_x`, `g`, `dgdlogx`, `weight` and, for
maps that know the training's progress, `t`; a text `about`, JSON, names the `kind` and says where
they come from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbolic.arrays import read_arrays, read_json, write_arrays
from symbolic.distill.samples import FEWEST, Floats, column, normalised, refuse
from symbolic.errors import ConfigError
from symbolic.mirror_network import KINDS

REQUIRED = ("log_x", "g", "dgdlogx", "weight")
FEWEST_A_LEVEL = 4
"""Samples for each value of t, at which a constant is free."""
LOWEST = -700.0
"""Below it x is no float64; no map but the logarithm moves there."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MapSamples:
    """Points and targets; raises ConfigError, naming the array, its rule and the remedy."""

    kind: str
    """`mirror-map` (φ⁻¹) or `psi`."""
    log_x: Floats
    """Log-probabilities, `[n]`; above 0 where x is a density."""
    g: Floats
    """The map; `[n]`."""
    dgdlogx: Floats
    """Its slope by log x; `[n]`."""
    weight: Floats
    """Non-negative, `[n]`; kept with sum 1."""
    t: Floats | None = None
    """Progress of the training in [0, 1], `[n]`, in few different values: at each of them a constant
    of the map is free."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """Where the points and targets come from; JSON."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigError(f"kind={self.kind!r:.40} is unknown; use {' or '.join(KINDS)}")
        size = np.size(self.log_x)
        if size < FEWEST:
            raise ConfigError(f"{size} samples are too few; give at least {FEWEST}")
        for name in self.names:
            values = column(name, getattr(self, name), size, of="log_x")
            object.__setattr__(self, name, values)
        refuse("log_x", self.log_x, self.log_x < LOWEST, f"x is 0 in float64 below {LOWEST:g}")
        if self.t is not None:
            refuse("t", self.t, (self.t < 0) | (self.t > 1), "progress lies in [0, 1]")
            if (levels := len(np.unique(self.t))) > size // FEWEST_A_LEVEL:
                raise ConfigError(
                    f"t has {levels} values in {size} samples, and a constant is free at each; "
                    "round it, to sixteenths for example"
                )
        object.__setattr__(self, "weight", normalised(self.weight))
        if not np.any(self.dgdlogx[self.weight > 0] != 0):
            raise ConfigError(
                "dgdlogx is 0 at every sample that has weight: there is nothing to distil"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The arrays there are."""
        return REQUIRED if self.t is None else (*REQUIRED, "t")

    @cached_property
    def points(self) -> dict[str, Floats]:
        """The variables of formulas at the samples."""
        x = {"x": np.exp(self.log_x)}
        return x if self.t is None else {**x, "t": self.t}

    def __len__(self) -> int:
        return len(self.log_x)

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> MapSamples:
        """Some of the samples, weighted anew; raises ConfigError for too few."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in self.names})

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the kind and the arrays, as `sha256:…`."""
        digest = hashlib.sha256(f"{self.kind}{len(self)}".encode())
        for name in self.names:
            digest.update(name.encode())
            digest.update(getattr(self, name).astype("<f8").tobytes())
        return f"sha256:{digest.hexdigest()}"


def load_map_samples(path: str | Path) -> MapSamples:
    """Read samples; nothing in the file is unpickled or evaluated.

    Raises ConfigError that names the file, the rule it breaks and the remedy.
    """
    arrays, texts = read_arrays(path)
    missing = [name for name in REQUIRED if name not in arrays]
    if missing or "about" not in texts:
        raise ConfigError(
            f"{path}: '{[*missing, 'about'][0]}' is missing; samples of a map have "
            f"{', '.join(REQUIRED)}, perhaps t, and the text about, which names the kind"
        )
    about = read_json(texts["about"], f"{path}: about")
    known = {name: arrays[name] for name in (*REQUIRED, "t") if name in arrays}
    try:
        return MapSamples(kind=str(about.get("kind")), **known, about=about)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def save_map_samples(path: str | Path, samples: MapSamples) -> None:
    """Write a file that `load_map_samples` reads, atomically; raises OSError where that fails."""
    about = json.dumps({**samples.about, "kind": samples.kind}, sort_keys=True, allow_nan=False)
    write_arrays(path, {n: getattr(samples, n) for n in samples.names}, {"about": about})
