"""How good what was found is: against PPO, on seeds that nothing was found with."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from search.arena import TRAINING_SEEDS
from symbolic.catalogue import catalogue
from symbolic.drift import Drift

PPO_EPSILON = "0.2"
"""ε of the PPO that drifts are measured against, where nothing gives another."""


def ppo(epsilon: str = PPO_EPSILON) -> Drift:
    """PPO's drift."""
    return catalogue["ppo"].bind({"eps": epsilon})


def held_out_seeds(count: int) -> range:
    """Seeds for judging."""
    return range(TRAINING_SEEDS, TRAINING_SEEDS + count)


def compared(
    returns: Float[np.ndarray, "seeds"], of_ppo: Float[np.ndarray, "seeds"]
) -> dict[str, float]:
    """Mean returns, and of the difference seed by seed the mean and its standard error."""
    difference = np.asarray(returns, np.float64) - of_ppo
    spread = difference.std(ddof=1) if len(difference) > 1 else math.nan
    return {
        "return_mean": float(np.mean(returns, dtype=np.float64)),
        "ppo_mean": float(np.mean(of_ppo, dtype=np.float64)),
        "difference": float(difference.mean()),
        "difference_stderr": float(spread / math.sqrt(len(difference))),
    }
