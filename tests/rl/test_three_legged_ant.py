"""The three-legged ant: the ant in all but what its fourth leg costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import probe_envs
import pytest

from rl import environments
from rl.environments import Continuous, Episodes, Task
from rl.environments.adapter import TaskStep
from rl.environments.imports import quiet
from rl.environments.three_legged_ant import LEG_COST, leg_motors, penalised
from rl.presets import preset


@pytest.fixture(scope="module")
def ant() -> Any:
    with quiet():
        from brax import envs

        return envs.get_environment("ant", backend="spring")


@pytest.fixture(scope="module")
def plain() -> Task:
    """Counts steps as its reward, and ends at the third: an ant without physics."""
    return replace(probe_envs.counter(3, 100), name="ant", actions=Continuous(8))


USES = [
    ([0.0, 0.0, 0.9, -0.8, 0.7, 0.6, -0.5, 1.0], 0.0),
    ([0.5, 0.0, 0.9, -0.8, 0.7, 0.6, -0.5, 1.0], 0.25),
    ([-0.5, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 1.25),
    ([3.0, -2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 2.0),
]
"""Actions, and how much of the leg they use: no motor gives more than its greatest."""


@pytest.mark.parametrize(("action", "use"), USES)
def test_a_step_costs_what_it_uses_of_the_leg(
    ant: Any, plain: Task, action: list[float], use: float
) -> None:
    found = penalised(plain, ant).step(jax.random.key(0), jnp.int32(0), jnp.asarray(action))
    assert float(found.reward) == pytest.approx(1 - LEG_COST * use, rel=1e-6)


def test_episodes_end_where_the_ants_do(ant: Any, plain: Task) -> None:
    def lengths(task: Task) -> list[list[bool]]:
        episodes = Episodes(task, 1)
        state, ended = episodes.reset(jax.random.key(0)), []
        for _ in range(5):
            state, step = episodes.step(
                jax.random.split(jax.random.key(1), 1), state, jnp.ones((1, 8))
            )
            ended.append([bool(step.terminated[0]), bool(step.truncated[0])])
        return ended

    assert lengths(penalised(plain, ant)) == lengths(plain)
    short = replace(plain, episode_length=2)
    assert lengths(penalised(short, ant)) == lengths(short)


def test_the_motors_are_those_of_the_joints_that_come_last(ant: Any) -> None:
    assert leg_motors(ant).tolist() == [0, 1]
    names = [ant.sys.mj_model.joint(i).name for i in range(ant.sys.mj_model.njnt)]
    driven = [names[joint] for joint in ant.sys.mj_model.actuator_trnid[:2, 0]]
    assert driven == names[-2:] == ["hip_4", "ankle_4"]


def test_it_is_known_by_its_name() -> None:
    ant, task = environments.make("ant"), environments.make("three-legged-ant")
    assert task.name == "three-legged-ant"
    assert (task.observation_size, task.actions, task.episode_length) == (
        ant.observation_size, ant.actions, ant.episode_length,
    )  # fmt: skip
    assert "three-legged-ant" in environments.names()["brax"]
    assert environments.library_of("three-legged-ant") == "brax"
    assert preset("three-legged-ant") == preset("ant")


@pytest.mark.slow
def test_physics_are_the_ants() -> None:
    ant, task = environments.make("ant"), environments.make("three-legged-ant")

    @jax.jit
    def stepped(action: jax.Array) -> tuple[TaskStep, TaskStep]:
        state = ant.reset(jax.random.key(0))[0]
        fresh = jax.tree.map(lambda leaf: leaf, state)  # brax writes into what it is given
        key = jax.random.key(1)
        return ant.step(key, state, action), task.step(key, fresh, action)

    for action, use in USES:
        plain, found = stepped(jnp.asarray(action))
        np.testing.assert_allclose(plain.reward - found.reward, LEG_COST * use, rtol=1e-5)
        np.testing.assert_array_equal(plain.observation, found.observation)
        assert plain.terminated == found.terminated

    def speeds(place: int) -> np.ndarray:
        return np.asarray(stepped(jnp.zeros(8).at[place].set(1.0))[0].observation[-8:])

    still = np.asarray(stepped(jnp.zeros(8))[0].observation[-8:])
    moved = [int(np.abs(speeds(place) - still).argmax()) for place in (0, 1, 2)]
    assert moved == [6, 7, 0], "which joint each of the first motors moves most"
