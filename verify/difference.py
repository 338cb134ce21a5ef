"""The difference of a reference and a formula on boxes: what branch and bound asks for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from symbolic.derivative import derivative
from symbolic.expression import Expression, postorder
from verify.balls.float_boxes import Boxes, Floats, enclose_boxes


@dataclass(frozen=True)
class Enclosed:
    """Values on boxes, and slopes by variable (empty where it may jump)."""

    value: Boxes
    slopes: dict[str, Boxes]


def jumps(*roots: Expression) -> bool:
    """Whether formulas have an operation that may jump."""
    return any(node.op == "sign" or node.op.startswith("where") for node in postorder(*roots))


class Difference(ABC):
    """reference − formula, enclosed on boxes of the variables `names`."""

    def __init__(self, formula: Expression, names: tuple[str, ...], *, smooth: bool) -> None:
        self.formula = formula
        self.names = names
        self.smooth = names if smooth else ()
        """Variables along which nothing jumps."""
        self.formula_slopes = {name: derivative(formula, name) for name in self.smooth}

    @abstractmethod
    def reference(self, values: Mapping[str, Boxes]) -> Enclosed:
        """The reference on boxes; nan where a part may be undefined."""

    def enclose(self, values: Mapping[str, Boxes]) -> Enclosed:
        """The difference on boxes; nan where a part may be undefined."""
        found = self.reference(values)
        slopes = {
            name: slope - enclose_boxes(self.formula_slopes[name], values)
            for name, slope in found.slopes.items()
        }
        return Enclosed(found.value - enclose_boxes(self.formula, values), slopes)

    def bounds(self, low: Floats, high: Floats) -> tuple[Floats, Floats, Floats]:
        """(upper bounds of |g| on boxes, lower bounds at their centres, how much each side adds).

        `low` and `high` are `[boxes, names]`.
        """
        centre = np.clip(0.5 * low + 0.5 * high, low, high)
        whole = self.enclose(self.boxes(low, high))
        middle = _spread(self.enclose(self.boxes(centre, centre)).value, len(low))
        upper = size(_spread(whole.value, len(low)))
        spreads = high - low
        if self.smooth:
            mean = middle
            for i, name in enumerate(self.names):
                away = Boxes(low[:, i], high[:, i]) - Boxes(centre[:, i], centre[:, i])
                step = whole.slopes[name] * away
                mean += step
                spreads[:, i] = step.high - step.low
            # Where the natural enclosure is nan the formula may be undefined: no bound then.
            upper = np.where(np.isnan(upper), upper, np.fmin(upper, size(mean)))
        upper[np.isnan(upper)] = np.inf
        lower = np.maximum(np.maximum(middle.low, -middle.high), 0.0)
        return upper, np.nan_to_num(lower, nan=0.0), np.nan_to_num(spreads, nan=np.inf)

    def boxes(self, low: Floats, high: Floats) -> dict[str, Boxes]:
        """Ends `[boxes, names]` as the values of the variables."""
        return {name: Boxes(low[:, i], high[:, i]) for i, name in enumerate(self.names)}


def _spread(value: Boxes, count: int) -> Boxes:
    """One interval a box, also of what is the same on all."""
    ends = (np.array(np.broadcast_to(end, (count,))) for end in (value.low, value.high))
    return Boxes(*ends)


class FormulaDifference(Difference):
    """Of two formulas."""

    def __init__(self, other: Expression, formula: Expression, names: tuple[str, ...]) -> None:
        super().__init__(formula, names, smooth=not jumps(other, formula))
        self.other = other
        self.other_slopes = {name: derivative(other, name) for name in self.smooth}

    def reference(self, values: Mapping[str, Boxes]) -> Enclosed:
        slopes = {name: enclose_boxes(s, values) for name, s in self.other_slopes.items()}
        return Enclosed(enclose_boxes(self.other, values), slopes)


def size(boxes: Boxes) -> Floats:
    """Upper bounds of |x|."""
    return np.maximum(-boxes.low, boxes.high)
