"""Configurations of meta-trainings: presets, records, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from search.meta.config import MetaConfig
from search.meta.networks import NetworkShape
from search.meta.presets import PRESETS, STUDIES, preset
from search.meta.strategy import StrategyConfig
from search.settings import differing
from symbolic.arrays import read_json
from symbolic.errors import ConfigError


@pytest.mark.parametrize("name", [*PRESETS, *STUDIES])
def test_every_preset_is_whole(name: str) -> None:
    for config in preset(name).values():
        assert config.network.network(config.network.initial(0)).layers
        for env in config.judged_envs:
            assert config.trainer(env).num_updates >= 1
        text = json.dumps(config.record())
        assert MetaConfig.from_record(read_json(text, "meta.json"), Path("m")) == config


def test_the_paper_s_numbers() -> None:
    (config,) = preset("lpo-paper").values()
    strategy = config.strategy
    assert (config.generations, strategy.population_size, strategy.sigma) == (672, 32, 0.04)
    assert (strategy.learning_rate, strategy.momentum, config.network.size) == (0.01, 0.99, 1152)
    assert config.trainer("ant").total_env_steps == 30_000_000
    (zero,) = preset("lpo-zero-paper").values()
    assert zero.network.hidden == (256, 256) and zero.strategy.population_size == 700
    assert {c.generations for c in preset("lpo-ablation").values()} == {208}


def test_an_environment_s_changes_come_after_those_for_all() -> None:
    config = MetaConfig(
        envs=("CartPole-v1", "Acrobot-v1"),
        inner={"*": {"num_envs": 16}, "Acrobot-v1": {"num_envs": 32}},
    )
    assert config.trainer("CartPole-v1").num_envs == 16
    assert config.trainer("Acrobot-v1").num_envs == 32


def test_records_that_differ_say_where() -> None:
    one = MetaConfig(envs=("CartPole-v1",))
    other = MetaConfig(
        envs=("CartPole-v1",),
        seeds=3,
        strategy=StrategyConfig(sigma=0.1),
        network=NetworkShape(hidden=(8,)),
    )
    found = differing(one.record(), other.record())
    assert found == ["network.hidden", "seeds", "strategy.sigma"]


def test_a_recipe_that_has_changed_since_is_refused() -> None:
    record = json.loads(json.dumps(MetaConfig(envs=("CartPole-v1",)).record()))
    record["trainers"]["CartPole-v1"]["learning_rate"] = 0.1
    with pytest.raises(ConfigError, match=r"other recipes \(CartPole-v1\.learning_rate\)"):
        MetaConfig.from_record(record, Path("meta.json"))


def test_records_that_are_alike_do_not_differ() -> None:
    one = MetaConfig(envs=("CartPole-v1",))
    assert differing(one.record(), one.record()) == []


def test_a_mixture_of_kinds_of_actions_is_refused() -> None:
    assert set(MetaConfig(envs=("CartPole-v1",), held_out_envs=("Pendulum-v1",)).tasks()) == {
        "CartPole-v1",
        "Pendulum-v1",
    }
    with pytest.raises(ConfigError, match="CartPole-v1 discrete, Pendulum-v1 continuous"):
        MetaConfig(envs=("CartPole-v1", "Pendulum-v1")).tasks()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"envs": ()}, "at least one environment"),
        ({"envs": ("CartPole",)}, "CartPole-v1"),
        ({"seeds": 0}, "at least 1"),
        ({"seed": -1}, "0 to 4294967295"),
        ({"inner": {"Acrobot-v1": {}}}, "none of the environments"),
        ({"inner": {"*": {"sigma": 1}}}, "no field of the trainer"),
        ({"inner": {"*": {"num_minibatches": 7}}}, "does not divide"),
        ({"strategy": StrategyConfig(name="CMA_ES", shaping="pairwise")}, "antithetic pairs"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        MetaConfig(**{"envs": ("CartPole-v1",), **changes})  # type: ignore[arg-type]
    assert said in str(refused.value)


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="lpo-paper"):
        preset("lpo")


def test_a_record_of_another_version_is_refused() -> None:
    with pytest.raises(ConfigError, match="another version"):
        MetaConfig.from_record({"schema": "mirrordrift/meta/1", "envs": ["CartPole-v1"]}, Path("m"))
