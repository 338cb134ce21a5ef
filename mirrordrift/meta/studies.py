"""Several meta-trainings side by side: which folders they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rl.records import writing_into
from rl.start import leads
from symbolic.arrays import read_bounded, read_json, write_atomically
from symbolic.errors import ConfigError

NAME = "study.json"
SCHEMA = "mirrordrift/study/1"


def begin(top: Path, names: Sequence[str]) -> None:
    """Note the parts of a study, before any of them begins."""
    if leads():
        with writing_into(top):
            top.mkdir(parents=True, exist_ok=True)
            text = json.dumps({"schema": SCHEMA, "parts": list(names)})
            write_atomically(top / NAME, text.encode())


def parts(top: Path) -> list[Path]:
    """The folders of a study, or the one folder of a single meta-training."""
    if not (top / NAME).exists():
        return [top]
    record = read_json(read_bounded(top / NAME), str(top / NAME))
    names = record.get("parts")
    if record.get("schema") != SCHEMA or not isinstance(names, list):
        raise ConfigError(f"{top / NAME}: is no study of this version; name another folder")
    return [top / str(name) for name in names]
