"""What the strategies promise: ranges, precision, shrinking, and validity by construction."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from symbolic.drift import Drift
from symbolic.errors import ConfigError, FormulaError
from symbolic.expression import Expression, postorder
from symbolic.numeric import evaluate
from symbolic.operations import OPERATIONS
from symbolic.parser import parse
from symbolic.text import to_text
from verify.strategies import advantages, drift_expressions, log_ratios, parameters, ratios

QUIET = settings(database=None, derandomize=True, deadline=None, max_examples=2000)


@given(ratios("float32"), log_ratios("float32"), advantages("float32"))
def test_float32_values_are_exact_and_safe(ratio, log_ratio, advantage):
    for value in (ratio, log_ratio, advantage):
        assert float(np.float32(value)) == value
    assert ratio > 0
    assert abs(log_ratio) <= 40
    assert abs(advantage) <= 20
    with np.errstate(over="raise"):
        squared = np.float32(ratio) ** 2 * np.float32(abs(advantage) + 1)
    assert np.isfinite(squared)


@given(ratios(), log_ratios(), advantages())
def test_float64_values_are_finite(ratio, log_ratio, advantage):
    assert np.isfinite([ratio**2 * (1 + advantage**2), np.exp(2 * log_ratio)]).all()
    assert ratio > 0


def test_ratios_reach_near_and_far():
    assert 0 < abs(find(ratios(), lambda r: 0 < abs(r - 1) < 1e-5, settings=QUIET) - 1) < 1e-5
    assert find(ratios(), lambda r: r > 1e20, settings=QUIET) > 1e20
    assert find(log_ratios(), lambda x: 0 < abs(x) < 1e-6, settings=QUIET)
    assert find(advantages(), lambda a: a < -1e4, settings=QUIET) < -1e4


def test_examples_shrink_to_the_identity_and_to_simple_numbers():
    assert find(ratios(), lambda r: True, settings=QUIET) == 1
    assert find(log_ratios(), lambda x: True, settings=QUIET) == 0
    assert find(advantages(), lambda a: True, settings=QUIET) == 0
    assert find(ratios(), lambda r: r > 1.3, settings=QUIET) == 2
    assert find(ratios(), lambda r: r < 0.9, settings=QUIET) == 0.5
    assert find(advantages(), lambda a: a < -0.7, settings=QUIET) == -1
    assert find(parameters("(0, inf)"), lambda p: True, settings=QUIET) == 1
    assert to_text(find(drift_expressions(), lambda e: True, settings=QUIET)) == "(r - 1)**2"


@pytest.mark.parametrize(
    "interval",
    ["(0, inf)", "[0, 1/2)", "(0, 1)", "(-inf, inf)", "(-inf, 2]", "[3, 3]", "(1e-9, 2e-9]"],
)
def test_parameters_stay_inside(interval):
    domain = Drift.from_text("r", [f"a in {interval}"]).domain("a")

    @given(parameters(interval))
    @settings(max_examples=50)
    def check(value):
        assert isinstance(value, Fraction)
        assert value in domain

    check()


def test_closed_ends_are_tried():
    assert find(parameters("[0, 7/9]"), lambda p: p == Fraction(7, 9), settings=QUIET)
    assert find(parameters("[0, 7/9]"), lambda p: p == 0, settings=QUIET) == 0


@given(drift_expressions(valid=True))
def test_valid_drifts_hold_on_a_grid(tree):
    r, A = (
        np.array(list(axis))
        for axis in zip(*product(np.exp([-40, -3, -0.3, 0, 0.3, 3, 40]), [-20, -1, 0, 0.5, 20]))
    )
    values = evaluate(tree, {"r": r, "A": A}) * np.ones_like(r)
    assert np.isfinite(values).all()
    assert (np.abs(values) < np.finfo(np.float32).max).all()
    # Rounding of A·(r log r − r + 1) and its like is relative to r·A.
    assert (values >= -1e-11 * (1 + np.abs(A)) * (1 + r)).all()
    assert np.abs(values[r == 1]).max() < 1e-14


@given(drift_expressions(valid=True), st.sampled_from([-7.0, -1.0, 0.0, 1.0, 3.0]))
def test_valid_drifts_are_flat_at_the_identity(tree, advantage):
    h = np.array([1e-4, -1e-4])
    values = evaluate(tree, {"r": 1 + h, "A": np.full(2, advantage)})
    assert (np.abs(values / h) < 0.05).all()


@given(drift_expressions(valid=True))
@settings(max_examples=10)
def test_valid_drifts_are_never_refuted(tree):
    from verify.decide import decide

    assert decide(Drift(formula=tree), timeout=5.0).verdict != "refuted"


@given(drift_expressions(valid=False))
def test_arbitrary_trees_are_formulas(tree):
    assert parse(to_text(tree)) is tree


def test_arbitrary_trees_use_the_whole_table():
    met: set[str] = set()

    @given(drift_expressions(valid=False))
    @settings(max_examples=500)
    def collect(tree):
        met.update(node.op for node in postorder(tree))

    collect()
    assert set(OPERATIONS) <= met


@given(st.from_type(Drift), st.from_type(Expression))
@settings(max_examples=10)
def test_types_are_registered(drift, tree):
    assert isinstance(drift, Drift)
    assert isinstance(tree, Expression)


def test_starting_hypothesis_loads_nothing_heavy():
    code = (
        "import sys, hypothesis; from mirrordrift.hypothesis_entry import register; register();"
        "assert not {'jax', 'sympy', 'z3', 'matplotlib', 'verify.strategies'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=60)


def test_mistakes_are_explained():
    with pytest.raises(ConfigError, match="float16"):
        ratios("float16")  # type: ignore[arg-type]
    with pytest.raises(FormulaError, match="declaration"):
        parameters("0 to 1")
