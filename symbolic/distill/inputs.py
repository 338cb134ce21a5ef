"""The inputs that engines of symbolic regression are given, by the names their results have."""

from __future__ import annotations

from collections.abc import Mapping

from symbolic.expression import Expression, substitute
from symbolic.parser import parse

INPUTS: Mapping[str, str] = {
    "u": "(r - 1)*A",
    "v": "log(r)*A",
    "d": "r - 1",
    "l": "log(r)",
    "A": "A",
}
"""What the update may depend on, as a formula of r and A."""


def written_out(formula: Expression, inputs: Mapping[str, str] = INPUTS) -> Expression:
    """A formula of the inputs as one of r, A and t."""
    return substitute(formula, {name: parse(text) for name, text in inputs.items()})
