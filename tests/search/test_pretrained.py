"""The networks that are shipped: whole, proved, and what their stories say."""

from __future__ import annotations

import shutil
from pathlib import Path

import jax
import numpy as np
import pytest

from mirrordrift import verify
from mirrordrift.cli import main
from mirrordrift.runs import label
from mirrordrift.spec import resolve
from search import pretrained
from search.meta.folder import MetaFolder
from search.meta.presets import PRESETS
from search.meta.strategy import Strategy
from symbolic.errors import ConfigError
from symbolic.network import DriftNetwork, load_network

KEPT = Path(__file__).parents[2] / "benchmarks" / "meta"


@pytest.mark.parametrize("name", pretrained.names())
def test_a_shipped_network_is_a_drift_with_a_story(name: str) -> None:
    network = pretrained.load(name)
    assert verify(network).verdict == "proved"
    story = network.training
    assert story["generations"] == len(story["return_mean"][story["configuration"]["envs"][0]])
    assert story["held_out"] and story["hardware"] and story["versions"]["jax"]
    command = pretrained.story(name)["command"]
    preset = command.split("--preset ")[1].split()[0]
    config = PRESETS[preset]
    assert list(config.envs) == story["configuration"]["envs"]
    assert config.strategy.sigma == story["configuration"]["strategy"]["sigma"]
    assert config.network.size == sum(layer.size for layer in network.layers)


@pytest.mark.parametrize("name", pretrained.names())
def test_a_later_sitting_goes_on_from_the_network_that_is_shipped(name: str) -> None:
    folder, config = MetaFolder.open(KEPT / name)
    strategy = Strategy(config.strategy, config.network.size)
    start = strategy.init(jax.random.key(config.seed), config.network.initial(config.seed))
    generations, state = folder.restore(start)
    network = pretrained.load(name)
    assert generations == network.training["generations"]
    for own, kept in zip(network.layers, config.network.layers(np.asarray(state.mean))):
        np.testing.assert_array_equal(own, kept)


@pytest.mark.parametrize("name", pretrained.names())
def test_it_is_known_by_its_name(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    network = resolve(name)
    assert isinstance(network, DriftNetwork) and label(network) == name
    assert main(["verify", name]) == 0
    assert main(["verify", "--network", name]) == 0
    assert "proved" in capsys.readouterr().out
    with pytest.raises(ConfigError, match="has no parameters"):
        resolve(name, ["eps = 0.2"])


def test_they_are_drawn_beside_formulas(tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    assert main(["plot", *pretrained.names(), "ppo", "dpo", "-o", str(picture)]) == 0
    assert picture.exists()


def test_two_of_them_were_trained_in_different_environments() -> None:
    envs = {tuple(pretrained.load(n).training["configuration"]["envs"]) for n in pretrained.names()}
    assert len(envs) >= 2


def test_another_file_under_its_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = pretrained.names()[:2]
    folder = Path(pretrained.__file__).parent
    shutil.copy(folder / f"{one}.json", tmp_path / f"{one}.json")
    shutil.copy(folder / f"{other}.npz", tmp_path / f"{one}.npz")
    assert load_network(tmp_path / f"{one}.npz")
    monkeypatch.setattr(pretrained, "_FOLDER", tmp_path)
    with pytest.raises(ConfigError, match="not the network that was shipped"):
        pretrained.load(one)


def test_a_slip_in_a_name_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "lpo-cartpol"]) == 2
    assert "did you mean 'lpo-cartpole'" in capsys.readouterr().err


def test_an_unknown_name_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=pretrained.names()[0]):
        pretrained.load("lpo")
