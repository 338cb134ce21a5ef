"""Environments by name, behind one adapter."""

from __future__ import annotations

import difflib
from functools import lru_cache

from rl.config import TrainerConfig, check_backend
from rl.environments.adapter import Continuous, Discrete, Episodes, EpisodeState, Step, Task
from symbolic.errors import ConfigError

__all__ = [
    "Continuous",
    "Discrete",
    "EpisodeState",
    "Episodes",
    "Step",
    "Task",
    "library_of",
    "make",
    "names",
    "task_of",
]


def names() -> dict[str, tuple[str, ...]]:
    """Names of environments by the library that has them."""
    from rl.environments import brax, gymnax, playground

    return {"brax": brax.NAMES, "gymnax": gymnax.NAMES, "playground": playground.names()}


def library_of(name: str) -> str:
    """The distribution that has this environment; raises ConfigError for an unknown name."""
    from rl.environments import brax, gymnax

    check_name(name)
    libraries = {"brax": brax.NAMES, "gymnax": gymnax.NAMES}
    return next((library for library, known in libraries.items() if name in known), "playground")


def task_of(name: str, config: TrainerConfig) -> Task:
    """The task called `name` as a configuration has it."""
    return make(name, backend=config.backend, episode_length=config.episode_length)


@lru_cache(maxsize=64)
def make(name: str, *, backend: str = "spring", episode_length: int | None = None) -> Task:
    """The task called `name`; `backend` is brax's physics, and ignored elsewhere.

    A task is pure, and asked for again it is the same one: brax takes seconds to make some.
    Raises ConfigError for an unknown name, with the nearest ones.
    """
    from rl.environments import brax, gymnax, playground

    check_name(name)
    if name in brax.NAMES:
        check_backend(backend)
        return brax.make(name, backend, episode_length)
    if name in gymnax.NAMES:
        return gymnax.make(name, episode_length)
    return playground.make(name, episode_length)


def check_name(name: str) -> None:
    """Raise ConfigError, with the nearest names, for what is no environment."""
    from rl.environments import brax, gymnax

    if name in (*brax.NAMES, *gymnax.NAMES):  # without a look at what takes seconds to import
        return
    known = [each for group in names().values() for each in group]
    if name in known:
        return
    lowered = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), lowered, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(lowered[each] for each in near)}? " if near else ""
    raise ConfigError(f"env='{name:.60}' is unknown; {hint}there are {', '.join(known)}")
