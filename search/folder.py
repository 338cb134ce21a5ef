"""The folder of a search: what was asked, a record a generation, and what to go on from.

Every file is replaced whole, the state last, and records newer than it are dropped: a search that
is killed at any moment goes on with the same numbers. What is random follows from the seed and the
number of the generation, so that no generator has to be kept. Of several processes the first
writes.
"""

from __future__ import annotations

import hashlib
import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from rl.records import json_line, writing_into
from rl.start import leads
from search.settings import differing
from symbolic.arrays import read_bounded, read_json, write_atomically
from symbolic.errors import ConfigError

Record = dict[str, Any]


class Settings(Protocol):
    """A configuration that a folder can hold."""

    @property
    def generations(self) -> int:
        """Where the search ends."""

    def record(self) -> dict[str, Any]:
        """As JSON has it."""


S = TypeVar("S", bound=Settings)


class SearchFolder(ABC, Generic[S]):
    """A folder of one kind of search; raises ConfigError for one that cannot be used."""

    NAME: ClassVar[str]
    """The file that holds what was asked."""
    SCHEMA: ClassVar[str]
    WHAT: ClassVar[str]
    """The kind of search, in words."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @staticmethod
    @abstractmethod
    def settings(record: Mapping[str, Any], path: Path) -> S:
        """What was asked, from its record."""

    @classmethod
    def create(cls, path: Path, config: S) -> Self:
        """A new one, where `check_free` allows it."""
        cls.check_free(path, config)
        folder = cls(path)
        folder._write_settings(config)
        return folder

    @classmethod
    def check_free(cls, path: Path, config: S) -> None:
        """Raise ConfigError for a folder that is taken, with what it was asked otherwise."""
        if leads() and (path / cls.NAME).exists():
            found = json.loads(json.dumps(cls.open(path)[1].record()))
            asked = json.loads(json.dumps(config.record()))
            other = [name for name in differing(found, asked) if not name.startswith("trainers.")]
            what = f"with other {', '.join(other)}" if other else "of this configuration"
            raise ConfigError(
                f"{path}: holds a {cls.WHAT} already, {what}; go on with --resume {path}, "
                "or name another folder"
            )
        files = [f.name for f in path.iterdir() if f.name[0] != "."] if path.is_dir() else []
        if leads() and files:
            raise ConfigError(
                f"{path}: holds {min(files)} and perhaps more; name a folder that is empty or new"
            )

    @classmethod
    def open(cls, path: Path) -> tuple[Self, S]:
        """One begun before, and what was asked."""
        record = read_json(read_bounded(path / cls.NAME), str(path / cls.NAME))
        if record.get("schema") != cls.SCHEMA:
            raise ConfigError(
                f"{path}: schema={record.get('schema')!r:.60} is unknown; "
                f"this version reads '{cls.SCHEMA}'"
            )
        return cls(path), cls.settings(record, path)

    def asked(self) -> str:
        """A hash of what was asked, but for where it is to end: what a state belongs to."""
        record = json.loads(read_bounded(self.path / self.NAME))
        record.pop("generations", None)
        return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()

    def check_asked(self, path: Path, asked: object) -> None:
        """Raise ConfigError for a state that belongs to other settings than the folder has."""
        if asked != self.asked():
            raise ConfigError(
                f"{path}: belongs to other settings than {self.path / self.NAME} has; put those "
                "back, or begin anew in another folder"
            )

    def extend(self, config: S) -> None:
        """Have it end at another generation from now on; ConfigError if it is beyond that."""
        done = len(self.records(sys.maxsize))
        if config.generations < done:
            raise ConfigError(
                f"{self.path}: generations={config.generations} is less than the {done} that are "
                "done; give more"
            )
        self._write_settings(config)

    def records(self, generations: int) -> list[Record]:
        """What the first `generations` generations left."""
        path = self.path / "generations.jsonl"
        if not path.exists():
            return []
        found = []
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            try:
                record = json.loads(line)
                if record["generation"] <= generations:
                    found.append(record)
            except (ValueError, KeyError, TypeError):
                raise ConfigError(
                    f"{path}: line {number} is no record; restore it from a copy"
                ) from None
        return found

    def check_fresh(self) -> None:
        """Raise ConfigError where records say that there was a state, and there is none."""
        if len(self.records(sys.maxsize)) > 1:
            raise ConfigError(
                f"{self.path}: what to go on from is gone, its records are not; restore it from a "
                "copy, or name another folder"
            )

    def add_record(self, record: Record) -> None:
        """Keep a generation's record, after those before it."""
        lines = [*self.records(int(record["generation"]) - 1), record]
        self.write("generations.jsonl", "".join(json_line(each) + "\n" for each in lines))

    def write(self, name: str, text: str) -> None:
        """A file of the folder, whole."""
        if leads():
            with writing_into(self.path):
                write_atomically(self.path / name, text.encode())

    def _write_settings(self, config: S) -> None:
        text = json.dumps({"schema": self.SCHEMA, **config.record()}, indent=1)
        if leads():
            with writing_into(self.path):
                self.path.mkdir(parents=True, exist_ok=True)
        self.write(self.NAME, text + "\n")
