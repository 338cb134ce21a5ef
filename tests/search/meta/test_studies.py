"""Studies: several meta-trainings and one table of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mirrordrift.meta import studies, tables
from search.meta.folder import MetaFolder
from search.meta.presets import STUDIES
from symbolic.errors import ConfigError


def test_a_study_knows_its_parts(tmp_path: Path) -> None:
    studies.begin(tmp_path / "ablation", ["all", "no-log"])
    assert studies.parts(tmp_path / "ablation") == [
        tmp_path / "ablation" / "all",
        tmp_path / "ablation" / "no-log",
    ]
    assert studies.parts(tmp_path / "single") == [tmp_path / "single"]


def test_what_is_no_study_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text('{"schema": "mirrordrift/study/1", "parts": 3}')
    with pytest.raises(ConfigError, match="no study of this version"):
        studies.parts(tmp_path)


def test_the_ablation_has_one_table_of_returns(tmp_path: Path) -> None:
    judged = {"return_mean": 3.0, "ppo_mean": 2.0, "difference": 1.0, "difference_stderr": 0.5}
    folders = []
    for name, config in STUDIES["lpo-ablation"].items():
        folder = MetaFolder.create(tmp_path / name, config)
        folder.add_record({"generation": 1, "held_out": {"ant": judged}})
        folders.append(folder)
    header, rows = tables.study(folders)
    assert header[0] == "study" and [row[0] for row in rows] == list(STUDIES["lpo-ablation"])
    assert rows[0][1:5] == ("ant", "3", "2", "+1 ± 0.5")
