"""Points where a formula is tried: clouds of float64 points that stand for exact rationals.

Ratios, advantages and parameters are spread at double-exponential scales, near r = 1 and near
the ends of their domains, with (r − 1)A and A log r spread likewise. Everything is drawn from
seeded uniform numbers and cut to short mantissas, so that a cloud is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbolic.domains import Interval

Floats = NDArray[np.float64]

_MANTISSA = 12
_SIMPLE = (0, 1, -1, 2, -2, 0.5, -0.5, 4, -4, 0.25, -0.25, 16, -16, 0.125, 64, -64)
_SIMPLE_NEAR = (1, -0.5, 0, 2, -0.75, 0.5, -0.25, 3, 0.25, -0.875, 7, 0.125, -0.125, -0.9375, 15)
_MAX_GRID = 320


@dataclass(frozen=True)
class Space:
    """The free symbols of a formula with their domains; `pivot` is given relative to 1 nearby."""

    domains: tuple[tuple[str, Interval], ...]
    pivot: str = "r"

    def __contains__(self, point: Mapping[str, Fraction]) -> bool:
        return all(point[name] in interval for name, interval in self.domains)

    @property
    def coupled(self) -> bool:
        """Whether products of the pivot and the advantage matter."""
        names = dict(self.domains)
        return self.pivot in names and "A" in names


@dataclass(frozen=True)
class Cloud:
    """Points as one array [points] a symbol; where `near`, the pivot's holds its distance to 1."""

    near: bool
    arrays: dict[str, Floats]
    pivot: str = "r"

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values()), ()))

    def point(self, index: int) -> dict[str, Fraction]:
        """The exact point that row `index` stands for."""
        exact = {name: Fraction(float(array[index])) for name, array in self.arrays.items()}
        if self.near and self.pivot in exact:
            exact[self.pivot] += 1
        return exact

    def take(self, indices: Any) -> Cloud:
        """The rows that an index array or mask selects."""
        return Cloud(self.near, {n: a[indices] for n, a in self.arrays.items()}, self.pivot)

    def joined(self, *others: Cloud) -> Cloud:
        """Rows of clouds of the same kind, one after the other."""
        arrays = {
            name: np.concatenate([array, *(other.arrays[name] for other in others)])
            for name, array in self.arrays.items()
        }
        return Cloud(self.near, arrays, self.pivot)

    def inside(self, space: Space) -> Cloud:
        """The rows that lie in the domains."""
        keep = np.ones(len(self), dtype=bool)
        for name, interval in space.domains:
            array = self.arrays[name]
            shift = 1 if self.near and name == self.pivot else 0
            lower, upper = interval.lower, interval.upper
            keep &= np.isfinite(array)
            if lower is not None:
                end = as_float(lower - shift)
                keep &= array > end if interval.lower_open else array >= end
            if upper is not None:
                end = as_float(upper - shift)
                keep &= array < end if interval.upper_open else array <= end
        return self if keep.all() else self.take(keep)

    @property
    def extremeness(self) -> Floats:
        """How far from everyday numbers each row is [points].

        The sum of |log10| of the coordinates, and 1 for each that is no multiple of 1/64.
        """
        total = np.zeros(len(self))
        with np.errstate(all="ignore"):
            for name, array in self.arrays.items():
                size = np.abs(np.log10(np.abs(array)))
                if self.near and name == self.pivot:
                    size = np.maximum(size, np.abs(np.log10(1 + array)))
                total += np.where(array == 0, 0.5, size) + (np.rint(64 * array) != 64 * array)
        return total


def as_float(value: Fraction) -> float:
    """The nearest float, or an infinity."""
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def short(values: Any, bits: int = _MANTISSA) -> Floats:
    """Values cut to `bits` bits of mantissa: short fractions that do not depend on the machine."""
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.rint(np.ldexp(mantissa, bits)), exponent - bits)


@lru_cache(maxsize=32)
def grid(space: Space) -> Cloud:
    """Simple points, the simplest first (as a near cloud)."""
    columns = [_simple_values(name, interval, space.pivot) for name, interval in space.domains]
    ranked = sorted(product(*(range(len(c)) for c in columns)), key=lambda at: (sum(at), at))
    rows = ranked[:_MAX_GRID]
    arrays = {
        name: np.array([column[row[k]] for row in rows], dtype=np.float64)
        for k, ((name, _), column) in enumerate(zip(space.domains, columns))
    }
    return Cloud(True, arrays, space.pivot).inside(space)


def _simple_values(name: str, interval: Interval, pivot: str) -> list[float]:
    if name == pivot:
        return [v for v in _SIMPLE_NEAR if Fraction(v) + 1 in interval][:15]
    found = [float(v) for v in _SIMPLE if Fraction(v) in interval]
    if interval.lower is not None and interval.upper is not None:
        low, width = interval.lower, interval.upper - interval.lower
        found += [as_float(low + width * part) for part in map(Fraction, ("1/2", "1/4", "3/4"))]
    ends = [end for end in (interval.lower, interval.upper) if end is not None]
    found += [as_float(end) for end in ends if end in interval]
    found += [as_float(end + shift) for end in ends for shift in (1, -1) if end + shift in interval]
    return list(dict.fromkeys(found))[:12]


@lru_cache(maxsize=64)
def scatter(space: Space, near: bool, count: int, wide: bool) -> Cloud:
    """`count` points at all scales; `wide` reaches out to 1e±300 and 1e-60 from r = 1."""
    rng = np.random.default_rng([20220116, near, count, wide])
    arrays: dict[str, Floats] = {}
    for name, interval in space.domains:
        if name == space.pivot:
            arrays[name] = _ratios(rng, near, count, wide)
        else:
            arrays[name] = spread(rng, interval, count, wide)
    if space.coupled:
        arrays["A"] = _coupled(rng, arrays[space.pivot], arrays["A"], near, wide)
    return Cloud(near, {n: short(a) for n, a in arrays.items()}, space.pivot).inside(space)


def _ratios(rng: np.random.Generator, near: bool, count: int, wide: bool) -> Floats:
    u, sign = rng.random(count), np.where(rng.random(count) < 0.5, -1.0, 1.0)
    group = rng.random(count)
    if near:
        tiny = 10.0 ** (-u * (60 if wide else 14))
        moderate = np.where(sign > 0, 3.0, 0.99) * u
        return sign * np.where(group < 0.45, moderate, np.where(tiny < 0.99, tiny, 0.5))
    reach = np.where(group < 0.4, 3.0, np.where(group < 0.75, 40.0, 690.0))
    return np.exp(sign * reach * u)


def spread(rng: np.random.Generator, interval: Interval, count: int, wide: bool) -> Floats:
    """`count` numbers over an interval, dense in logarithm at its ends."""
    u, group = rng.random(count), rng.random(count)
    far = 200.0 if wide else 12.0
    scale = np.where(group < 0.55, 2.0, np.where(group < 0.85, 6.0, far))
    size = 10.0 ** (scale * (2 * u - 1))
    small = 10.0 ** (-u * np.where(group < 0.7, 3.0, 16.0))
    if interval.lower is not None and interval.upper is not None:
        low, high = as_float(interval.lower), as_float(interval.upper)
        near_low, near_high = low + (high - low) * small, high - (high - low) * small
        mixed = np.where(group < 0.4, low + (high - low) * u, near_low)
        mixed = np.where(rng.random(count) < 0.35, near_high, mixed)
        return _with_ends(rng, interval, mixed)
    if interval.lower is not None:
        return _with_ends(rng, interval, as_float(interval.lower) + size)
    if interval.upper is not None:
        return _with_ends(rng, interval, as_float(interval.upper) - size)
    signed = size * np.where(rng.random(count) < 0.5, -1.0, 1.0)
    return np.where(rng.random(count) < 0.02, 0.0, signed)


def _with_ends(rng: np.random.Generator, interval: Interval, values: Floats) -> Floats:
    pick = rng.random(len(values))
    if interval.lower is not None and not interval.lower_open:
        values = np.where(pick < 0.05, as_float(interval.lower), values)
    if interval.upper is not None and not interval.upper_open:
        values = np.where(pick > 0.95, as_float(interval.upper), values)
    return values


def _coupled(
    rng: np.random.Generator, ratios: Floats, advantages: Floats, near: bool, wide: bool
) -> Floats:
    """Some advantages chosen so that (r − 1)A or A log r is of moderate size."""
    count = len(ratios)
    group, sign = rng.random(count), np.where(rng.random(count) < 0.5, -1.0, 1.0)
    target = sign * 10.0 ** ((2 * rng.random(count) - 1) * (8 if wide else 2))
    with np.errstate(all="ignore"):
        linear = target / (ratios if near else ratios - 1)
        logarithmic = target / (np.log1p(ratios) if near else np.log(ratios))
        mixed = np.where(group < 0.2, linear, np.where(group < 0.35, logarithmic, advantages))
    return np.where(np.isfinite(mixed), mixed, advantages)


@lru_cache(maxsize=64)
def around(space: Space, constants: tuple[float, ...], count: int) -> tuple[Cloud, Cloud]:
    """Near and far points at the formula's own numbers: r, A, (r − 1)A or A log r close to them."""
    rng = np.random.default_rng([20220117, count])
    names = [name for name, _ in space.domains]
    signed = np.array([s * c for c in constants for s in (1.0, -1.0)])
    clouds = []
    for near in (True, False):
        base = {name: _everyday(rng, interval, count) for name, interval in space.domains}
        if space.pivot in base:
            base[space.pivot] = _ratios(rng, near, count, False)
        with np.errstate(all="ignore"):
            for name in names:
                value = signed[rng.integers(0, len(signed), count)] * _beside(rng, count)
                if name == space.pivot:
                    # r = c, r = 1/c and r = 1 + c
                    value = np.where(rng.random(count) < 0.25, 1 / value, value)
                    shift = (rng.random(count) < 0.5).astype(np.float64)
                    value = value - shift if near else value + shift
                base[name] = np.where(rng.random(count) < 0.45, value, base[name])
            if space.coupled:
                d = base[space.pivot] if near else base[space.pivot] - 1
                log = np.log1p(base[space.pivot]) if near else np.log(base[space.pivot])
                value = signed[rng.integers(0, len(signed), count)] * _beside(rng, count)
                use = rng.random(count)
                base["A"] = np.where(use < 0.15, value / d, base["A"])
                base["A"] = np.where(use > 0.85, value / log, base["A"])
        clouds.append(Cloud(near, base, space.pivot).inside(space))
    return clouds[0], clouds[1]


def _beside(rng: np.random.Generator, count: int) -> Floats:
    """Factors 1 ± 10**-k, and 1."""
    size = np.power(10.0, -rng.integers(1, 14, count))
    return np.asarray(1.0 + size * rng.integers(-1, 2, count), dtype=np.float64)


def _everyday(rng: np.random.Generator, interval: Interval, count: int) -> Floats:
    return short(spread(rng, interval, count, False), 4)


def mutated(cloud: Cloud, space: Space, seed: Sequence[int]) -> Cloud:
    """A child of every row; rows are sorted so that neighbours are of like merit.

    Half of them move some coordinates by steps of all sizes from 1 to 1e-12, half by the
    difference of two neighbouring rows (differential evolution), whose size adapts.
    """
    rng = np.random.default_rng([20220118, *seed])
    count = len(cloud)
    step = 10.0 ** (0.3 - 12.0 * rng.random(count) ** 1.5)
    differential = rng.random(count) < 0.5
    rows = np.arange(count)
    first, second = ((rows + rng.integers(1, 12, count)) % count for _ in range(2))
    factor = 0.3 + 0.7 * rng.random(count)
    arrays = {}
    with np.errstate(all="ignore"):
        for name, interval in space.domains:
            array = cloud.arrays[name]
            kick = step * (2 * rng.random(count) - 1)
            moved = _moved(rng, array, kick, name == space.pivot and not cloud.near)
            if interval.lower is not None and name != space.pivot:
                low = as_float(interval.lower)
                moved = np.where(rng.random(count) < 0.5, low + (array - low) * np.exp(kick), moved)
            if interval.upper is not None and name != space.pivot:
                high = as_float(interval.upper)
                moved = np.where(
                    rng.random(count) < 0.3, high - (high - array) * np.exp(kick), moved
                )
            moved = np.where(rng.random(count) < 0.6, moved, array)
            stride = factor * (array[first] - array[second])
            arrays[name] = np.where(differential, array + stride, moved)
        if space.coupled:
            arrays["A"] = _compensated(rng, cloud, arrays, space.pivot)
    return Cloud(cloud.near, arrays, space.pivot).inside(space)


def _moved(rng: np.random.Generator, array: Floats, kick: Floats, logarithmic: bool) -> Floats:
    scaled = array * np.exp(kick)
    other = array ** (1 + kick) if logarithmic else array + kick
    moved = np.where(rng.random(len(array)) < 0.7, scaled, other)
    flipped = (rng.random(len(array)) < 0.03) & (not logarithmic)
    return np.asarray(np.where(flipped, -moved, moved), dtype=np.float64)


def _compensated(
    rng: np.random.Generator, cloud: Cloud, arrays: dict[str, Floats], pivot: str
) -> Floats:
    """Sometimes the advantage makes up for the ratio's move, so that (r − 1)A stays."""
    before, after = cloud.arrays[pivot], arrays[pivot]
    shift = 0.0 if cloud.near else 1.0
    kept = arrays["A"] * (before - shift) / (after - shift)
    use = (rng.random(len(kept)) < 0.25) & np.isfinite(kept)
    return np.where(use, kept, arrays["A"])
