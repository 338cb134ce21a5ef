"""The loss of one minibatch: the Mirror Learning objective, the critic's error, the entropy."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from rl.drifts.slopes import LARGEST

DriftFn = Callable[[Array, Array, Array], Array]
"""(log_ratio, advantage, progress) -> f, elementwise; code that trains calls drifts so."""

RATIO_BAND = 0.2
"""Samples with |r − 1| beyond this are counted: PPO's customary ε."""


class LossTerms(NamedTuple):
    """What a minibatch tells about the update; scalars."""

    policy_loss: Array
    value_loss: Array
    entropy: Array
    drift: Array
    approx_kl: Array
    """Mean of r − 1 − log r, the estimator k3 of KL(π_old, π)."""
    active: Array
    """Share of samples with f > 0."""
    outside: Array
    """Share of samples with |r − 1| > RATIO_BAND."""
    nonfinite: Array
    """Samples whose drift is undefined, or as large as values are let be."""


def normalise_advantage(advantage: Float[Array, "batch"]) -> Float[Array, "batch"]:
    """Centred and scaled over a minibatch, as the discovered drifts expect."""
    return (advantage - jnp.mean(advantage)) / (jnp.std(advantage) + 1e-8)


def mirror_loss(
    log_ratio: Float[Array, "batch"],
    advantage: Float[Array, "batch"],
    progress: Float[Array, ""],
    drift: DriftFn,
) -> tuple[Float[Array, ""], Float[Array, "batch"]]:
    """Negated Mirror Learning objective, −mean(r·A − f(r, A)), and the drift of each sample.

    `advantage` is already normalised. The ratio enters by its logarithm, so that gradients stay
    finite as r → 0.

    Source: Lu et al. 2022, equations 5 and 9.
    """
    penalty = drift(log_ratio, advantage, progress)
    return -jnp.mean(jnp.exp(log_ratio) * advantage - penalty), penalty


def loss_terms(
    policy_loss: Array,
    value_loss: Array,
    entropy: Array,
    log_ratio: Float[Array, "batch"],
    penalty: Float[Array, "batch"],
) -> LossTerms:
    """The terms of a minibatch, for the record."""
    excess = jnp.expm1(log_ratio)
    return LossTerms(
        policy_loss=policy_loss,
        value_loss=value_loss,
        entropy=entropy,
        drift=jnp.mean(penalty),
        approx_kl=jnp.mean(excess - log_ratio),
        active=jnp.mean(penalty > 0),
        outside=jnp.mean(jnp.abs(excess) > RATIO_BAND),
        nonfinite=jnp.sum(~(jnp.abs(penalty) < LARGEST)),
    )
