"""Environments by name, behind one adapter."""

from __future__ import annotations

import difflib

from rl.config import BACKENDS
from rl.environments.adapter import Continuous, Discrete, Episodes, EpisodeState, Step, Task
from symbolic.errors import ConfigError

__all__ = [
    "Continuous",
    "Discrete",
    "EpisodeState",
    "Episodes",
    "Step",
    "Task",
    "make",
    "names",
]


def names() -> dict[str, tuple[str, ...]]:
    """Names of environments by the library that has them."""
    from rl.environments import brax, gymnax, playground

    return {"brax": brax.NAMES, "gymnax": gymnax.NAMES, "playground": playground.names()}


def make(name: str, *, backend: str = "spring", episode_length: int | None = None) -> Task:
    """The task called `name`; `backend` is brax's physics, and ignored elsewhere.

    Raises ConfigError for an unknown name, with the nearest ones.
    """
    from rl.environments import brax, gymnax, playground

    check_name(name)
    if name in brax.NAMES:
        if backend not in BACKENDS:
            raise ConfigError(
                f"backend='{backend:.40}' is unknown; use one of {', '.join(BACKENDS)}"
            )
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
