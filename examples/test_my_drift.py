"""Tests of a drift in your own repository: copy, change, run `pytest`.

Needs mirrordrift and pytest in one environment; the marker and the fixture come with mirrordrift.
"""

import numpy as np
import pytest
from hypothesis import given

from mirrordrift.testing import (
    advantages,
    assert_valid_drift,
    drift_expressions,
    log_ratios,
    parameters,
)


def soft_clip(log_ratio, advantage):
    """The penalty of this repository, as its training code calls it."""
    gap = np.expm1(log_ratio) * advantage
    return np.maximum(gap - 2 * np.tanh(gap / 2), 0)


# The formula of the paper is proved, for every alpha.
@pytest.mark.drift("relu((r-1)*A - alpha*tanh((r-1)*A/alpha))", alpha="(0, inf)")
def test_the_code_computes_the_formula_that_is_proved():
    gap = 0.5 * 3.0
    assert soft_clip(np.log(1.5), 3.0) == pytest.approx(gap - 2 * np.tanh(gap / 2))


# The code itself can only be sampled: this finds mistakes and proves nothing.
def test_the_code_is_a_valid_drift():
    assert_valid_drift(soft_clip, argument="log_ratio")


# A refuted drift comes with an exact counterexample.
def test_why_the_relu_is_there(drift):
    report = drift("(r-1)*A - 2*tanh((r-1)*A/2)")
    assert report["nonnegative"].verdict == "refuted"
    assert report["nonnegative"].witness is not None


# Properties of your own, over ratios and advantages that matter.
@given(log_ratios("float32"), advantages("float32"), parameters("(0, 10]"))
def test_the_penalty_never_exceeds_the_gap(log_ratio, advantage, scale):
    gap = np.expm1(log_ratio) * advantage
    penalty = soft_clip(log_ratio, advantage * float(scale))
    assert penalty <= max(gap * float(scale), 0) * (1 + 1e-9)


# Code that takes any drift can be tested with drifts that are valid by construction.
@given(drift_expressions(valid=True))
def test_code_that_takes_a_formula(formula):
    assert "r" in formula.symbols
