"""Evolution of formulas: archives, races, generations, and going on after being killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from search_probes import INNER, killed_at, tiny_task

from mirrordrift import Drift, verify
from search.formulas import evolution, race
from search.formulas.archive import Archive
from search.formulas.config import PRESETS, FormulaConfig, preset
from search.formulas.evolution import evolve
from search.formulas.folder import FormulaFolder
from search.formulas.grammar import Node
from search.formulas.race import Race
from symbolic.arrays import read_json
from symbolic.errors import ConfigError
from symbolic.parser import parse

CONFIG = FormulaConfig(
    envs=("CartPole-v1",),
    seeds=2,
    generations=3,
    population_size=4,
    halvings=1,
    elites=2,
    finalists=2,
    held_out_seeds=2,
    inner=INNER,
)


@pytest.fixture(autouse=True, scope="module")
def tiny() -> Iterator[None]:
    with tiny_task(race, evolution):
        yield


def searched(config: FormulaConfig, path: Path) -> list[dict[str, Any]]:
    folder = FormulaFolder.open(path)[0] if path.exists() else FormulaFolder.create(path, config)
    return evolve(config, folder, versions={"python": "3"})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, tiny: None) -> Path:
    """The folder of a search that nothing disturbed."""
    path = tmp_path_factory.mktemp("search") / "run"
    searched(CONFIG, path)
    return path


def test_generations_leave_records(whole: Path) -> None:
    records = FormulaFolder(whole).records(99)
    assert [record["generation"] for record in records] == [1, 2, 3]
    assert all(record["new"] == 4 and record["diverged"] == 0 for record in records)
    assert all(record["returns"]["CartPole-v1"]["ppo"] > 0 for record in records)
    assert records[-1]["best"]


def test_every_formula_that_was_trained_is_proved_and_new(whole: Path) -> None:
    state = json.loads((whole / "archive.json").read_text())
    archive = Archive.from_record(state)
    texts = [entry.drift.text for entry in archive.best(1000)]
    assert len(texts) == len(set(texts))
    assert len(state["formulas"]) == 12
    for text in texts:
        assert verify(text).verdict == "proved"


def test_the_best_are_judged_beside_ppo_and_dpo(whole: Path) -> None:
    judgement = json.loads((whole / "judgement.json").read_text())
    assert judgement["versions"] == {"python": "3"} and judgement["generations"] == 3
    rows = judgement["rows"]
    assert [row["formula"] for row in rows[:2]] == ["ppo", "dpo"]
    assert rows[0]["envs"]["CartPole-v1"]["difference"] == 0
    lines = (whole / "formulas.txt").read_text().splitlines()
    assert lines == [row["formula"] for row in rows[2:]] and len(lines) == 2
    assert all(parse(line).nodes <= CONFIG.largest for line in lines)


@pytest.mark.parametrize("writes", [1, 2, 4, 7, 8])
def test_a_search_that_was_killed_goes_on_to_the_same_end(
    writes: int, whole: Path, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    FormulaFolder.create(path, CONFIG)
    with killed_at(writes):
        searched(CONFIG, path)
    searched(CONFIG, path)
    for name in ("archive.json", "judgement.json", "formulas.txt"):
        assert (path / name).read_bytes() == (whole / name).read_bytes()


def test_a_search_can_be_made_longer(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    searched(replace(CONFIG, generations=2), path)
    folder, config = FormulaFolder.open(path)
    folder.extend(replace(config, generations=3))
    searched(FormulaFolder.open(path)[1], path)
    assert (path / "judgement.json").read_bytes() == (whole / "judgement.json").read_bytes()


HARMLESS = Drift(formula=parse("(r-1)**2/10"))
STRICT = Drift(formula=parse("1000*(r-1)**2"))
UNDEFINED = Drift(formula=parse("(r-1)**2*log(A)"))


def test_a_race_ranks_by_what_is_gained() -> None:
    """A penalty that lets nothing change loses to one that does nearly nothing."""
    found = Race(CONFIG, CONFIG.tasks()).run(
        [STRICT, HARMLESS, STRICT, HARMLESS], [], np.random.default_rng(0), {"CartPole-v1": 1.0}
    )
    assert set(found.gains) == {1, 3}
    assert found.diverged == 0


def test_a_formula_that_diverges_is_last_and_counted() -> None:
    found = Race(CONFIG, CONFIG.tasks()).run(
        [UNDEFINED, HARMLESS, STRICT, UNDEFINED], [HARMLESS], np.random.default_rng(0),
        {"CartPole-v1": 1.0},
    )  # fmt: skip
    assert set(found.gains) == {1, 2, 4} and found.diverged == 2
    assert found.gains[1] == found.gains[4], "the same formula on the same seeds"


def test_a_whole_training_that_diverges_costs_merit() -> None:
    found = Race(CONFIG, CONFIG.tasks()).run(
        [HARMLESS, STRICT, STRICT, STRICT], [UNDEFINED], np.random.default_rng(0),
        {"CartPole-v1": 1.0},
    )  # fmt: skip
    assert found.gains[4] <= -1 and found.gains[4] <= min(found.gains.values())


def test_one_lucky_training_is_not_the_best() -> None:
    archive = Archive()
    lucky, steady = (Node("one", (Node("forward", (), Fraction(c)),)) for c in (1, 2))
    for node in (lucky, steady):
        archive.add(node, proved=True)
    archive.gained(lucky, 1.4)
    for _ in range(4):
        archive.gained(steady, 1.0)
    assert [entry.node for entry in archive.best(2)] == [steady, lucky]
    assert archive.knows(lucky)
    read = Archive.from_record(json.loads(json.dumps(archive.record())))
    assert [(e.node, e.merit) for e in read.best(2)] == [(e.node, e.merit) for e in archive.best(2)]


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_whole(name: str) -> None:
    config = preset(name)
    text = json.dumps(config.record())
    assert FormulaConfig.from_record(read_json(text, "search.json"), Path("s")) == config
    assert config.width(0) == config.population_size


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"population_size": 6, "halvings": 2}, "try 8"),
        ({"halvings": -1}, "0 or more"),
        ({"elites": 0}, "at least 1"),
        ({"largest": 3}, "no room"),
        ({"proof_seconds": 0}, "positive"),
        ({"envs": ("Cart",)}, "CartPole-v1"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        FormulaConfig(**{"envs": ("CartPole-v1",), **changes})
    assert said in str(refused.value)


def test_an_archive_that_was_changed_is_refused(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    FormulaFolder.create(path, CONFIG)
    state = json.loads((whole / "archive.json").read_text())
    state["formulas"][0][0][0] = "exec"
    (path / "archive.json").write_text(json.dumps(state))
    with pytest.raises(ConfigError, match="not what was written"):
        searched(CONFIG, path)
    (path / "archive.json").write_bytes((whole / "archive.json").read_bytes())
    settings = json.loads((path / "search.json").read_text())
    (path / "search.json").write_text(json.dumps(settings | {"elites": 1}))
    with pytest.raises(ConfigError, match="belongs to other settings"):
        searched(CONFIG, path)
    (path / "search.json").write_text(json.dumps(settings))
    with pytest.raises(ConfigError, match="holds a search already, with other seeds"):
        FormulaFolder.create(path, replace(CONFIG, seeds=3))
