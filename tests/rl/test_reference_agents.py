"""The agents that are shipped: whole, small, and worth what their cards say."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rl import environments, reference_agents
from rl.environments import Episodes
from rl.preference.rollouts import play, returns
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


def test_a_few_episodes_return_what_the_cards_say() -> None:
    agents = [reference_agents.load(name) for name in NAMES]
    assert len({(agent.env, agent.backend) for agent in agents}) == 1, "they share a program"
    task = environments.make(agents[0].env, backend=agents[0].backend)
    player = np.repeat(np.arange(len(NAMES)), FEW)
    start_keys, keys = jax.random.split(jax.random.key(1), (2, len(player)))
    policies = tuple(agent.network for agent in agents)
    episodes = Episodes(task, len(player))
    found = jax.jit(partial(play, episodes))(policies, jnp.asarray(player), start_keys, keys)
    means = np.asarray(found.rewards).sum(axis=1).reshape(len(NAMES), FEW).mean(axis=1)
    for agent, mean in zip(agents, means):
        bound = 5 * agent.story["return_deviation"] / np.sqrt(FEW)
        assert abs(mean - agent.story["return_mean"]) < bound, agent.story["name"]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_all_episodes_return_what_the_card_says(name: str) -> None:
    agent = reference_agents.load(name)
    task = environments.make(agent.env, backend=agent.backend)
    episodes = Episodes(task, agent.story["episodes"])
    found = returns(episodes, agent.network, jax.random.key(1))
    error = agent.story["return_stderr"] * np.sqrt(2)  # of the difference of two measurements
    assert abs(found.mean() - agent.story["return_mean"]) < 4 * error


def test_an_unknown_name_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=f"did you mean {NAMES[0]}"):
        reference_agents.load(NAMES[0][:-1])
