"""The folder of a preference dataset: cut off, damaged, incomplete, of somebody else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from preference_probes import AGENTS, ENV, made

from rl import environments, reference_agents
from rl.preference import cards, generation
from rl.preference.actors import write_actor
from rl.preference.data import PreferenceData
from rl.preference.folder import PreferenceFolder
from rl.preference.generation import generate
from symbolic.errors import ConfigError


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("data") / "base")


@pytest.fixture
def copy(dataset: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(dataset, tmp_path / "copy"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_an_interrupted_dataset_goes_on_to_the_same_bytes(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk = generation.Generator.chunk

    def interrupted(self: generation.Generator, index: int) -> generation.Chunk:
        if index == 1:
            raise KeyboardInterrupt
        return chunk(self, index)

    with monkeypatch.context() as patch:
        patch.setattr(generation.Generator, "chunk", interrupted)
        with pytest.raises(KeyboardInterrupt):
            made(tmp_path / "cut")
    with pytest.raises(ConfigError, match=r"unfinished, 1 of 3.*--resume"):
        PreferenceData.open(tmp_path / "cut")
    folder, agents = PreferenceFolder.open(tmp_path / "cut")
    generate(folder, environments.make(ENV), agents)
    assert contents(tmp_path / "cut") == contents(dataset)


def edit(folder: Path, **changes: Any) -> None:
    card = json.loads((folder / cards.CARD).read_text())
    (folder / cards.CARD).write_text(json.dumps({**card, **changes}))


def forget(folder: Path, name: str) -> None:
    card = json.loads((folder / cards.CARD).read_text())
    del card[name]
    (folder / cards.CARD).write_text(json.dumps(card))


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda folder: (folder / cards.CARD).unlink(), "has no card.json"),
        (lambda folder: (folder / cards.CARD).write_text("{"), "not readable as JSON"),
        (lambda folder: edit(folder, schema="other/1"), "is unknown; this version reads"),
        (lambda folder: edit(folder, library={"name": "gymnax", "version": "0"}), "gymnax 0"),
        (lambda folder: edit(folder, complete=False), "is unfinished"),
        (lambda folder: edit(folder, temperature=7.0), "was changed after"),
        (lambda folder: edit(folder, chunks=3), "'chunks' is missing or was changed"),
        (lambda folder: edit(folder, chunks=[{}, {}, {}]), "is incomplete or was changed"),
        (lambda folder: edit(folder, agents={"expert": 1}), "is incomplete or was changed"),
        (lambda folder: forget(folder, "tie_rate"), "incomplete or was changed .'tie_rate'"),
        (lambda folder: edit(folder, rows=0), "rows=0 must be"),
        (lambda folder: (folder / "rows-00001.npz").unlink(), "rows-00001.npz: is missing"),
        (lambda folder: (folder / "rows-00001.npz").write_bytes(b""), "has 0 bytes instead of"),
        (lambda folder: damage(folder / "rows-00002.npz"), "rows-00002.npz: is damaged"),
    ],
)
def test_a_folder_that_is_no_whole_dataset(
    copy: Path, harm: Callable[[Path], None], words: str
) -> None:
    harm(copy)
    with pytest.raises(ConfigError, match=words):
        PreferenceData.open(copy).arrays()


def test_a_making_that_left_no_card_begins_anew(dataset: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut"
    path.mkdir()
    (path / "expert.npz").write_bytes((dataset / "expert.npz").read_bytes())
    made(path)
    assert contents(path) == contents(dataset)


def test_an_agent_of_somebody_else_is_not_overwritten(dataset: Path, tmp_path: Path) -> None:
    path = tmp_path / "taken"
    path.mkdir()
    other = (dataset / "reference.npz").read_bytes()
    (path / "expert.npz").write_bytes(other)
    with pytest.raises(ConfigError, match=r"holds expert\.npz"):
        made(path)
    assert (path / "expert.npz").read_bytes() == other


def test_the_agents_are_with_the_data(copy: Path) -> None:
    data = PreferenceData.open(copy)
    for who, agent in AGENTS.items():
        assert data.agent(who).content_hash == agent.content_hash
    write_actor(copy / "expert.npz", AGENTS["reference"])
    with pytest.raises(ConfigError, match="is not the agent"):
        data.agent("expert")
    with pytest.raises(ConfigError, match="use one of expert, reference"):
        data.agent("judge")


def test_another_environment_is_refused(dataset: Path) -> None:
    with pytest.raises(ConfigError, match="is of Pendulum-v1 on spring, not of hopper"):
        PreferenceData.open(dataset, env="hopper")


def test_a_damaged_chunk_is_mended(copy: Path, dataset: Path) -> None:
    damage(copy / "rows-00001.npz")
    (copy / "rows-00002.npz").unlink()
    folder, agents = PreferenceFolder.open(copy)
    generate(folder, environments.make(ENV), agents)
    assert contents(copy) == contents(dataset)


def test_a_lost_agent_is_put_back_if_it_is_a_shipped_one(copy: Path) -> None:
    (copy / "expert.npz").unlink()
    with pytest.raises(ConfigError, match=r"expert\.npz"):
        PreferenceFolder.open(copy)
    shipped = reference_agents.load("hopper-900")
    card = json.loads((copy / cards.CARD).read_text())
    card["agents"]["expert"] = shipped.record()
    edit(copy, agents=card["agents"])
    _, agents = PreferenceFolder.open(copy)
    assert agents["expert"].content_hash == shipped.content_hash
    assert (copy / "expert.npz").exists()


def test_pairs_from_different_states_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk = generation.Generator.chunk

    def apart(self: generation.Generator, index: int) -> generation.Chunk:
        found = chunk(self, index)
        moved = found.rows.rejected_observations.copy()
        moved[3, 0] += 1
        return found._replace(rows=found.rows._replace(rejected_observations=moved))

    monkeypatch.setattr(generation.Generator, "chunk", apart)
    data = PreferenceData.open(made(tmp_path / "apart"))
    with pytest.raises(ConfigError, match="row 3 begin in different states"):
        data.chunk(0)
