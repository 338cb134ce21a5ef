"""Landscapes: what the paper says of ORPO's, computed."""

from __future__ import annotations

import numpy as np
import pytest

from rl.offline.landscape import pull
from symbolic.catalogue.objectives import objectives
from symbolic.preference.reading import objective_from_text

GRID = np.linspace(-8.0, -0.05, 60)
CHOSEN, REJECTED = np.meshgrid(GRID, GRID, indexing="ij")


def test_what_is_undefined_has_no_pull() -> None:
    found = pull(
        objective_from_text("log(x); log(x); log(z)"), np.array([-1.0, -2.0]), np.array(-1.5)
    )
    assert found.chosen[0] > 1
    assert np.isnan([found.chosen[1], found.rejected[1]]).all()


def test_the_pull_is_the_derivative() -> None:
    found = pull(objectives["orpo"], CHOSEN, REJECTED)
    odds = np.log(np.exp(CHOSEN) / (1 - np.exp(CHOSEN))) - np.log(
        np.exp(REJECTED) / (1 - np.exp(REJECTED))
    )
    wrong = 1 / (1 + np.exp(odds))
    np.testing.assert_allclose(found.chosen, 1 + 0.1 * wrong / (1 - np.exp(CHOSEN)), rtol=1e-4)
    np.testing.assert_allclose(
        found.rejected, -0.1 * wrong / (1 - np.exp(REJECTED)), rtol=1e-4, atol=1e-7
    )


def test_the_pull_of_orpo_jumps_where_the_rejected_trajectory_is_the_likelier() -> None:
    """Section 5.1: over a few units about log π_w = log π_l it goes from its least to its most."""
    found = np.abs(pull(objectives["orpo"], CHOSEN, REJECTED).rejected)
    below = found[(CHOSEN < REJECTED - 3) & (REJECTED < -1)]
    above = found[(CHOSEN > REJECTED + 3) & (REJECTED < -1)]
    assert below.min() > 15 * above.max()


def test_the_closed_form_pulls_less_where_its_constants_are_smaller() -> None:
    """Equation (11): weights scale the pull, and it depends on the difference alone."""
    whole = pull(objectives["mpo-closed-form"], CHOSEN, REJECTED)
    half = pull(objective_from_text("log(x)/2; log(x)/2; x in (0, inf)"), CHOSEN, REJECTED)
    assert (np.abs(half.chosen) < np.abs(whole.chosen)).all()
    np.testing.assert_allclose(whole.rejected[3:, 3:], whole.rejected[:-3, :-3], rtol=1e-4)


def test_a_temporally_aware_objective_pulls_differently_later() -> None:
    fading = objective_from_text("log(x); (2 - t)*log(x)")
    early, late = (pull(fading, CHOSEN, REJECTED, t).rejected for t in (0.0, 1.0))
    assert np.abs(early).max() == pytest.approx(2 * np.abs(late).max(), rel=1e-3)
