"""The library of templates: shapes that are drifts for every value of their constant c > 0.

Each is non-negative, and 0 and flat at r = 1 for every advantage; so is every sum of them with
non-negative weights, and relu of a sum with any. Inputs are u = (r − 1)·A, v = A·log r, r − 1 and
log r: PPO's clip is relu(u − c·|A|), Discovered Policy Optimisation relu(x − c·tanh(x/c)) of u for
A ≥ 0 and of v for A < 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

from symbolic.derivative import derivative
from symbolic.expression import Expression, substitute
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


_INPUTS = ("(r - 1)*A", "log(r)*A", "(r - 1)", "log(r)")
_EVEN = (
    "x*tanh(x/c)",
    "sqrt(1 + (x/c)**2) - 1",
    "log(1 + (x/c)**2)",
    "x**2/(c + x**2)",
)
"""Alike in both directions."""
_ONE_SIDED = ("relu(x - c*tanh(x/c))", "relu(x - c)")
_PLAIN = ("r - 1 - log(r)", "r*log(r) - r + 1", "(sqrt(r) - 1)**2", "(r - 1)**2", "log(r)**2")


@cache
def library(*, progress: bool) -> tuple[Shape, ...]:
    """All shapes; with `progress` also those that fade in or out over the training."""
    shapes = [_shape(text) for text in _texts()]
    if not progress:
        return tuple(shapes)
    t, rest = parse("t"), parse("1 - t")
    faded = [Shape(by * shape.formula, shape.scale) for by in (t, rest) for shape in shapes]
    return (*shapes, *faded)


def _texts() -> list[tuple[str, str]]:
    """(formula, input that c is compared with)."""
    found = []
    for x in _INPUTS:
        forms = _EVEN if x.endswith("A") else (*_EVEN, *(f"abs(A)*({form})" for form in _EVEN))
        found += [(form.replace("x", x), x) for form in forms]
        for sign in ("", "-"):
            found += [(form.replace("x", f"{sign}{x}"), x) for form in _ONE_SIDED]
            if x.endswith("A"):
                found.append((f"relu({sign}{x} - c*abs(A))", x.removesuffix("*A")))
    found += [(f"{x}**2", "") for x in ("((r - 1)*A)", "(log(r)*A)")]
    for form in _PLAIN:
        found += [(form, ""), (f"abs(A)*({form})", "")]
    return found


def _shape(text: tuple[str, str]) -> Shape:
    formula, scale = text
    return Shape(parse(formula, names=("r", "A", CONSTANT)), parse(scale) if scale else None)


def with_constant(shape: Shape, value: Expression) -> Expression:
    """The shape's formula with a number in the place of c."""
    return substitute(shape.formula, {CONSTANT: value})
