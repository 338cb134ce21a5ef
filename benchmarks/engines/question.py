"""What every engine is asked and how it answers, and the exact check of its witnesses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symbolic.drift import Drift
from symbolic.expression import Expression, Number, Symbol, fold, integer_exponent
from symbolic.operations import OPERATIONS


@dataclass(frozen=True)
class Answer:
    """`valid`: never negative where it is defined; `invalid`: negative somewhere; or `unknown`."""

    answer: str
    witness: Mapping[str, Fraction] | None = None
    detail: str = ""


Engine = Callable[[Drift, float], Answer]
"""(drift, seconds allowed) -> answer. The time limit is also enforced from outside."""


def certainly_negative(drift: Drift, witness: Mapping[str, Fraction]) -> bool:
    """Whether f < 0 at the witness, by balls of growing precision; False if that is not shown.

    The witness must lie in the domain and give a value to every symbol that occurs.
    """
    from flint import arb, ctx, fmpq

    symbols = drift.formula.symbols
    if any(name not in witness or witness[name] not in drift.domain(name) for name in symbols):
        return False

    def ball(value: Fraction) -> Any:
        return arb(fmpq(value.numerator, value.denominator))

    def visit(node: Expression, args: tuple[Any, ...]) -> Any:
        if isinstance(node, Number):
            return ball(node.value)
        if isinstance(node, Symbol):
            return ball(witness[node.name])
        if node.op == "pow" and (exponent := integer_exponent(node)) is not None:
            return args[0] ** exponent
        return OPERATIONS[node.op].ball(*args)

    before = ctx.prec
    try:
        for precision in (64, 256, 1024, 4096):
            ctx.prec = precision
            value = fold(drift.formula, visit)
            if value < 0:
                return True
            if value >= 0:
                return False
        return False
    finally:
        ctx.prec = before
