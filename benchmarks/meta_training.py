"""What a generation of meta-training costs: all members in one program, and one after another.

    python benchmarks/meta_training.py                        # CartPole and Breakout, 32 members
    python benchmarks/meta_training.py --projection           # and what the paper's size would take

Both ways train the same networks on the same seeds and are compiled before they are timed; rounds
alternate between them. Memory is what XLA reserves for the updates of all members. The projection
times updates of ant at the paper's recipe and multiplies: 672 generations of 32 agents with 30
million steps (Lu et al. 2022: two days on four V100).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from measuring import TRAINING_PACKAGES, machine, versions, write_json

from rl.config import TrainerConfig
from rl.drifts import Candidates, of_weights
from rl.environments import task_of
from rl.population import Population, Programs
from rl.presets import preset
from rl.start import start
from search.meta.networks import NetworkShape

HERE = Path(__file__).resolve().parent
SHAPE = NetworkShape()
SETTINGS: dict[str, dict[str, Any]] = {
    "CartPole-v1": {
        "total_env_steps": 20_480, "num_envs": 16, "unroll_length": 128, "num_minibatches": 4,
        "learning_rate": 2.5e-3, "num_eval_envs": 16,
    },
    "Breakout-MinAtar": {"total_env_steps": 49_152, "num_envs": 32, "num_eval_envs": 32},
}  # fmt: skip
_PROJECTED = 2
"""Members whose updates the projection times: an update of ant takes two cores half a minute."""
PAPER = {"generations": 672, "members": 32}


def members(count: int) -> Candidates:
    """Networks around PPO."""
    vectors = np.random.default_rng(0).normal(scale=0.05, size=(count, SHAPE.size))
    template = SHAPE.network(np.zeros(SHAPE.size))
    return of_weights(template, SHAPE.layers((vectors + SHAPE.initial(0)).astype(np.float32)))


def trained(programs: Programs, drifts: Candidates, config: TrainerConfig) -> np.ndarray:
    """Returns of one generation's agents."""
    population = Population(programs, drifts, [0])
    state, _ = population.run(population.init(), config.num_updates)
    return population.evaluate(state, 1).return_mean


def measured(env: str, count: int, rounds: int) -> dict[str, Any]:
    """Seconds a generation, together and one by one, in alternating rounds."""
    config = preset(env, **SETTINGS[env], num_evaluations=1)
    task, drifts = task_of(env, config), members(count)
    begun = time.perf_counter()
    together = Programs(task, config, drifts.apply, width=count)
    Population(together, drifts, [0]).compile()
    compile_seconds = time.perf_counter() - begun
    alone = Programs(task, config, drifts.apply, width=1)
    Population(alone, drifts[:1], [0]).compile()
    seconds: dict[str, list[float]] = {"together": [], "one after another": []}
    for _ in range(rounds):
        begun = time.perf_counter()
        trained(together, drifts, config)
        seconds["together"].append(time.perf_counter() - begun)
        begun = time.perf_counter()
        for i in range(count):
            trained(alone, drifts[i : i + 1], config)
        seconds["one after another"].append(time.perf_counter() - begun)
    steps = count * config.num_updates * config.env_steps_per_update
    memory = Population(together, drifts, [0]).memory
    return {
        "env": env,
        "members": count,
        "env_steps": steps,
        "compile_seconds": compile_seconds,
        "seconds": seconds,
        "env_steps_per_second": steps / float(np.median(seconds["together"])),
        "ratio": float(
            np.median(np.array(seconds["one after another"]) / np.array(seconds["together"]))
        ),
        "bytes_per_member": memory / count,
    }


def projection(count: int) -> dict[str, Any]:
    """Days that the paper's meta-training would take here, by updates of ant at its recipe."""
    config = preset("ant", num_evaluations=1)
    task, drifts = task_of("ant", config), members(count)
    programs = Programs(task, config, drifts.apply, width=count)
    population = Population(programs, drifts, [0])
    population.compile()
    state, _ = population.run(population.init(), 1)
    begun = time.perf_counter()
    population.run(state, 1)
    seconds = time.perf_counter() - begun
    pace = count * config.env_steps_per_update / seconds
    steps = PAPER["generations"] * PAPER["members"] * config.total_env_steps
    return {
        "env": "ant",
        "members": count,
        "env_steps_per_second": pace,
        "bytes_per_member": population.memory / count,
        "paper_env_steps": steps,
        "paper_days_here": steps / pace / 86_400,
    }


def main() -> None:
    """Measure, print a table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--envs", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--members", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--projection", action="store_true")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "meta_training.json")
    asked = parser.parse_args()
    start()
    record: dict[str, Any] = {
        "machine": machine(), "versions": versions((*TRAINING_PACKAGES, "evosax")), "generations": []
    }  # fmt: skip
    print("environment       members  steps/s   s/generation  one by one  ratio  MiB/member")
    for env in asked.envs:
        row = measured(env, asked.members, asked.rounds)
        record["generations"].append(row)
        together, single = (float(np.median(row["seconds"][way])) for way in row["seconds"])
        print(
            f"{env:<17} {row['members']:7} {row['env_steps_per_second']:8,.0f} {together:13.1f} "
            f"{single:11.1f} {row['ratio']:6.2f} {row['bytes_per_member'] / 2**20:11.1f}",
            flush=True,
        )
    if asked.projection:
        found = record["projection"] = projection(_PROJECTED)
        print(
            f"ant: {found['env_steps_per_second']:,.0f} steps/s, "
            f"{found['bytes_per_member'] / 2**20:.0f} MiB/member; the paper's 672 generations of 32 "
            f"agents with 30 M steps would take {found['paper_days_here']:,.0f} days here"
        )
    write_json(asked.out, record)


if __name__ == "__main__":
    main()
