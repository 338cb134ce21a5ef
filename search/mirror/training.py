"""The search for mirror maps from its first generation to its last: records, judgements, going on.

Fitness is the value of an agent trained by the objective, over whole episodes online.

Source: Alfano et al., Learning Loss Landscapes in Preference Optimization, sections 3.1 and 4.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from rl import environments
from rl.environments import Task
from rl.offline.actor import TrainedActor, from_agent, from_scratch
from rl.offline.candidates import Objectives, of_map_weights, of_objectives
from rl.offline.pairs import TrajectoryPairs, observation_moments, read_pairs, training_pairs
from rl.preference.actors import PolicyNetwork
from rl.preference.data import PreferenceData
from rl.records import plain
from search.arena import drawn_seeds
from search.folder import Record
from search.judging import compared, held_out_seeds
from search.meta.strategy import Strategy
from search.mirror.arena import OfflineArena
from search.mirror.config import MirrorConfig
from search.mirror.folder import MirrorFolder
from symbolic.catalogue.objectives import objectives
from symbolic.errors import ConfigError
from symbolic.preference.objective import PreferenceObjective

SCHEMA = "mirrordrift/generation/1"
Progress = Callable[[Record], None]


@dataclass(frozen=True, eq=False)
class Ground:
    """What all trainings of a search share."""

    task: Task
    actor: TrainedActor
    pairs: TrajectoryPairs
    data_hash: str


def ground(
    config: MirrorConfig, data: PreferenceData, start: PolicyNetwork | None = None
) -> Ground:
    """The dataset in memory, the policy to train and the environment to play in.

    Raises ConfigError for a dataset that is damaged.
    """
    if config.data_hash not in ("", data.card["hash"]):
        raise ConfigError(
            f"{data.path}: is another dataset than the one this search began with; begin a new one"
        )
    preferences = read_pairs(data)
    task = environments.make(data.config.env, backend=data.config.backend)
    if start is None:
        actor = from_scratch(task.actions, *observation_moments(preferences), config.training)
    else:
        actor = from_agent(start, task)
    pairs = training_pairs(preferences, actor.observations, actor.policy)
    return Ground(replace(task, episode_length=data.config.steps), actor, pairs, data.card["hash"])


def orpo(config: MirrorConfig) -> PreferenceObjective:
    """The objective that a search starts as, and is measured against."""
    return replace(objectives["orpo"], weight=config.weight, reduction=config.reduction)


def objective_of(
    config: MirrorConfig, vector: NDArray[Any], training: Mapping[str, Any] | None = None
) -> PreferenceObjective:
    """The objective of a vector of weights."""
    psi, phi_inverse = config.network.networks(vector, training)
    return PreferenceObjective(
        psi=psi, phi_inverse=phi_inverse, weight=config.weight, reduction=config.reduction
    )


def search_mirror_maps(
    config: MirrorConfig,
    folder: MirrorFolder,
    on: Ground,
    *,
    versions: Mapping[str, str | None],
    progress: Progress | None = None,
) -> PreferenceObjective:
    """Search to the last generation, or go on where `folder` is; the objective of the mean.

    Raises ConfigError if the folder cannot be read or written; what was saved before stays.
    """
    strategy = Strategy(config.strategy, config.network.size)
    start = config.network.initial(config.seed)
    done, state = folder.restore(strategy.init(jax.random.key(config.seed), start))
    template = objective_of(config, start)
    size = config.strategy.population_size
    candidates = _candidates(config, template)
    arena = OfflineArena(
        on.task, on.actor, on.pairs, config.training,
        candidates(np.zeros((size, config.network.size))), config.seeds,
    )  # fmt: skip
    judge = _Judge(config, on, candidates)
    for number in range(done, config.generations):
        begun = time.perf_counter()
        ask_key, tell_key = jax.random.split(
            jax.random.fold_in(jax.random.key(config.seed), number)
        )
        members, state = strategy.ask(ask_key, state)
        random = np.random.default_rng((config.seed, number))
        found = arena.returns(candidates(np.asarray(members)), drawn_seeds(random, config.seeds))
        returns = found.mean(axis=1)
        state = strategy.tell(tell_key, members, returns, state)
        record = _record(config, on, number + 1, returns, time.perf_counter() - begun)
        if number + 1 == config.generations or (number + 1) % config.held_out_every == 0:
            judge.save(state, record, folder, versions)
        else:
            folder.save(state, record, None)
        if progress is not None:
            progress(record)
    records = folder.records(done)
    if done == config.generations and records and not records[-1]["held_out"]:
        # It was to go on, and is not.
        judge.save(state, records[-1], folder, versions)
    records = folder.records(config.generations)
    return objective_of(config, np.asarray(state.mean), _story(config, on, records, versions))


def _candidates(
    config: MirrorConfig, template: PreferenceObjective
) -> Callable[[NDArray[Any]], Objectives]:
    return lambda vectors: of_map_weights(template, *config.network.weights(vectors))


class _Judge:
    """Trains by the mean's objective and by ORPO on the same held-out seeds."""

    def __init__(
        self,
        config: MirrorConfig,
        on: Ground,
        candidates: Callable[[NDArray[Any]], Objectives],
    ) -> None:
        self.config, self.on, self.candidates = config, on, candidates
        self.seeds = held_out_seeds(config.held_out_seeds)
        self._arena: OfflineArena | None = None

    def save(
        self, state: Any, record: Record, folder: MirrorFolder, versions: Mapping[str, str | None]
    ) -> None:
        """Judge the mean, and save its objective with the generation's record."""
        mean = np.asarray(state.mean)
        record["held_out"] = plain(self.judge(mean, folder))
        records = [*folder.records(int(record["generation"]) - 1), record]
        story = _story(self.config, self.on, records, versions)
        folder.save(state, record, objective_of(self.config, mean, story))

    def judge(self, mean: NDArray[Any], folder: MirrorFolder) -> dict[str, dict[str, float]]:
        """By environment, as for drifts: mean returns, and of the difference mean and error."""
        baseline = folder.baseline()
        if baseline is None or len(baseline) != len(self.seeds):
            like = of_objectives([orpo(self.config)])
            baseline = self._made(like).returns(like, self.seeds)[0].tolist()
            folder.write_baseline(baseline)
        own = self.candidates(mean[None])
        if self._arena is None:
            self._arena = self._made(own)
        returns = self._arena.returns(own, self.seeds)[0]
        return {self.on.task.name: compared(returns, np.array(baseline), "orpo")}

    def _made(self, like: Objectives) -> OfflineArena:
        on = self.on
        return OfflineArena(
            on.task, on.actor, on.pairs, self.config.training, like, len(self.seeds)
        )


def _record(
    config: MirrorConfig, on: Ground, generation: int, returns: NDArray[Any], seconds: float
) -> Record:
    """What a generation leaves, `held_out` to be filled in where the mean is judged."""
    alive = returns[~np.isnan(returns)]
    env = on.task.name
    rows, episodes = len(on.pairs.counted), config.training.num_eval_episodes
    record = {
        "schema": SCHEMA,
        "generation": generation,
        "return_mean": {env: float(alive.mean()) if len(alive) else np.nan},
        "return_max": {env: float(alive.max()) if len(alive) else np.nan},
        "members": len(returns),
        "diverged": int(np.isnan(returns).sum()),
        "held_out": None,
        "pairs_per_second": len(returns) * config.seeds * rows * config.training.epochs / seconds,
        "env_steps_per_second": (
            len(returns) * config.seeds * episodes * on.task.episode_length / seconds
        ),
        "seconds": seconds,
    }
    return dict(plain(record))


def _story(
    config: MirrorConfig, on: Ground, records: list[Record], versions: Mapping[str, str | None]
) -> dict[str, Any]:
    """What the networks' cards say of their training."""
    devices = jax.devices()
    return {
        "configuration": config.record(),
        "dataset": on.data_hash,
        "generations": len(records),
        "return_mean": {on.task.name: [r["return_mean"][on.task.name] for r in records]},
        "held_out": {str(r["generation"]): r["held_out"] for r in records if r["held_out"]},
        "diverged": sum(r["diverged"] for r in records),
        "seconds": round(sum(r["seconds"] for r in records), 1),
        "hardware": f"{len(devices)} × {devices[0].device_kind}",
        "versions": dict(versions),
        "date": time.strftime("%Y-%m-%d"),
    }
