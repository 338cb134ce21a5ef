"""Tree → float64 values over NumPy arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from symbolic.expression import Expression, Number, Symbol, fold_all, integer_exponent
from symbolic.operations import OPERATIONS
from symbolic.pointwise import integer_power


def evaluate(root: Expression, values: Mapping[str, ArrayLike]) -> Any:
    """f at float64 arrays (broadcast together); nan where the formula is undefined.

    `values` has every symbol that occurs. Overflow gives inf, without warnings.
    """
    return evaluate_all([root], values)[0]


def evaluate_all(roots: Sequence[Expression], values: Mapping[str, ArrayLike]) -> list[Any]:
    """As `evaluate`, of several formulas; what they share is computed once."""
    arrays = {name: np.asarray(value, dtype=np.float64) for name, value in values.items()}

    def visit(node: Expression, args: tuple[Any, ...]) -> Any:
        if isinstance(node, Number):
            return np.float64(nearest(node.value))
        if isinstance(node, Symbol):
            return arrays[node.name]
        if node.op == "pow":
            n = integer_exponent(node)
            if n is not None:
                return integer_power(np, args[0], n)
        return OPERATIONS[node.op].numpy(*args)

    with np.errstate(all="ignore"):
        return fold_all(roots, visit)


def nearest(value: Fraction) -> float:
    """The nearest float64; an infinity beyond its range."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
