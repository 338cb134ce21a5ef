"""Preference datasets as a trainer reads them: checked, one chunk after another or whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rl.preference import cards
from rl.preference.actors import Actor
from rl.preference.chunks import Preferences, Sizes, chunk_arrays
from rl.preference.config import PreferenceConfig
from symbolic.errors import ConfigError


@dataclass(frozen=True)
class PreferenceData:
    """A finished dataset in a folder. Rows are read when they are asked for, and then checked."""

    path: Path
    config: PreferenceConfig
    """How it was made: env, backend, kind, rows, steps, …"""
    sizes: Sizes
    """Steps of a trajectory, and sizes of an observation and an action."""
    card: dict[str, Any] = field(repr=False)
    """All that card.json says, such as agents["expert"]["return_mean"]."""

    @classmethod
    def open(
        cls, path: str | Path, *, env: str | None = None, backend: str | None = None
    ) -> PreferenceData:
        """The dataset of a folder; `env` and `backend` are what the reader needs it to be of.

        Raises ConfigError for a folder without a card, a dataset that is unfinished, of another
        environment or of another version of it, and for chunks that are missing or cut off.
        """
        folder = Path(path)
        card = cards.read_card(folder)
        try:
            config = PreferenceConfig.of(card)
            sizes = Sizes(config.steps, card["observation_size"], card["action_size"])
            chunks, agents = card["chunks"], card["agents"]
            complete = card["complete"] and len(chunks) == config.chunks
            whole = complete and card["hash"] == cards.content_hash(config, agents, chunks)
            lengths = [int(chunk["bytes"]) for chunk in chunks]
            if complete and (lacking := [name for name in cards.SUMMARY if name not in card]):
                raise KeyError(lacking[0])
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(
                f"{folder / cards.CARD}: is incomplete or was changed ({error!s:.120}); "
                "make the dataset again"
            ) from None
        if not complete:
            raise ConfigError(
                f"{folder}: is unfinished, {len(chunks)} of {config.chunks} chunks are there; "
                f"go on with drift preference-data --resume {folder}"
            )
        if not whole:
            raise ConfigError(
                f"{folder / cards.CARD}: was changed after the dataset was made; make it again"
            )
        _check_environment(folder, config, card, env, backend)
        for index, length in enumerate(lengths):
            _check_file(folder / cards.chunk_name(index), length)
        return cls(folder, config, sizes, card)

    def __len__(self) -> int:
        return self.config.rows

    def agent(self, who: str) -> Actor:
        """The agent that played as `expert` or as `reference`.

        Raises ConfigError if its file is not the one that the dataset was made with.
        """
        return cards.read_agent(self.path, self.card, who)

    @property
    def num_chunks(self) -> int:
        """Files that the rows are in."""
        return self.config.chunks

    def chunk(self, index: int) -> Preferences:
        """The rows of one file, as arrays that cannot be written to.

        Raises ConfigError for a file that is damaged, or whose pairs begin in different states.
        """
        recorded = self.card["chunks"][index]
        path = self.path / cards.chunk_name(index)
        _check_file(path, recorded["bytes"])
        content = path.read_bytes()
        if cards.file_hash(content) != recorded["sha256"]:
            raise ConfigError(f"{path}: is damaged; {_mend(self.path)}")
        rows = chunk_arrays(content, self.sizes, self.config.rows_of(index), str(path))
        same = rows.chosen_observations[:, 0] == rows.rejected_observations[:, 0]
        if not same.all():
            row = index * self.config.chunk_rows + int(np.argmin(same.all(axis=-1)))
            raise ConfigError(
                f"{path}: the trajectories of row {row} begin in different states; "
                "make the dataset again"
            )
        return rows

    def chunks(self) -> Iterator[Preferences]:
        """Every file's rows, in order; one of them is in memory at a time."""
        for index in range(self.num_chunks):
            yield self.chunk(index)

    def arrays(self) -> Preferences:
        """All rows, in memory."""
        whole = self.sizes.empty(len(self))
        at = 0
        for rows in self.chunks():
            for into, array in zip(whole, rows):
                into[at : at + len(array)] = array
            at += len(rows.flipped)
        return whole


def _check_environment(
    folder: Path,
    config: PreferenceConfig,
    card: dict[str, Any],
    env: str | None,
    backend: str | None,
) -> None:
    if env not in (None, config.env) or backend not in (None, config.backend):
        wanted = " on ".join(name for name in (env, backend) if name)
        raise ConfigError(
            f"{folder}: is of {config.env} on {config.backend}, not of {wanted}; name another "
            "dataset, or that environment"
        )
    made, here = card.get("library"), cards.library(config.env)
    if made != here:
        made_with = " ".join(map(str, made.values())) if isinstance(made, dict) else made
        raise ConfigError(
            f"{folder}: was made with {made_with}, and {here['name']} {here['version']} is "
            f"installed, whose {config.env} may be another; install that version, or make the "
            "dataset again"
        )


def _check_file(path: Path, size: int) -> None:
    if not path.is_file():
        raise ConfigError(f"{path}: is missing; {_mend(path.parent)}")
    if (found := path.stat().st_size) != size:
        raise ConfigError(f"{path}: has {found} bytes instead of {size}; {_mend(path.parent)}")


def _mend(folder: Path) -> str:
    return f"make it again with drift preference-data --resume {folder}"
