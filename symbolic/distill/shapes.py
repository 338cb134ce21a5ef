"""The library of templates: shapes that are drifts for every value of their constant c > 0.

Each is non-negative, and 0 and flat at r = 1 for every advantage; so is every sum of them with
non-negative weights, and relu of a sum with any. Inputs are u = (r − 1)·A, v = A·log r, r − 1 and
log r: PPO's clip is relu(u − c·|A|), Discovered Policy Optimisation relu(x − c·tanh(x/c)) of u for
A ≥ 0 and of v for A < 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from symbolic.derivative import derivative
from symbolic.expression import Expression, number, substitute
from symbolic.parser import parse

CONSTANT = "c"


@dataclass(frozen=True)
class Shape:
    """One template, with the input whose size tells which constants are sensible."""

    formula: Expression
    scale: Expression | None
    """The input that c is compared with; None for a shape without c."""

    @cached_property
    def slope(self) -> Expression:
        """∂/∂r of the formula."""
        return derivative(self.formula)


_INPUTS = ("(r - 1)*A", "log(r)*A", "r - 1", "log(r)")
_EVEN = ("x*tanh(x/c)", "sqrt(1 + (x/c)**2) - 1", "log(1 + (x/c)**2)", "x**2/(c + x**2)")
"""Alike in both directions of the input x."""
_ONE_SIDED = ("relu(x - c*tanh(x/c))", "relu(x - c)")
_CLIP = "relu(x - c*abs(A))"
"""Of the inputs with A alone: c is compared with the rest of them."""
_PLAIN = (
    "r - 1 - log(r)", "r*log(r) - r + 1", "(sqrt(r) - 1)**2", "(r - 1)**2", "log(r)**2",
)  # fmt: skip
_SIZE = parse("abs(A)")


@cache
def library(*, progress: bool) -> tuple[Shape, ...]:
    """All shapes; with `progress` also those that fade in or out over the training."""
    shapes = tuple(_shapes())
    if not progress:
        return shapes
    t, rest = parse("t"), parse("1 - t")
    faded = [Shape(by * shape.formula, shape.scale) for by in (t, rest) for shape in shapes]
    return (*shapes, *faded)


def _shapes() -> Iterator[Shape]:
    for x in map(parse, _INPUTS):
        with_advantage = "A" in x.symbols
        for form in _EVEN:
            shape = _of(form, x)
            yield Shape(shape, x)
            if not with_advantage:
                yield Shape(_SIZE * shape, x)
        for side in (x, -x):
            for form in _ONE_SIDED:
                yield Shape(_of(form, side), x)
            if with_advantage:
                yield Shape(_of(_CLIP, side), substitute(x, {"A": number(1)}))
        if with_advantage:
            yield Shape(x**2, None)
    for formula in map(parse, _PLAIN):
        yield Shape(formula, None)
        yield Shape(_SIZE * formula, None)


def _of(form: str, x: Expression) -> Expression:
    """A form with an input in the place of x."""
    return substitute(parse(form, names=("x", "A", CONSTANT)), {"x": x})


def with_constant(shape: Shape, value: Expression) -> Expression:
    """The shape's formula with a number in the place of c."""
    return substitute(shape.formula, {CONSTANT: value})
