"""A comparison run: environment after environment, every drift with every seed, resumable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mirrordrift import runs
from mirrordrift.bench.plan import Plan
from mirrordrift.progress import Begin

if TYPE_CHECKING:
    from rl.config import TrainerConfig
    from rl.score import Score

TUNING_SEEDS = 2
_TUNING_FIRST = 2**31
"""Seeds that learning rates are tuned with: none that a comparison is likely to use itself."""


@dataclass(frozen=True)
class Scored:
    """What became of one drift in one environment."""

    env: str
    drift: str
    scores: tuple[Score, ...]
    """One a seed."""
    learning_rate: float
    """That all drifts of this environment trained with."""


def run(
    plan: Plan,
    folder: Path,
    *,
    memory: int | None = None,
    progress: Begin | None = None,
) -> Iterator[list[Scored]]:
    """The scores of each environment, as it is done; what `folder` has is not trained again.

    `progress` is asked, with a title and the number of updates, for what then hears of them.
    Raises ConfigError for what cannot be trained, or does not fit into `memory` bytes.
    """
    from rl import environments
    from rl.scoring import evaluate

    for env, config in plan.configs.items():
        task = environments.task_of(env, config)

        def scored(
            config: TrainerConfig, labels: list[str], seeds: tuple[int, ...], place: str
        ) -> list[Score]:
            records = [{"label": x, **runs.drift_record(plan.drifts[x])} for x in labels]
            report = progress(f"{env} {place}".strip(), config.num_updates) if progress else None  # noqa: B023
            return evaluate(
                [plan.drifts[label] for label in labels],
                task,  # noqa: B023
                config,
                seeds,
                memory=memory,
                folder=folder / env / place,  # noqa: B023
                about={"drifts": records, "versions": runs.versions()},
                progress=report,
            )

        if plan.learning_rates:
            config = _tuned(plan, config, scored)
        labels = list(plan.drifts)
        scores = scored(config, labels, plan.seeds, "")
        count = len(plan.seeds)
        yield [
            Scored(env, label, tuple(scores[i * count : (i + 1) * count]), config.learning_rate)
            for i, label in enumerate(labels)
        ]


def _tuned(
    plan: Plan,
    config: TrainerConfig,
    scored: Callable[[TrainerConfig, list[str], tuple[int, ...], str], list[Score]],
) -> TrainerConfig:
    """The configuration with the learning rate at which the first drift does best."""
    seeds = tuple(range(_TUNING_FIRST, _TUNING_FIRST + TUNING_SEEDS))
    found = {}
    for rate in plan.learning_rates:
        tried = replace(config, learning_rate=rate)
        scores = scored(tried, [plan.baseline], seeds, f"learning-rate-{rate:g}")
        returns = [-np.inf if score.failed else score.return_mean for score in scores]
        found[rate] = float(np.mean(returns))
    return replace(config, learning_rate=max(found, key=lambda rate: found[rate]))
