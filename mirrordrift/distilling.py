"""Distillation as the command line and Python ask for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from mirrordrift.spec import Target, resolve_line
from search.distill.sampling import POINTS
from symbolic.drift import Drift
from symbolic.errors import ConfigError

if TYPE_CHECKING:
    from search.distill.front import Front
    from symbolic.distill.samples import Samples
    from verify.distance import Reference


def distill(
    drift: object,
    engine: str = "auto",
    *,
    kind: str = "drift",
    effort: float = 1.0,
    points: int = POINTS,
    density: Sequence[str | PathLike[str]] = (),
    seed: int = 0,
    timeout: float = 10.0,
) -> Front:
    """The front of formulas that follow a drift, each with its verdict.

    `drift` is what `verify` takes, a file of samples, `Samples`, or a JAX function (log_ratio,
    advantage[, progress]) -> f. With `kind` mirror-map or psi it is a map of log x, or a function
    (log_prob[, progress]) -> g; what brings a kind of its own keeps it. `effort` is how long engines
    look, next to their own number of generations; `density` are run folders, or their density.npz,
    that tell where training asks a drift, or files of log-probabilities. Raises FormulaError or ConfigError.
    """
    from mirrordrift import map_distilling
    from search.distill.distillation import distil
    from search.distill.engines import choose

    if not (isinstance(timeout, (int, float)) and 0 < timeout < math.inf):
        raise ConfigError(f"timeout={timeout!r:.40} must be a positive number of seconds; try 10")
    own = map_distilling.kind_of(drift, kind)
    if own == map_distilling.OBJECTIVE:
        raise ConfigError("this is an objective of two maps; give its psi, or its phi_inverse")
    if own != "drift":
        map_distilling.check_engine(engine, effort)
        of = map_distilling.asked_map(drift, own, points=points, density=density, seed=seed)
        return map_distilling.front_of_map(of, seed=seed, timeout=timeout)
    chosen = choose(engine)
    samples, target = asked(drift, points=points, density=density, seed=seed)
    return distil(
        samples,
        chosen,
        reference=reference_of(target),
        effort=effort,
        seed=seed,
        timeout=timeout,
    )


def asked(
    drift: object,
    *,
    points: int = POINTS,
    density: Sequence[str | PathLike[str]] = (),
    seed: int = 0,
) -> tuple[Samples, Target | None]:
    """(samples, the drift they are of, where it is known): of a drift, or read from a file.

    Raises FormulaError or ConfigError.
    """
    from search.distill.sampling import points as drawn
    from search.distill.sampling import sampled
    from symbolic.distill.samples import Samples

    if isinstance(drift, Samples):
        return drift, None
    if (found := _samples_file(drift)) is not None:
        return found, None
    paths = [Path(path) for path in density]
    at = drawn(points, seed, paths)
    if callable(drift) and not isinstance(drift, Drift):
        return sampled(drift, at), None
    target = resolve_line(drift)
    return sampled(target, at), target


def reference_of(target: Target | None) -> Reference | None:
    """What distances are certified to."""
    if target is None:
        return None
    return target.closed_formula() if isinstance(target, Drift) else target


def hash_of(target: Target | None) -> str | None:
    """The hash of a network, or the text of a formula, as a front's record names what it is of."""
    if target is None:
        return None
    return str(target.closed_formula()) if isinstance(target, Drift) else target.content_hash


def _samples_file(drift: object) -> Samples | None:
    """The samples of a file, if it is one of samples and not of a network."""
    from symbolic.arrays import SUFFIXES, read_arrays
    from symbolic.distill.samples import load_samples

    if not isinstance(drift, (str, PathLike)):
        return None
    text = str(drift).strip()
    if not text.endswith(SUFFIXES):
        return None
    arrays, texts = read_arrays(text)
    return None if "card" in texts or "layer_0" in arrays else load_samples(text)
