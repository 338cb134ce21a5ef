"""How good what was found is: against PPO, on seeds that nothing was found with."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from search.arena import FIRST_HELD_OUT_SEED
from symbolic.catalogue import catalogue
from symbolic.drift import Drift

PPO_EPSILON = "0.2"
"""ε of the PPO that drifts are measured against, where nothing gives another."""


def ppo(epsilon: str = PPO_EPSILON) -> Drift:
    """PPO's drift."""
    return catalogue["ppo"].bind({"eps": epsilon})


def held_out_seeds(count: int) -> range:
    """Seeds for judging."""
    return range(FIRST_HELD_OUT_SEED, FIRST_HELD_OUT_SEED + count)


def compared(
    returns: Float[np.ndarray, "seeds"],
    baseline: Float[np.ndarray, "seeds"],
    name: str = "ppo",
) -> dict[str, float]:
    """Mean returns, that of the baseline by its `name`, and of the difference seed by seed the mean
    and its standard error.

    Over the seeds with which both ended; `diverged` says with how many one did not.
    """
    lived = np.isfinite(returns) & np.isfinite(baseline)
    if not lived.any():
        names = ("return_mean", f"{name}_mean", "difference", "difference_stderr")
        return dict.fromkeys(names, math.nan) | {"diverged": len(lived)}
    own, other = (np.asarray(values, np.float64)[lived] for values in (returns, baseline))
    difference = own - other
    spread = difference.std(ddof=1) if len(difference) > 1 else math.nan
    return {
        "return_mean": float(own.mean()),
        f"{name}_mean": float(other.mean()),
        "difference": float(difference.mean()),
        "difference_stderr": float(spread / math.sqrt(len(difference))),
        "diverged": int((~lived).sum()),
    }
