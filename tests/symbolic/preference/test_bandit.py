"""Equation (8) on a bandit: the penalised optimum shows the reward through φ⁻¹, up to a constant.

The optimum is found without the equation: by descent on E[r] − β·D_h(π, ρ) over the simplex, D_h by
numerical integration of φ⁻¹.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize

from symbolic.drift import Drift
from symbolic.numeric import evaluate

REWARD = np.array([0.9, 0.2, 0.5, -0.4])
REFERENCE = np.array([0.1, 0.4, 0.3, 0.2])
BETA = 0.7

MAPS = {
    "negative entropy": "log(x) + 1",
    "log-odds": "log(x) - log(1 - x)",
    "log and cubic": "log(x) + 3*x**3",
    "tsallis, order 1/2": "-2/sqrt(x)",
}


def phi_inverse(text: str, x: float) -> float:
    return float(evaluate(Drift.from_text(text, kind="mirror-map").formula, {"x": x}))


def divergence(text: str, policy: np.ndarray) -> float:
    """Σ_a ∫ from ρ_a to π_a of φ⁻¹(s) − φ⁻¹(ρ_a) ds, the Bregman divergence of h."""
    return sum(
        quad(lambda s, at=at: phi_inverse(text, s) - phi_inverse(text, at), at, p)[0]
        for p, at in zip(policy, REFERENCE)
    )


def optimum(text: str) -> np.ndarray:
    """By logits, so that every policy tried lies inside the simplex."""

    def loss(logits: np.ndarray) -> float:
        policy = np.exp(logits - np.logaddexp.reduce(logits))
        return float(-(policy @ REWARD) + BETA * divergence(text, policy))

    found = minimize(loss, np.log(REFERENCE), method="BFGS", options={"gtol": 1e-9})
    return np.exp(found.x - np.logaddexp.reduce(found.x))


@pytest.mark.parametrize("name", MAPS)
def test_the_optimum_shows_the_reward(name: str) -> None:
    text = MAPS[name]
    policy = optimum(text)
    shown = BETA * np.array(
        [phi_inverse(text, p) - phi_inverse(text, q) for p, q in zip(policy, REFERENCE)]
    )
    assert np.ptp(REWARD - shown) < 1e-4
    assert np.ptp(REWARD) > 1  # which is what has to be explained


def test_a_map_that_ends_above_minus_infinity_need_not_show_it() -> None:
    """With the Euclidean norm an action may get probability 0: why Theorem 3.1 asks for ω = 0."""
    policy = REFERENCE + (2 / BETA) * (REWARD - REWARD.mean())  # where all are positive
    assert (policy < 0).any()
    order = np.argsort(-policy)
    kept = next(
        k for k in range(4, 0, -1)
        if (policy[order[:k]] + (1 - policy[order[:k]].sum()) / k > 0).all()
    )  # fmt: skip
    on = order[:kept]
    best = np.zeros(4)
    best[on] = policy[on] + (1 - policy[on].sum()) / kept
    shown = BETA * (best - REFERENCE) / 2
    assert np.ptp((REWARD - shown)[on]) < 1e-12
    assert np.ptp(REWARD - shown) > 0.1
