"""The adapter: true episodes, why they ended, and every environment by name."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import probe_envs
import pytest

from rl import environments
from rl.config import BACKENDS
from rl.environments import Continuous, Discrete, Episodes, Step, brax, gymnax, playground
from rl.environments.adapter import TaskStep
from rl.presets import PRESETS, preset
from symbolic.errors import ConfigError

NAMES = [*brax.NAMES, *gymnax.NAMES]


def played(episodes: Episodes, steps: int) -> Step:
    """What `steps` steps of action 0 give, leading axis time."""

    def one(state: object, key: jax.Array) -> tuple[object, Step]:
        keys = jax.random.split(key, episodes.num_envs)
        return episodes.step(keys, state, jnp.zeros(episodes.num_envs, jnp.int32))

    keys = jax.random.split(jax.random.key(1), steps)
    return jax.lax.scan(one, episodes.reset(jax.random.key(0)), keys)[1]


def test_termination_and_truncation_are_kept_apart() -> None:
    terminated = played(Episodes(probe_envs.counter(3, 100), 2), 7)
    assert terminated.terminated[:, 0].tolist() == [False, False, True] * 2 + [False]
    assert not terminated.truncated.any()
    truncated = played(Episodes(probe_envs.counter(100, 3), 2), 7)
    assert truncated.truncated[:, 0].tolist() == [False, False, True] * 2 + [False]
    assert not truncated.terminated.any()
    both = played(Episodes(probe_envs.counter(3, 3), 2), 3)
    assert both.terminated[2, 0] and not both.truncated[2, 0]


def test_the_observation_is_the_one_before_a_new_episode() -> None:
    steps = played(Episodes(probe_envs.counter(3, 100), 2), 4)
    assert steps.observation[:, 0, 0].tolist() == [1, 2, 3, 1]


def test_returns_and_lengths_are_of_true_episodes() -> None:
    steps = played(Episodes(probe_envs.counter(3, 100), 2), 6)
    np.testing.assert_array_equal(steps.episode_return[steps.done], [6, 6, 6, 6])
    np.testing.assert_array_equal(steps.episode_length[steps.done], [3, 3, 3, 3])


def test_a_repeated_action_is_paid_and_counted_each_time() -> None:
    steps = played(Episodes(probe_envs.counter(100, 6), 1, action_repeat=2), 4)
    assert steps.reward[:, 0].tolist() == [1 + 2, 3 + 4, 5 + 6, 1 + 2]
    assert steps.truncated[:, 0].tolist() == [False, False, True, False]
    assert steps.episode_length[2, 0] == 6


QUICK = ("hopper", "inverted_pendulum", *gymnax.NAMES)
"""To trace the others takes ten seconds each."""


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in NAMES]
)
def test_every_environment_steps(name: str) -> None:
    check_steps(name)


@pytest.mark.skipif(not playground.installed(), reason="needs the extra playground")
def test_playground_steps_and_has_recipes() -> None:
    assert "CartpoleBalance" in environments.names()["playground"]
    assert preset("CartpoleBalance").batch_size == 1024 * 32 * 30
    assert preset("Go1JoystickFlatTerrain").policy_hidden == (512, 256, 128)
    check_steps("CartpoleBalance")
    with pytest.raises(ConfigError, match="did you mean CartpoleBalance"):
        environments.make("CartpoleBalence")


@pytest.mark.skipif(playground.installed(), reason="is about its absence")
def test_without_playground_it_has_no_environments() -> None:
    assert environments.names()["playground"] == ()
    with pytest.raises(ConfigError, match="unknown"):
        preset("CartpoleBalance")


def check_steps(name: str) -> None:
    config = preset(name)
    task = environments.make(name, backend=config.backend)
    episodes = Episodes(task, 2, config.action_repeat)

    def once(key: jax.Array) -> tuple[object, Step]:
        state = episodes.reset(key)
        shape = (2,) if isinstance(task.actions, Discrete) else (2, task.actions.size)
        kind = jnp.int32 if isinstance(task.actions, Discrete) else jnp.float32
        return episodes.step(jax.random.split(key, 2), state, jnp.zeros(shape, kind))

    state = jax.eval_shape(episodes.reset, jax.random.key(0))
    onward, step = jax.eval_shape(once, jax.random.key(0))
    assert step.observation.shape == (2, task.observation_size)
    before, after = (
        [(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(tree)] for tree in (state, onward)
    )
    assert after == before, "a loop carries the state, so its types must stay"


@pytest.mark.parametrize(
    "backend", [pytest.param(b, marks=pytest.mark.slow if b == "mjx" else ()) for b in BACKENDS]
)
def test_every_backend_of_brax(backend: str) -> None:
    task = environments.make("inverted_pendulum", backend=backend)
    _state, observation = jax.eval_shape(task.reset, jax.random.key(0))
    assert observation.shape == (task.observation_size,)


def test_gymnax_ranges_of_actions() -> None:
    assert environments.make("Pendulum-v1").actions == Continuous(1, -2.0, 2.0)
    assert environments.make("CartPole-v1").actions == Discrete(2)


@pytest.mark.parametrize(
    ("name", "near"),
    [("cartpole", "CartPole-v1"), ("Breakout", "Breakout-MinAtar"), ("walker", "walker2d")],
)
def test_an_unknown_name_suggests_the_nearest(name: str, near: str) -> None:
    with pytest.raises(ConfigError, match=f"did you mean .*{near}"):
        environments.make(name)
    with pytest.raises(ConfigError, match=near):
        preset(name)


def test_an_unknown_backend() -> None:
    with pytest.raises(ConfigError, match="use one of spring"):
        environments.make("ant", backend="bullet")
    with pytest.raises(ConfigError, match=r"does not run swimmer.*generalized"):
        environments.make("swimmer", backend="spring")


def test_a_recipe_changes_as_it_is_told() -> None:
    assert preset("CartPole-v1").max_grad_norm == 0.5
    assert preset("CartPole-v1", max_grad_norm=None).max_grad_norm is None


def test_episodes_that_begin_anew_may_keep_a_part_of_the_last() -> None:
    counter = probe_envs.counter(2, 100)

    def step(key: jax.Array, state: tuple[jax.Array, jax.Array], action: jax.Array) -> TaskStep:
        count, total = state
        found = counter.step(key, count, action)
        return found._replace(state=(found.state, total + 1), observation=total[None] * 1.0)

    def reset(key: jax.Array) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        count, observation = counter.reset(key)
        return (count, jnp.zeros((), jnp.int32)), observation

    task = dataclasses.replace(
        counter, reset=reset, step=step, restart=lambda first, last: (first[0], last[1])
    )
    steps = played(Episodes(task, 1), 6)
    assert steps.terminated[:, 0].tolist() == [False, True] * 3
    assert steps.observation[:, 0, 0].tolist() == [0, 1, 2, 3, 4, 5]


def test_every_environment_has_a_recipe() -> None:
    assert set(PRESETS) == set(NAMES)
    assert preset("ant").env_steps_per_update == 2048 * 5 * 16
    assert preset("pusher").batch_size == 512 * 16 * 30
    assert preset("reacher").env_steps_per_update == 4 * 256 * 32 * 50
