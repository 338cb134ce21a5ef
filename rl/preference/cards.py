"""The card of a preference dataset: what was asked, who played, what is there already.

It is written before the first trajectory and after every chunk, so that a dataset whose making was
interrupted says so, and how to go on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rl import environments
from rl.preference.actors import Actor, read_actor
from rl.preference.config import PreferenceConfig
from symbolic.arrays import read_bounded, read_json
from symbolic.errors import ConfigError

SCHEMA = "mirrordrift/preference-data/1"
CARD = "card.json"
AGENTS = ("expert", "reference")
_PARTS = {
    "agents": dict, "chunks": list, "complete": bool, "observation_size": int, "action_size": int,
}  # fmt: skip
"""What every card has beside its configuration, and what it is."""
SUMMARY = ("judge", "tie_rate", "noise_rate", "flip_rate", "chosen_return", "rejected_return")
"""What the card of a finished dataset says of it."""


def chunk_name(index: int) -> str:
    """The file of a chunk."""
    return f"rows-{index:05d}.npz"


def agent_file(folder: Path, who: str) -> Path:
    """The file of one of `AGENTS`."""
    return folder / f"{who}.npz"


def read_agent(folder: Path, card: Mapping[str, Any], who: str) -> Actor:
    """One of `AGENTS`; raises ConfigError if its file is not the one that the card tells of."""
    if who not in AGENTS:
        raise ConfigError(f"agent={who!r:.40} is unknown; use one of {', '.join(AGENTS)}")
    found = read_actor(agent_file(folder, who))
    if found.content_hash != card["agents"][who]["hash"]:
        raise ConfigError(
            f"{agent_file(folder, who)}: is not the agent that the dataset was begun with; "
            "put it back, or make a dataset in another folder"
        )
    return found


def library(env: str) -> dict[str, str | None]:
    """Name and installed version of the library that an environment's numbers come from."""
    name = environments.library_of(env)
    try:
        return {"name": name, "version": version(name)}
    except PackageNotFoundError:
        return {"name": name, "version": None}


def file_hash(content: bytes) -> str:
    """As the card has it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def content_hash(config: PreferenceConfig, agents: Mapping[str, Any], chunks: Sequence[Any]) -> str:
    """SHA-256 of what was asked, who played, and every chunk."""
    told = {
        "config": config.record(),
        "agents": {who: agent["hash"] for who, agent in agents.items()},
        "chunks": [chunk["sha256"] for chunk in chunks],
    }
    return file_hash(json.dumps(told, sort_keys=True).encode())


def summary(config: PreferenceConfig, chunks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the chunks' tallies say of the whole dataset."""

    def mean(name: str) -> float:
        return sum(chunk["tally"][name] for chunk in chunks) / config.rows

    untied = 1 - mean("tied")

    def of_untied(name: str) -> float | None:
        return mean(name) / untied if untied else None

    return {
        "judge": {
            "temperature": config.temperature,
            "expected_accuracy": of_untied("expected_right"),
            "accuracy": of_untied("right"),
        },
        "tie_rate": mean("tied"),
        "noise_rate": mean("noised"),
        "flip_rate": mean("flipped"),
        "chosen_return": mean("chosen_return"),
        "rejected_return": mean("rejected_return"),
    }


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a folder; raises ConfigError for a folder without one of this schema."""
    path = folder / CARD
    if not path.is_file():
        raise ConfigError(
            f"{folder}: has no {CARD}, so it is no preference dataset; "
            "make one with drift preference-data"
        )
    content = read_bounded(path)
    try:
        read_json(content, str(path))
    except ConfigError as error:
        said = str(error).partition(";")[0]
        raise ConfigError(
            f"{said}; put back a copy that is whole, or make the dataset again: one seed gives one dataset"
        ) from None
    card: dict[str, Any] = json.loads(content)
    if card.get("schema") != SCHEMA:
        raise ConfigError(
            f"{path}: schema={card.get('schema')!r:.60} is unknown; this version reads '{SCHEMA}'"
        )
    for name, kind in _PARTS.items():
        if not isinstance(card.get(name), kind):
            raise ConfigError(
                f"{path}: '{name}' is missing or was changed; restore it, or make the dataset again"
            )
    return card
