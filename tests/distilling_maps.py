"""What the tests of distilled mirror maps share: networks whose closed form is known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from search.distill.front import Front
from search.distill.maps.front import distil_map
from search.distill.maps.sampling import MapTarget, map_points, sampled_map
from search.mirror.shape import MirrorShape
from symbolic.mirror_network import UNITS, MirrorNetwork

_NAMES = [unit.name for unit in UNITS]


def network(
    kind: str,
    units: Mapping[str, tuple[float, ...]] | None = None,
    *,
    skip: float = 0.0,
    temporal: bool = False,
) -> MirrorNetwork:
    """One unit of each group; `units` gives (k, w) or (k, w, w′) of those with weight."""
    first, last = np.zeros((2, len(UNITS))), np.zeros((len(UNITS), 1))
    first[0] = 1.0
    for name, (weight, *factor) in (units or {}).items():
        at = _NAMES.index(name)
        last[at] = weight
        first[: len(factor), at] = factor
    layers = (first if temporal else first[:1], last)
    return MirrorNetwork(kind=kind, layers=layers, skip=skip)


def random_networks(seed: int, *, temporal: bool = False) -> tuple[MirrorNetwork, MirrorNetwork]:
    """ψ and φ⁻¹ such as a search finds, with two units of each group."""
    shape = MirrorShape(hidden=2 * len(UNITS), temporal=temporal)
    draw = np.random.default_rng(seed)
    return shape.networks(shape.initial(seed) + 0.3 * draw.normal(size=shape.size))


def front_of(target: MapTarget, kind: str, **more: object) -> Front:
    """The front of a map at 200 points on (0, 1)."""
    return distil_map(sampled_map(target, map_points(200, 0), kind), **more)  # type: ignore[arg-type]
