"""Evolution of formulas from its first generation to its last, and the judgement of the best."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rl.drifts import of_formulas
from rl.records import plain
from rl.start import least
from search.arena import Arena
from search.folder import Record
from search.formulas.archive import Archive, Entry
from search.formulas.config import FormulaConfig
from search.formulas.folder import FormulaFolder
from search.formulas.grammar import Node
from search.formulas.race import Race
from search.formulas.variation import offspring
from search.judging import compared, held_out_seeds, ppo
from symbolic.catalogue import catalogue
from symbolic.drift import Drift
from symbolic.errors import ConfigError
from verify.decide import decide

SCHEMA = "mirrordrift/formulas/1"
Progress = Callable[[Record], None]
"""What hears each generation's record."""


def evolve(
    config: FormulaConfig,
    folder: FormulaFolder,
    *,
    versions: Mapping[str, str | None],
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Search to the last generation, or go on where `folder` is; the judgement of the best.

    `versions` of what it was made with are kept beside the judgement.
    Raises ConfigError if the folder cannot be read or written; what was saved before stays.
    """
    tasks = config.tasks()
    done, archive, scales = folder.restore()
    judged = folder.judgement(config.generations)
    if judged is not None:
        return judged
    if done < config.generations:
        race = Race(config, tasks)
    for number in range(done, config.generations):
        begun = time.perf_counter()
        random = np.random.default_rng((config.seed, number))
        elites = archive.best(config.elites)
        new, refused = _proposed(config, archive, random)
        if not scales:
            scales = race.spreads([_drift(node) for node in new], random)
        found = race.run([_drift(node) for node in new], [e.drift for e in elites], random, scales)
        nodes = [*new, *(entry.node for entry in elites)]
        for place, gain in found.gains.items():
            archive.gained(nodes[place], gain)
        seconds = time.perf_counter() - begun
        record = {
            "schema": SCHEMA,
            "generation": number + 1,
            "returns": found.returns,
            "best": [_summary(entry) for entry in archive.best(3)],
            "new": len(new),
            "not_proved": refused,
            "diverged": found.diverged,
            "env_steps_per_second": found.env_steps / seconds,
            "seconds": seconds,
        }
        record = dict(plain(record))
        folder.save(record, archive, scales)
        if progress is not None:
            progress(record)
    judged = _judged(config, tasks, archive.best(config.finalists))
    folder.write_judgement(config.generations, judged, versions)
    return judged


def _proposed(
    config: FormulaConfig, archive: Archive, random: np.random.Generator
) -> tuple[list[Node], int]:
    """New formulas that are proved, and how many were not."""
    parents = [entry.node for entry in archive.best(config.population_size)]
    new: list[Node] = []
    refused = 0
    for _ in range(100 * config.population_size):
        child = offspring(random, parents, config.largest)
        if child is None or archive.knows(child):
            continue
        # Time decides, too: what one of several processes does not prove, none trains.
        proved = least(decide(_drift(child), timeout=config.proof_seconds).verdict == "proved")
        archive.add(child, proved=bool(proved))
        if proved:
            new.append(child)
        else:
            refused += 1
        if len(new) == config.population_size:
            break
    if not new:
        raise ConfigError(
            f"no new formula found: {refused} were not proved within "
            f"proof_seconds={config.proof_seconds}, and none has more than largest={config.largest} "
            "nodes; begin a search with more of both"
        )
    return new, refused


def _judged(
    config: FormulaConfig, tasks: dict[str, Any], best: list[Entry]
) -> list[dict[str, Any]]:
    """The best formulas, PPO and DPO on seeds that no generation trained with, PPO first."""
    dpo = catalogue["dpo"]
    drifts = [ppo(), dpo.bind(dict(dpo.defaults)), *(entry.drift for entry in best)]
    names = ["ppo", "dpo", *(entry.drift.text for entry in best)]
    candidates = of_formulas(drifts)
    rows: list[dict[str, Any]] = [{"formula": name, "envs": {}} for name in names]
    for row, entry in zip(rows[2:], best):
        row |= {"nodes": entry.drift.formula.nodes, "trainings": len(entry.gains)}
    seeds = held_out_seeds(config.held_out_seeds)
    for env in config.judged_envs:
        arena = Arena(tasks[env], config.trainer(env), candidates, len(seeds))
        returns = arena.returns(candidates, seeds)
        for row, mine in zip(rows, returns):
            row["envs"][env] = compared(mine, returns[0])
    return list(plain(rows))


def _summary(entry: Entry) -> dict[str, Any]:
    return {
        "formula": entry.drift.text,
        "merit": entry.merit,
        "gain": sum(entry.gains) / len(entry.gains),
        "trainings": len(entry.gains),
    }


def _drift(node: Node) -> Drift:
    return Drift(formula=node.formula())
