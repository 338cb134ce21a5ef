"""Where a formula's parts change sign: kinks, switches, roots of factors and of denominators.

Violations too narrow to be sampled lie beside such places. Straight lines through simple
points are swept one coordinate at a time; sign changes are bisected down to neighbouring
floats.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from symbolic.domains import Interval
from symbolic.expression import Expression, call, postorder
from verify.falsify.program import Program
from verify.falsify.sampling import Cloud, Floats, Space, as_float, grid

_MAX_EDGES = 24
_LINES = 10
_BISECTIONS = 64
_MAX_BRACKETS = 320
_LADDER = np.array([0.0, *(s * 10.0**-k for k in range(1, 16) for s in (1.0, -1.0))])


def edges(root: Expression) -> list[Expression]:
    """Sums and differences inside a formula, and the differences that its switches compare."""
    found: dict[Expression, None] = {}
    for node in postorder(root):
        if node.op in ("add", "sub") and node is not root:
            found[node] = None
        elif node.op in ("max", "min", "clip") or node.op.startswith("where"):
            compared = node.args[:2] if node.op.startswith("where") else node.args
            for other in compared[1:]:
                found[call("sub", compared[0], other)] = None
    return [edge for edge in found if edge.symbols][:_MAX_EDGES]


def edge_clouds(
    root: Expression, space: Space, share: float = 1.0
) -> Iterator[tuple[Cloud, Cloud]]:
    """(roots of the parts, points beside them) for each coordinate, near r = 1 and far from it.

    `share` of the usual work is done.
    """
    parts = edges(root)
    if not parts or not space.domains:
        return
    program = Program(parts, space.pivot)
    starts = grid(space)
    starts = starts.take(np.arange(min(max(2, int(share * _LINES)), len(starts))))
    brackets = max(len(parts), int(share * _MAX_BRACKETS))
    for near in (True, False):
        found = [
            _brackets(program, _sweep(starts, space, name, interval, near), name, brackets)
            for name, interval in space.domains
        ]
        for name, (cloud, low, high, part) in zip(dict(space.domains), found):
            if len(low):
                yield _refined(program, space, name, cloud, low, high, part)


def _sweep(starts: Cloud, space: Space, name: str, interval: Interval, near: bool) -> Cloud:
    """Each start repeated along a sorted line of the coordinate `name` [starts × line]."""
    line = _line(interval, name == space.pivot, near)
    arrays = {n: np.repeat(a, len(line)) for n, a in starts.arrays.items()}
    arrays[name] = np.tile(line, len(starts))
    if not near and name != space.pivot and space.pivot in arrays:
        # Far starts at everyday ratios say nothing new: spread them out.
        index = np.repeat(np.arange(len(starts)), len(line))
        arrays[space.pivot] = 10.0 ** np.where(index % 2 == 0, -index - 1.0, index + 1.0)
    return Cloud(near, arrays, space.pivot)


def _line(interval: Interval, pivot: bool, near: bool) -> Floats:
    ladder = 10.0 ** np.linspace(-14, 14, 85)
    if pivot and near:
        tiny = 10.0 ** np.linspace(-14, -1.2, 40)
        return np.concatenate([-1 + tiny[tiny < 0.05], np.linspace(-0.94, -0.07, 36), -tiny[::-1], [0.0],
                               tiny, np.linspace(0.07, 6, 90)])  # fmt: skip
    if pivot:
        return 10.0 ** np.concatenate([np.linspace(-300, -15, 30), np.linspace(-14, 14, 85),
                                       np.linspace(15, 300, 30)])  # fmt: skip
    if interval.lower is not None and interval.upper is not None:
        low, high = as_float(interval.lower), as_float(interval.upper)
        tiny = 10.0 ** np.linspace(-12, -1.5, 20)
        inner = np.concatenate([tiny, np.linspace(0.04, 0.96, 60), 1 - tiny[::-1]])
        return low + (high - low) * inner
    if interval.lower is not None:
        return as_float(interval.lower) + ladder
    if interval.upper is not None:
        return as_float(interval.upper) - ladder[::-1]
    return np.concatenate([-ladder[::-1], [0.0], ladder])


def _brackets(
    program: Program, cloud: Cloud, name: str, most: int
) -> tuple[Cloud, Floats, Floats, Any]:
    """Neighbours on a line between which a part changes sign: rows, both ends, the part."""
    values = program.values(cloud.arrays, cloud.near)
    line = cloud.arrays[name]
    rows, part = [], []
    share = most // len(values)
    for k, value in enumerate(values):
        sign = np.broadcast_to(value.v >= 0, line.shape)
        change = np.flatnonzero((sign[:-1] != sign[1:]) & (line[:-1] < line[1:]))
        if len(change) > share:
            change = change[np.linspace(0, len(change) - 1, share).astype(int)]
        rows.append(change)
        part.append(np.full(len(change), k))
    row = np.concatenate(rows)
    return cloud.take(row), line[row], line[row + 1], np.concatenate(part)


def _refined(
    program: Program, space: Space, name: str, cloud: Cloud, low: Floats, high: Floats, part: Any
) -> tuple[Cloud, Cloud]:
    arrays = dict(cloud.arrays)
    index = np.arange(len(low))

    def signs(at: Floats) -> Any:
        arrays[name] = at
        values = program.values(arrays, cloud.near)
        table = np.stack([np.broadcast_to(value.v, at.shape) for value in values])
        return table[part, index] >= 0

    left = signs(low)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        same = signs(middle) == left
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    roots = Cloud(cloud.near, arrays | {name: high}, space.pivot).inside(space)
    repeated = {n: np.repeat(a, len(_LADDER)) for n, a in arrays.items()}
    steps = np.tile(_LADDER, len(low))
    base = np.repeat(high, len(_LADDER))
    repeated[name] = base + steps * np.where(base == 0, 1.0, np.abs(base))
    return roots, Cloud(cloud.near, repeated, space.pivot).inside(space)
