"""Every operation of the table is known to the four places that keep their own rules."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from flint import arb
from oracle import Undefined, sign_at, value_at

from symbolic.drift import Drift
from symbolic.expression import fold, postorder
from symbolic.numeric import evaluate
from symbolic.operations import OPERATIONS
from verify.checker import check_certificate
from verify.decide import decide
from verify.falsify.running_error import RULES
from verify.report import Verdict

VALID = {
    "add": "(r-1)**2 + log(r)**2",
    "sub": "(r-1) - log(r)",
    "mul": "(r-1)*(r-1)",
    "div": "(r-1)**2/r",
    "neg": "(r-1) + (-log(r))",
    "pow": "r**1.5 - 1.5*r + 0.5",
    "exp": "exp(r-1) - r",
    "log": "r - 1 - log(r)",
    "tanh": "(r-1)*tanh(r-1)",
    "sqrt": "sqrt(1 + (r-1)**2) - 1",
    "abs": "(r-1)**2*abs(A)",
    "sign": "sign(r-1)*log(r)*(r-1)**2",
    "relu": "relu((r-1)*A - 1)",
    "softplus": "softplus((r-1)*A) - (r-1)*A/2 - log(2)",
    "sigmoid": "(r-1)*(sigmoid(r-1) - 1/2)",
    "square": "square(log(r))",
    "inv": "inv(r) + r - 2",
    "clip": "clip((r-1)**2, 0, 1)",
    "max": "max((r-1)**2, log(r)**2, 0)",
    "min": "min((r-1)**2, log(r)**2, 1)",
    "where<": "where(r < 1, log(r)**2, (r-1)**2)",
    "where<=": "where(A <= 0, log(r)**2, (r-1)**2)",
    "where>": "where(A > 0, log(r)**2, (r-1)**2)",
    "where>=": "where(r >= 2, (r-1)**2, log(r)**2)",
}
"""One valid drift for each operation."""

INVALID = {
    "add": "(r-1)**2 + log(r)",
    "sub": "log(r) - (r-1)",
    "mul": "(r-1)*A*log(r)",
    "div": "(r-1)**3/r",
    "neg": "-(r-1)**2",
    "pow": "(r-1)**3",
    "exp": "r - exp(r-1)",
    "log": "log(r)",
    "tanh": "tanh(r-1)",
    "sqrt": "1 - sqrt(1 + (r-1)**2)",
    "abs": "(r-1)**2 - abs(r-1)**3",
    "sign": "sign(A)*(r-1)**2",
    "relu": "(r-1)**2 - relu((r-1)*A)**2",
    "softplus": "log(2) - softplus((r-1)*A)",
    "sigmoid": "sigmoid(r-1) - 1/2",
    "square": "square(r-1) - square(square(r-1))",
    "inv": "1 - inv(r)",
    "clip": "clip(r-1, -1/5, 1/5)",
    "max": "max(r-1, log(r))*A",
    "min": "min((r-1)*A, 0)",
    "where<": "where(r < 1/2, -1, (r-1)**2)",
    "where<=": "where(A <= -3, -(r-1)**2, 0)",
    "where>": "where(r > 5, -1, 0)",
    "where>=": "where(A >= 3, log(r), 0)",
}
"""One formula for each operation that turns negative."""


def operations_of(text: str) -> set[str]:
    return {node.op for node in postorder(Drift.from_text(text).formula)}


def test_the_examples_and_the_falsifier_cover_the_table():
    assert set(VALID) == set(INVALID) == set(RULES) == set(OPERATIONS)
    for table in (VALID, INVALID):
        assert all(op in operations_of(text) for op, text in table.items())


@pytest.mark.parametrize("op", OPERATIONS)
def test_the_prover_proves_and_the_checker_replays(op):
    report = decide(Drift.from_text(VALID[op]))
    assert report.verdict is Verdict.PROVED, report.conditions
    replay = check_certificate(report.certificate)
    assert replay.ok
    assert set(replay.conditions.values()) == {"proved"}


@pytest.mark.parametrize("op", OPERATIONS)
def test_the_falsifier_refutes_and_the_checker_replays(op):
    drift = Drift.from_text(INVALID[op])
    condition = decide(drift)["nonnegative"]
    assert condition.verdict is Verdict.REFUTED
    assert sign_at(drift.formula, condition.witness.point) == -1


@pytest.mark.parametrize("op", OPERATIONS)
@pytest.mark.parametrize("table", [VALID, INVALID], ids=["valid", "invalid"])
def test_floats_balls_and_the_oracle_agree(op, table):
    root = Drift.from_text(table[op]).formula
    for ratio, advantage in (("3/2", "-2"), ("1/4", "3"), ("7", "5"), ("1/2", "0")):
        point = {"r": Fraction(ratio), "A": Fraction(advantage)}
        exact = value_at(root, point)
        middle = float(exact if isinstance(exact, Fraction) else (exact[0] + exact[1]) / 2)
        floats = evaluate(root, {name: float(value) for name, value in point.items()})
        assert np.isclose(floats, middle, rtol=1e-12, atol=1e-12)
        assert _ball(root, point).overlaps(arb(middle, 1e-12 * (1 + abs(middle))))


def _ball(root, point):
    def visit(node, args):
        if not args:
            value = node.value if node.op == "number" else point[node.name]
            return arb(value.numerator) / value.denominator
        return OPERATIONS[node.op].ball(*args)

    return fold(root, visit)


@pytest.mark.parametrize(("text", "point"), [
    ("log(A)", {"A": Fraction(0)}),
    ("sqrt(A)", {"A": Fraction(-1, 10**30)}),
    ("1/A", {"A": Fraction(0)}),
    ("inv(A)", {"A": Fraction(0)}),
    ("A**(-2)", {"A": Fraction(0)}),
    ("A**(1/3)", {"A": Fraction(-8)}),
    ("0*log(A)", {"A": Fraction(-1)}),
])  # fmt: skip
def test_what_is_undefined_is_undefined_everywhere(text, point):
    drift = Drift.from_text(f"{text} + 0*r")
    with pytest.raises(Undefined):
        value_at(drift.formula, {**point, "r": Fraction(1)})
    assert np.isnan(evaluate(drift.formula, {"A": float(point["A"]), "r": 1.0}))
    assert decide(drift)["defined"].verdict is Verdict.REFUTED
