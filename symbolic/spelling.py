"""Formulas as other programs spell them."""

from __future__ import annotations

from collections.abc import Mapping

from symbolic.expression import Expression, substitute
from symbolic.parser import parse


def parse_pysr(text: str, variables: Mapping[str, str]) -> Expression:
    """A formula as PySR writes it, with its inputs named: `{"x0": "(r-1)*A", "x1": "log(r)"}`.

    PySR's own operators (`^`, `square`, `inv`, `relu`, `logistic`, `max`) are the language's.
    Raises FormulaError, also for an input that has no meaning.
    """
    meanings = {name: parse(meaning) for name, meaning in variables.items()}
    inputs = f"give '{{name}}' a meaning; the inputs are {', '.join(meanings) or 'none'}"
    return substitute(parse(text, names=meanings, declare=inputs), meanings)
