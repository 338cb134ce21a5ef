"""Exact points that floats cannot hold, and those between a formula's own numbers."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from symbolic.domains import Interval
from symbolic.expression import Expression, Number, postorder
from verify.falsify.sampling import Space

_POWERS = (20, 60, 330, 1000, 3000)
_MAX_LITERALS = 12


def beyond_floats(space: Space, root: Expression) -> Iterator[dict[str, Fraction]]:
    """Points that floats cannot hold: r far beyond 1e±300 or within 1e-300 of 1, and the like."""
    numbers = dict.fromkeys(node.value for node in postorder(root) if isinstance(node, Number))
    literals = list(numbers)[:_MAX_LITERALS]
    ordered = sorted({Fraction(0), *(-c for c in literals), *literals})
    between = [(a + b) / 2 for a, b in pairwise(ordered)]
    ordinary = {name: _ordinary(interval) for name, interval in space.domains}
    for name, _ in space.domains:
        for value in (*ordered, *between):
            for other in (value, value + 1) if name == space.pivot else (value,):
                for variant in _variants(ordinary, name, space):
                    yield variant | {name: other}
    ten = Fraction(10)
    for k in _POWERS:
        for name, interval in space.domains:
            for value in _extremes(interval, ten**k, name == space.pivot):
                for variant in _variants(ordinary, name, space):
                    yield variant | {name: value}
        if space.coupled:
            for d in (ten**-k, -(ten**-k)):
                for advantage in (ten**k, -(ten**k), ten ** (k // 2), -(ten ** (k // 2))):
                    yield ordinary | {space.pivot: 1 + d, "A": advantage}


def _variants(
    ordinary: dict[str, Fraction], name: str, space: Space
) -> Iterator[dict[str, Fraction]]:
    """The other coordinates at ordinary values: both signs of A, both sides of r = 1."""
    yield dict(ordinary)
    if name != "A" and "A" in ordinary:
        yield ordinary | {"A": -ordinary["A"]}
    if name != space.pivot and space.pivot in ordinary:
        yield ordinary | {space.pivot: Fraction(1, 2)}


def _ordinary(interval: Interval) -> Fraction:
    for value in map(Fraction, ("2", "1", "1/2", "-1")):
        if value in interval:
            return value
    ends = [end for end in (interval.lower, interval.upper) if end is not None]
    if len(ends) == 2:
        return (ends[0] + ends[1]) / 2
    return ends[0] + 1 if interval.lower is not None else ends[0] - 1


def _extremes(interval: Interval, size: Fraction, pivot: bool) -> list[Fraction]:
    lower, upper = interval.lower, interval.upper
    width = Fraction(1) if lower is None or upper is None else upper - lower
    found = [size] if upper is None else [upper, upper - width / size]
    found += [-size] if lower is None else [lower, lower + width / size]
    if lower is None and upper is None:
        found += [1 / size, -1 / size]
    if pivot:
        found += [1 + 1 / size, 1 - 1 / size]
    return [value for value in found if value in interval]
