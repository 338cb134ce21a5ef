"""z3 with its native exp, log and tanh."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from engines.question import Answer
from engines.smtlib import question
from symbolic.drift import Drift


def version() -> str:
    """Version of the installed z3."""
    import z3

    return f"z3 {z3.get_version_string()}"


def decide(drift: Drift, timeout: float) -> Answer:
    """`unsat` is valid, `sat` is invalid at z3's model."""
    import z3

    solver = z3.Solver()
    solver.set("timeout", int(timeout * 1000))
    solver.from_string(question(drift, native_log=True))
    outcome = solver.check()
    if outcome == z3.unsat:
        return Answer("valid")
    if outcome == z3.sat:
        model = solver.model()
        witness = {
            name: value
            for name in drift.formula.symbols
            if (value := _fraction(model.eval(z3.Real(name), True))) is not None
        }
        return Answer("invalid", witness)
    return Answer("unknown", detail=solver.reason_unknown())


def _fraction(value: Any) -> Fraction | None:
    import z3

    if z3.is_algebraic_value(value):
        value = value.approx(30)
    return Fraction(value.as_fraction()) if z3.is_rational_value(value) else None
