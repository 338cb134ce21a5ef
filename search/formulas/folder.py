"""The files of a search over formulas.

search.json         what was asked
generations.jsonl   one record a generation
archive.json        every formula that was met, and what its trainings gained
judgement.json      the best formulas on held-out seeds, beside PPO and DPO
formulas.txt        the same formulas, one a line, as `drift verify --file` reads them
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from search.folder import Record, SearchFolder
from search.formulas.archive import Archive
from search.formulas.config import FormulaConfig
from symbolic.errors import ConfigError

NAMED = 2
"""Rows of a judgement that are no finds: PPO and DPO."""


class FormulaFolder(SearchFolder[FormulaConfig]):
    """A folder of a search; raises ConfigError for one that cannot be used."""

    NAME = "search.json"
    SCHEMA = "mirrordrift/search/1"
    WHAT = "search"

    @staticmethod
    def settings(record: Mapping[str, Any], path: Path) -> FormulaConfig:
        """What was asked, from its record."""
        return FormulaConfig.from_record(record, path / FormulaFolder.NAME)

    def save(self, record: Record, archive: Archive, scales: Mapping[str, float]) -> None:
        """A generation's record, and then what is known after it."""
        self.add_record(record)
        state = {
            "schema": "mirrordrift/archive/1",
            "generation": record["generation"],
            "asked": self.asked(),
            "scales": dict(scales),
            **archive.record(),
        }
        self.write("archive.json", json.dumps(state, allow_nan=False) + "\n")

    def restore(self) -> tuple[int, Archive, dict[str, float]]:
        """(generations done, what is known after them, units of return); nothing at the start."""
        path = self.path / "archive.json"
        if not path.exists():
            self.check_fresh()
            return 0, Archive(), {}
        try:
            state = json.loads(path.read_text("utf-8"))
            scales = {env: float(unit) for env, unit in state["scales"].items()}
            done = int(state["generation"])
            self.check_asked(path, state["asked"])
            if not all(0 < unit < math.inf for unit in scales.values()):
                raise ValueError("scales are no units")
            return done, Archive.from_record(state), scales
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            if isinstance(error, ConfigError) and "belongs to" in str(error):
                raise
            raise ConfigError(
                f"{path}: is not what was written ({error!s:.100}); restore it from a copy, "
                "or begin a new search"
            ) from None

    def judgement(self, generations: int) -> list[dict[str, Any]] | None:
        """The judgement after so many generations, if there is one."""
        path = self.path / "judgement.json"
        if not path.exists():
            return None
        try:
            found = json.loads(path.read_text("utf-8"))
            rows = [{**row, "envs": dict(row["envs"])} for row in found["rows"]]
            return rows if found["generations"] == generations else None
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{path}: is not what was written ({error!s:.80}); remove it to have it made again"
            ) from None

    def write_judgement(
        self,
        generations: int,
        rows: Sequence[Mapping[str, Any]],
        versions: Mapping[str, str | None],
    ) -> None:
        """Keep the judgement, and its formulas as text."""
        texts = [str(row["formula"]) for row in rows[NAMED:]]
        self.write("formulas.txt", "".join(f"{text}\n" for text in texts))
        found = {
            "schema": "mirrordrift/judgement/1",
            "generations": generations,
            "rows": list(rows),
            "versions": dict(versions),
        }
        self.write("judgement.json", json.dumps(found, allow_nan=False) + "\n")
