"""A generation of preference objectives in one program, against its agents one after another.

    python benchmarks/preference.py                              # 32 agents, hopper, 64 pairs
    python benchmarks/preference.py --agents 256 --rows 256 --epochs 4

Mirror-map networks with random weights train policies on one dataset and are judged online. `pairs/s`
counts pairs times epochs times agents over the seconds of training alone; `generation` is training and
judging. One after another means the same program for one agent, called again and again for
`--alone` agents: the rest is reckoned from them. Compiling is told apart and counts in neither.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
from measuring import machine, write_json

from rl import environments, reference_agents
from rl.environments import Episodes
from rl.offline.actor import from_scratch
from rl.offline.candidates import Objectives, of_map_weights
from rl.offline.config import OfflineConfig
from rl.offline.pairs import observation_moments, read_pairs, training_pairs
from rl.offline.population import OfflinePopulation, OfflinePrograms
from rl.preference.config import PreferenceConfig
from rl.preference.data import PreferenceData
from rl.preference.folder import PreferenceFolder
from rl.preference.generation import generate
from rl.start import start
from search.mirror.config import MirrorConfig
from search.mirror.training import objective_of

RESULTS = Path(__file__).resolve().parent / "results"


def dataset(folder: Path, rows: int, steps: int) -> PreferenceData:
    agents = {"expert": reference_agents.load("hopper-2100"),
              "reference": reference_agents.load("hopper-900")}  # fmt: skip
    config = PreferenceConfig.usual(
        env="hopper", kind="base", rows=rows, steps=steps, chunk_rows=64
    )
    task = environments.make("hopper", backend="spring")
    generate(PreferenceFolder.create(folder, config, agents, task, {}), task, agents)
    return PreferenceData.open(folder)


def members(count: int) -> Objectives:
    """Networks around ORPO, as evolution draws them."""
    config = MirrorConfig(reduction="mean")
    centre = config.network.initial(0)
    noise = 0.1 * np.random.default_rng(0).normal(size=(count, centre.size))
    return of_map_weights(objective_of(config, centre), *config.network.weights(centre + noise))


def timed(population: OfflinePopulation, epochs: int) -> tuple[float, float]:
    """(seconds of training, seconds of judging), everything compiled before."""
    state = population.imitate(population.init())
    reference = population.reference(state)
    state, *_ = population.prefer(state, reference, 0)
    population.judge(state, 0)
    state = population.imitate(population.init())
    begun = time.perf_counter()
    for epoch in range(epochs):
        state, *_ = population.prefer(state, reference, epoch)
    jax.block_until_ready(state)
    trained = time.perf_counter()
    population.judge(state, 1)
    return trained - begun, time.perf_counter() - trained


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, usual in (("agents", 32), ("alone", 4), ("rows", 64), ("steps", 200), ("epochs", 2)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--out", type=Path, default=RESULTS / "preference.json")
    options = parser.parse_args()
    start()
    config = OfflineConfig(epochs=options.epochs, sft_epochs=0, num_eval_episodes=32)
    with tempfile.TemporaryDirectory() as folder:
        preferences = read_pairs(dataset(Path(folder) / "data", options.rows, options.steps))
    task = environments.make("hopper", backend="spring")
    task = replace(task, episode_length=options.steps)
    actor = from_scratch(task.actions, *observation_moments(preferences), config)
    pairs = training_pairs(preferences, actor.observations, actor.policy)

    def made(objectives: Objectives) -> OfflinePopulation:
        programs = OfflinePrograms(
            actor, Episodes(task, config.num_eval_episodes), pairs, config, objectives.apply,
            width=objectives.count,
        )  # fmt: skip
        return OfflinePopulation(programs, objectives, [0])

    def measured(build: Callable[[], OfflinePopulation]) -> tuple[float, float, float]:
        begun = time.perf_counter()
        trained, judged = timed(build(), options.epochs)
        return trained, judged, time.perf_counter() - begun - trained - judged

    together = measured(lambda: made(members(options.agents)))
    singles = [measured(lambda: made(members(1))) for _ in range(options.alone)]
    alone = [sum(part) / options.alone * options.agents for part in zip(*singles)]
    work = options.agents * options.rows * options.epochs
    rows: dict[str, dict[str, Any]] = {
        name: {
            "pairs_per_second": work / seconds[0],
            "generation_seconds": seconds[0] + seconds[1],
            "training_seconds": seconds[0],
            "judging_seconds": seconds[1],
        }
        for name, seconds in (("one program", together), ("one after another", alone))
    }
    rows["one program"]["compile_and_warm_up_seconds"] = together[2]
    for name, row in rows.items():
        print(
            f"{name:<18} {row['pairs_per_second']:>9,.0f} pairs/s   generation "
            f"{row['generation_seconds']:.1f} s ({row['judging_seconds']:.1f} s of it judging)"
        )
    found = {
        "machine": machine(), "devices": str(jax.devices()), "settings": vars(options) | {"out": ""},
        "rows": rows,
        "ratio": rows["one after another"]["generation_seconds"]
        / rows["one program"]["generation_seconds"],
    }  # fmt: skip
    write_json(options.out, found)


if __name__ == "__main__":
    main()
