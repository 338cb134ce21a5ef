"""Certified distances: how far a formula is from a network, or from another formula, at most.

Branch and bound over boxes. On a box, g = reference − formula lies in its natural enclosure and in
the mean-value form g(centre) + Σ ∂g·(x − centre); the slopes are one-sided derivatives, which
bound the increments of a continuous function along each axis. What goes by the sign of A is
bounded on either side of 0 by the branch that holds there, so that nothing jumps within a box.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from symbolic.errors import ConfigError
from symbolic.expression import Expression, Symbol, call, fold
from symbolic.network import DriftNetwork
from symbolic.operations import ZERO
from verify.balls.float_boxes import Floats
from verify.difference import Difference, FormulaDifference

Reference = DriftNetwork | Expression
Box = Mapping[str, tuple[float, float]]

_CHUNK = 2048
_MAX_BOXES = 200_000
_NEGLIGIBLE = 1e-12
_START = [12, 12, 4]
"""Pieces of the sides r, A and t to start with."""


def sup_distance(
    reference: Reference, formula: Expression, box: Box, *, rel: float = 0.05
) -> tuple[float, float]:
    """(lower, upper) with lower <= sup |reference − formula| <= upper over the box.

    `box` has the ends of `r`, `A` and, where it occurs, `t`. Stops when upper <= (1 + rel)·lower,
    when upper <= 1e-12, or when the budget of boxes is spent; upper is inf where the formula may
    be undefined.
    Raises ConfigError for a box that lacks a variable or leaves the domain.
    """
    names = _checked(reference, formula, box)
    found = []
    for side, above in _sides(box["A"], reference, formula):
        difference = _difference(reference, formula, names, above)
        found.append(_bounded(difference, [{**box, "A": side}[name] for name in names], rel))
    lowers, uppers = zip(*found)
    return max(lowers), max(uppers)


def _sides(
    advantage: tuple[float, float], reference: Reference, formula: Expression
) -> list[tuple[tuple[float, float], bool | None]]:
    """The parts of the side A, each with whether it is above 0; None where nothing goes by that."""
    low, high = advantage
    if not _by_sign(reference, formula) or low == high:
        return [(advantage, None)]
    below = [((low, min(high, 0.0)), False)] if low < 0 else []
    above = [((max(low, 0.0), high), True)] if high > 0 else []
    # What holds at A = 0 alone is on neither side.
    at_zero = [((0.0, 0.0), None)] if low <= 0 <= high else []
    return [*below, *at_zero, *above]


def _bounded(
    difference: Difference, sides: list[tuple[float, float]], rel: float
) -> tuple[float, float]:
    """Branch and bound over one box."""
    low, high = grid(sides, _START)
    best, settled, spent = 0.0, 0.0, 0
    while len(low):
        spent += len(low)
        parts = [
            difference.bounds(low[i : i + _CHUNK], high[i : i + _CHUNK])
            for i in range(0, len(low), _CHUNK)
        ]
        upper, lower, spreads = (np.concatenate(part) for part in zip(*parts, strict=True))
        best = max(best, float(lower.max()))
        narrow = np.all(np.nextafter(low, high) >= high, axis=1)
        open_ = (upper > max(best * (1 + rel), _NEGLIGIBLE)) & ~narrow
        settled = max(settled, float(upper[~open_].max(initial=0.0)))
        if spent + 2 * int(open_.sum()) > _MAX_BOXES:
            settled = max(settled, float(upper[open_].max(initial=0.0)))
            break
        low, high = _split(low[open_], high[open_], spreads[open_])
    return best, max(best, settled)


def _by_sign(reference: Reference, formula: Expression) -> bool:
    """Whether one of both goes by the sign of A."""
    roots = [root for root in (reference, formula) if isinstance(root, Expression)]
    return any(on_side(root, above=True) is not root for root in roots)


def on_side(formula: Expression, *, above: bool) -> Expression:
    """The formula where A ≥ 0 (or A ≤ 0), each comparison of A with 0 settled.

    At A = 0 itself it is the limit from that side.
    """

    def visit(node: Expression, args: tuple[Expression, ...]) -> Expression:
        if node.op.startswith("where") and _is_advantage(args[0]) and args[1] is ZERO:
            return args[2] if (node.op[5] == ">") == above else args[3]
        return call(node.op, *args) if args else node

    return fold(formula, visit)


def _is_advantage(node: Expression) -> bool:
    return isinstance(node, Symbol) and node.name == "A"


def _difference(
    reference: Reference, formula: Expression, names: tuple[str, ...], above: bool | None
) -> Difference:
    from verify.network.difference import NetworkDifference

    settled = formula if above is None else on_side(formula, above=above)
    if isinstance(reference, DriftNetwork):
        return NetworkDifference(reference, settled, names)
    other = reference if above is None else on_side(reference, above=above)
    return FormulaDifference(other, settled, names)


def _checked(reference: Reference, formula: Expression, box: Box) -> tuple[str, ...]:
    if isinstance(reference, DriftNetwork):
        own = {"t"} if reference.uses_progress else set()
    else:
        own = set(reference.symbols)
    needed = {"r", "A"} | formula.symbols | own
    names = tuple(name for name in ("r", "A", "t") if name in needed)
    if set(names) != needed:
        raise ConfigError(f"formula: '{min(needed - set(names))}' has no value; bind it first")
    for name in names:
        if name not in box:
            raise ConfigError(f"box: '{name}' is missing; give its two ends")
        low, high = box[name]
        if not (np.isfinite(low) and np.isfinite(high) and low <= high) or (
            name == "r" and low <= 0
        ):
            raise ConfigError(
                f"box: {name} from {low} to {high} is no bounded interval of its domain"
            )
    return names


def grid(sides: list[tuple[float, float]], pieces: list[int]) -> tuple[Floats, Floats]:
    """Boxes that cover the product of the sides, as `[boxes, sides]` ends."""
    edges = [np.unique(np.linspace(*side, count + 1)) for side, count in zip(sides, pieces)]
    starts = [edge[:-1] if len(edge) > 1 else edge for edge in edges]
    stops = [edge[1:] if len(edge) > 1 else edge for edge in edges]
    low, high = (
        np.stack([axis.ravel() for axis in np.meshgrid(*part)], axis=1) for part in (starts, stops)
    )
    return low, high


def _split(low: Floats, high: Floats, spreads: Floats) -> tuple[Floats, Floats]:
    """Both halves of every box, cut across the side that adds most."""
    width = np.where(np.isfinite(spreads), spreads, high - low)
    width = np.where(np.nextafter(low, high) >= high, -1.0, width)
    rows, side = np.arange(len(low)), np.argmax(width, axis=1)
    cut = 0.5 * low[rows, side] + 0.5 * high[rows, side]
    left, right = high.copy(), low.copy()
    left[rows, side] = right[rows, side] = cut
    return np.concatenate([low, right]), np.concatenate([left, high])
