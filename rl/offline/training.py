"""Offline training from the supervised stage to the last epoch, and going on where it was cut off.

Checkpoint 1 is what the supervised stage left, checkpoint 1 + n what n epochs left. Beside them
trajectory.npz has where each agent was in the landscape of its objective: log π(τ_w) and log π(τ_l)
of one pair of every minibatch, with the progress.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from rl.evaluation import Evaluation
from rl.folder import Record, RunFolder
from rl.offline.agent import EpochMetrics, OfflineState
from rl.offline.population import OfflinePopulation
from rl.records import writing_into
from rl.start import leads
from symbolic.arrays import read_arrays, write_arrays

_MOST_UNDEFINED = 0.01
"""Share of pairs for which an objective may be no number, as a drift may on its samples."""
TRAJECTORY = "trajectory.npz"
Progress = Callable[[int, int, list[Record]], None]
"""(epochs done, epochs in all, their records)."""


@dataclass(frozen=True)
class OfflineScore:
    """What became of one agent."""

    objective: int
    seed: int
    return_mean: float
    return_stderr: float
    episode_length: float
    seconds: float
    failed: str | None
    """Why it does not count; its other numbers are of no use then."""
    warning: str | None
    """What to know of one that counts all the same."""
    records: tuple[Record, ...] = field(repr=False)


@dataclass(frozen=True, eq=False)
class OfflineTrained:
    """A population after its training."""

    population: OfflinePopulation
    state: OfflineState
    scores: list[OfflineScore]
    """One an agent, objectives first."""


def train_offline(
    population: OfflinePopulation,
    folder: RunFolder | None = None,
    progress: Progress | None = None,
    *,
    judge_first: bool = True,
) -> OfflineTrained:
    """Train all agents, or go on where `folder` has them.

    `judge_first` asks how well they did before their objective was asked, too.
    Raises ConfigError if the folder cannot be written; what was saved before stays.
    """
    config = population.programs.config
    state, done = population.init(), 0
    records: list[Record] = []
    if folder is not None:
        done, state, records = folder.restore(state)
    begun = time.perf_counter() - (records[-1]["seconds"] if records else 0.0)
    if not done:
        state = population.imitate(state)
        found = population.judge(state, 0) if judge_first else None
        records = _records(population, 1, begun, None, {}, found)
        if folder is not None:
            folder.save(1, state, records)
        done = 1
    reference = population.reference(state)
    for epoch in range(done - 1, config.epochs):
        state, metrics, seen = population.prefer(state, reference, epoch)
        judged = epoch + 1 in config.judged_after
        found = population.judge(state, epoch + 1) if judged else None
        new = _records(population, epoch + 2, begun, population.finite(state), metrics, found)
        records += new
        if folder is not None:
            _keep_trajectory(folder, seen[:: len(population.seeds)], epoch, config.epochs)
            folder.save(epoch + 2, state, records)
        if progress is not None:
            progress(epoch + 1, config.epochs, new)
    return OfflineTrained(population, state, scores_of(population, records))


def read_trajectory(folder: RunFolder) -> dict[str, np.ndarray]:
    """Of each objective's first agent `chosen` and `rejected` `[objectives, points]`.

    With `progress` `[1, points]`; empty before an epoch.

    Raises ConfigError for a file that is damaged.
    """
    path = folder.path / TRAJECTORY
    return read_arrays(path)[0] if path.exists() else {}


def _keep_trajectory(folder: RunFolder, seen: np.ndarray, epoch: int, epochs: int) -> None:
    """Add an epoch's points to those before it; what is there of later ones is dropped."""
    before = read_trajectory(folder)
    points = np.moveaxis(seen, -1, 0).astype(np.float64)
    new = {
        "chosen": points[0],
        "rejected": points[1],
        "progress": np.full((1, points.shape[2]), epoch / epochs),
    }
    kept = {name: before[name][:, : epoch * points.shape[2]] for name in before}
    whole = {
        name: np.concatenate([kept[name], value], axis=1) if kept else value
        for name, value in new.items()
    }
    if leads():
        with writing_into(folder.path):
            write_arrays(folder.path / TRAJECTORY, whole, {"schema": "mirrordrift/trajectory/1"})


def scores_of(population: OfflinePopulation, records: list[Record]) -> list[OfflineScore]:
    """Of each agent, by its last judgement; objectives first."""
    found, cell = [], population.programs.config.action_cell
    for objective, where in enumerate(population.ranges):
        for seed in population.seeds:
            own = [r for r in records if (r["candidate"], r["seed"]) == (objective, seed)]
            last = own[-1]
            failed = _failure(own, where, cell)
            found.append(
                OfflineScore(
                    objective=objective,
                    seed=seed,
                    return_mean=last["return_mean"],
                    return_stderr=last["return_stderr"],
                    episode_length=last["episode_length"],
                    seconds=last["seconds"],
                    failed=failed,
                    warning=None if failed else _outside(own, where, cell),
                    records=tuple(own),
                )
            )
    return found


def _failure(
    records: list[Record], where: tuple[float, float], action_cell: float | None
) -> str | None:
    for record in records:
        if record["finite"] == 0 or record["nonfinite"] > 0:
            why = f"gradient not finite in epoch {record['evaluation'] - 1}"
            outside = _outside([record], where, action_cell)
            return f"{why}; {outside}" if outside else why
    for record in records:
        if record["undefined"] > _MOST_UNDEFINED:
            return (
                f"the objective was no number for {100 * record['undefined']:.3g} % of the pairs of "
                f"epoch {record['evaluation'] - 1}"
            )
    if not np.isfinite(records[-1]["return_mean"]):
        return "return not finite: its actions were no numbers"
    return None


def _outside(
    records: list[Record], where: tuple[float, float], action_cell: float | None
) -> str | None:
    """That pairs left the range where the objective means something, and what to do about it."""
    told = []
    for side, end in (("below", where[0]), ("above", where[1])):
        share = max((record[side] for record in records if record[side] > 0), default=0.0)
        if not share:
            continue
        if side == "below":
            remedy = "take means over steps, --reduction mean, or fewer steps"
        else:
            remedy = "give action_cell a length" if action_cell is None else "lower action_cell"
            remedy += ", or declare x in (0, inf) if the formula allows it"
        told.append(
            f"{100 * share:.3g} % of the pairs of an epoch had log-probabilities {side} {end:g}, where "
            f"the objective is not meant to be used ({remedy})"
        )
    return "; ".join(told) or None


def _records(
    population: OfflinePopulation,
    evaluation: int,
    begun: float,
    finite: np.ndarray | None,
    metrics: dict[str, np.ndarray],
    judged: Evaluation | None,
) -> list[Record]:
    """One record an agent; what was not measured is nan."""
    shape = (population.count, len(population.seeds))
    unknown = np.full(shape, np.nan)
    told = {name: metrics.get(name, unknown) for name in EpochMetrics._fields}
    told["finite"] = np.ones(shape) if finite is None else finite
    told |= {
        name: unknown if judged is None else np.asarray(getattr(judged, name))
        for name in Evaluation._fields
    }
    return [
        {
            "candidate": objective,
            "seed": seed,
            "evaluation": evaluation,
            "seconds": time.perf_counter() - begun,
            **{name: float(value[objective, place]) for name, value in told.items()},
        }
        for objective in range(population.count)
        for place, seed in enumerate(population.seeds)
    ]
