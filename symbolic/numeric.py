"""Tree → float64 values over NumPy arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from symbolic.expression import (
    Expression,
    Number,
    Symbol,
    fold_all,
    integer_exponent,
    postorder,
)
from symbolic.operations import OPERATIONS
from symbolic.pointwise import integer_power

Prepared = Callable[[Mapping[str, ArrayLike]], list[Any]]
"""Values of formulas, of those of the symbols that were not known when it was made."""


def evaluate(root: Expression, values: Mapping[str, ArrayLike]) -> Any:
    """f at float64 arrays (broadcast together); nan where the formula is undefined.

    `values` has every symbol that occurs. Overflow gives inf, without warnings.
    """
    return evaluate_all([root], values)[0]


def evaluate_all(roots: Sequence[Expression], values: Mapping[str, ArrayLike]) -> list[Any]:
    """As `evaluate`, of several formulas; what they share is computed once."""
    arrays = _as_arrays(values)

    def visit(node: Expression, args: tuple[Any, ...]) -> Any:
        return arrays[node.name] if isinstance(node, Symbol) else _function(node)(*args)

    with np.errstate(all="ignore"):
        return fold_all(roots, visit)


def prepared(roots: Sequence[Expression], known: Mapping[str, ArrayLike]) -> Prepared:
    """`evaluate_all` for many values of the symbols that are not known yet.

    What depends on known ones alone is computed now, and the trees are walked once.
    """
    arrays = _as_arrays(known)
    places: dict[Expression, int] = {}
    at_first: list[Any] = []
    inputs: list[tuple[str, int]] = []
    steps: list[tuple[Callable[..., Any], tuple[int, ...], int]] = []
    open_places: set[int] = set()
    with np.errstate(all="ignore"):
        for node in postorder(*roots):
            if node in places:
                continue
            place = places[node] = len(at_first)
            at_first.append(None)
            args = tuple(places[arg] for arg in node.args)
            if isinstance(node, Symbol) and node.name not in arrays:
                inputs.append((node.name, place))
                open_places.add(place)
            elif isinstance(node, Symbol):
                at_first[place] = arrays[node.name]
            elif open_places.isdisjoint(args):
                at_first[place] = _function(node)(*(at_first[arg] for arg in args))
            else:
                steps.append((_function(node), args, place))
                open_places.add(place)
    wanted = [places[root] for root in roots]

    def at(values: Mapping[str, ArrayLike]) -> list[Any]:
        found = list(at_first)
        for name, place in inputs:
            found[place] = np.asarray(values[name], dtype=np.float64)
        with np.errstate(all="ignore"):
            for function, args, place in steps:
                found[place] = function(*(found[arg] for arg in args))
        return [found[place] for place in wanted]

    return at


def _as_arrays(values: Mapping[str, ArrayLike]) -> dict[str, Any]:
    return {name: np.asarray(value, dtype=np.float64) for name, value in values.items()}


def _function(node: Expression) -> Callable[..., Any]:
    """What a node other than a symbol computes of its arguments' values."""
    if isinstance(node, Number):
        value = np.float64(nearest(node.value))
        return lambda: value
    if node.op == "pow":
        n = integer_exponent(node)
        if n is not None:
            return lambda base, _: integer_power(np, base, n)
    return OPERATIONS[node.op].numpy


def nearest(value: Fraction) -> float:
    """The nearest float64; an infinity beyond its range."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
