"""What became of the agents of a run, by its records."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float

from rl.config import TrainerConfig
from rl.folder import Record


@dataclass(frozen=True)
class Score:
    """What became of one agent."""

    candidate: int
    seed: int
    return_mean: float
    return_stderr: float
    entropy: float
    env_steps: int
    seconds: float
    compile_seconds: float
    failed: str | None
    """Why it does not count; its other numbers are of no use then."""
    records: tuple[Record, ...] = field(repr=False)
    """What was measured at each evaluation."""

    @property
    def env_steps_per_second(self) -> float:
        """Of the whole run, divided among its agents."""
        return self.env_steps / self.seconds if self.seconds > 0 else math.nan


MOST_NONFINITE = 0.01
"""Share of samples on which a drift may have been no number; beyond it, it taught nothing known."""


def lost(
    config: TrainerConfig,
    metrics: Mapping[str, Float[np.ndarray, "*agents"]],
    return_mean: Float[np.ndarray, "*agents"],
) -> Bool[np.ndarray, "*agents"]:
    """Which agents do not count, by what one whole training told of them."""
    samples = config.samples_per_update * metrics["updates"]
    return np.asarray(
        (metrics["diverged"] > 0)
        | ~np.isfinite(return_mean)
        | (metrics["nonfinite"] > MOST_NONFINITE * samples)
    )


def scores_of(
    records: Sequence[Record], count: int, seeds: Sequence[int], *, samples_per_update: int
) -> list[Score]:
    """Of `count` candidates × seeds, candidates first.

    From every agent's last record, and from all of them whether it failed.
    """
    found = []
    for candidate in range(count):
        for seed in seeds:
            own = [r for r in records if (r["candidate"], r["seed"]) == (candidate, seed)]
            last = own[-1]
            found.append(
                Score(
                    candidate=candidate,
                    seed=seed,
                    return_mean=last["return_mean"],
                    return_stderr=last["return_stderr"],
                    entropy=last["entropy"],
                    env_steps=last["env_steps"],
                    seconds=last["seconds"],
                    compile_seconds=last["compile_seconds"],
                    failed=_failure(own, samples_per_update),
                    records=tuple(own),
                )
            )
    return found


def _failure(records: Sequence[Record], samples_per_update: int) -> str | None:
    """Why an agent does not count: weights, its return, or the drift were no numbers."""
    for record in records:
        if record["train_diverged"] > 0:
            lost = record["train_nonfinite"]
            cause = f"; its drift was not finite on {lost:.0f} samples" if lost else ""
            return f"weights not finite by {record['env_steps']} environment steps{cause}"
    if not math.isfinite(records[-1]["return_mean"]):
        return f"return not finite at {records[-1]['env_steps']} environment steps"
    trained = [record for record in records if record["train_updates"] > 0]
    samples = samples_per_update * sum(record["train_updates"] for record in trained)
    lost = sum(record["train_nonfinite"] for record in trained)
    if lost > MOST_NONFINITE * samples:
        return f"its drift was not finite on {100 * lost / samples:.3g} % of the samples"
    return None
