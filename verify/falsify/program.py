"""Formulas compiled for repeated evaluation over many points, with running errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from flint import fmpq

from symbolic.expression import Expression, Number, Symbol, integer_exponent, postorder
from verify.falsify.running_error import (
    RULES,
    UNIT,
    Approximation,
    choose,
    integer_power,
    literal,
)


class Program:
    """Formulas compiled together: shared parts are computed once.

    `values(points, near)` follows `roots`. `near` says that the array of the variable `pivot`
    holds its distance to 1.
    """

    def __init__(self, roots: Sequence[Expression], pivot: str = "r") -> None:
        self.pivot = pivot
        places: dict[int, int] = {}
        self.steps: list[tuple[Callable[..., Approximation] | None, Any, tuple[int, ...]]] = []
        for node in postorder(*roots):
            self.steps.append(_step(node, tuple(places[id(arg)] for arg in node.args)))
            places[id(node)] = len(self.steps) - 1
        self.roots = [places[id(root)] for root in roots]
        self.spent = _last_uses([places for _, _, places in self.steps], self.roots)

    def values(self, points: Mapping[str, Any], near: bool) -> list[Approximation]:
        """One approximation for each root; `points` has an array [points] for each symbol."""
        made: list[Any] = []
        with np.errstate(all="ignore"):
            for (rule, constant, places), spent in zip(self.steps, self.spent):
                if rule is not None:
                    made.append(rule(constant, *[made[place] for place in places]))
                elif isinstance(constant, Approximation):
                    made.append(constant)
                elif near and constant == self.pivot:
                    d = points[constant]
                    r = 1.0 + d
                    made.append(Approximation(r, 0.5 * UNIT * np.abs(r), fmpq(1), d, 0.0))
                else:
                    made.append(Approximation(points[constant], 0.0))
                for place in spent:
                    made[place] = None  # large formulas would hold gigabytes
        return [made[root] for root in self.roots]


def _step(node: Expression, places: tuple[int, ...]) -> tuple[Any, Any, tuple[int, ...]]:
    """(rule, its constant, places of arguments); no rule for a literal or a symbol's name."""
    if isinstance(node, Number):
        return None, literal(fmpq(node.value.numerator, node.value.denominator)), places
    if isinstance(node, Symbol):
        return None, node.name, places
    exponent = integer_exponent(node) if node.op == "pow" else None
    if exponent is not None:
        return integer_power, exponent, places[:1]
    if node.op.startswith("where"):
        return choose, node.op[5:], places
    return RULES[node.op], None, places


def _last_uses(uses: Sequence[Sequence[int]], roots: Sequence[int]) -> list[list[int]]:
    """For each step, the places that no later step reads."""
    last: dict[int, int] = {}
    for step, places in enumerate(uses):
        for place in places:
            last[place] = step
    spent: list[list[int]] = [[] for _ in uses]
    for place, step in last.items():
        if place not in roots:
            spent[step].append(place)
    return spent
