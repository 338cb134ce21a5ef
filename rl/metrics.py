"""What an update and an evaluation tell, as arrays and as records."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from rl.loss import LossTerms
from rl.networks import Parameters
from rl.rollout import Rollout


class UpdateMetrics(NamedTuple):
    """What updates tell, as sums over them, so that those of several add up; one number an agent."""

    updates: Array
    episodes: Array
    """Episodes that ended."""
    episode_return: Array
    """Sum of their returns."""
    episode_length: Array
    """Sum of their lengths."""
    entropy: Array
    policy_loss: Array
    value_loss: Array
    drift: Array
    approx_kl: Array
    active: Array
    outside: Array
    explained_variance: Array
    """Of value targets, by the critic that estimated them."""
    grad_norm: Array
    nonfinite: Array
    """Samples whose drift was not finite."""
    diverged: Array
    """Updates after which a weight was not finite."""

    @classmethod
    def zero(cls, shape: tuple[int, ...]) -> UpdateMetrics:
        """Of no update, for agents of this shape."""
        return cls(*(jnp.zeros(shape) for _ in cls._fields))

    def means(self) -> dict[str, Array]:
        """Means over updates or, for returns and lengths, over episodes (nan if none ended)."""
        counts = ("updates", "episodes", "nonfinite", "diverged")
        over_episodes = ("episode_return", "episode_length")
        named = self._asdict()
        return {name: named[name] for name in counts} | {
            name: value / (self.episodes if name in over_episodes else self.updates)
            for name, value in named.items()
            if name not in counts
        }

    @classmethod
    def of(
        cls,
        rollout: Rollout,
        advantage: Float[Array, "time num_envs"],
        terms: LossTerms,
        grad_norm: Array,
        parameters: Parameters,
    ) -> UpdateMetrics:
        """Of one update, from what it had at hand."""
        done = rollout.terminated | rollout.truncated
        target = advantage + rollout.value
        variance = jnp.var(target)
        unexplained = jnp.var(advantage) / jnp.where(variance > 0, variance, jnp.nan)
        finite = [jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(parameters)]
        return cls(
            updates=jnp.ones(()),
            episodes=jnp.sum(done).astype(jnp.float32),
            episode_return=jnp.sum(jnp.where(done, rollout.episode_return, 0.0)),
            episode_length=jnp.sum(jnp.where(done, rollout.episode_length, 0)).astype(jnp.float32),
            entropy=jnp.mean(terms.entropy),
            policy_loss=jnp.mean(terms.policy_loss),
            value_loss=jnp.mean(terms.value_loss),
            drift=jnp.mean(terms.drift),
            approx_kl=jnp.mean(terms.approx_kl),
            active=jnp.mean(terms.active),
            outside=jnp.mean(terms.outside),
            explained_variance=1.0 - unexplained,
            grad_norm=jnp.mean(grad_norm),
            nonfinite=jnp.sum(terms.nonfinite).astype(jnp.float32),
            diverged=1.0 - jnp.all(jnp.stack(finite)),
        )
