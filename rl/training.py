"""A run from its first update to its last: segments, evaluations, records, and going on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rl.agent import Agent
from rl.evaluation import Evaluation
from rl.folder import Record, RunFolder
from rl.metrics import UpdateMetrics
from rl.population import Population, schedule
from rl.score import Score, scores_of
from rl.trainer import TrainState
from symbolic.errors import ConfigError

Progress = Callable[[int, int, list[Record]], None]
"""(updates done, updates in all, records of the last evaluation)."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A population after its training."""

    population: Population
    state: TrainState
    scores: list[Score]
    """One an agent, candidates first."""

    def agent(self, place: int) -> Agent:
        """The agent of the score at `place`."""
        trainer = self.population.programs.trainer
        parameters, observations = self.population.weights(self.state, place)
        return Agent(
            env=trainer.episodes.task.name,
            score=self.scores[place],
            networks=trainer.networks,
            policy=trainer.policy,
            parameters=parameters,
            observations=observations,
        )


def last_saved(population: Population, folder: RunFolder) -> Trained:
    """The population as the last checkpoint of `folder` has it; raises ConfigError without one."""
    done, state, records = folder.restore(population.init())
    if not done:
        raise ConfigError(f"{folder.path}: has no checkpoint yet; train it first")
    return Trained(population, state, _scores(population, records))


def train(
    population: Population, folder: RunFolder | None = None, progress: Progress | None = None
) -> Trained:
    """Train all agents, or go on where `folder` has them.

    Agents are evaluated before their first update, too: that is where a learning curve begins.
    Raises ConfigError if the folder cannot be written; what was saved before stays.
    """
    segments = schedule(population.config)
    state: TrainState = population.init()
    done = 0
    records: list[Record] = []
    if folder is not None:
        done, state, records = folder.restore(state)
    spent = records[-1]["seconds"] if records else 0.0
    compiling = records[-1]["compile_seconds"] if records else 0.0
    compiling += population.compile() if done < len(segments) else 0.0
    if not records:
        begun = time.perf_counter()
        found = population.evaluate(state, 0)
        spent += time.perf_counter() - begun
        records += _records(population, 0, Clock(0, spent, compiling, math.nan), found, {})
        if progress is not None:
            progress(0, population.config.num_updates, records)
    for index in range(done, len(segments)):
        begun = time.perf_counter()
        state, metrics = population.run(state, segments[index])
        updated = time.perf_counter() - begun
        found = population.evaluate(state, index + 1)
        spent += time.perf_counter() - begun
        per_update = population.config.env_steps_per_update
        steps, pace = (
            sum(segments[: index + 1]) * per_update,
            segments[index] * per_update / updated,
        )
        clock = Clock(steps, spent, compiling, pace)
        new = _records(population, index + 1, clock, found, metrics)
        records += new
        if folder is not None:
            folder.save(index + 1, state, records)
        if progress is not None:
            progress(sum(segments[: index + 1]), population.config.num_updates, new)
    if folder is not None:
        folder.write_density(population.density(state))
    return Trained(population, state, _scores(population, records))


class Clock(NamedTuple):
    """What an evaluation's records say of time, alike for all agents."""

    env_steps: int
    seconds: float
    compile_seconds: float
    train_env_steps_per_second: float
    """Of the updates since the last evaluation, divided among the agents."""


def _records(
    population: Population,
    evaluation: int,
    clock: Clock,
    found: Evaluation,
    metrics: Mapping[str, np.ndarray],
) -> list[Record]:
    """One record an agent; what training tells is nan before its first update."""
    unknown = np.full(found.return_mean.shape, np.nan)
    training = {f"train_{name}": metrics.get(name, unknown) for name in UpdateMetrics._fields}
    values = found._asdict() | training
    return [
        {
            "candidate": candidate,
            "seed": seed,
            "evaluation": evaluation,
            **clock._asdict(),
            **{name: float(value[candidate, place]) for name, value in values.items()},
        }
        for candidate in range(population.count)
        for place, seed in enumerate(population.seeds)
    ]


def _scores(population: Population, records: list[Record]) -> list[Score]:
    samples = population.config.samples_per_update
    return scores_of(records, population.count, population.seeds, samples_per_update=samples)
