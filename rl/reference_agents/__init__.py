"""Agents of stated skill, to use by name: what is in this folder.

NAME.npz    an actor, its card the story of its training and what its episodes return
"""

from __future__ import annotations

import difflib
from pathlib import Path

from rl.preference.actors import Actor, read_actor
from symbolic.errors import ConfigError

_FOLDER = Path(__file__).parent


def names() -> tuple[str, ...]:
    """What can be loaded."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.npz")))


def load(name: str) -> Actor:
    """The agent of that name; raises ConfigError, with the nearest names, for an unknown one."""
    if name not in names():
        near = difflib.get_close_matches(name, names(), 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ConfigError(f"agent='{name:.60}' is unknown; {hint}there are {', '.join(names())}")
    return read_actor(_FOLDER / f"{name}.npz")


def of_hash(content_hash: str) -> Actor | None:
    """The agent with these weights, if one of them has these."""
    found = map(load, names())
    return next((agent for agent in found if agent.content_hash == content_hash), None)
