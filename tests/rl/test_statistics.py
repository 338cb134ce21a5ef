"""Statistics of runs: definitions by hand, and the numbers rliable gives."""

from __future__ import annotations

import numpy as np
import pytest

from rl.statistics import (
    estimate,
    interquartile_mean,
    mean,
    median,
    normalised,
    paired_difference,
    performance_profile,
    probability_of_improvement,
)
from symbolic.errors import ConfigError

SCORES = np.random.default_rng(0).gamma(2.0, 1.0, size=(10, 6))
OTHERS = np.random.default_rng(1).gamma(2.0, 1.2, size=(10, 6))


def test_point_estimates_by_definition() -> None:
    assert mean(SCORES) == pytest.approx(SCORES.mean())
    assert median(SCORES) == pytest.approx(np.median(SCORES.mean(axis=0)))
    middle = np.sort(SCORES.ravel())[15:45]
    assert interquartile_mean(SCORES) == pytest.approx(middle.mean())


def test_probability_of_improvement_by_definition() -> None:
    ours = np.array([[1.0], [3.0]])
    theirs = np.array([[1.0], [2.0]])
    assert probability_of_improvement(ours, theirs).value == (0.5 + 0 + 1 + 1) / 4


def test_intervals_hold_what_they_estimate() -> None:
    for statistic in (mean, median, interquartile_mean):
        found = estimate(SCORES, statistic)
        assert found.low < found.value < found.high


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    random = np.random.default_rng(5)
    covered = 0
    for trial in range(200):
        found = estimate(random.normal(size=(30, 4)), mean, seed=trial, resamples=400)
        covered += found.low <= 0 <= found.high
    assert 180 <= covered <= 200


def test_strata_are_resampled_on_their_own() -> None:
    apart = np.array([[0.0, 100.0]] * 5)
    assert estimate(apart, mean) == (50.0, 50.0, 50.0)


def test_a_profile_falls_from_one_to_zero() -> None:
    profile = performance_profile(SCORES, np.array([-1.0, np.median(SCORES), SCORES.max()]))
    np.testing.assert_allclose(profile, [1.0, 0.5, 0.0])


def test_normalisation() -> None:
    found = normalised(np.array([[1.0, 20.0]]), np.array([0.0, 10.0]), np.array([2.0, 30.0]))
    np.testing.assert_allclose(found, [[0.5, 0.5]])
    with pytest.raises(ConfigError, match="above its lower"):
        normalised(SCORES, np.zeros(6), np.zeros(6))


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((0, 2)), np.array([[np.nan]])])
def test_bad_scores(bad: np.ndarray) -> None:
    with pytest.raises(ConfigError):
        estimate(bad, mean)


def test_tasks_must_be_the_same() -> None:
    with pytest.raises(ConfigError, match="same ones"):
        probability_of_improvement(SCORES, OTHERS[:, :2])


@pytest.mark.peer
def test_rliable_gives_the_same_numbers() -> None:
    metrics = pytest.importorskip("rliable.metrics")
    assert mean(SCORES) == pytest.approx(metrics.aggregate_mean(SCORES))
    assert median(SCORES) == pytest.approx(metrics.aggregate_median(SCORES))
    assert interquartile_mean(SCORES) == pytest.approx(metrics.aggregate_iqm(SCORES))
    improvement = metrics.probability_of_improvement(SCORES, OTHERS)
    assert probability_of_improvement(SCORES, OTHERS).value == pytest.approx(improvement)


def test_differences_are_paired_and_leave_out_what_failed() -> None:
    theirs = np.array([1.0, 20.0, 300.0, np.nan, 5.0])
    ours = theirs + np.array([1.0, 2.0, 3.0, 4.0, np.nan])
    found = paired_difference(ours, theirs)
    # Student's t with 2 degrees of freedom: 4.3027; the standard error is 1/√3.
    assert found is not None and found.value == 2.0
    assert (found.low, found.high) == pytest.approx((2 - 2.48414, 2 + 2.48414), abs=1e-4)
    assert paired_difference(ours[2:], theirs[2:]) is None
