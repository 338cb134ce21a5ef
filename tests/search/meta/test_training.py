"""Meta-training: generations, judgements, and going on after being killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from search_probes import INNER, Killed, killed_at, tiny_task

from rl.drifts import of_weights
from search.meta import judging, training
from search.meta.config import MetaConfig
from search.meta.folder import MetaFolder
from search.meta.generations import combined
from search.meta.networks import NetworkShape
from search.meta.strategy import StrategyConfig
from symbolic.errors import ConfigError
from symbolic.network import DriftNetwork, load_network

CONFIG = MetaConfig(
    envs=("CartPole-v1",),
    seeds=2,
    generations=4,
    network=NetworkShape(hidden=(4,)),
    strategy=StrategyConfig(population_size=4, sigma=0.2, learning_rate=0.05),
    inner=INNER,
    held_out_every=2,
    held_out_seeds=2,
)


@pytest.fixture(autouse=True, scope="module")
def tiny() -> Iterator[None]:
    with tiny_task(judging, training):
        yield


def trained(config: MetaConfig, path: Path, **more: Any) -> DriftNetwork:
    folder = MetaFolder.open(path)[0] if path.exists() else MetaFolder.create(path, config)
    return training.meta_train(config, folder, versions={"python": "3"}, **more)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, tiny: None) -> Path:
    """The folder of a meta-training that nothing disturbed."""
    path = tmp_path_factory.mktemp("meta") / "run"
    trained(CONFIG, path)
    return path


def mean(path: Path) -> list[np.ndarray]:
    return list(load_network(path / "network.npz").layers)


def test_generations_leave_records(whole: Path) -> None:
    records = MetaFolder(whole).records(99)
    assert [record["generation"] for record in records] == [1, 2, 3, 4]
    assert [bool(record["held_out"]) for record in records] == [False, True, False, True]
    assert all(record["members"] == 4 and record["diverged"] == 0 for record in records)
    last = records[-1]["held_out"]["CartPole-v1"]
    assert last["difference"] == pytest.approx(last["return_mean"] - last["ppo_mean"], abs=1e-4)
    assert last["ppo_mean"] == records[1]["held_out"]["CartPole-v1"]["ppo_mean"]


def test_the_network_tells_its_story(whole: Path) -> None:
    card = load_network(whole / "network.npz").training
    assert card["generations"] == 4 and len(card["return_mean"]["CartPole-v1"]) == 4
    assert set(card["held_out"]) == {"2", "4"}
    assert card["configuration"]["strategy"]["sigma"] == 0.2
    assert card["versions"] == {"python": "3"} and "cpu" in card["hardware"].lower()
    assert [path.stem for path in sorted((whole / "history").iterdir())] == ["0002", "0004"]


def test_the_mean_moved(whole: Path) -> None:
    start = CONFIG.network.layers(CONFIG.network.initial(0))
    assert max(np.abs(new - old).max() for new, old in zip(mean(whole), start)) > 0.05


@pytest.mark.parametrize("writes", [1, 2, 3, 4, 5, 6, 7, 9, 11, 13])
def test_a_run_that_was_killed_goes_on_to_the_same_mean(
    writes: int, whole: Path, tmp_path: Path
) -> None:
    """Whichever file was about to be put in place: bit for bit."""
    path = tmp_path / "run"
    MetaFolder.create(path, CONFIG)
    with killed_at(writes):
        trained(CONFIG, path)
    trained(CONFIG, path)
    for found, expected in zip(mean(path), mean(whole), strict=True):
        np.testing.assert_array_equal(found, expected)
    timeless = [
        [{**r, "seconds": 0, "env_steps_per_second": 0} for r in MetaFolder(p).records(99)]
        for p in (path, whole)
    ]
    assert timeless[0] == timeless[1]


def test_a_run_can_be_made_longer(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    trained(replace(CONFIG, generations=2), path)
    folder, config = MetaFolder.open(path)
    folder.extend(replace(config, generations=4))
    trained(MetaFolder.open(path)[1], path)
    for found, expected in zip(mean(path), mean(whole), strict=True):
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(ConfigError, match="less than the 4 that are done"):
        folder.extend(replace(config, generations=3))


def test_a_finished_run_trains_nothing(whole: Path) -> None:
    heard: list[Any] = []
    network = trained(CONFIG, whole, progress=heard.append)
    assert heard == []
    np.testing.assert_array_equal(network.layers[0], mean(whole)[0])


def test_equal_members_meet_equal_luck() -> None:
    """Members share initial agents, starts and random numbers; other seeds are other luck."""
    shape = CONFIG.network
    vectors = np.tile(np.random.default_rng(0).normal(scale=0.3, size=shape.size), (4, 1))
    template = shape.network(np.zeros(shape.size))
    same = of_weights(template, shape.layers(vectors))
    arena = training.Arena(CONFIG.tasks()["CartPole-v1"], CONFIG.trainer("CartPole-v1"), same, 2)
    returns = arena.returns(same, [5, 6])
    np.testing.assert_array_equal(returns, np.tile(returns[0], (4, 1)))
    assert not np.array_equal(returns, arena.returns(same, [7, 8]))


def test_a_member_that_diverges_is_counted_and_stops_nothing(tmp_path: Path) -> None:
    huge = replace(CONFIG.strategy, sigma=1e30)
    config = replace(CONFIG, generations=1, strategy=huge)
    network = trained(config, tmp_path / "run")
    (record,) = MetaFolder(tmp_path / "run").records(1)
    assert record["diverged"] == record["members"] == 4
    assert record["return_mean"] == {"CartPole-v1": None}
    assert all(np.isfinite(layer).all() for layer in network.layers)


def test_several_environments_weigh_the_same() -> None:
    returns = np.array([[1.0, 100.0], [2.0, 300.0], [3.0, 200.0], [np.nan, 400.0]])
    found = combined(returns)
    assert np.isnan(found[3])
    scores = [
        (np.array([1, 2, 3]) - 2) / np.std([1, 2, 3]),
        (returns[:3, 1] - 250) / np.std(returns[:, 1]),
    ]
    np.testing.assert_allclose(found[:3], np.mean(scores, axis=0), rtol=1e-6)
    np.testing.assert_array_equal(combined(returns[:, :1]), returns[:, 0])


def test_a_folder_of_another_run_is_refused(whole: Path) -> None:
    other = replace(CONFIG, seeds=3, strategy=replace(CONFIG.strategy, sigma=0.1))
    with pytest.raises(ConfigError, match=r"other seeds, strategy\.sigma; go on with --resume"):
        MetaFolder.create(whole, other)
    with pytest.raises(ConfigError, match="of this configuration"):
        MetaFolder.create(whole, CONFIG)
    assert MetaFolder.open(whole)[1] == CONFIG


def copied(whole: Path, path: Path) -> Path:
    path.mkdir()
    for name in ("meta.json", "state.npz", "generations.jsonl", "baseline.json"):
        (path / name).write_bytes((whole / name).read_bytes())
    return path


def test_a_state_that_was_changed_is_refused(whole: Path, tmp_path: Path) -> None:
    path = copied(whole, tmp_path / "run")
    with np.load(path / "state.npz") as file:
        arrays = dict(file)
    arrays["leaf_00"] = arrays["leaf_00"] + 1e-9  # the mean
    np.savez(path / "state.npz", **arrays)
    with pytest.raises(ConfigError, match="its hash differs"):
        trained(CONFIG, path)


def test_a_state_of_other_settings_is_refused(whole: Path, tmp_path: Path) -> None:
    path = copied(whole, tmp_path / "run")
    record = json.loads((path / "meta.json").read_text())
    record["strategy"]["sigma"] = 0.1
    (path / "meta.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match=r"belongs to other settings than .*meta\.json"):
        trained(CONFIG, path)


def test_a_damaged_state_is_told(whole: Path, tmp_path: Path) -> None:
    path = copied(whole, tmp_path / "run")
    content = bytearray((path / "state.npz").read_bytes())
    content[200] ^= 1
    (path / "state.npz").write_bytes(content)
    with pytest.raises(ConfigError, match=r"state\.npz: is .*restore it from a copy"):
        trained(CONFIG, path)


def test_a_state_of_another_network_is_refused(whole: Path, tmp_path: Path) -> None:
    path = copied(whole, tmp_path / "run")
    with pytest.raises(ConfigError, match="another network or strategy"):
        trained(replace(CONFIG, network=NetworkShape(hidden=(5,))), path)


def test_a_broken_record_is_told(whole: Path, tmp_path: Path) -> None:
    path = copied(whole, tmp_path / "run")
    (path / "generations.jsonl").write_text("not json\n")
    with pytest.raises(ConfigError, match="line 1 is no record"):
        trained(replace(CONFIG, generations=5), path)


def test_a_schema_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_text(json.dumps({"schema": "mirrordrift/meta/9"}))
    with pytest.raises(ConfigError, match="unknown"):
        MetaFolder.open(tmp_path)


def test_a_run_that_is_to_end_earlier_is_judged_there(tmp_path: Path) -> None:
    path = tmp_path / "run"
    folder = MetaFolder.create(path, replace(CONFIG, held_out_every=9))

    def stop(record: dict[str, Any]) -> None:
        if record["generation"] == 1:
            raise Killed

    with pytest.raises(Killed):
        training.meta_train(replace(CONFIG, held_out_every=9), folder, versions={}, progress=stop)
    shorter = replace(CONFIG, held_out_every=9, generations=1)
    folder.extend(shorter)
    network = trained(shorter, path)
    assert folder.records(9)[-1]["held_out"]
    np.testing.assert_array_equal(network.layers[0], mean(path)[0])


def test_a_state_that_is_gone_is_told(whole: Path, tmp_path: Path) -> None:
    path = copied(whole, tmp_path / "run")
    (path / "state.npz").unlink()
    with pytest.raises(ConfigError, match="what to go on from is gone"):
        trained(CONFIG, path)


def test_a_folder_of_another_kind_is_refused(whole: Path, tmp_path: Path) -> None:
    path = copied(whole, tmp_path / "run")
    (path / "meta.json").unlink()
    with pytest.raises(ConfigError, match="name a folder that is empty or new"):
        MetaFolder.create(path, CONFIG)


@pytest.mark.parametrize("text", ["{}", '{"returns": [1]}', '{"returns": {"CartPole-v1": ["x"]}}'])
def test_a_broken_baseline_is_told(text: str, whole: Path, tmp_path: Path) -> None:
    path = copied(whole, tmp_path / "run")
    (path / "baseline.json").write_text(text)
    with pytest.raises(ConfigError, match="remove it to have it made again"):
        trained(replace(CONFIG, generations=5), path)


def test_a_baseline_of_other_seeds_is_made_again(whole: Path, tmp_path: Path) -> None:
    path = copied(whole, tmp_path / "run")
    MetaFolder(path).write_baseline({"CartPole-v1": [0.0]})
    trained(replace(CONFIG, generations=5), path)
    found = MetaFolder(path).baseline()
    assert found == MetaFolder(whole).baseline()
