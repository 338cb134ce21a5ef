"""The agents that are shipped: whole, small, and worth what their cards say."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from rl import environments, reference_agents
from rl.environments import Episodes
from rl.preference.rollouts import returns
from symbolic.errors import ConfigError

FOLDER = Path(reference_agents.__file__).parent
NAMES = reference_agents.names()
FEW = 8
"""Episodes that the normal tier plays."""


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_agent_is_small_and_has_a_story(name: str) -> None:
    agent = reference_agents.load(name)
    assert (FOLDER / f"{name}.npz").stat().st_size < 200_000
    story = agent.story
    assert story["name"] == name and story["acts"] == "stochastic"
    assert f"--seed {story['training']['seed']}" in story["training"]["command"]
    assert 0 < story["training"]["env_steps"] <= story["training"]["config"]["total_env_steps"]
    assert story["training"]["versions"]["brax"] and story["episodes"] >= 512
    assert 0 < story["return_stderr"] < 0.02 * story["return_mean"]


@pytest.mark.parametrize("name", NAMES)
def test_its_name_says_what_it_returns_within_a_tenth(name: str) -> None:
    env, _, stated = name.rpartition("-")
    agent = reference_agents.load(name)
    assert agent.env == env
    assert agent.story["return_mean"] == pytest.approx(float(stated), rel=0.1)


def test_better_agents_have_higher_names() -> None:
    means = [
        (int(n.rpartition("-")[2]), reference_agents.load(n).story["return_mean"]) for n in NAMES
    ]
    assert sorted(means) == sorted(means, key=lambda each: each[1])


@cache
def episodes_of(env: str, backend: str, count: int) -> Episodes:
    """The same for all agents of an environment, which then share a program."""
    return Episodes(environments.make(env, backend=backend), count)


def played(name: str, count: int, seed: int) -> tuple[np.ndarray, dict[str, Any]]:
    agent = reference_agents.load(name)
    episodes = episodes_of(agent.env, agent.backend, count)
    return returns(episodes, agent.network, jax.random.key(seed)), dict(agent.story)


def test_a_few_episodes_return_what_the_cards_say() -> None:
    for name in NAMES:
        found, story = played(name, FEW, seed=1)
        bound = 5 * story["return_deviation"] / np.sqrt(FEW)
        assert abs(found.mean() - story["return_mean"]) < bound, name


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_all_episodes_return_what_the_card_says(name: str) -> None:
    found, story = played(name, story_episodes(name), seed=1)
    error = story["return_stderr"] * np.sqrt(2)  # two measurements, independent of each other
    assert abs(found.mean() - story["return_mean"]) < 4 * error


def story_episodes(name: str) -> int:
    return int(reference_agents.load(name).story["episodes"])


def test_an_unknown_name_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=f"did you mean {NAMES[0]}"):
        reference_agents.load(NAMES[0][:-1])
