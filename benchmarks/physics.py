"""What bounds training: the share of an update that its environments take alone.

    python benchmarks/physics.py
    python benchmarks/physics.py --envs ant --agents 8 --num-envs 2048 --num-steps 5

The same environments are stepped as often as in an update, with random actions and nothing learned, and
the time is set against a whole update of PPO in the setting of benchmarks/trainer.py. Best of several.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from measuring import TRAINING_PACKAGES, machine, versions, write_json

from rl.drifts import of_formulas
from rl.environments import Episodes, task_of
from rl.environments.adapter import Discrete
from rl.population import Population
from rl.presets import preset
from rl.start import start
from symbolic.catalogue import catalogue

RESULTS = Path(__file__).resolve().parent / "results" / "physics.json"
REPEATS = 5


def best(work: Callable[[], Any]) -> float:
    """Seconds of the quickest call, the first one apart, which compiles."""
    jax.block_until_ready(work())
    times = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        jax.block_until_ready(work())
        times.append(time.perf_counter() - begun)
    return min(times)


def measure(env: str, agents: int, num_envs: int, steps: int) -> dict[str, Any]:
    config = preset(
        env, num_envs=num_envs, unroll_length=steps, num_unrolls=1, num_minibatches=8,
        update_epochs=4, policy_hidden=(64, 64), value_hidden=(64, 64), action_repeat=1,
        total_env_steps=num_envs * steps, num_evaluations=1,
    )  # fmt: skip
    task = task_of(env, config)
    episodes = Episodes(task, agents * num_envs)
    count = agents * num_envs

    @jax.jit
    def physics(key: Any) -> Any:
        def step(state: Any, key: Any) -> tuple[Any, Any]:
            draw, move = jax.random.split(key)
            if isinstance(task.actions, Discrete):
                action = jax.random.randint(draw, (count,), 0, task.actions.count)
            else:
                action = jax.random.uniform(draw, (count, task.actions.size), minval=-1.0)
            onward, found = episodes.step(jax.random.split(move, count), state, action)
            return onward, found.reward

        state = episodes.reset(key)
        _, rewards = jax.lax.scan(step, state, jax.random.split(key, steps))
        return rewards

    drift = catalogue["ppo"].bind({"eps": "0.2"})
    population = Population.alone(task, config, of_formulas([drift]), list(range(agents)))
    state = population.init()
    alone = best(lambda: physics(jax.random.key(0)))
    whole = best(lambda: jax.tree.leaves(population.run(jax.tree.map(jnp.copy, state), 1)))
    per_update = agents * num_envs * steps
    return {
        "env": env, "agents": agents, "num_envs": num_envs, "num_steps": steps,
        "physics_steps_per_second": per_update / alone,
        "training_steps_per_second": per_update / whole, "share_of_physics": alone / whole,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--envs", nargs="+", default=["hopper"])
    parser.add_argument("--agents", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--num-envs", type=int, default=256)
    parser.add_argument("--num-steps", type=int, default=32)
    options = parser.parse_args()
    start()
    cells = []
    for env in options.envs:
        for agents in options.agents:
            cell = measure(env, agents, options.num_envs, options.num_steps)
            cells.append(cell)
            print(
                f"{env}, {agents} agents: environments alone "
                f"{cell['physics_steps_per_second']:,.0f} steps/s, training "
                f"{cell['training_steps_per_second']:,.0f}, share {cell['share_of_physics']:.0%}"
            )
    record = {"machine": machine(), "versions": versions(TRAINING_PACKAGES), "cells": cells}
    write_json(RESULTS, record)


if __name__ == "__main__":
    main()
