"""Increasing functions of x, of which mirror maps are sums, and sums of them as formulas.

Each may be multiplied by t or by 1 − t: what is left of both is increasing for every t, too.

Source: Alfano et al., Learning Loss Landscapes in Preference Optimization, sections 3.1 and 5.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symbolic.expression import Expression, symbol
from symbolic.operations import ONE
from symbolic.parser import parse

T = symbol("t")
SHAPES = tuple(
    parse(text, names=["x"])
    for text in (
        "log(x)",
        "-log(1 - x)",
        "log(x/(1 - x))",
        "x",
        "x**2",
        "x**3",
        "sqrt(x)",
        "x**(1/3)",
        "exp(x)",
        "tanh(x)",
    )
)
SUM = 2
"""The shape that is the sum of the two before it: short to write, and nothing new to a regression."""
FACTORS = (ONE, T, ONE - T)


@dataclass(frozen=True)
class Term:
    """A shape and its factor, by their numbers in `SHAPES` and `FACTORS`."""

    shape: int
    factor: int = 0

    @property
    def formula(self) -> Expression:
        """The two multiplied."""
        shape = SHAPES[self.shape]
        return shape if self.factor == 0 else FACTORS[self.factor] * shape


def terms(temporal: bool) -> list[Term]:
    """Every term there is."""
    factors = range(len(FACTORS) if temporal else 1)
    return [Term(shape, factor) for shape in range(len(SHAPES)) for factor in factors]


def independent(chosen: Sequence[Term]) -> bool:
    """Whether no term is the sum of others: a shape alone is its part by t and that by 1 − t."""
    alone = {term.shape for term in chosen if term.factor == 0}
    return not any(term.factor and term.shape in alone for term in chosen)


def combined(
    chosen: Sequence[Term], weights: Sequence[float]
) -> tuple[Expression, dict[str, float]]:
    """A weighted sum of terms as a formula with symbols k0, k1, …, and where these begin.

    A shape by t and by 1 − t is written once, times k0 + k1·t.
    """
    found: list[Expression] = []
    start: dict[str, float] = {}

    def constant(value: float) -> Expression:
        name = f"k{len(start)}"
        start[name] = value
        return symbol(name)

    for shape in dict.fromkeys(term.shape for term in chosen):
        own = {t.factor: float(w) for t, w in zip(chosen, weights) if t.shape == shape}
        if set(own) == {1, 2}:
            factor = constant(own[2]) + constant(own[1] - own[2]) * T
            found.append(SHAPES[shape] * factor)
        else:
            ((factor_number, weight),) = own.items()
            found.append(constant(weight) * Term(shape, factor_number).formula)
    total = found[0]
    for part in found[1:]:
        total = total + part
    return total, start
