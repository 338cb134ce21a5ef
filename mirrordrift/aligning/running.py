"""Alignments run: objectives in, agents and scores out."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirrordrift.aligning import results
from mirrordrift.aligning.plan import AlignPlan, begin, opened, plan
from mirrordrift.interface import verdict_of
from rl.offline.config import SCRATCH
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from symbolic.mirror_network import MirrorNetwork
from symbolic.preference.objective import PreferenceObjective

if TYPE_CHECKING:
    from mirrordrift.landscape import Trajectory
    from rl.environments import Task
    from rl.offline.actor import TrainedActor
    from rl.offline.config import OfflineConfig
    from rl.offline.training import OfflineScore
    from rl.preference.chunks import Preferences
    from rl.preference.data import PreferenceData

Tell = Callable[[str, int, int], None]
"""(what is trained, epochs done, epochs in all)."""


@dataclass(frozen=True)
class Aligned:
    """An agent's score, with the label of its objective."""

    objective: str
    score: OfflineScore


def align(
    objectives: Sequence[object],
    dataset: str | PathLike[str],
    seeds: Sequence[int] = (0,),
    *,
    start: str = SCRATCH,
    rows: int | None = None,
    steps: int | None = None,
    folder: str | PathLike[str] | None = None,
    allow_unproved: bool = False,
    **changes: Any,
) -> list[Aligned]:
    """Train agents offline with every objective and seed; their scores, objectives first.

    An objective is a name ("orpo"), two formulas ("log(x); log(x) - log(1-x)"), a file, or a
    `PreferenceObjective`, whose slots may hold JAX functions. `changes` are fields of the training,
    such as `epochs=20`. A `folder` is that of `drift align`, which a function cannot be written into; an
    alignment that was cut off there goes on, if it is the same.
    Raises FormulaError or ConfigError, also for a refuted objective unless `allow_unproved`.
    """
    from rl.start import start as start_jax

    if isinstance(objectives, str) or not isinstance(objectives, Sequence):
        raise ConfigError(f"objectives={objectives!r:.60} is no list; write [{objectives!r:.60}]")
    if isinstance(seeds, int):
        raise ConfigError(f"seeds={seeds} is one number; write range({seeds}), or [{seeds}]")
    asked = plan(
        objectives,
        Path(dataset),
        seeds=seeds,
        config=_config(changes),
        start=start,
        rows=rows,
        steps=steps,
    )
    if not allow_unproved:
        for label, objective in asked.objectives.items():
            all_proved(label, objective)
    start_jax()
    check(asked)
    kept = None if folder is None else Path(folder)
    if kept is not None:
        begin(asked, kept)
    return run(asked, kept)


def _config(changes: Mapping[str, Any]) -> OfflineConfig:
    from rl.offline.config import OfflineConfig

    known = [field.name for field in fields(OfflineConfig)]
    for name in changes:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise ConfigError(
                f"{name}={changes[name]!r:.40} sets no field; {hint}there are {', '.join(known)}"
            )
    return OfflineConfig(**changes)


def all_proved(label: str, objective: PreferenceObjective) -> bool:
    """Whether both maps of an objective are proved; functions are not decided.

    Raises ConfigError, with the witness, for a map that is refuted or a link that falls.
    """
    found = list(_verdicts(label, objective))
    for _, why in found:
        if why:
            raise ConfigError(f"{why}; to train with it all the same, say --allow-unproved")
    return all(verdict == "proved" for verdict, _ in found)


def refutations(label: str, objective: PreferenceObjective) -> list[str]:
    """What is refuted of an objective, with witnesses."""
    return [why for _, why in _verdicts(label, objective) if why]


def _verdicts(label: str, objective: PreferenceObjective) -> Iterator[tuple[str, str]]:
    for slot, target in objective.maps.items():
        if isinstance(target, (Drift, MirrorNetwork)):
            yield verdict_of(f"{label}: {slot}", target)
    if (z := objective.link_undefined_at) is not None:
        yield "refuted", f"{label}: the link is no number at z = {z:g}, and z may be any number"
    if objective.prefers_rejected:
        yield (
            "refuted",
            f"{label}: the link is less at z > 0 than at -z, so it favours what is rejected",
        )


def run(plan: AlignPlan, folder: Path | None = None, tell: Tell | None = None) -> list[Aligned]:
    """Train all agents, or go on where `folder` has them; one program for objectives of one form.

    Raises ConfigError for a dataset that is gone, damaged or another one.
    """
    from rl.environments import Episodes
    from rl.offline.candidates import grouped_objectives
    from rl.offline.pairs import read_pairs, training_pairs
    from rl.offline.population import OfflinePopulation, OfflinePrograms
    from rl.offline.training import train_offline

    data = opened(plan)
    preferences = read_pairs(data, plan.rows, plan.steps)
    task = judged_task(data, plan)
    actor = _actor(plan, task, preferences)
    pairs = training_pairs(preferences, actor.observations, actor.policy)
    labels = list(plan.objectives)
    found: dict[int, list[Aligned]] = {}
    for number, (places, group) in enumerate(grouped_objectives(list(plan.objectives.values()))):
        programs = OfflinePrograms(
            actor,
            Episodes(task, plan.config.num_eval_episodes),
            pairs,
            plan.config,
            group.apply,
            width=group.count * len(plan.seeds),
        )
        population = OfflinePopulation(programs, group, plan.seeds)
        kept = None if folder is None else _run_folder(folder / f"agents-{number}")
        title = f"epochs by {'; '.join(labels[place] for place in places)}"
        scores = train_offline(
            population, kept, None if tell is None else _told(tell, title)
        ).scores
        for score in scores:
            place = places[score.objective]
            found.setdefault(place, []).append(Aligned(labels[place], score))
    aligned = [each for place in sorted(found) for each in found[place]]
    if folder is not None:
        results.keep(plan, aligned, folder)
    return aligned


def check(plan: AlignPlan) -> None:
    """Raise ConfigError for sizes or an agent that do not fit the data, before anything is written."""
    from mirrordrift.actors import actor_of
    from rl.offline.actor import from_agent
    from rl.offline.pairs import check_part
    from rl.offline.population import check_minibatch

    data = opened(plan)
    check_part(data, plan.rows, plan.steps)
    check_minibatch(plan.config, len(data) if plan.rows is None else plan.rows)
    if plan.start != SCRATCH:
        from_agent(actor_of(plan.start).network, judged_task(data, plan))


def trajectories(plan: AlignPlan, folder: Path) -> dict[str, Trajectory]:
    """By label, the pairs that the first agent of each objective met; only where there are any.

    Raises ConfigError for files that are damaged.
    """
    import numpy as np

    from mirrordrift.landscape import Trajectory
    from rl.offline.candidates import grouped_objectives
    from rl.offline.training import read_trajectory

    labels, found = list(plan.objectives), {}
    for number, (places, _) in enumerate(grouped_objectives(list(plan.objectives.values()))):
        path = folder / f"agents-{number}"
        kept = read_trajectory(_run_folder(path)) if (path / "run.json").exists() else {}
        for row, place in enumerate(places) if kept else ():
            found[labels[place]] = Trajectory(
                kept["chosen"][row], kept["rejected"][row], np.ravel(kept["progress"])
            )
    return found


def judged_task(data: PreferenceData, plan: AlignPlan) -> Task:
    """The environment of a dataset, with episodes as long as the trajectories that are read."""
    from rl import environments

    task = environments.make(data.config.env, backend=data.config.backend)
    return replace(task, episode_length=plan.steps or data.config.steps)


def returns_of(plan: AlignPlan, aligned: Sequence[Aligned]) -> dict[str, list[float]]:
    """By objective, every agent's return; nan for one that failed."""
    return {
        label: [
            math.nan if a.score.failed else a.score.return_mean
            for a in aligned
            if a.objective == label
        ]
        for label in plan.objectives
    }


def summary(plan: AlignPlan, aligned: Sequence[Aligned]) -> list[dict[str, Any]]:
    """One row an objective: mean and standard error over seeds that did not fail.

    `difference` is what it has beyond the first objective, seed by seed: the mean and the ends of its
    95 % interval.
    """
    import numpy as np

    from rl import statistics

    returns = {label: np.array(own) for label, own in returns_of(plan, aligned).items()}
    first = next(iter(returns.values()))
    rows = []
    for place, (label, objective) in enumerate(plan.objectives.items()):
        alive = returns[label][~np.isnan(returns[label])]
        several = len(alive) > 1
        interval = statistics.estimate(alive[:, None], statistics.mean) if several else None
        beyond = statistics.paired_difference(returns[label], first) if place else None
        rows.append(
            {
                "objective": label,
                "reduction": objective.reduction,
                "agents": len(returns[label]),
                "failed": len(returns[label]) - len(alive),
                "return_mean": float(alive.mean()) if len(alive) else None,
                "return_stderr": float(alive.std(ddof=1) / len(alive) ** 0.5) if several else None,
                "interval": None if interval is None else [interval.low, interval.high],
                "difference": None if beyond is None else list(beyond),
            }
        )
    return rows


def _actor(plan: AlignPlan, task: Task, preferences: Preferences) -> TrainedActor:
    from mirrordrift.actors import actor_of
    from rl.offline.actor import from_agent, from_scratch
    from rl.offline.pairs import observation_moments

    if plan.start == SCRATCH:
        return from_scratch(task.actions, *observation_moments(preferences), plan.config)
    return from_agent(actor_of(plan.start).network, task)


def _told(tell: Tell, title: str) -> Callable[[int, int, list[dict[str, Any]]], None]:
    return lambda done, total, _: tell(title, done, total)


def _run_folder(path: Path) -> Any:
    from rl.folder import RunFolder

    if (path / "run.json").exists():
        return RunFolder.open(path)[0]
    return RunFolder.create(path, {})
