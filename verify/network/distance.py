"""Certified numbers about a network: its distance to a formula, where it vanishes, how steep it is.

Branch and bound over boxes. On a box, g = network − formula lies in its natural enclosure and in
the mean-value form g(centre) + Σ ∂g·(x − centre); the slopes are one-sided derivatives, which
bound the increments of a continuous function along each axis.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from symbolic.derivative import derivative
from symbolic.errors import ConfigError
from symbolic.expression import Expression, call, number, postorder, symbol
from symbolic.network import DriftNetwork
from symbolic.operations import ZERO
from verify.network.boxes import Boxes, Floats, enclose_boxes, exactly, through_layer

_CHUNK = 2048
_MAX_BOXES = 200_000
_NEGLIGIBLE = 1e-12
_START = [12, 12, 4]
"""Pieces of the sides r, A and t to start with."""


@dataclass(frozen=True)
class _Enclosed:
    """Values on boxes, and slopes by variable (empty where it may jump)."""

    value: Boxes
    slopes: dict[str, Boxes]


class Difference:
    """network − formula, enclosed on boxes of the variables `names`."""

    def __init__(self, network: DriftNetwork, formula: Expression, names: tuple[str, ...]) -> None:
        self.network = network
        self.names = names
        self.features = network.features
        self.ppo = _ppo_term(network)
        self.formula = formula
        roots = (*self.features, self.ppo, formula)
        jumps = any(node.op == "sign" or node.op.startswith("where") for node in postorder(*roots))
        self.smooth = () if jumps else names
        self.slopes = {
            name: {root: derivative(root, name) for root in roots} for name in self.smooth
        }

    def enclose(self, values: Mapping[str, Boxes]) -> _Enclosed:
        """The difference on boxes; nan where a part may be undefined."""
        out = self.output(values)
        argument = out.value - exactly(self.network.xi) + enclose_boxes(self.ppo, values)
        slopes = {}
        for name, slope in out.slopes.items():
            slope = slope + enclose_boxes(self.slopes[name][self.ppo], values)
            beside = slope.union(0)  # the outer relu lets all of it through, nothing, or part
            kept = slope.choose(argument.low > 0, beside.choose(argument.high > 0, slope * 0))
            slopes[name] = kept - enclose_boxes(self.slopes[name][self.formula], values)
        return _Enclosed(argument.max(0) - enclose_boxes(self.formula, values), slopes)

    def output(self, values: Mapping[str, Boxes]) -> _Enclosed:
        """The output of the network's last layer on boxes."""
        with np.errstate(all="ignore"):
            hidden = self._stacked(self.features, values)
            moves = {
                name: self._stacked([self.slopes[name][f] for f in self.features], values)
                for name in self.smooth
            }
            for layer in self.network.layers[:-1]:
                hidden = through_layer(hidden, layer)
                moves = {name: through_layer(move, layer) for name, move in moves.items()}
                hidden, gain = self._activate(hidden)
                moves = {name: gain * move for name, move in moves.items()}
            last = self.network.layers[-1]
            slopes = {name: _column(through_layer(move, last)) for name, move in moves.items()}
            return _Enclosed(_column(through_layer(hidden, last)), slopes)

    def _stacked(self, roots: Sequence[Expression], values: Mapping[str, Boxes]) -> Boxes:
        """Formulas on boxes as one array `[boxes, formulas]`."""
        columns = [enclose_boxes(root, values) for root in roots]
        shape = values["r"].low.shape
        low = np.stack([np.broadcast_to(column.low, shape) for column in columns], axis=-1)
        high = np.stack([np.broadcast_to(column.high, shape) for column in columns], axis=-1)
        return Boxes(low, high)

    def _activate(self, inputs: Boxes) -> tuple[Boxes, Boxes]:
        """(activations, their derivatives)."""
        if self.network.activation == "tanh":
            squashed = inputs.tanh()
            return squashed, 1 - squashed**2
        gain = Boxes(np.where(inputs.low > 0, 1.0, 0.0), np.where(inputs.high > 0, 1.0, 0.0))
        return inputs.max(0), gain

    def bounds(self, low: Floats, high: Floats) -> tuple[Floats, Floats, Floats]:
        """(upper bounds of |g| on boxes, lower bounds at their centres, how much each side adds).

        `low` and `high` are `[boxes, names]`.
        """
        centre = np.clip(0.5 * low + 0.5 * high, low, high)
        whole = self.enclose(self.boxes(low, high))
        middle = self.enclose(self.boxes(centre, centre)).value
        upper = _size(whole.value)
        spreads = high - low
        if self.smooth:
            mean = middle
            for i, name in enumerate(self.names):
                away = Boxes(low[:, i], high[:, i]) - Boxes(centre[:, i], centre[:, i])
                step = whole.slopes[name] * away
                mean += step
                spreads[:, i] = step.high - step.low
            # Where the natural enclosure is nan the formula may be undefined: no bound then.
            upper = np.where(np.isnan(upper), upper, np.fmin(upper, _size(mean)))
        upper[np.isnan(upper)] = np.inf
        lower = np.maximum(np.maximum(middle.low, -middle.high), 0.0)
        return upper, np.nan_to_num(lower, nan=0.0), np.nan_to_num(spreads, nan=np.inf)

    def boxes(self, low: Floats, high: Floats) -> dict[str, Boxes]:
        """Ends `[boxes, names]` as the values of the variables."""
        return {name: Boxes(low[:, i], high[:, i]) for i, name in enumerate(self.names)}


def sup_distance(
    network: DriftNetwork,
    formula: Expression,
    box: Mapping[str, tuple[float, float]],
    *,
    rel: float = 0.05,
) -> tuple[float, float]:
    """(lower, upper) with lower <= sup |network − formula| <= upper over the box.

    `box` has the ends of `r`, `A` and, where it occurs, `t`. Stops when upper <= (1 + rel)·lower,
    when upper <= 1e-12, or when the budget of boxes is spent; upper is inf where the formula may
    be undefined.
    Raises ConfigError for a box that lacks a variable or leaves the domain.
    """
    names = _checked(network, formula, box)
    difference = Difference(network, formula, names)
    low, high = _grid([box[name] for name in names], _START)
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


def network_notes(network: DriftNetwork, *, deadline: float) -> tuple[str, ...]:
    """What can be said of a proved network besides, as sentences; none after the deadline."""
    notes = []
    if time.monotonic() < deadline and (found := flat_region(network)) is not None:
        radius, steepness = found
        notes.append(f"certified: f = 0 for |r - 1| <= {_digits(radius)} and |A| <= 10")
        notes.append(
            f"certified: near r = 1 and for |A| <= 10 the network's output moves at most "
            f"{_digits(steepness, up=True)} per unit of r"
        )
    with np.errstate(over="ignore"):
        rounding = len(network.layers[-1]) * 2.0**-24 * float(np.abs(network.layers[-1]).sum())
    if network.activation == "tanh" and rounding > network.xi:
        notes.append(
            f"in float32 the last layer's sum may err by {_digits(rounding, up=True)}, more than xi: away "
            "from r = 1 f may be positive where it is 0 in real arithmetic; at r = 1 its inputs are exactly 0"
        )
    return tuple(notes)


def flat_region(network: DriftNetwork, advantage: int = 10) -> tuple[float, float] | None:
    """(ρ, L): f = 0 for |r − 1| <= ρ and |A| <= `advantage`; |∂out/∂r| <= L near r = 1.

    As out = 0 at r = 1, |out| <= L·|r − 1|, so f = 0 as long as that is at most ξ and PPO's term
    is 0. None where features may jump or slopes are unbounded. For a network that is proved.
    """
    names = ("r", "A", "t") if network.uses_progress else ("r", "A")
    plain = Difference(network, ZERO, names)
    if not plain.smooth:
        return None
    best: tuple[float, float] | None = None
    for exponent in (3, 8, 16):
        reach = 2.0**-exponent
        sides = {
            "r": (1 - reach, 1 + reach),
            "A": (-float(advantage), float(advantage)),
            "t": (0.0, 1.0),
        }
        low, high = _grid([sides[name] for name in names], pieces=[2, 32, 4])
        slopes = plain.output(plain.boxes(low, high)).slopes["r"]
        steepness = float(_size(slopes).max())
        if not np.isfinite(steepness):
            continue
        limits = [Fraction(reach)]
        if steepness:
            limits.append(network.xi / Fraction(steepness))
        if network.ppo_epsilon is not None:
            limits.append(network.ppo_epsilon)
        radius = float(np.nextafter(float(min(limits)), -np.inf))
        if best is None or radius > best[0]:
            best = radius, steepness
    return best if best and best[0] > 0 else None


def _ppo_term(network: DriftNetwork) -> Expression:
    if network.ppo_epsilon is None:
        return ZERO
    r, epsilon = symbol("r"), network.ppo_epsilon
    clipped = call("clip", r, number(1 - epsilon), number(1 + epsilon))
    return call("relu", (r - clipped) * symbol("A"))


def _checked(
    network: DriftNetwork, formula: Expression, box: Mapping[str, tuple[float, float]]
) -> tuple[str, ...]:
    needed = {"r", "A"} | formula.symbols | ({"t"} if network.uses_progress else set())
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


def _grid(sides: list[tuple[float, float]], pieces: list[int]) -> tuple[Floats, Floats]:
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


def _column(boxes: Boxes) -> Boxes:
    return Boxes(boxes.low[..., 0], boxes.high[..., 0])


def _size(boxes: Boxes) -> Floats:
    """Upper bounds of |x|."""
    return np.maximum(-boxes.low, boxes.high)


def _digits(value: float, *, up: bool = False) -> str:
    """Three digits, rounded down, or up."""
    from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

    rounded = Context(prec=3, rounding=ROUND_CEILING if up else ROUND_FLOOR).create_decimal(
        Decimal(value)
    )
    return f"{float(rounded):.3g}"
