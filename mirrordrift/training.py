"""Training as the command line and Python ask for it: drifts in, agents, scores and folders out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirrordrift import runs
from mirrordrift.interface import refuse_refuted
from mirrordrift.spec import Target, resolve_line
from symbolic.drift import Drift
from symbolic.errors import ConfigError

if TYPE_CHECKING:
    from rl.agent import Agent
    from rl.config import TrainerConfig
    from rl.drifts import AnyDrift, Candidates
    from rl.folder import RunFolder
    from rl.population import Population
    from rl.score import Score


def train(
    drift: object,
    env: str,
    *,
    seed: int = 0,
    folder: str | PathLike[str] | None = None,
    allow_unproved: bool = False,
    **changes: Any,
) -> Agent:
    """Train one agent; it acts, and its `score` has the learning curve.

    A drift is what `verify` takes, where text may bind parameters ("ppo; eps=0.3"), or a JAX
    function (log_ratio, advantage[, progress]) -> f, elementwise, which is trained without a verdict
    and leaves no folder. `changes` are fields of the environment's recipe, such as `total_env_steps=100_000`.
    A `folder` is that of `drift train`: `load_agent` reads it, and a run that was cut off goes on
    with `drift train --resume`.
    Raises FormulaError or ConfigError, also for a refuted formula unless `allow_unproved`.
    """
    from rl import environments
    from rl.drifts import of_function
    from rl.population import Population
    from rl.presets import preset
    from rl.start import start
    from rl.training import train as train_population

    config = preset(env, **changes)
    start()
    if callable(drift):
        if folder is not None:
            raise ConfigError("a function cannot be written into a folder; leave the folder out")
        task = environments.task_of(env, config)
        population = Population.alone(task, config, of_function(drift), [seed])
        return train_population(population).agent(0)
    run = new_run(resolve_line(drift), env, seed, config, allow_unproved=allow_unproved)
    kept = None if folder is None else new_folder(run, Path(folder))
    return train_population(run.population, kept).agent(0)


def load_agent(folder: str | PathLike[str]) -> Agent:
    """The agent of a run folder, as its last checkpoint has it.

    Raises ConfigError for a folder without one.
    """
    from rl.start import start
    from rl.training import last_saved

    start()
    run, opened = begun_run(Path(folder))
    return last_saved(run.population, opened).agent(0)


def evaluate(
    drifts: Sequence[object],
    env: str,
    seeds: Sequence[int] = (0,),
    *,
    allow_unproved: bool = False,
    memory: int | None = None,
    folder: str | PathLike[str] | None = None,
    **changes: Any,
) -> list[Score]:
    """Train agents with every drift and seed in one environment; their scores, drifts first.

    Drifts and `changes` are as for `train`; `memory` bounds the bytes used at once; `folder` keeps
    every run, and what it has is not trained again.
    Raises FormulaError or ConfigError, also for a refuted formula unless `allow_unproved`.
    """
    from rl import environments, scoring
    from rl.presets import preset
    from rl.start import start

    if isinstance(drifts, str) or not isinstance(drifts, Sequence):
        raise ConfigError(f"drifts={drifts!r:.60} is no list; write [{drifts!r:.60}]")
    if isinstance(seeds, int):
        raise ConfigError(f"seeds={seeds} is no list of seeds; write range({seeds})")
    if not drifts or not seeds:
        raise ConfigError("nothing to train; give at least one drift and one seed")
    config = preset(env, **changes)
    targets: list[AnyDrift] = []
    for drift in drifts:
        if callable(drift):
            targets.append(drift)
            continue
        target = resolve_line(drift)
        targets.append(target)
        if not allow_unproved:
            refuse_refuted(runs.label(target), target)
    start()
    task = environments.task_of(env, config)
    about = {
        "drifts": ["function" if callable(t) else runs.drift_record(t) for t in targets],
        "versions": runs.versions(),
    }
    path = None if folder is None else Path(folder)
    return scoring.evaluate(targets, task, config, seeds, memory=memory, folder=path, about=about)


def candidates_of(target: Target) -> Candidates:
    """What the trainer calls; raises ConfigError for a parameter without a number."""
    from rl.drifts import of_formulas, of_networks

    return of_formulas([target]) if isinstance(target, Drift) else of_networks([target])


@dataclass(frozen=True)
class Run:
    """One agent to be trained, and what its folder says of it."""

    target: Target
    record: dict[str, Any]
    population: Population
    decided: bool = True
    """Whether the drift is proved, as far as anybody asked."""


def new_run(
    target: Target, env: str, seed: int, config: TrainerConfig, *, allow_unproved: bool = False
) -> Run:
    """A run that could begin.

    Raises ConfigError for a drift, an environment or a seed that cannot be trained, and for a
    refuted formula unless `allow_unproved`.
    """
    record = runs.record_of(target, env, seed, config)
    population = _population(record, target, config)
    decided = allow_unproved or refuse_refuted(runs.label(target), target) == "proved"
    return Run(target, record, population, decided)


def new_folder(run: Run, path: Path) -> RunFolder:
    """The folder in which a run begins; raises ConfigError if it has one already."""
    from rl.folder import RunFolder

    RunFolder.check_free(path)
    runs.keep_network(run.target, path)  # first: without run.json there is no run yet
    return RunFolder.create(path, run.record)


def begun_run(path: Path) -> tuple[Run, RunFolder]:
    """The run of a folder; raises ConfigError for a folder without one."""
    from rl.folder import RunFolder

    folder, record = RunFolder.open(path)
    target = runs.target_of(record, path)
    return Run(target, record, _population(record, target, runs.config_of(record, path))), folder


def _population(record: dict[str, Any], target: Target, config: TrainerConfig) -> Population:
    from rl import environments
    from rl.population import Population

    task = environments.task_of(record["env"], config)
    return Population.alone(task, config, candidates_of(target), [int(record["seed"])])
