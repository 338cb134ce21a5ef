"""Train an agent and keep its actor at every evaluation, to choose reference agents from.

    python benchmarks/reference_agents.py --env hopper --steps 20000000 --seed 0 --out runs/hopper

The training is that of `drift train --drift ppo` with these settings. OUT is its run folder, with
actors/NNN.npz beside the checkpoints; started again, it goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from rl.start import start


def main() -> None:
    """Train segment by segment."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env", default="hopper")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--evaluations", type=int, default=80)
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    start(devices=1)

    from mirrordrift import training
    from mirrordrift.cli.options import changes_asked
    from mirrordrift.spec import resolve
    from rl.config import TrainerConfig
    from rl.population import schedule
    from rl.preference.actors import Actor, write_actor
    from rl.presets import preset
    from rl.training import Trained

    if (asked.out / "run.json").exists():
        run, folder = training.begun_run(asked.out)
    else:
        changes = changes_asked(TrainerConfig, asked.set, asked.steps)
        config = preset(asked.env, num_evaluations=asked.evaluations, **changes)
        run = training.new_run(resolve("ppo", ()), asked.env, asked.seed, config)
        folder = training.new_folder(run, asked.out)
    population = run.population
    (asked.out / "actors").mkdir(exist_ok=True)
    segments = schedule(population.config)
    done, state, records = folder.restore(population.init())
    for index in range(done, len(segments)):
        begun = time.perf_counter()
        state, _ = population.run(state, segments[index])
        took = time.perf_counter() - begun
        found = population.evaluate(state, index + 1)
        steps = sum(segments[: index + 1]) * population.config.env_steps_per_update
        mean, error = (float(part[0, 0]) for part in (found.return_mean, found.return_stderr))
        records.append(
            {
                "evaluation": index + 1,
                "env_steps": steps,
                "return_mean": mean,
                "return_stderr": error,
                "seconds": took,
                "pace": segments[index] * population.config.env_steps_per_update / took,
            }
        )
        folder.save(index + 1, state, records)
        agent = Trained(population, state, [None]).agent(0)  # type: ignore[list-item]
        task = population.programs.trainer.episodes.task
        actor = Actor.of(
            agent, backend=population.config.backend, actions=task.actions, env_steps=steps
        )
        write_actor(asked.out / "actors" / f"{index + 1:03d}.npz", actor)
        print(json.dumps(records[-1]), flush=True)


if __name__ == "__main__":
    main()
