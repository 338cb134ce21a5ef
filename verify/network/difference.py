"""The difference of a network and a formula on boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from symbolic.derivative import derivative
from symbolic.expression import Expression, call, number, symbol
from symbolic.network import DriftNetwork
from symbolic.operations import ZERO
from verify.balls.float_boxes import Boxes, enclose_boxes, exactly, through_layer
from verify.difference import Difference, Enclosed, jumps


class NetworkDifference(Difference):
    """network − formula."""

    def __init__(self, network: DriftNetwork, formula: Expression, names: tuple[str, ...]) -> None:
        self.network = network
        self.features = network.features
        self.ppo = _ppo_term(network)
        roots = (*self.features, self.ppo)
        super().__init__(formula, names, smooth=not jumps(*roots, formula))
        self.slopes = {
            name: {root: derivative(root, name) for root in roots} for name in self.smooth
        }

    def reference(self, values: Mapping[str, Boxes]) -> Enclosed:
        out = self.output(values)
        argument = out.value - exactly(self.network.xi) + enclose_boxes(self.ppo, values)
        slopes = {}
        for name, slope in out.slopes.items():
            slope = slope + enclose_boxes(self.slopes[name][self.ppo], values)
            beside = slope.union(0)  # the outer relu lets all of it through, nothing, or part
            slopes[name] = slope.choose(
                argument.low > 0, beside.choose(argument.high > 0, slope * 0)
            )
        return Enclosed(argument.max(0), slopes)

    def output(self, values: Mapping[str, Boxes]) -> Enclosed:
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
            return Enclosed(_column(through_layer(hidden, last)), slopes)

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


def _ppo_term(network: DriftNetwork) -> Expression:
    if network.ppo_epsilon is None:
        return ZERO
    r, epsilon = symbol("r"), network.ppo_epsilon
    clipped = call("clip", r, number(1 - epsilon), number(1 + epsilon))
    return call("relu", (r - clipped) * symbol("A"))


def _column(boxes: Boxes) -> Boxes:
    return Boxes(boxes.low[..., 0], boxes.high[..., 0])
