"""Agents as a command line names them: shipped ones, files and run folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from symbolic.errors import ConfigError

if TYPE_CHECKING:
    from rl.preference.actors import Actor


def actor_of(spec: str) -> Actor:
    """The actor of a shipped agent's name, of a `.npz` file, or of a folder of `drift train`.

    Raises ConfigError for what is none of these, or cannot be read.
    """
    from rl import reference_agents
    from rl.preference.actors import read_actor

    path = Path(spec)
    if spec in reference_agents.names():
        return reference_agents.load(spec)
    if path.is_dir():
        return _of_run(path)
    if path.suffix == ".npz":
        return read_actor(path)
    try:
        return reference_agents.load(spec)
    except ConfigError as error:
        raise ConfigError(f"{error}; or name a folder of drift train, or an actor's file") from None


def _of_run(path: Path) -> Actor:
    from mirrordrift.training import begun_run
    from rl.preference.actors import Actor
    from rl.training import last_saved

    run, folder = begun_run(path)
    config, task = run.population.config, run.population.programs.trainer.episodes.task
    if config.action_repeat != 1:
        raise ConfigError(
            f"{path}: this agent holds each action for {config.action_repeat} steps, as a "
            "trajectory cannot; train one with --set action_repeat=1"
        )
    agent = last_saved(run.population, folder).agent(0)
    return Actor.of(
        agent,
        backend=config.backend,
        actions=task.actions,
        return_mean=agent.score.return_mean,
        return_stderr=agent.score.return_stderr,
        env_steps=agent.score.env_steps,
        seed=agent.score.seed,
    )
