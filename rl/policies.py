"""Stochastic policies: what a policy network's output means as a distribution over actions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from rl.environments import Continuous, Discrete

_MIN_SCALE = 1e-3
"""Least standard deviation of the normal before tanh, as brax has it."""


class Policy(Protocol):
    """A family of distributions over raw actions, and how a raw action is played."""

    @property
    @abstractmethod
    def num_outputs(self) -> int:
        """Outputs the policy network must have."""

    @abstractmethod
    def noise(self, key: PRNGKeyArray, shape: tuple[int, ...]) -> Array:
        """The randomness of actions of the leading shape, drawn at once because that is faster."""

    @abstractmethod
    def sample(self, outputs: Array, noise: Array) -> Array:
        """Raw actions."""

    @abstractmethod
    def mode(self, outputs: Array) -> Array:
        """The raw actions that a policy without randomness plays."""

    @abstractmethod
    def log_prob(self, outputs: Array, raw: Array) -> Array:
        """Log-probability (or log-density) of raw actions."""

    @abstractmethod
    def entropy(self, outputs: Array, noise: Array) -> Array:
        """Entropy of the played action; estimated at one sample where it has no closed form."""

    @abstractmethod
    def played(self, raw: Array) -> Array:
        """The action that the environment is given."""

    @abstractmethod
    def raw(self, played: Array) -> Array:
        """The raw action behind a played one, which has an axis for its size."""


@dataclass(frozen=True)
class Categorical:
    """One of `count` actions, by logits; the raw action is a float that holds its index."""

    count: int

    @property
    def num_outputs(self) -> int:
        """One logit an action."""
        return self.count

    def noise(self, key: PRNGKeyArray, shape: tuple[int, ...]) -> Float[Array, "*shape count"]:
        """Gumbel noise."""
        return jax.random.gumbel(key, (*shape, self.count))

    def sample(
        self, outputs: Float[Array, "*n count"], noise: Float[Array, "*n count"]
    ) -> Float[Array, "*n 1"]:
        """The greatest logit with noise added."""
        return jnp.argmax(outputs + noise, axis=-1, keepdims=True).astype(jnp.float32)

    def mode(self, outputs: Float[Array, "*n count"]) -> Float[Array, "*n 1"]:
        """The greatest logit."""
        return jnp.argmax(outputs, axis=-1, keepdims=True).astype(jnp.float32)

    def log_prob(
        self, outputs: Float[Array, "*n count"], raw: Float[Array, "*n 1"]
    ) -> Float[Array, "*n"]:
        """By comparison instead of a gather, whose transpose is slow."""
        chosen = raw.astype(jnp.int32) == jnp.arange(self.count)
        return jnp.sum(jnp.where(chosen, jax.nn.log_softmax(outputs), 0.0), axis=-1)

    def entropy(self, outputs: Float[Array, "*n count"], noise: Array) -> Float[Array, "*n"]:
        """In closed form."""
        logs = jax.nn.log_softmax(outputs)
        return -jnp.sum(jnp.exp(logs) * logs, axis=-1)

    def played(self, raw: Float[Array, "*n 1"]) -> Array:
        """The index."""
        return raw[..., 0].astype(jnp.int32)

    def raw(self, played: Float[Array, "*n 1"]) -> Float[Array, "*n 1"]:
        """The index as a float."""
        return played.astype(jnp.float32)


@dataclass(frozen=True)
class _DiagonalNormal(ABC):
    """Raw actions drawn from a diagonal normal; what is played of them is a subclass's matter."""

    actions: Continuous

    @property
    def num_outputs(self) -> int:
        """Location and scale of each."""
        return 2 * self.actions.size

    def noise(self, key: PRNGKeyArray, shape: tuple[int, ...]) -> Float[Array, "*shape size"]:
        """Standard normal noise."""
        return jax.random.normal(key, (*shape, self.actions.size))

    def sample(
        self, outputs: Float[Array, "*n outputs"], noise: Float[Array, "*n size"]
    ) -> Float[Array, "*n size"]:
        """Location and noise at its scale."""
        location, scale = self._moments(outputs)
        return location + scale * noise

    def mode(self, outputs: Float[Array, "*n outputs"]) -> Float[Array, "*n size"]:
        """The location."""
        return self._moments(outputs)[0]

    @abstractmethod
    def _moments(self, outputs: Array) -> tuple[Array, Array]:
        """(location, scale) of each."""

    def _log_densities(self, outputs: Array, raw: Array) -> Array:
        """Of the normal, for each raw action alone."""
        location, scale = self._moments(outputs)
        standard = (raw - location) / scale
        return -0.5 * (jnp.square(standard) + jnp.log(2 * jnp.pi)) - jnp.log(scale)

    def _entropies(self, outputs: Array) -> Array:
        """Of the normal, of each action."""
        return 0.5 + 0.5 * jnp.log(2 * jnp.pi) + jnp.log(self._moments(outputs)[1])


@dataclass(frozen=True)
class TanhNormal(_DiagonalNormal):
    """A diagonal normal pressed into the range of actions by tanh, as brax's policies are."""

    def log_prob(
        self, outputs: Float[Array, "*n outputs"], raw: Float[Array, "*n size"]
    ) -> Float[Array, "*n"]:
        """Log-density of tanh(raw) in (−1, 1)."""
        return jnp.sum(self._log_densities(outputs, raw) - _log_slope(raw), axis=-1)

    def entropy(
        self, outputs: Float[Array, "*n outputs"], noise: Float[Array, "*n size"]
    ) -> Float[Array, "*n"]:
        """The normal's entropy and the stretch of tanh at one sample."""
        stretch = _log_slope(self.sample(outputs, noise))
        return jnp.sum(self._entropies(outputs) + stretch, axis=-1)

    def played(self, raw: Float[Array, "*n size"]) -> Float[Array, "*n size"]:
        """tanh, stretched to the range."""
        low, high = self.actions.low, self.actions.high
        return low + (high - low) * 0.5 * (jnp.tanh(raw) + 1)

    def raw(self, played: Float[Array, "*n size"]) -> Float[Array, "*n size"]:
        """The inverse of tanh; infinite at the ends of the range."""
        low, high = self.actions.low, self.actions.high
        return jnp.arctanh(2 * (played - low) / (high - low) - 1)

    def _moments(self, outputs: Array) -> tuple[Array, Array]:
        location, scale = jnp.split(outputs, 2, axis=-1)
        return location, jax.nn.softplus(scale) + _MIN_SCALE


@dataclass(frozen=True)
class Normal(_DiagonalNormal):
    """A diagonal normal over actions, which are clipped to their range when they are played."""

    min_scale: float
    """Least standard deviation; the outputs hold the logarithm of what exceeds it."""

    def log_prob(
        self, outputs: Float[Array, "*n outputs"], raw: Float[Array, "*n size"]
    ) -> Float[Array, "*n"]:
        """Log-density of the normal, whether or not clipping made the action."""
        return jnp.sum(self._log_densities(outputs, raw), axis=-1)

    def entropy(
        self, outputs: Float[Array, "*n outputs"], noise: Float[Array, "*n size"]
    ) -> Float[Array, "*n"]:
        """Of the normal, in closed form."""
        return jnp.sum(self._entropies(outputs), axis=-1)

    def played(self, raw: Float[Array, "*n size"]) -> Float[Array, "*n size"]:
        """Within the range."""
        return jnp.clip(raw, self.actions.low, self.actions.high)

    def raw(self, played: Float[Array, "*n size"]) -> Float[Array, "*n size"]:
        """The action itself."""
        return played

    def _moments(self, outputs: Array) -> tuple[Array, Array]:
        location, log_scale = jnp.split(outputs, 2, axis=-1)
        return location, jnp.exp(log_scale) + self.min_scale


def _log_slope(raw: Array) -> Array:
    """log d tanh(x)/dx, without cancellation."""
    return 2 * (jnp.log(2.0) - raw - jax.nn.softplus(-2 * raw))


def policy_for(actions: Discrete | Continuous) -> Policy:
    """The policy of the field for such actions."""
    return Categorical(actions.count) if isinstance(actions, Discrete) else TanhNormal(actions)
