"""Meta-training from its first generation to its last: records, judgements, and going on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from rl.drifts import Candidates, of_weights
from rl.records import plain
from search.arena import Arena
from search.folder import Record
from search.meta.config import MetaConfig
from search.meta.folder import MetaFolder
from search.meta.generations import Generation, step
from search.meta.judging import Judge
from search.meta.strategy import Strategy
from symbolic.arrays import MAX_BYTES
from symbolic.errors import ConfigError
from symbolic.network import DriftNetwork

SCHEMA = "mirrordrift/generation/1"
Progress = Callable[[Record], None]
"""What hears each generation's record."""


def check_storable(config: MetaConfig) -> None:
    """Raise ConfigError for a strategy whose state at this size no file of ours holds."""
    strategy = Strategy(config.strategy, config.network.size)
    try:
        state = jax.eval_shape(
            strategy.init,
            jax.random.key(0),
            jax.ShapeDtypeStruct((config.network.size,), np.float32),
        )
    except AssertionError as error:
        raise ConfigError(
            f"strategy.name='{config.strategy.name}' does not take this population ({error}); "
            "try another size or Open_ES"
        ) from None
    leaves = jax.tree.leaves(state)
    size = 8 * sum(leaf.size for leaf in leaves)
    if size > MAX_BYTES or any(leaf.ndim > 2 for leaf in leaves):
        raise ConfigError(
            f"strategy.name='{config.strategy.name}' keeps {size / 2**20:.0f} MiB for "
            f"{config.network.size} weights, in more than a file of {MAX_BYTES // 2**20} MiB with "
            "tables holds; lower network.hidden, or use Open_ES, PGPE or SNES"
        )


def meta_train(
    config: MetaConfig,
    folder: MetaFolder,
    *,
    versions: Mapping[str, str | None],
    progress: Progress | None = None,
) -> DriftNetwork:
    """Train to the last generation, or go on where `folder` is; the network of the mean.

    The network's card has the configuration, the curve of returns, `versions` and the hardware.
    Raises ConfigError if the folder cannot be read or written; what was saved before stays.
    """
    tasks = config.tasks()
    check_storable(config)
    strategy = Strategy(config.strategy, config.network.size)
    done, state = folder.restore(
        strategy.init(jax.random.key(config.seed), config.network.initial(config.seed))
    )
    drifts = _drifts(config)
    like = drifts(np.zeros((config.strategy.population_size, config.network.size)))
    judge = Judge(config, tasks)
    arenas = []
    if done < config.generations:
        arenas = [Arena(tasks[e], config.trainer(e), like, config.seeds) for e in config.envs]
    for number in range(done, config.generations):
        state, found = step(arenas, drifts, strategy, state, config.seed, number)
        record = _record(config, number + 1, found, arenas)
        if number + 1 == config.generations or (number + 1) % config.held_out_every == 0:
            _judge(config, folder, judge, state, record, versions)
        else:
            folder.save(state, record, None)
        if progress is not None:
            progress(record)
    records = folder.records(done)
    if done == config.generations and records and not records[-1]["held_out"]:
        _judge(config, folder, judge, state, records[-1], versions)  # it was to go on, and is not
    return _network(config, state, folder.records(config.generations), versions)


def _judge(
    config: MetaConfig,
    folder: MetaFolder,
    judge: Judge,
    state: Any,
    record: Record,
    versions: Mapping[str, str | None],
) -> None:
    """Judge the mean, and save it with the generation's record."""
    baseline = folder.baseline()
    if baseline is None or not judge.knows(baseline):
        baseline = judge.baseline()
        folder.write_baseline(baseline)
    record["held_out"] = plain(judge.judge(np.asarray(state.mean), baseline))
    records = [*folder.records(int(record["generation"]) - 1), record]
    folder.save(state, record, _network(config, state, records, versions))


def _drifts(config: MetaConfig) -> Callable[[NDArray[Any]], Candidates]:
    template = config.network.network(np.zeros(config.network.size))
    return lambda vectors: of_weights(template, config.network.layers(vectors))


def _record(config: MetaConfig, generation: int, found: Generation, arenas: list[Arena]) -> Record:
    """What a generation leaves, `held_out` to be filled in where the mean is judged."""
    members = len(found.fitness)
    steps = members * sum(arena.env_steps * arena.seeds for arena in arenas)
    alive = np.where(np.isnan(found.returns), -np.inf, found.returns)
    record = {
        "schema": SCHEMA,
        "generation": generation,
        "return_mean": dict(zip(config.envs, _means(found.returns))),
        "return_max": dict(zip(config.envs, alive.max(axis=0).tolist())),
        "members": members,
        "diverged": int(np.isnan(found.fitness).sum()),
        "held_out": None,
        "env_steps_per_second": steps / found.seconds,
        "seconds": found.seconds,
    }
    return dict(plain(record))


def _means(returns: NDArray[np.float64]) -> list[float]:
    """Of those that did not diverge; nan where all did."""
    counted = np.maximum((~np.isnan(returns)).sum(axis=0), 1)
    means = np.nansum(returns, axis=0) / counted
    return np.where(np.isnan(returns).all(axis=0), np.nan, means).tolist()


def _network(
    config: MetaConfig, state: Any, records: list[Record], versions: Mapping[str, str | None]
) -> DriftNetwork:
    """The network of the mean, and on its card the story of its training."""
    devices = jax.devices()
    story = {
        "configuration": config.record(),
        "generations": len(records),
        "return_mean": {
            env: [record["return_mean"][env] for record in records] for env in config.envs
        },
        "held_out": {
            str(record["generation"]): record["held_out"]
            for record in records
            if record["held_out"] is not None
        },
        "diverged": sum(record["diverged"] for record in records),
        "seconds": round(sum(record["seconds"] for record in records), 1),
        "hardware": f"{len(devices)} × {devices[0].device_kind}",
        "versions": dict(versions),
        "date": time.strftime("%Y-%m-%d"),
    }
    return config.network.network(np.asarray(state.mean), story)
