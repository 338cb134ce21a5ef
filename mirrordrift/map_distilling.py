"""Distillation of mirror maps and of objectives, as the command line and Python ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirrordrift.spec import (
    FRONT_SUFFIX,
    NETWORK_SUFFIXES,
    Parameters,
    file_kind,
    resolve_decidable,
    split_line,
)
from search.distill.maps.sampling import LOWEST
from search.distill.sampling import POINTS
from symbolic.arrays import read_arrays
from symbolic.distill.maps.samples import MapSamples, load_map_samples
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.mirror_network import MirrorNetwork
from symbolic.preference.objective import PreferenceObjective

if TYPE_CHECKING:
    from search.distill.front import Front, Tell
    from search.distill.maps.sampling import MapTarget

OBJECTIVE = "objective"
"""The kind of what holds two maps."""


@dataclass(frozen=True)
class AskedMap:
    """What is distilled: samples, and the map they are of, where it is known."""

    samples: MapSamples
    target: MirrorNetwork | Drift | None
    domains: Mapping[str, Any]
    """On which x formulas are decided, where that is not (0, 1)."""

    @property
    def name(self) -> str | None:
        """The hash of a network, or the text of a formula, as a front's record names what it is of."""
        if isinstance(self.target, MirrorNetwork):
            return self.target.content_hash
        return None if self.target is None else str(self.target.closed_formula())


def kind_of(spec: object, kind: str = "drift") -> str:
    """What a SPEC is: `objective`, or `drift`, `mirror-map` or `psi` as its file or entry says.

    What says nothing is of the `kind` asked for. Raises ConfigError where the two differ.
    """
    own = _own_kind(spec)
    if own is None:
        return kind
    if kind not in ("drift", own):
        raise ConfigError(f"this is {_with_article(own)}, not a {kind}; leave out --kind {kind}")
    return own


def _with_article(kind: str) -> str:
    return f"{'an' if kind == OBJECTIVE else 'a'} {kind}"


def _own_kind(spec: object) -> str | None:
    if isinstance(spec, PreferenceObjective):
        return OBJECTIVE
    if isinstance(spec, (MirrorNetwork, MapSamples, Drift)):
        return spec.kind
    if not isinstance(spec, (str, PathLike)):
        return None
    text = str(spec).strip()
    if text.endswith((FRONT_SUFFIX, *NETWORK_SUFFIXES)):
        return file_kind(text)
    from symbolic.catalogue import entries
    from symbolic.preference.reading import split_objective

    if len(split_objective(text)[0]) > 1:
        raise ConfigError(
            f"{text:.60}: these are formulas already; distil an objective.json that holds networks, or "
            "one formula with --kind mirror-map or psi"
        )
    entry = entries.get(split_line(text)[0])
    return None if entry is None else entry.kind


def check_engine(engine: str, effort: float) -> None:
    """Raise ConfigError for settings that regression on a basis does not have."""
    if engine != "auto" or effort != 1.0:
        raise ConfigError(
            "engines and their effort are for drifts; a mirror map is fitted by a basis, leave them out"
        )


def asked_map(
    spec: object,
    kind: str,
    parameters: Parameters = None,
    *,
    points: int = POINTS,
    density: Sequence[str | PathLike[str]] = (),
    lowest: float = LOWEST,
    seed: int = 0,
) -> AskedMap:
    """A map and its samples: of a network, a formula, a JAX function, or read from a file.

    Raises FormulaError or ConfigError.
    """
    from search.distill.maps.front import BEYOND_ONE
    from search.distill.maps.sampling import map_points, reaches_beyond_one, sampled_map

    if (read := _samples_of(spec)) is not None:
        beyond = BEYOND_ONE if read.log_x.max() >= 0 else {}
        return AskedMap(read, None, beyond)
    target: MapTarget
    if callable(spec) and not isinstance(spec, Drift):
        target = spec
    else:
        target = _resolved(spec, kind, parameters)
    beyond_one = reaches_beyond_one(target)
    at = map_points(
        points,
        seed,
        lowest=lowest,
        densities=[Path(path) for path in density],
        beyond=beyond_one,
    )
    known = target if isinstance(target, (Drift, MirrorNetwork)) else None
    return AskedMap(sampled_map(target, at, kind), known, BEYOND_ONE if beyond_one else {})


def front_of_map(
    asked: AskedMap, *, seed: int = 0, timeout: float = 10.0, tell: Tell | None = None
) -> Front:
    """The front of formulas that follow a map."""
    from search.distill.distillation import silent
    from search.distill.maps.front import distil_map

    return distil_map(
        asked.samples, domains=asked.domains, seed=seed, timeout=timeout, tell=tell or silent
    )


@dataclass(frozen=True)
class DistilledMap:
    """A map with its front, and what was written of it."""

    asked: AskedMap
    front: Front
    record: dict[str, Any]
    written: list[str]


def distil_into(
    folder: Path, asked: AskedMap, *, seed: int, timeout: float = 10.0, tell: Tell | None = None
) -> DistilledMap:
    """Write samples, search, decide, write the front and its pictures.

    Raises ConfigError for a folder that cannot be written.
    """
    from mirrordrift.fronts import files, map_pictures, pictures
    from search.distill.maps.front import ENGINE, asked_at
    from symbolic.distill.engine import installed_version

    files.write_samples(folder, asked.samples)
    front = front_of_map(asked, seed=seed, timeout=timeout, tell=tell)
    engine = {
        "name": ENGINE,
        "version": installed_version("mirrordrift"),
        "why": "regression on increasing functions",
    }
    about = {"target": asked.name, "kind": asked.samples.kind, "seed": seed}
    record = files.record_of(front, asked.samples, asked_at(asked.samples), engine, about)
    written = files.write(folder, front, record)
    drawn = [
        pictures.draw_front(record, folder),
        map_pictures.draw_map(front, asked.samples, folder),
    ]
    return DistilledMap(asked, front, record, [*written, *(path.name for path in drawn)])


def with_knees(
    objective: PreferenceObjective, fronts: Mapping[str, tuple[AskedMap, Front]]
) -> PreferenceObjective:
    """The objective with the knee of each front in its slot, and all else as it was.

    Raises ConfigError for a front without a proved member.
    """
    from search.distill.maps.front import knee_of

    slots = {
        slot: knee_of(front, asked.samples.kind, asked.domains)
        for slot, (asked, front) in fronts.items()
    }
    return replace(objective, **slots)  # type: ignore[arg-type]


def _samples_of(spec: object) -> MapSamples | None:
    """Samples, or those of a file that is one of samples and not of a network."""
    if isinstance(spec, MapSamples):
        return spec
    if not (isinstance(spec, (str, PathLike)) and str(spec).strip().endswith(NETWORK_SUFFIXES)):
        return None
    arrays, texts = read_arrays(str(spec).strip())
    if "card" in texts or "layer_0" in arrays:
        return None
    return load_map_samples(str(spec).strip())


def _resolved(spec: object, kind: str, parameters: Parameters) -> MirrorNetwork | Drift:
    if isinstance(spec, str):
        spec, declarations = split_line(spec)
        parameters = parameters or declarations
    found = resolve_decidable(spec, parameters, kind=kind)
    if isinstance(found, (MirrorNetwork, Drift)) and found.kind == kind:
        return found
    raise ConfigError(f"this is a {found.kind}, not a {kind}; leave out --kind {kind}")
