"""Actor and critic: two perceptrons that share nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "swish": nn.swish,
    "tanh": nn.tanh,
    "relu": nn.relu,
}


class Perceptron(nn.Module):
    """Dense layers with an activation between them."""

    hidden: Sequence[int]
    outputs: int
    activation: str
    initialiser: str
    output_scale: float
    """Gain of the last layer where the initialiser is orthogonal."""

    @nn.compact
    def __call__(self, x: Float[Array, "*n inputs"]) -> Float[Array, "*n outputs"]:
        """Outputs, linear in the last hidden layer."""
        act = ACTIVATIONS[self.activation]
        for size in self.hidden:
            x = act(nn.Dense(size, kernel_init=self._kernel(2**0.5))(x))
        return nn.Dense(self.outputs, kernel_init=self._kernel(self.output_scale))(x)

    def _kernel(self, scale: float) -> Any:
        if self.initialiser == "orthogonal":
            return nn.initializers.orthogonal(scale)
        return nn.initializers.lecun_uniform()


class Parameters(NamedTuple):
    """Weights of both networks."""

    policy: Any
    value: Any


class ActorCritic(NamedTuple):
    """The two networks; observations come in normalised."""

    policy: Perceptron
    value: Perceptron

    def init(self, key: PRNGKeyArray, observation_size: int) -> Parameters:
        """Fresh weights."""
        policy_key, value_key = jax.random.split(key)
        observation = jnp.zeros((1, observation_size))
        return Parameters(
            policy=self.policy.init(policy_key, observation),
            value=self.value.init(value_key, observation),
        )

    def outputs(
        self, parameters: Parameters, observation: Float[Array, "*n observation"]
    ) -> Float[Array, "*n outputs"]:
        """What the policy makes a distribution of."""
        return jnp.asarray(self.policy.apply(parameters.policy, observation))

    def values(
        self, parameters: Parameters, observation: Float[Array, "*n observation"]
    ) -> Float[Array, "*n"]:
        """State values."""
        return jnp.asarray(self.value.apply(parameters.value, observation))[..., 0]
