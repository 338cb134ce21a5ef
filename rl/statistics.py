"""What a few seeds on several tasks allow to say: robust means with honest intervals.

Scores are matrices `[runs, tasks]`, one for each algorithm. Intervals resample the runs of each
task on their own, as many as there were (stratified bootstrap, percentiles).

Source: Agarwal et al. 2021, Deep Reinforcement Learning at the Edge of the Statistical Precipice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats

from symbolic.errors import ConfigError

Scores = Float[np.ndarray, "*resamples runs tasks"]
Statistic = Callable[[Scores], Float[np.ndarray, "*resamples"]]

RESAMPLES = 2000
CONFIDENCE = 0.95
_CELLS = 2**22
"""Numbers resampled at once, which bounds memory."""


class Estimate(NamedTuple):
    """A statistic with its interval."""

    value: float
    low: float
    high: float


def mean(scores: Scores) -> Float[np.ndarray, "*resamples"]:
    """Of all runs on all tasks."""
    return np.mean(scores, axis=(-2, -1))


def median(scores: Scores) -> Float[np.ndarray, "*resamples"]:
    """Of the tasks' means."""
    return np.median(np.mean(scores, axis=-2), axis=-1)


def interquartile_mean(scores: Scores) -> Float[np.ndarray, "*resamples"]:
    """Mean of the middle half of all runs on all tasks."""
    flat = scores.reshape(*scores.shape[:-2], -1)
    return np.asarray(stats.trim_mean(flat, 0.25, axis=-1))


def estimate(
    scores: Scores, statistic: Statistic, *, seed: int = 0, resamples: int = RESAMPLES
) -> Estimate:
    """A statistic of `[runs, tasks]` with its 95 % stratified bootstrap interval.

    Raises ConfigError for scores that are empty or not finite.
    """
    scores = _checked(scores)
    drawn = _bootstrap(
        [scores], lambda parts: statistic(parts[0]), np.random.default_rng(seed), resamples
    )
    return _interval(float(statistic(scores)), drawn)


def paired_difference(
    ours: Float[np.ndarray, "seeds"], theirs: Float[np.ndarray, "seeds"]
) -> Estimate | None:
    """Mean of the differences seed by seed, with the 95 % interval of Student's t.

    Over seeds with which both are numbers; None for fewer than two.
    """
    differences = ours - theirs
    differences = differences[~np.isnan(differences)]
    if len(differences) < 2:
        return None
    mean, error = float(differences.mean()), float(stats.sem(differences))
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(differences) - 1)) * error
    return Estimate(mean, mean - reach, mean + reach)


def probability_of_improvement(
    ours: Scores, theirs: Scores, *, seed: int = 0, resamples: int = RESAMPLES
) -> Estimate:
    """Chance that a run of ours beats one of theirs on a task drawn evenly; ties count half.

    Source: Agarwal et al. 2021, section 4.3 (Mann–Whitney's U, averaged over tasks).
    """
    ours, theirs = _checked(ours), _checked(theirs)
    if ours.shape[1] != theirs.shape[1]:
        raise ConfigError(
            f"{ours.shape[1]} tasks against {theirs.shape[1]}; compare on the same ones"
        )
    value = float(_wins([ours, theirs]))
    drawn = _bootstrap([ours, theirs], _wins, np.random.default_rng(seed), resamples)
    return _interval(value, drawn)


def performance_profile(
    scores: Scores, thresholds: Float[np.ndarray, "thresholds"]
) -> Float[np.ndarray, "thresholds"]:
    """Share of runs above each threshold, averaged over tasks."""
    scores = _checked(scores)
    return np.mean(scores[None] > np.asarray(thresholds)[:, None, None], axis=(1, 2))


def normalised(
    scores: Scores, low: Float[np.ndarray, "tasks"], high: Float[np.ndarray, "tasks"]
) -> Scores:
    """Scores with `low` at 0 and `high` at 1, task by task; raises ConfigError where they agree."""
    low, high = np.asarray(low, float), np.asarray(high, float)
    if not np.all(high > low):
        raise ConfigError("a task's upper score must be above its lower one to normalise by them")
    return (scores - low) / (high - low)


def _wins(parts: Sequence[Scores]) -> Float[np.ndarray, "*resamples"]:
    ours, theirs = (part[..., :, None, :] for part in parts)
    theirs = np.swapaxes(theirs, -3, -2)
    points = (ours > theirs) + 0.5 * (ours == theirs)
    return np.mean(points, axis=(-3, -2, -1))


def _bootstrap(
    parts: Sequence[Scores],
    statistic: Callable[[Sequence[Scores]], np.ndarray],
    random: np.random.Generator,
    resamples: int,
) -> Float[np.ndarray, "resamples"]:
    cells = max(np.prod([part.shape[0] for part in parts]) * parts[0].shape[1], 1)
    at_once = max(1, int(_CELLS // cells))
    found = []
    for begin in range(0, resamples, at_once):
        count = min(at_once, resamples - begin)
        found.append(statistic([_resampled(part, random, count) for part in parts]))
    return np.concatenate(found)


def _resampled(scores: Scores, random: np.random.Generator, count: int) -> Scores:
    picks = random.integers(scores.shape[0], size=(count, *scores.shape))
    return np.take_along_axis(scores[None], picks, axis=1)


def _interval(value: float, drawn: np.ndarray) -> Estimate:
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return Estimate(value, float(low), float(high))


def _checked(scores: Scores) -> Scores:
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 2 or 0 in scores.shape:
        raise ConfigError(f"scores of shape {scores.shape} are no matrix of runs and tasks")
    if not np.all(np.isfinite(scores)):
        raise ConfigError(
            "a score is not finite; leave failed runs out, and say how many there were"
        )
    return scores
