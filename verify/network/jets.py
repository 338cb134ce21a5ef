"""A drift network in balls at r = 1: its value, and its one-sided derivatives in r."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from flint import arb, arb_mat, ctx

from symbolic.derivative import derivative
from symbolic.expression import Expression
from symbolic.network import DriftNetwork
from verify.balls.points import ball, certify


class BallNetwork:
    """Exact weights; results at the precision of flint's context."""

    def __init__(self, network: DriftNetwork) -> None:
        self.network = network
        self.layers = [
            arb_mat([[arb(float(w)) for w in row] for row in layer]) for layer in network.layers
        ]
        self.slopes = {
            side: [derivative(f, "r", side) for f in network.features] for side in (1, -1)
        }

    def value(self, point: dict[str, Fraction]) -> arb | None:
        """f(1, point), None if balls do not tell."""
        inputs = self._at_one(self.network.features, point)
        found = self._argument(point, inputs, [arb(0)] * len(inputs), 1) if inputs else None
        return None if found is None else found[0].max(arb(0))

    def slope(self, point: dict[str, Fraction], side: int) -> arb | None:
        """∂f/∂r at r = 1 from one side, None if balls do not tell."""
        inputs = self._at_one(self.network.features, point)
        slopes = self._at_one(self.slopes[side], point)
        if not inputs or not slopes:
            return None
        found = self._argument(point, inputs, [side * slope for slope in slopes], side)
        if found is None:
            return None
        moved = _relu(*found)
        return None if moved is None else side * moved[1]

    def _at_one(self, trees: Iterable[Expression], point: dict[str, Fraction]) -> list[arb] | None:
        at = {"r": Fraction(1), **point}
        values = [certify(tree, at, precision=ctx.prec).value for tree in trees]
        return None if None in values else [arb(value) for value in values]

    def _argument(
        self, point: dict[str, Fraction], inputs: list[arb], moves: list[arb], side: int
    ) -> tuple[arb, arb] | None:
        """The argument of the outer relu at r = 1 and how it moves as r leaves 1 to that side."""
        hidden, moving = arb_mat([inputs]), arb_mat([moves])
        for layer in self.layers[:-1]:
            hidden, moving = hidden * layer, moving * layer
            pairs = [self._activated(hidden[0, j], moving[0, j]) for j in range(hidden.ncols())]
            known = [pair for pair in pairs if pair is not None]
            if len(known) < len(pairs):
                return None
            hidden, moving = arb_mat([[p[0] for p in known]]), arb_mat([[p[1] for p in known]])
        value = (hidden * self.layers[-1])[0, 0] - ball(self.network.xi)
        move = (moving * self.layers[-1])[0, 0]
        epsilon = self.network.ppo_epsilon
        if epsilon is None or epsilon > 0:
            return value, move  # PPO's term is 0 on a neighbourhood of r = 1
        clipped = _relu(ball(-epsilon * point["A"]), ball(side * point["A"]))
        return None if clipped is None else (value + clipped[0], move + clipped[1])

    def _activated(self, value: arb, move: arb) -> tuple[arb, arb] | None:
        if self.network.activation == "relu":
            return _relu(value, move)
        squashed = value.tanh()
        return squashed, (1 - squashed**2) * move


def _relu(value: arb, move: arb) -> tuple[arb, arb] | None:
    if value > 0:
        return value, move
    if value < 0:
        return arb(0), arb(0)
    return (arb(0), move.max(arb(0))) if value.is_zero() else None
