"""The files of a search for mirror maps.

mirror.json         what was asked
data/               the preferences, where they were made for it
start.npz           the agent that trainings begin with, where one was named
generations.jsonl   one record a generation
state.npz           the strategy after the last one
baseline.json       returns of ORPO on the held-out seeds
history/NNNN.json   the objective of the mean each time it was judged, its networks beside it
objective.json      the last of these
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rl.interrupts import held_back
from rl.records import json_line, writing_into
from rl.start import leads
from search.evolution import restore_state, save_state
from search.folder import Record, SearchFolder
from search.mirror.config import MirrorConfig
from symbolic.arrays import read_bounded, read_json
from symbolic.errors import ConfigError
from symbolic.preference.objective import PreferenceObjective
from symbolic.preference.reading import save_objective

OBJECTIVE_FILE = "objective.json"


class MirrorFolder(SearchFolder[MirrorConfig]):
    """A folder of a search for mirror maps; raises ConfigError for one that cannot be used."""

    NAME = "mirror.json"
    SCHEMA = "mirrordrift/mirror/1"
    WHAT = "search for mirror maps"

    @staticmethod
    def settings(record: Mapping[str, Any], path: Path) -> MirrorConfig:
        """What was asked, from its record."""
        return MirrorConfig.from_record(record, path / MirrorFolder.NAME)

    @property
    def data_path(self) -> Path:
        """Where its own preferences are."""
        return self.path / "data"

    @property
    def start_path(self) -> Path:
        """Where the agent is that trainings begin with, if one was named."""
        return self.path / "start.npz"

    @held_back()
    def save(self, state: Any, record: Record, objective: PreferenceObjective | None) -> None:
        """A generation's record, the objective of the mean if it was judged, and then the state."""
        done = int(record["generation"])
        self.add_record(record)
        if objective is not None and leads():
            with writing_into(self.path):
                (self.path / "history").mkdir(exist_ok=True)
                save_objective(self.path / "history" / f"{done:04}.json", objective)
                save_objective(self.path / OBJECTIVE_FILE, objective)
        save_state(self, state, done)

    def restore(self, template: Any) -> tuple[int, Any]:
        """(generations done, the state after them); none and `template` where it begins."""
        return restore_state(self, template)

    def baseline(self) -> list[float] | None:
        """Returns of ORPO on the held-out seeds, if they are known."""
        path = self.path / "baseline.json"
        if not path.exists():
            return None
        record = read_json(read_bounded(path), str(path))
        try:
            return [math.nan if value is None else float(value) for value in record["returns"]]
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(
                f"{path}: is not what was written ({error!s:.80}); remove it to have it made again"
            ) from None

    def write_baseline(self, returns: list[float]) -> None:
        """Keep what ORPO reaches, which is the same in every judgement."""
        self.write("baseline.json", json_line({"schema": self.SCHEMA, "returns": returns}) + "\n")
