"""A trained agent acts, from memory and from its run folder."""

from __future__ import annotations

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from probe_envs import TINY

from mirrordrift import ConfigError, load_agent, train

SMALL = {"total_env_steps": 256, **TINY}


def test_an_agent_is_trained_kept_and_read_again(tmp_path: Path) -> None:
    agent = train("dpo", "CartPole-v1", seed=3, folder=tmp_path / "run", **SMALL)
    assert agent.score.failed is None and len(agent.score.records) == 3
    observations = jax.random.normal(jax.random.key(0), (5, 4))
    actions = agent.act(observations)
    assert actions.shape == (5,) and set(np.unique(actions)) <= {0, 1}
    again = load_agent(tmp_path / "run")
    np.testing.assert_equal(again.score.records, agent.score.records)
    logits = [a.networks.outputs(a.parameters, observations) for a in (agent, again)]
    np.testing.assert_array_equal(*logits)
    many = jax.vmap(lambda key: agent.act(observations[0], key))(
        jax.random.split(jax.random.key(1), 500)
    )
    chance = jax.nn.softmax(agent.networks.outputs(agent.parameters, observations[0]))[1]
    assert float(many.mean()) == pytest.approx(float(chance), abs=0.1)
    with pytest.raises(ConfigError, match="does not end in 4"):
        agent.act(jnp.zeros(3))
    with pytest.raises(ConfigError, match="--resume"):
        train("dpo", "CartPole-v1", folder=tmp_path / "run", **SMALL)


def test_a_function_trains_but_leaves_no_folder(tmp_path: Path) -> None:
    def square(log_ratio: jax.Array, advantage: jax.Array) -> jax.Array:
        return jnp.expm1(log_ratio) ** 2

    assert train(square, "CartPole-v1", **SMALL).score.failed is None
    with pytest.raises(ConfigError, match="leave the folder out"):
        train(square, "CartPole-v1", folder=tmp_path / "run", **SMALL)


def test_a_refuted_formula_is_no_teacher() -> None:
    with pytest.raises(ConfigError, match="nonnegative is refuted"):
        train("k1", "CartPole-v1", **SMALL)


def test_a_folder_without_a_checkpoint_has_no_agent(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_agent(tmp_path)
