"""One agent's offline training, in pure functions: imitation, then a preference objective."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from rl.environments import Episodes
from rl.evaluation import Evaluation, evaluate_policy
from rl.offline.actor import TrainedActor
from rl.offline.candidates import ObjectiveApply, ObjectiveParameters, Pairs
from rl.offline.config import OfflineConfig
from rl.offline.pairs import TrajectoryPairs
from rl.policies import Categorical


class OfflineState(NamedTuple):
    """An agent under way."""

    parameters: Any
    optimiser: Any
    reference: Any
    """Weights of the reference policy; those that training began with where there is none."""


class EpochMetrics(NamedTuple):
    """Means over the minibatches of an epoch; scalars."""

    value: Float[Array, ""]
    """Of the objective."""
    accuracy: Float[Array, ""]
    """Share of pairs whose difference has the right sign."""
    below: Float[Array, ""]
    """Share of pairs with a log-probability below the objective's range."""
    above: Float[Array, ""]
    """Share of those above it, or of no number."""
    chosen_log_prob: Float[Array, ""]
    """Of a step."""
    rejected_log_prob: Float[Array, ""]
    undefined: Float[Array, ""]
    """Share of pairs for which the objective is no number."""
    gradient_norm: Float[Array, ""]
    nonfinite: Float[Array, ""]
    """Share of minibatches whose gradient is no number."""


class OfflineAgent:
    """What is done with one agent; all methods are pure and may be vmap-ped."""

    def __init__(
        self, actor: TrainedActor, episodes: Episodes, config: OfflineConfig, apply: ObjectiveApply
    ) -> None:
        self.actor, self.episodes, self.config, self.apply = actor, episodes, config, apply
        steps = [optax.adam(config.learning_rate)]
        if config.max_grad_norm is not None:
            steps.insert(0, optax.clip_by_global_norm(config.max_grad_norm))
        self.optimiser = optax.chain(*steps)
        discrete = isinstance(actor.policy, Categorical)
        cell = 1.0 if config.action_cell is None or discrete else config.action_cell
        self._cell = float(jnp.log(cell)) * (0 if discrete else actor.policy.num_outputs // 2)

    def init(self, key: PRNGKeyArray) -> OfflineState:
        """Before anything was learnt."""
        parameters = self.actor.init(key)
        return OfflineState(parameters, self.optimiser.init(parameters), parameters)

    def log_probs(self, parameters: Any, pairs: TrajectoryPairs) -> Float[Array, "rows 2"]:
        """log π(τ), summed over the steps of each trajectory."""
        outputs = self.actor.outputs(parameters, pairs.observation)
        each = self.actor.policy.log_prob(outputs, pairs.raw_action) + self._cell
        return jnp.sum(jnp.where(pairs.counted > 0, each, 0.0), axis=-1)

    def imitate(self, state: OfflineState, pairs: TrajectoryPairs) -> OfflineState:
        """One step towards the chosen trajectories of a minibatch.

        Source: the cross-entropy −log π(τ_w) of the supervised stage, section 2.1 of Alfano et al.
        """
        chosen = jax.tree.map(lambda leaf: leaf[:, :1], pairs)

        def loss(parameters: Any) -> Array:
            return -jnp.mean(self.log_probs(parameters, chosen))

        return self._moved(state, jax.grad(loss)(state.parameters))

    def as_reference(self, state: OfflineState) -> OfflineState:
        """Training anew from here, with this as the reference policy."""
        return OfflineState(
            state.parameters, self.optimiser.init(state.parameters), state.parameters
        )

    def prefer(
        self,
        objective: ObjectiveParameters,
        state: OfflineState,
        pairs: TrajectoryPairs,
        reference: Float[Array, "rows 2"],
        progress: Float[Array, ""],
    ) -> tuple[OfflineState, EpochMetrics, Float[Array, "2"]]:
        """One step of the objective on a minibatch; `reference` are log π_ref of its pairs.

        The last are log π(τ_w) and log π(τ_l) of its first pair, as the objective took them.
        """
        steps = pairs.counted.sum(axis=-1)

        def loss(parameters: Any) -> tuple[Array, tuple[EpochMetrics, Array]]:
            logs = self.log_probs(parameters, pairs)
            asked = Pairs(
                logs[:, 0], logs[:, 1], reference[:, 0], reference[:, 1], steps[:, 0], steps[:, 1]
            )
            found = self.apply(objective, asked, progress)
            told = EpochMetrics(
                value=found.value.mean(),
                accuracy=(found.difference > 0).mean(),
                below=found.below.mean(),
                above=found.above.mean(),
                chosen_log_prob=(logs[:, 0] / steps[:, 0]).mean(),
                rejected_log_prob=(logs[:, 1] / steps[:, 1]).mean(),
                undefined=(~jnp.isfinite(found.value)).mean(),
                gradient_norm=jnp.zeros(()),
                nonfinite=jnp.zeros(()),
            )
            return -told.value, (told, jnp.stack([found.chosen[0], found.rejected[0]]))

        (_, (told, seen)), gradient = jax.value_and_grad(loss, has_aux=True)(state.parameters)
        norm = optax.tree.norm(gradient)
        lost = (~jnp.isfinite(norm)).astype(jnp.float32)
        told = told._replace(gradient_norm=norm, nonfinite=lost)
        return self._moved(state, gradient), told, seen

    def judge(self, state: OfflineState, key: PRNGKeyArray) -> Evaluation:
        """How well it does in the environment itself."""
        return evaluate_policy(
            self.actor, self.actor.policy, self.episodes, state.parameters,
            self.actor.observations, key,
        )  # fmt: skip

    def finite(self, state: OfflineState) -> Bool[Array, ""]:
        """Whether all weights are numbers."""
        return jnp.all(
            jnp.stack([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(state.parameters)])
        )

    def _moved(self, state: OfflineState, gradient: Any) -> OfflineState:
        change, optimiser = self.optimiser.update(gradient, state.optimiser, state.parameters)
        return state._replace(
            parameters=optax.apply_updates(state.parameters, change), optimiser=optimiser
        )


def rows_of(pairs: TrajectoryPairs, rows: Int[Array, "minibatch"]) -> TrajectoryPairs:
    """Some of the pairs."""
    return jax.tree.map(lambda leaf: leaf[rows], pairs)
