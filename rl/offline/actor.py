"""The policy that is trained offline: from scratch, or from a trained agent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from rl.environments import Continuous, Discrete, Task
from rl.networks import Perceptron
from rl.normalisation import Moments
from rl.offline.config import OfflineConfig
from rl.policies import Categorical, Normal, Policy, TanhNormal
from rl.preference.actors import PolicyNetwork
from symbolic.errors import ConfigError

_SMALL = 0.01
"""Gain of the last layer, so that a fresh policy plays about the middle."""


class GaussianPerceptron(nn.Module):
    """Locations by a perceptron, and log-scales that depend on no observation."""

    hidden: Sequence[int]
    actions: int
    activation: str
    initial_scale: float

    @nn.compact
    def __call__(self, x: Float[Array, "*n observation"]) -> Float[Array, "*n outputs"]:
        """Locations and log-scales."""
        location = Perceptron(self.hidden, self.actions, self.activation, "orthogonal", _SMALL)(x)
        start = nn.initializers.constant(np.log(self.initial_scale))
        log_scale = self.param("log_scale", start, (self.actions,))
        return jnp.concatenate([location, jnp.broadcast_to(log_scale, location.shape)], axis=-1)


@dataclass(frozen=True, eq=False)
class TrainedActor:
    """A policy under training: its network, its distribution, how observations are normalised."""

    network: nn.Module
    policy: Policy
    observations: Moments
    begun: Any = None
    """Weights to begin with; None draws fresh ones."""

    def init(self, key: PRNGKeyArray) -> Any:
        """The first weights."""
        if self.begun is not None:
            return self.begun
        return self.network.init(key, jnp.zeros((1, self.observations.mean.size)))

    def outputs(
        self, parameters: Any, observation: Float[Array, "*n observation"]
    ) -> Float[Array, "*n outputs"]:
        """What the policy makes a distribution of, from normalised observations."""
        return jnp.asarray(self.network.apply(parameters, observation))


def from_scratch(
    actions: Discrete | Continuous,
    mean: Float[np.ndarray, "observation"],
    std: Float[np.ndarray, "observation"],
    config: OfflineConfig,
) -> TrainedActor:
    """A normal policy, or a categorical one for discrete actions, on a small network."""
    observations = _moments(mean, std)
    if isinstance(actions, Discrete):
        body = Perceptron(config.hidden, actions.count, config.activation, "orthogonal", _SMALL)
        return TrainedActor(body, Categorical(actions.count), observations)
    network = GaussianPerceptron(
        config.hidden, actions.size, config.activation, config.initial_scale
    )
    return TrainedActor(network, Normal(actions, config.min_scale), observations)


def from_agent(agent: PolicyNetwork, task: Task) -> TrainedActor:
    """A trained agent's own network and distribution, to be trained further.

    Raises ConfigError for an agent that cannot act in the task.
    """
    size = agent.mean.size
    if size != task.observation_size or agent.actions != task.actions:
        raise ConfigError(
            f"the agent to start with takes {size} observed numbers, and {task.name} shows "
            f"{task.observation_size}, or their actions differ; name an agent of {task.name}"
        )
    *hidden, last = agent.layers
    network = Perceptron(
        tuple(kernel.shape[1] for kernel, _ in hidden),
        last[0].shape[1],
        agent.activation,
        "lecun-uniform",
        1.0,
    )
    dense = {
        f"Dense_{i}": {"kernel": kernel, "bias": bias}
        for i, (kernel, bias) in enumerate(agent.layers)
    }
    actions = agent.actions
    policy: Policy = (
        Categorical(actions.count) if isinstance(actions, Discrete) else TanhNormal(actions)
    )
    observations = _moments(np.asarray(agent.mean), np.asarray(agent.std))
    return TrainedActor(network, policy, observations, {"params": dense})


def _moments(mean: np.ndarray, std: np.ndarray) -> Moments:
    return Moments(
        count=jnp.ones(()),
        mean=jnp.asarray(mean, jnp.float32),
        deviation=jnp.square(jnp.asarray(std, jnp.float32)),
    )
