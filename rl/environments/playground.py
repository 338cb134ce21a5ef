"""Continuous control by MuJoCo Playground, where the extra `playground` is installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from jaxtyping import Array, PRNGKeyArray

from rl.environments.adapter import Continuous, Task, TaskStep
from rl.environments.imports import quiet
from symbolic.errors import ConfigError


def installed() -> bool:
    """Whether there is such a library here; to ask costs nothing, to import it takes seconds."""
    return find_spec("mujoco_playground") is not None


def names() -> tuple[str, ...]:
    """Its environments; none where it is not installed."""
    return tuple(_registry().ALL_ENVS) if installed() else ()


def make(name: str, episode_length: int | None = None) -> Task:
    """The task of one of `names()`, simulated by MJX in JAX.

    Policy and critic see the same: where the library has further observations for the critic
    (`privileged_state`), they are left out.
    Raises ConfigError where its model cannot be loaded, as some have to be downloaded first.
    """
    registry = _registry()
    env: Any
    try:
        config = registry.get_default_config(name)
        changes = {"impl": "jax"} if "impl" in config else {}  # the other, warp, cannot be sharded
        env = registry.load(name, config_overrides=changes)
    except Exception as error:  # noqa: BLE001 - a model's download fails in ways of its own
        raise ConfigError(
            f"env='{name}' cannot be loaded ({str(error).strip():.120}); the models of locomotion "
            "and manipulation are downloaded once, CartpoleBalance comes with the library"
        ) from None

    def reset(key: PRNGKeyArray) -> tuple[Any, Array]:
        state = env.reset(key)
        return state, _seen(state.obs)

    def step(key: PRNGKeyArray, state: Any, action: Array) -> TaskStep:
        onward = env.step(state, action)
        return TaskStep(onward, _seen(onward.obs), onward.reward, onward.done > 0.5)

    return Task(
        name=name,
        observation_size=_size(env.observation_size),
        actions=Continuous(int(env.action_size)),
        episode_length=episode_length or int(config.episode_length),
        reset=reset,
        step=step,
        # As its own training does. What a state has beside its physics (commands, its random key)
        # goes on, so that episodes differ.
        restart=lambda first, last: last.replace(data=first.data, obs=first.obs),
    )


def ppo_settings(name: str) -> Any:
    """The library's own hyper-parameters for PPO by brax, by brax's names of them."""
    _registry()
    from mujoco_playground.config import (
        dm_control_suite_params,
        locomotion_params,
        manipulation_params,
    )

    registry = _registry()
    for suite, settings in (
        (registry.dm_control_suite, dm_control_suite_params),
        (registry.locomotion, locomotion_params),
    ):
        if name in suite.ALL_ENVS:
            return settings.brax_ppo_config(name, "jax")
    return manipulation_params.brax_ppo_config(name, "jax")


def _registry() -> Any:
    with quiet():
        from mujoco_playground import registry
    return registry


def _seen(observation: Any) -> Array:
    seen: Array = observation["state"] if isinstance(observation, dict) else observation
    return seen


def _size(sizes: Any) -> int:
    """Of what the policy sees, which the library gives as a number or a shape."""
    size = sizes["state"] if isinstance(sizes, dict) else sizes
    return int(size[0]) if isinstance(size, tuple) else int(size)
