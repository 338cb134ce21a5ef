"""Measure actors that a training left, and make one of them an agent that is shipped.

    python benchmarks/ship_agent.py runs/hopper --episodes 64
    python benchmarks/ship_agent.py runs/hopper --evaluation 12 --name hopper-900 --episodes 1024

The first prints what the actors of a folder of reference_agents.py return; the second writes
rl/reference_agents/NAME.npz, its card the story of its training and the measurement.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from rl.start import start

FOLDER = Path(__file__).resolve().parent.parent / "rl" / "reference_agents"
SEED = 0
"""Of the measurement."""


def main() -> None:
    """Measure, and write if there is a name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of benchmarks/reference_agents.py")
    parser.add_argument("--evaluation", type=int, action="append", help="(all; repeatable)")
    parser.add_argument("--episodes", type=int, default=64)
    parser.add_argument("--name", help="under which the evaluation is shipped")
    asked = parser.parse_args()
    start(devices=1)

    from rl import environments
    from rl.environments import Episodes
    from rl.preference.actors import read_actor, write_actor
    from rl.preference.rollouts import returns

    run = json.loads((asked.folder / "run.json").read_text())
    config = run["config"]
    task = environments.make(run["env"], backend=config["backend"])
    episodes = Episodes(task, asked.episodes)
    paths = sorted((asked.folder / "actors").glob("*.npz"))
    chosen = [p for p in paths if not asked.evaluation or int(p.stem) in asked.evaluation]
    for path in chosen:
        actor = read_actor(path)
        found = returns(episodes, actor.network, jax.random.key(SEED))
        measured = {
            "return_mean": round(float(found.mean()), 2),
            "return_stderr": round(float(found.std(ddof=1) / np.sqrt(len(found))), 2),
            "return_deviation": round(float(found.std(ddof=1)), 2),
        }
        print(json.dumps({"evaluation": int(path.stem), **measured}), flush=True)
        if asked.name:
            story = {
                "name": asked.name,
                **measured,
                "episodes": asked.episodes,
                "episode_length": task.episode_length,
                "measured_with_seed": SEED,
                "acts": "stochastic",
                "training": {
                    "command": command(run),
                    "env_steps": actor.story["env_steps"],
                    "drift": run["drift"],
                    "seed": run["seed"],
                    "config": config,
                    "versions": run["versions"],
                },
            }
            write_actor(FOLDER / f"{asked.name}.npz", replace(actor, story=story))


def command(run: dict[str, Any]) -> str:
    """What trains the agent again; it is the one after `env_steps` of the card."""
    from dataclasses import asdict

    from rl.presets import preset

    recipe = asdict(preset(run["env"]))
    changed = {
        name: value
        for name, value in run["config"].items()
        if json.loads(json.dumps(recipe[name])) != value and name != "total_env_steps"
    }
    settings = "".join(f" --set {name}={json.dumps(value)}" for name, value in changed.items())
    return (
        f"drift train --drift {run['drift']['name']} --env {run['env']} --seed {run['seed']} "
        f"--steps {run['config']['total_env_steps']}{settings}"
    )


if __name__ == "__main__":
    main()
