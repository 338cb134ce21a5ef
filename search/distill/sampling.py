"""Points (r, A[, t]) to distil a drift at, weighted as training meets them, and its values there.

Most points come from where training asked a drift (`density.npz` of a run folder), or, where no
run is given, from log r ~ N(0, 0.35²) and A ~ N(0, 1), a broad stand-in. A small share is spread
evenly over the box that is plotted and certified, so that a formula cannot go wild where no policy
has been yet.

Source: the density is that of Lu et al. 2022, figure 9's shading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbolic.arrays import read_arrays
from symbolic.derivative import derivative
from symbolic.distill.engine import check_seed
from symbolic.distill.samples import Samples
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.network import DriftNetwork
from symbolic.network_slope import network_slope
from symbolic.numeric import evaluate_all

Floats = NDArray[np.float64]
BOX: Mapping[str, tuple[float, float]] = {"r": (0.25, 2.0), "A": (-3.0, 3.0), "t": (0.0, 1.0)}
"""Where distances are certified and the even share of the points lies."""
POINTS = 2000
"""Samples of a distillation, where nobody says otherwise."""
_FEWEST, _MOST = 64, 100_000
FLOOR = 0.1
"""Weight of the even share."""
DENSITY_FILE = "density.npz"
_SPREAD = 0.35
"""Standard deviation of log r where no run says better."""


@dataclass(frozen=True)
class Points:
    """Where to ask, `[n]` each, weights with sum 1."""

    r: Floats
    A: Floats
    t: Floats
    weight: Floats
    origin: str
    """Where they come from, for the record."""


def points(size: int, seed: int, densities: Sequence[str | Path] = ()) -> Points:
    """So many points, of which a tenth is spread evenly.

    `densities` are run folders or their `density.npz`; several weigh the same. Raises ConfigError.
    """
    check_points(size)
    check_seed(seed)
    random = np.random.default_rng(seed)
    even = max(1, round(size * FLOOR))
    count = size - even
    if densities:
        log_ratio, advantage, progress = _recorded([Path(d) for d in densities], count, random)
        origin = "on-policy"
    else:
        log_ratio = _SPREAD * random.standard_normal(count)
        advantage, progress = random.standard_normal(count), random.uniform(size=count)
        origin = f"log r ~ N(0, {_SPREAD}²), A ~ N(0, 1)"
    sides = [random.uniform(*BOX[name], size=even) for name in ("r", "A", "t")]
    weight = np.repeat([(1 - FLOOR) / count, FLOOR / even], [count, even])
    r, A, t = (
        np.concatenate([part, side])
        for part, side in zip((np.exp(log_ratio), advantage, progress), sides)
    )
    return Points(r, A, np.clip(t, 0.0, 1.0), weight, origin)


def check_points(size: object) -> None:
    """Raise ConfigError for what is no number of samples."""
    if type(size) is not int or not _FEWEST <= size <= _MOST:
        raise ConfigError(f"points={size!r:.40} must be a whole number from {_FEWEST} to {_MOST}")


def sampled(target: DriftNetwork | Drift | Callable[..., Any], at: Points) -> Samples:
    """The values and slopes of a drift at points; points where it is undefined are left out.

    A callable is a JAX function (log_ratio, advantage[, progress]) -> f, elementwise. Parameters of a
    formula get their bound value or their default. Raises ConfigError.
    """
    value, slope, aware = _targets(target, at)
    good = np.isfinite(value) & np.isfinite(slope)
    about = {"points": at.origin, "undefined": int((~good).sum()), "of": _name(target)}
    return Samples(
        r=at.r[good],
        A=at.A[good],
        f=value[good],
        dfdr=slope[good],
        weight=at.weight[good],
        t=at.t[good] if aware else None,
        about=about,
    )


def _targets(
    target: DriftNetwork | Drift | Callable[..., Any], at: Points
) -> tuple[Floats, Floats, bool]:
    """(f, ∂f/∂r, whether it knows t)."""
    if isinstance(target, DriftNetwork):
        aware = target.uses_progress
        return *network_slope(target, at.r, at.A, at.t if aware else None), aware
    if isinstance(target, Drift):
        formula = target.closed_formula()
        values = {"r": at.r, "A": at.A, "t": at.t}
        value, slope = evaluate_all([formula, derivative(formula)], values)
        shape = at.r.shape
        whole = np.broadcast_to(value, shape), np.broadcast_to(slope, shape)
        return *whole, "t" in formula.symbols
    return _called(target, at)


def _called(function: Callable[..., Any], at: Points) -> tuple[Floats, Floats, bool]:
    """By JAX, in its float32; ∂f/∂r = ∂f/∂log r / r."""
    import jax
    import jax.numpy as jnp

    from rl.drifts.candidates import arguments_needed, of_function

    apply = of_function(function).apply
    log_ratio, advantage, progress = (jnp.asarray(x) for x in (np.log(at.r), at.A, at.t))
    value, slope = jax.jvp(
        lambda l: apply((), l, advantage, progress), (log_ratio,), (jnp.ones_like(log_ratio),)
    )
    found = np.asarray(value, np.float64), np.asarray(slope, np.float64) / at.r
    return *found, arguments_needed(function) >= 3


def _recorded(
    paths: Sequence[Path], count: int, random: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """(log r, A, t) drawn from what runs recorded."""
    shares = np.array_split(np.arange(count), len(paths))
    drawn = []
    for path, share in zip(paths, shares):
        arrays = _density(path)
        places = random.choice(arrays["weight"].size, len(share), p=arrays["weight"])
        drawn.append([arrays[name][places] for name in ("log_ratio", "advantage", "progress")])
    log_ratio, advantage, progress = (np.concatenate(parts) for parts in zip(*drawn))
    return log_ratio, advantage, progress


def _density(path: Path) -> dict[str, Floats]:
    """A density's arrays, flat, their weights with sum 1."""
    if not path.exists():
        raise ConfigError(f"{path}: no such run; name its folder, or the {DENSITY_FILE} in it")
    file = path / DENSITY_FILE if path.is_dir() else path
    arrays, _ = read_arrays(file)
    names = ("log_ratio", "advantage", "progress", "weight")
    missing = [name for name in names if name not in arrays]
    if missing:
        raise ConfigError(
            f"{file}: the array '{missing[0]}' is missing; name the density.npz of a run, or its folder"
        )
    flat = {name: arrays[name].ravel() for name in names}
    sizes = {len(part) for part in flat.values()}
    weight = flat["weight"]
    total = weight.sum() if len(sizes) == 1 else 0.0
    if not (total > 0 and np.isfinite(total) and (weight >= 0).all()):
        raise ConfigError(f"{file}: its weights are no density; record the run again")
    kept = weight > 0
    flat = {name: part[kept] for name, part in flat.items()}
    if not all(np.isfinite(part).all() for part in flat.values()):
        raise ConfigError(f"{file}: holds numbers that are not finite; record the run again")
    flat["weight"] = flat["weight"] / flat["weight"].sum()
    return flat


def _name(target: object) -> str:
    if isinstance(target, DriftNetwork):
        return target.content_hash
    return target.text if isinstance(target, Drift) else "function"
