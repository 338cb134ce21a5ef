"""Stages of a long piece of work: each is a function of files that leaves files.

A stage is skipped only where its inputs are what they were when it ran, and its outputs are what it
left. `stages.json` keeps the hashes; it is written after a stage's outputs, so that one that was cut
off runs again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rl.records import writing_into
from symbolic.arrays import write_atomically
from symbolic.errors import ConfigError

FILE = "stages.json"
SCHEMA = "mirrordrift/stages/1"


@dataclass(frozen=True)
class Stage:
    """One piece of the work."""

    name: str
    inputs: Callable[[], Mapping[str, Any]]
    """What it depends on, JSON; asked when those before it are done."""
    outputs: Callable[[], tuple[str, ...]]
    """Files of the folder that it leaves; none where it has not run."""
    work: Callable[[], None]


def run(stages: Sequence[Stage], folder: Path, begin: Callable[[Stage, bool], None]) -> None:
    """Do what is not done; `begin` hears of each stage, and whether it is skipped.

    Raises ConfigError for a folder that cannot be read or written.
    """
    done = _done(folder)
    for stage in stages:
        asked = hash_of(stage.inputs())
        before = done.get(stage.name, {})
        left = file_hashes(folder, stage.outputs())
        skipped = bool(left) and before == {"inputs": asked, "outputs": left}
        begin(stage, skipped)
        if not skipped:
            done.pop(stage.name, None)
            stage.work()
            done[stage.name] = {"inputs": asked, "outputs": file_hashes(folder, stage.outputs())}
            text = json.dumps({"schema": SCHEMA, "stages": done}, indent=1)
            with writing_into(folder):
                write_atomically(folder / FILE, (text + "\n").encode())


def hash_of(value: Any) -> str:
    """SHA-256 of JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def file_hash(path: Path) -> str | None:
    """SHA-256 of a file; None where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); check its permissions"
        ) from None


def file_hashes(folder: Path, names: Iterable[str]) -> dict[str, str | None]:
    """Of files in a folder, by their names."""
    return {name: file_hash(folder / name) for name in names}


def _done(folder: Path) -> dict[str, Any]:
    """What ran before; nothing where the file is missing or of another version."""
    try:
        found = json.loads((folder / FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        return {}
    stages = found.get("stages")
    return stages if isinstance(stages, dict) else {}
