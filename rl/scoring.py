"""Drifts of any kind scored side by side: in as few populations as kinds and memory ask for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from rl.config import TrainerConfig
from rl.drifts import AnyDrift, Candidates, grouped
from rl.environments import Task
from rl.fitting import fitted
from rl.folder import Record, RunFolder
from rl.population import Population, Programs
from rl.score import Score
from rl.training import Progress, train
from symbolic.errors import ConfigError


def evaluate(
    drifts: Sequence[AnyDrift],
    task: Task,
    config: TrainerConfig,
    seeds: Sequence[int],
    *,
    memory: int | None = None,
    folder: Path | None = None,
    about: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> list[Score]:
    """Train every drift with every seed; scores in the order of `drifts`, then of `seeds`.

    All drifts meet the same initial weights, starts and random numbers. `memory` bounds the bytes
    that are used at once (by default `rl.memory.budget()`): candidates beyond it train later, in the
    same compiled programs. With a `folder`, each population leaves a run folder there, and what is
    there already is not trained again; its record has what `about` says of all drifts, and the
    `places` of its own among them. A function is known by nothing but its place: its folder is not
    told from another function's.

    Raises ConfigError for drifts that cannot be trained, one that does not fit, a folder that
    cannot be written or holds a run of other drifts, seeds or settings.
    """
    groups = grouped(drifts)
    done, scores = 0, dict[int, list[Score]]()
    total = config.num_updates * len(drifts)

    for number, (places, candidates) in enumerate(groups):
        path = folder / f"{number:02}" if folder is not None else None
        programs, width = _fitting(task, config, candidates, seeds, memory, path)
        for begin in range(0, candidates.count, width):
            part = candidates[begin : begin + width]
            run = None
            if path is not None:
                inputs = _fingerprint(task, config, part, seeds)
                record = {
                    "env": task.name,
                    "seeds": list(seeds),
                    "config": asdict(config),
                    **(about or {}),
                    "width": width,
                    "first": begin,
                    "places": places[begin : begin + width],
                    "inputs": inputs,
                }
                run = _run_folder(path / _part(begin), record)

            def report(
                updates: int, _: int, records: list[Record], count: int = part.count
            ) -> None:
                if progress is not None:
                    progress(done + updates * count, total, records)  # noqa: B023

            found = train(Population(programs, part, seeds), run, report)
            for score in found.scores:
                place = places[begin + score.candidate]
                scores.setdefault(place, []).append(replace(score, candidate=place))
            done += config.num_updates * part.count
    return [score for place in range(len(drifts)) for score in scores[place]]


def _fitting(
    task: Task,
    config: TrainerConfig,
    candidates: Candidates,
    seeds: Sequence[int],
    memory: int | None,
    path: Path | None,
) -> tuple[Programs, int]:
    """Programs for as many candidates at once as fit, and how many that is.

    A run that goes on keeps the number that it began with.
    """
    if path is not None and (path / _part(0) / "run.json").exists():
        width = RunFolder.open(path / _part(0))[1].get("width")
        if isinstance(width, int) and width > 0:
            agents = width * len(seeds)
            return Programs(task, config, candidates.apply, width=agents), width
    return fitted(task, config, candidates, len(seeds), memory)


def _part(begin: int) -> str:
    return f"from-{begin:04}"


def _run_folder(path: Path, record: Mapping[str, Any]) -> RunFolder:
    """A new run, or the one that goes on there if it is of the same inputs."""
    if not (path / "run.json").exists():
        return RunFolder.create(path, record)
    folder, found = RunFolder.open(path)
    if found.get("inputs") != record["inputs"]:
        raise ConfigError(
            f"{path}: holds a run of other drifts, seeds or settings; name another folder"
        )
    return folder


def _fingerprint(
    task: Task, config: TrainerConfig, candidates: Candidates, seeds: Sequence[int]
) -> str:
    """A hash of everything that a population's result follows from, but the code of a function."""
    text = json.dumps([task.name, asdict(config), list(seeds), candidates.form])
    digest = hashlib.sha256(text.encode())
    for leaf in jax.tree.leaves(candidates.parameters):
        digest.update(str(leaf.shape).encode() + np.ascontiguousarray(leaf).tobytes())
    return f"sha256:{digest.hexdigest()}"
