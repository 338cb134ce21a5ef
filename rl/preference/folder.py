"""The folder of a preference dataset while it is made.

    card.json         what was asked, who plays, what is done
    rows-00000.npz …  the rows, `chunk_rows` in each
    expert.npz, reference.npz   the two agents

Every file is replaced whole, a chunk before the card that names it: a dataset whose making is cut
off at any moment goes on as if it had not been.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rl import reference_agents
from rl.environments import Continuous, Task
from rl.interrupts import held_back
from rl.preference import cards
from rl.preference.actors import Actor, read_actor, write_actor
from rl.preference.cards import AGENTS
from rl.preference.chunks import Preferences, Sizes, chunk_bytes
from rl.preference.config import PreferenceConfig
from rl.records import plain, writing_into
from symbolic.arrays import write_atomically
from symbolic.errors import ConfigError


class PreferenceFolder:
    """A dataset that is being made; raises ConfigError for a folder that cannot be used."""

    def __init__(self, path: Path, config: PreferenceConfig, card: dict[str, Any]) -> None:
        self.path, self.config, self.card = path, config, card

    @classmethod
    @held_back()
    def create(
        cls,
        path: Path,
        config: PreferenceConfig,
        agents: Mapping[str, Actor],
        task: Task,
        versions: Mapping[str, str | None],
    ) -> PreferenceFolder:
        """A new dataset; a folder that holds anything else is refused. `agents` are `AGENTS`."""
        check_free(path, agents)
        card = {
            "schema": cards.SCHEMA,
            **config.record(),
            "library": cards.library(config.env),
            "observation_size": task.observation_size,
            "action_size": task.actions.size if isinstance(task.actions, Continuous) else 1,
            "agents": {who: agent.record() for who, agent in agents.items()},
            "versions": dict(versions),
            "complete": False,
            "chunks": [],
        }
        with writing_into(path):
            path.mkdir(parents=True, exist_ok=True)
        for who, agent in agents.items():
            write_actor(cards.agent_file(path, who), agent)
        folder = cls(path, config, plain(card))
        folder._write_card()
        return folder

    @classmethod
    def open(cls, path: Path) -> tuple[PreferenceFolder, dict[str, Actor]]:
        """A dataset begun before, and its agents."""
        card = cards.read_card(path)
        config = PreferenceConfig.of(card)
        if card.get("library") != (here := cards.library(config.env)):
            raise ConfigError(
                f"{path}: was begun with another {here['name']} than {here['version']}; "
                "begin it anew in another folder"
            )
        for who in AGENTS:
            _restore_agent(path, card, who)
        agents = {who: cards.read_agent(path, card, who) for who in AGENTS}
        return cls(path, config, card), agents

    @property
    def sizes(self) -> Sizes:
        """What the shapes of the chunks follow from."""
        return Sizes(self.config.steps, self.card["observation_size"], self.card["action_size"])

    def has(self, index: int) -> bool:
        """Whether a chunk is there as the card says."""
        if index >= len(self.card["chunks"]):
            return False
        path = self.path / cards.chunk_name(index)
        recorded = self.card["chunks"][index]["sha256"]
        return path.is_file() and cards.file_hash(path.read_bytes()) == recorded

    @held_back()
    def save(self, index: int, rows: Preferences, tally: Mapping[str, float]) -> None:
        """Keep a chunk, after those before it.

        Raises ConfigError if the card has it already, and otherwise.
        """
        content = chunk_bytes(rows, self.sizes)
        name = cards.chunk_name(index)
        record = {
            "file": name,
            "rows": len(rows.flipped),
            "bytes": len(content),
            "sha256": cards.file_hash(content),
            "tally": dict(tally),
        }
        chunks = self.card["chunks"]
        if index < len(chunks) and record != chunks[index]:
            raise ConfigError(
                f"{self.path}: {name} comes out otherwise than before; is this another "
                "machine or version? begin anew in another folder"
            )
        with writing_into(self.path):
            write_atomically(self.path / name, content)
        chunks[index:] = [record, *chunks[index + 1 :]]
        self._write_card()

    def finish(self) -> None:
        """Say that all is there, and what it amounts to."""
        chunks = self.card["chunks"]
        self.card |= cards.summary(self.config, chunks)
        self.card["hash"] = cards.content_hash(self.config, self.card["agents"], chunks)
        self.card["complete"] = True
        self._write_card()

    def _write_card(self) -> None:
        text = json.dumps(self.card, indent=1, allow_nan=False) + "\n"
        with writing_into(self.path):
            write_atomically(self.path / cards.CARD, text.encode())


def _restore_agent(path: Path, card: Mapping[str, Any], who: str) -> None:
    """Put back an agent whose file is gone, if it is one that is shipped."""
    file = cards.agent_file(path, who)
    shipped = None if file.exists() else reference_agents.of_hash(card["agents"][who]["hash"])
    if shipped is not None:
        write_actor(file, shipped)


def check_free(path: Path, agents: Mapping[str, Actor]) -> None:
    """Raise ConfigError for a folder that holds something else than these agents."""
    if (path / cards.CARD).exists():
        raise ConfigError(
            f"{path}: holds a dataset already; go on with --resume {path}, or name another folder"
        )
    # The same agents without a card are what a making leaves that was cut off before anything else.
    ours = {cards.agent_file(path, who): agent.content_hash for who, agent in agents.items()}
    found = [f for f in path.iterdir() if f.name[0] != "."] if path.is_dir() else []
    held = [f.name for f in found if f not in ours or read_actor(f).content_hash != ours[f]]
    if held:
        raise ConfigError(
            f"{path}: holds {min(held)} and perhaps more; name a folder that is empty or new"
        )
