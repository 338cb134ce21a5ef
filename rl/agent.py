"""A trained policy, to act with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from rl.networks import ActorCritic, Parameters
from rl.normalisation import Moments, normalise
from rl.policies import Policy
from rl.score import Score
from symbolic.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Agent:
    """What training made of one seed; `act` is pure, and may be jit-ted and vmap-ped."""

    env: str
    score: Score
    """How well it does, and its learning curve in `records`."""
    networks: ActorCritic = field(repr=False)
    policy: Policy = field(repr=False)
    parameters: Parameters = field(repr=False)
    observations: Moments = field(repr=False)
    """By which observations are normalised, where the recipe has it so."""

    def act(
        self, observation: Float[Array, "*n observation"], key: PRNGKeyArray | None = None
    ) -> Array:
        """The action for each observation: drawn if there is a key, else the likeliest.

        Observations are flat and as the environment gives them. Actions have shape (*n,) where
        they are discrete, and else (*n, action), in the environment's range.
        Raises ConfigError for observations of another size.
        """
        seen = jnp.asarray(observation, jnp.float32)
        size = self.observations.mean.size
        if seen.ndim < 1 or seen.shape[-1] != size:
            raise ConfigError(
                f"observation of shape {seen.shape} does not end in {size}, as {self.env} has it; "
                "flatten each one"
            )
        outputs = self.networks.outputs(self.parameters, normalise(self.observations, seen))
        if key is None:
            return self.policy.played(self.policy.mode(outputs))
        noise: Any = self.policy.noise(key, seen.shape[:-1])
        return self.policy.played(self.policy.sample(outputs, noise))
