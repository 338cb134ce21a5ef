"""Judgements: paired differences over seeds that both survived."""

from __future__ import annotations

import math

import numpy as np
import pytest

from search.judging import compared


def test_differences_are_paired() -> None:
    found = compared(np.array([2.0, 4.0, 9.0]), np.array([1.0, 2.0, 6.0]))
    assert found["return_mean"] == 5 and found["ppo_mean"] == 3 and found["difference"] == 2
    assert found["difference_stderr"] == pytest.approx(1 / math.sqrt(3)) and found["diverged"] == 0


def test_a_seed_that_one_did_not_survive_counts_for_neither() -> None:
    found = compared(np.array([2.0, math.nan, 9.0]), np.array([1.0, 2.0, 7.0]))
    assert found["difference"] == 1.5 and found["diverged"] == 1


def test_where_all_diverged_nothing_is_known() -> None:
    found = compared(np.array([math.nan]), np.array([1.0]))
    assert math.isnan(found["difference"]) and found["diverged"] == 1
