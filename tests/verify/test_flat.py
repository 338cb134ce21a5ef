"""Germs at r = 1 against difference quotients with tiny steps."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st
from mutation.laws import LAWS, arb_value, close
from mutation.verdicts import decide

from symbolic.drift import Drift
from symbolic.expression import number, substitute
from verify.report import Verdict

TERMS = (
    "(r-1)", "log(r)", "abs(r-1)", "relu(r-1)", "relu(1-r)", "tanh(2*(r-1))", "(exp(r-1)-1)", "(r-1)**2", "(sqrt(r)-1)",
    "sqrt((r-1)**2*(1+r))", "(1-1/r)", "softplus(log(r))-log(2)", "min(r-1, 2-2*r)", "(clip(r, 0.8, 1.2)-1)",
    "where(r > 1, r-1, 3*r-3)", "sigmoid(A)*log(r)", "relu((r-1)*A)", "max((r-1)*A, log(r)*A)", "A*(r-1)**3",
)  # fmt: skip
STEP = Fraction(1, 10**40)


@pytest.mark.parametrize("law", ["germs", "eventual signs", "witnesses"])
def test_laws(law):
    LAWS[law]()


def numeric(drift: Drift, point: dict[str, Fraction], side: int) -> arb:
    """The one-sided difference quotient by r at a point with r = 1."""
    values = {name: number(value) for name, value in point.items()}
    with ctx.workprec(500):
        at = arb_value(substitute(drift.formula, values))
        near = arb_value(substitute(drift.formula, {**values, "r": number(1 + side * STEP)}))
        return (near - at) * arb(10) ** 40 * side


def shown(text: str) -> arb:
    """The number that a witness's text stands for: a ball, or a rational."""
    return arb(text) if text.startswith("[") else arb_value(number(Fraction(text)))


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(-2, 2), st.sampled_from(TERMS)), min_size=1, max_size=3))
def test_flatness_is_that_of_small_steps(parts):
    text = "+".join(f"({weight})*({term})" for weight, term in parts)
    drift = Drift.from_text(text)
    found = decide((text,))["flat_at_identity"]
    slopes = {
        (A, side): numeric(drift, {"r": Fraction(1), "A": Fraction(A)}, side)
        for A in (-2, -1, 0, 1, 3) for side in (-1, 1)
    }  # fmt: skip
    flat = all(abs(slope) < arb("1e-30") for slope in slopes.values())
    assert found.verdict is (Verdict.PROVED if flat else Verdict.REFUTED), text
    if found.witness is not None:
        side = 1 if found.witness.side == "right" else -1
        true = numeric(drift, dict(found.witness.point), side)
        assert found.witness.evidence == "derivative"
        assert close(true, shown(found.witness.text), "1e-9"), (text, found.witness)


@pytest.mark.parametrize(("formula", "evidence", "text"), [
    ("sqrt(abs(r-1))", "derivative", "inf"), ("where(r > 1, 1, 0)", "limit", "inf"), ("sign(r-1)", "limit", "inf"),
    ("where(r < 1, -1, 0)", "limit", "inf"), ("-abs(r-1)**0.5", "derivative", "inf"), ("1-sign(r-1)**2", "limit", "inf"),
])  # fmt: skip
def test_jumps_and_infinite_slopes(formula, evidence, text):
    witness = decide((formula,))["flat_at_identity"].witness
    assert witness is not None
    assert witness.evidence == evidence
    assert witness.text in (f"+{text}", f"-{text}")
    drift = Drift.from_text(formula)
    side = 1 if witness.side == "right" else -1
    point = {name: value for name, value in witness.point.items() if name in drift.formula.symbols}
    assert (numeric(drift, point, side) > 0) == witness.text.startswith("+")
