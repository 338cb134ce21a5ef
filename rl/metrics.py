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
    """One update; scalars."""

    episodes: Array
    """Episodes that ended."""
    episode_return: Array
    """Their mean return; nan if none ended."""
    episode_length: Array
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
    """Whether a weight is not finite after the update."""

    @classmethod
    def of(
        cls,
        rollout: Rollout,
        advantage: Float[Array, "time num_envs"],
        terms: LossTerms,
        grad_norm: Array,
        parameters: Parameters,
    ) -> UpdateMetrics:
        """From what an update had at hand."""
        done = rollout.terminated | rollout.truncated
        episodes = jnp.sum(done)
        over = jnp.where(episodes > 0, episodes, jnp.nan)
        target = advantage + rollout.value
        variance = jnp.var(target)
        unexplained = jnp.var(advantage) / jnp.where(variance > 0, variance, jnp.nan)
        finite = [jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(parameters)]
        return cls(
            episodes=episodes,
            episode_return=jnp.sum(jnp.where(done, rollout.episode_return, 0.0)) / over,
            episode_length=jnp.sum(jnp.where(done, rollout.episode_length, 0)) / over,
            entropy=jnp.mean(terms.entropy),
            policy_loss=jnp.mean(terms.policy_loss),
            value_loss=jnp.mean(terms.value_loss),
            drift=jnp.mean(terms.drift),
            approx_kl=jnp.mean(terms.approx_kl),
            active=jnp.mean(terms.active),
            outside=jnp.mean(terms.outside),
            explained_variance=1.0 - unexplained,
            grad_norm=jnp.mean(grad_norm),
            nonfinite=jnp.sum(terms.nonfinite),
            diverged=~jnp.all(jnp.stack(finite)),
        )
