"""The search for mirror maps on a task of a second: records, going on, and what it leaves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from offline_probes import TINY, preferences, towards_goal

from rl.evaluation import Evaluation
from rl.offline.actor import from_scratch
from rl.offline.agent import OfflineState
from rl.offline.candidates import of_objectives
from rl.offline.pairs import observation_moments, training_pairs
from rl.offline.population import OfflinePopulation
from search.meta.strategy import StrategyConfig
from search.mirror.arena import OfflineArena
from search.mirror.config import MirrorConfig
from search.mirror.folder import MirrorFolder
from search.mirror.shape import MirrorShape
from search.mirror.training import Ground, objective_of, search_mirror_maps
from symbolic.errors import ConfigError
from symbolic.mirror_network import MirrorNetwork
from symbolic.preference.reading import load_objective

CONFIG = MirrorConfig(
    generations=3,
    training=replace(TINY, epochs=3),
    network=MirrorShape(hidden=9, temporal=True),
    strategy=StrategyConfig(population_size=4, sigma=0.2, learning_rate=0.1),
    held_out_every=2,
    held_out_seeds=4,  # as many agents as the population: one program
)


@pytest.fixture(scope="module")
def on() -> Ground:
    given, task = preferences(), towards_goal()
    actor = from_scratch(task.actions, *observation_moments(given), CONFIG.training)
    return Ground(task, actor, training_pairs(given, actor.observations, actor.policy), "sha256:0")


@pytest.fixture(scope="module")
def searched(on: Ground, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mirror") / "whole"
    search_mirror_maps(CONFIG, MirrorFolder.create(path, CONFIG), on, versions={"jax": "0"})
    return path


def test_a_search_leaves_records_and_an_objective_with_its_story(searched: Path) -> None:
    folder, config = MirrorFolder.open(searched)
    assert config == CONFIG
    records = folder.records(99)
    assert [record["generation"] for record in records] == [1, 2, 3]
    assert [bool(record["held_out"]) for record in records] == [False, True, True]
    judged = records[-1]["held_out"]["towards-goal"]
    assert judged["difference"] == pytest.approx(judged["return_mean"] - judged["orpo_mean"])
    found = load_objective(searched / "objective.json")
    assert isinstance(found.psi, MirrorNetwork) and found.psi.uses_progress
    assert found.psi.training["dataset"] == "sha256:0"
    assert found.psi.training["held_out"].keys() == {"2", "3"}
    assert sorted(p.name for p in (searched / "history").glob("*.json")) == [
        "0002.json",
        "0003.json",
    ]


def test_the_mean_moves_away_from_orpo(searched: Path) -> None:
    found = load_objective(searched / "objective.json").psi
    start = objective_of(CONFIG, CONFIG.network.initial(0)).psi
    assert isinstance(found, MirrorNetwork) and isinstance(start, MirrorNetwork)
    assert np.abs(found.layers[1] - start.layers[1]).max() > 0.01


def test_a_search_that_was_cut_off_goes_on_with_the_same_numbers(
    searched: Path, on: Ground, tmp_path: Path
) -> None:
    short = replace(CONFIG, generations=1)
    folder = MirrorFolder.create(tmp_path / "cut", short)
    search_mirror_maps(short, folder, on, versions={"jax": "0"})
    folder.extend(CONFIG)
    search_mirror_maps(CONFIG, folder, on, versions={"jax": "0"})
    one, other = (load_objective(p / "objective.json") for p in (searched, tmp_path / "cut"))
    for name in ("psi", "phi_inverse"):
        for a, b in zip(getattr(one, name).layers, getattr(other, name).layers):
            np.testing.assert_array_equal(a, b)


def test_a_member_is_judged_once_and_imitates_nobody(
    on: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its objective has no reference policy, and only what it reaches in the end counts."""
    like = of_objectives([objective_of(CONFIG, CONFIG.network.initial(0))])
    config = replace(CONFIG.training, num_evaluations=3)
    arena = OfflineArena(on.task, on.actor, on.pairs, config, like, 1)
    judged: list[int] = []
    judge = OfflinePopulation.judge

    def counted(self: OfflinePopulation, state: OfflineState, index: int) -> Evaluation:
        judged.append(index)
        return judge(self, state, index)

    def never(*_: object) -> None:
        raise AssertionError("imitated")

    monkeypatch.setattr(OfflinePopulation, "judge", counted)
    monkeypatch.setattr(arena._programs, "imitate", never)
    found = arena.returns(like, [3])
    assert judged == [CONFIG.training.epochs] and np.isfinite(found).all()


def test_a_search_that_ends_where_it_was_cut_off_is_judged_there(
    on: Ground, tmp_path: Path
) -> None:
    folder = MirrorFolder.create(tmp_path / "cut", CONFIG)

    def cut(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search_mirror_maps(CONFIG, folder, on, versions={}, progress=cut)
    assert not (folder.path / "objective.json").exists()
    ended = replace(CONFIG, generations=1)
    found = search_mirror_maps(ended, folder, on, versions={})
    assert folder.records(1)[-1]["held_out"]
    kept = load_objective(folder.path / "objective.json")
    assert isinstance(found.psi, MirrorNetwork) and isinstance(kept.psi, MirrorNetwork)
    assert found.psi.content_hash == kept.psi.content_hash


def test_a_state_of_another_search_is_refused(searched: Path, on: Ground) -> None:
    path = searched / "mirror.json"
    text = path.read_text()
    path.write_text(text.replace('"weight": 0.1', '"weight": 0.3'))
    folder, config = MirrorFolder.open(searched)
    with pytest.raises(ConfigError, match="belongs to other settings"):
        search_mirror_maps(config, folder, on, versions={})
    path.write_text(text)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"generations": 0}, "generations=0 must be a whole number of at least 1"),
        ({"weight": True}, "weight=True must be a positive number"),
        ({"weight": -1}, "weight=-1 must be a positive number"),
        ({"reduction": "max"}, "reduction='max' is unknown"),
        ({"seed": -1}, "seed=-1 must be"),
    ],
)
def test_settings_that_break_a_rule_are_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        MirrorConfig(**changes)  # type: ignore[arg-type]
