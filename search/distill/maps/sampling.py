"""Points (log x[, t]) to distil a mirror map at, and its values and slopes there.

Without a record of what training saw, four fifths of the weight are even in log x from `lowest` to
−0.001, and a fifth lies next to x = 1, where log-odds bend: −log x from 0.1 down to 0.001, even in its
logarithm, or, for a map that goes on beyond 1, log x from −1 to 1. With a record nine tenths are
drawn from it. t is in sixteenths: at each t a constant of the map is free.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from search.distill.sampling import FLOOR, check_points
from symbolic.arrays import read_arrays
from symbolic.derivative import derivative
from symbolic.distill.engine import check_seed
from symbolic.distill.maps.samples import FEWEST_A_LEVEL, MapSamples
from symbolic.distill.maps.samples import LOWEST as LEAST
from symbolic.distill.samples import FEWEST, Floats
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.mirror_network import MirrorNetwork, evaluate_mirror_network
from symbolic.mirror_slope import mirror_slope
from symbolic.numeric import evaluate_all
from symbolic.preference.objective import NEAREST_TO_ONE

MapTarget = MirrorNetwork | Drift | Callable[..., Any]
"""What is distilled: a network, a formula, or a JAX function (log_prob[, progress]) -> g."""

LOWEST = -10.0
"""The least log-probability that is sampled where nobody says otherwise."""
_NEAR_ONE, _NEXT_TO_ONE = 0.1, 1e-3
_NEAR_SHARE = 0.2
_LEVELS = 16


@dataclass(frozen=True)
class MapPoints:
    """Where to ask, `[n]` each, weights with sum 1."""

    log_x: Floats
    t: Floats | None
    """None where the log-probabilities were recorded without the training's progress."""
    weight: Floats
    origin: str
    """Where they come from, for the record."""


def reaches_beyond_one(target: MapTarget) -> bool:
    """Whether a map is one on all x > 0: a formula declared there. Log-odds end every network."""
    return isinstance(target, Drift) and target.domain("x").upper is None


def map_points(
    size: int,
    seed: int,
    *,
    lowest: float = LOWEST,
    densities: Sequence[str | Path] = (),
    beyond: bool = False,
) -> MapPoints:
    """So many points; `densities` are files with `log_prob`, and perhaps `progress` and `weight`, or
    folders of an alignment.

    `beyond` tells that x may be above 1. Raises ConfigError.
    """
    check_points(size)
    check_seed(seed)
    if not LEAST <= lowest < -_NEAR_ONE:
        raise ConfigError(f"lowest={lowest!r:.40} must lie from {LEAST:g} to -{_NEAR_ONE}; try -10")
    random = np.random.default_rng(seed)
    even = max(2, round(size * FLOOR)) if densities else size
    near = max(1, round(even * _NEAR_SHARE))
    wide = random.uniform(lowest, -_NEXT_TO_ONE, size=even - near)
    if beyond:
        close = random.uniform(-1, 1, size=near)
    else:
        close = -np.exp(random.uniform(np.log(_NEXT_TO_ONE), np.log(_NEAR_ONE), size=near))
    log_x = np.concatenate([wide, close])
    t: Floats | None = random.integers(0, _LEVELS + 1, size=even) / _LEVELS
    origin = f"log x even from {lowest:g} to -{_NEXT_TO_ONE:g}, a fifth next to x = 1"
    if densities:
        seen, progress = _recorded([Path(d) for d in densities], size - even, random)
        log_x = np.concatenate([np.clip(seen, LEAST, np.inf if beyond else NEAREST_TO_ONE), log_x])
        t = None if progress is None else np.concatenate([progress, t])
        origin = "log-probabilities that training saw, a tenth even"
    if t is not None:
        # Few points have fewer values of t, so that some remain at each where the map is a number.
        levels = min(_LEVELS, size // (2 * FEWEST_A_LEVEL))
        t = np.round(t * levels) / levels
    return MapPoints(log_x, t, np.full(size, 1 / size), origin)


def sampled_map(target: MapTarget, at: MapPoints, kind: str) -> MapSamples:
    """The values and slopes of a map at points; points where it is undefined are left out.

    Parameters of a formula get their bound value or their default. Raises ConfigError.
    """
    aware = _knows_progress(target)
    if aware and at.t is None:
        raise ConfigError(
            "'progress' is missing beside log_prob: this map depends on t, the training's progress; "
            "record it with the log-probabilities"
        )
    value, slope = _targets(target, at, aware)
    good = np.isfinite(value) & np.isfinite(slope)
    if good.sum() < FEWEST:
        raise ConfigError(
            f"the map is a finite number at {good.sum()} of {len(good)} points; drift verify tells "
            "where it is undefined"
        )
    of = "function"
    if isinstance(target, (MirrorNetwork, Drift)):
        of = target.content_hash if isinstance(target, MirrorNetwork) else target.text
    about = {"points": at.origin, "undefined": int((~good).sum()), "of": of}
    return MapSamples(
        kind=kind,
        log_x=at.log_x[good],
        g=value[good],
        dgdlogx=slope[good],
        weight=at.weight[good],
        t=at.t[good] if aware and at.t is not None else None,
        about=about,
    )


def _knows_progress(target: MapTarget) -> bool:
    if isinstance(target, MirrorNetwork):
        return target.uses_progress
    if isinstance(target, Drift):
        return "t" in target.closed_formula().symbols
    from rl.drifts.candidates import arguments_needed

    return arguments_needed(target) >= 2


def _targets(target: MapTarget, at: MapPoints, aware: bool) -> tuple[Floats, Floats]:
    """(g, ∂g/∂log x)."""
    x, t = np.exp(at.log_x), np.zeros_like(at.log_x) if at.t is None else at.t
    if isinstance(target, MirrorNetwork):
        return evaluate_mirror_network(target, x, t), mirror_slope(target, at.log_x, t)
    if isinstance(target, Drift):
        formula = target.closed_formula()
        found = evaluate_all([formula, derivative(formula, "x")], {"x": x, "t": t})
        value, slope = (np.broadcast_to(part, x.shape) for part in found)
        return value, slope * x
    return _called(target, at.log_x, t, aware)


def _called(
    function: Callable[..., Any], log_x: Floats, t: Floats, aware: bool
) -> tuple[Floats, Floats]:
    """By JAX, in its float32."""
    import jax
    import jax.numpy as jnp

    points, progress = jnp.asarray(log_x), jnp.asarray(t)
    try:
        value, slope = jax.jvp(
            lambda l: jnp.asarray(function(l, progress) if aware else function(l)),
            (points,),
            (jnp.ones_like(points),),
        )
    except (TypeError, ValueError) as error:  # of NumPy, of math, and of what is no array
        raise ConfigError(
            f"the function cannot be traced ({str(error).splitlines()[0]:.120}); it takes arrays of "
            "log-probabilities and computes with jax.numpy"
        ) from None
    if value.shape != points.shape:
        raise ConfigError(
            f"the function returns an array of shape {value.shape} for {len(points)} points; it must give "
            "a number for each"
        )
    return np.asarray(value, np.float64), np.asarray(slope, np.float64)


def _recorded(
    paths: Sequence[Path], count: int, random: np.random.Generator
) -> tuple[Floats, Floats | None]:
    """(log-probabilities, progress in sixteenths) drawn from records, each weighing the same."""
    drawn = []
    for path, share in zip(paths, np.array_split(np.arange(count), len(paths))):
        log_prob, progress, weight = _record(path)
        places = random.choice(len(log_prob), len(share), p=weight)
        drawn.append((log_prob[places], None if progress is None else progress[places]))
    known = [progress for _, progress in drawn if progress is not None]
    whole = (
        np.round(np.concatenate(known) * _LEVELS) / _LEVELS if len(known) == len(drawn) else None
    )
    return np.concatenate([log_prob for log_prob, _ in drawn]), whole


def _met(folder: Path) -> dict[str, Any]:
    """Log-probabilities of the pairs that the agents of an alignment met, with the progress."""
    from rl.offline.training import TRAJECTORY

    found: dict[str, list[Any]] = {"log_prob": [], "progress": []}
    for path in sorted(folder.glob(f"agents-*/{TRAJECTORY}")):
        arrays, _ = read_arrays(path)
        if not {"chosen", "rejected", "progress"} <= arrays.keys():
            raise ConfigError(f"{path}: is not what a training left; train again")
        both = np.stack([arrays["chosen"], arrays["rejected"]])
        found["log_prob"].append(both.ravel())
        found["progress"].append(np.broadcast_to(arrays["progress"], both.shape).ravel())
    if not found["log_prob"]:
        raise ConfigError(
            f"{folder}: no agent of it was trained by pairs; name a folder of drift align, or a file "
            "with the array log_prob"
        )
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _record(path: Path) -> tuple[Floats, Floats | None, Floats]:
    """(log_prob, progress, weight with sum 1) of a file or of an alignment's folder, flat."""
    arrays = _met(path) if path.is_dir() else read_arrays(path)[0]
    if "log_prob" not in arrays:
        raise ConfigError(
            f"{path}: the array 'log_prob' is missing; a record for maps holds log_prob, and perhaps "
            "progress and weight"
        )
    flat = {n: arrays[n].ravel() for n in ("log_prob", "progress", "weight") if n in arrays}
    size = flat["log_prob"].size
    flat.setdefault("weight", np.ones(size))
    for name, values in flat.items():
        if values.size != size or not size:
            raise ConfigError(f"{path}: {name} has {values.size} numbers where log_prob has {size}")
        if not np.isfinite(values).all():
            raise ConfigError(f"{path}: {name} holds a number that is not finite; leave it out")
    progress, weight = flat.get("progress"), flat["weight"]
    if progress is not None and not ((progress >= 0) & (progress <= 1)).all():
        raise ConfigError(f"{path}: progress must lie in [0, 1]")
    if (weight < 0).any() or not weight.sum() > 0:
        raise ConfigError(f"{path}: weight must be 0 or more, and not 0 everywhere")
    return flat["log_prob"], progress, weight / weight.sum()
