"""The landscape of a preference objective: how hard it pulls at the two trajectories of a pair."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from rl.offline.candidates import ObjectiveApply, Pairs, of_objectives
from symbolic.preference.objective import PreferenceObjective


class Pull(NamedTuple):
    """Derivatives of the objective, not of the loss."""

    chosen: Float[np.ndarray, "*points"]
    """∂/∂ log π(τ_w)."""
    rejected: Float[np.ndarray, "*points"]
    """∂/∂ log π(τ_l)."""


def pull(
    objective: PreferenceObjective,
    chosen: Float[np.ndarray, "*points"],
    rejected: Float[np.ndarray, "*points"],
    progress: float = 0.0,
) -> Pull:
    """Derivatives at log-probabilities as the objective takes them (sums, or means over steps).

    With a reference policy, that of a pair is as likely to it as the other. Points outside the
    objective's range give what arithmetic gives there, nan where it is undefined.

    Source: Alfano et al., Learning Loss Landscapes in Preference Optimization, figures 1 to 4.
    """
    found = of_objectives([objective])
    own = jax.tree.map(lambda leaf: leaf[0], found.parameters)
    shape = np.broadcast_shapes(np.shape(chosen), np.shape(rejected))
    points = [
        jnp.asarray(np.broadcast_to(part, shape).ravel(), jnp.float32)
        for part in (chosen, rejected)
    ]
    *slopes, value = _slopes(found.apply, own, *points, jnp.asarray(progress, jnp.float32))
    # Where a value is undefined its guarded derivative is 0.
    slopes = [jnp.where(jnp.isfinite(value), slope, jnp.nan) for slope in slopes]
    return Pull(*(np.asarray(slope, np.float64).reshape(shape) for slope in slopes))


@partial(jax.jit, static_argnums=0)
def _slopes(
    apply: ObjectiveApply, own: Any, chosen: Array, rejected: Array, progress: Array
) -> tuple[Array, Array, Array]:
    one = jnp.ones_like(chosen)

    def total(chosen: Array, rejected: Array) -> tuple[Array, Array]:
        pairs = Pairs(chosen, rejected, -one, -one, one, one)
        value = apply(own, pairs, progress).value
        return value.sum(), value

    slopes, value = jax.grad(total, (0, 1), has_aux=True)(chosen, rejected)
    return *slopes, value
