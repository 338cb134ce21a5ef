"""Many agents trained offline in one program: objectives × seeds, shared between devices.

Agents of one seed have the same first weights, the same reference policy, the same minibatches and
the same evaluations, so that a difference between two objectives is the objectives'.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt32

from rl.environments import Episodes
from rl.evaluation import Evaluation
from rl.offline.actor import TrainedActor
from rl.offline.agent import EpochMetrics, OfflineAgent, OfflineState, rows_of
from rl.offline.candidates import ObjectiveApply, Objectives
from rl.offline.config import OfflineConfig
from rl.offline.pairs import TrajectoryPairs
from rl.population import check_seeds
from rl.sharding import AgentAxis
from rl.turns import in_turn_on_cpu
from symbolic.errors import ConfigError

_AT_ONCE = 16
"""Pairs whose reference log-probabilities are computed together."""


class OfflinePrograms:
    """What training by objectives of one form compiles to, for `width` agents at once.

    Objectives are data: others of the same form compile nothing. All agents share `pairs`.

    JAX keeps what the functions of a trace refer to as long as the program that was traced. One that
    refers to `self` keeps that for ever, and with it thousands of memory maps.
    """

    def __init__(
        self,
        actor: TrainedActor,
        episodes: Episodes,
        pairs: TrajectoryPairs,
        config: OfflineConfig,
        apply: ObjectiveApply,
        *,
        width: int,
    ) -> None:
        rows = len(pairs.counted)
        check_minibatch(config, rows)
        self.config, self.apply, self.rows = config, apply, rows
        self.agent = OfflineAgent(actor, episodes, config, apply)
        axis = AgentAxis(width)
        self.width, self.cut, self.whole = axis.width, axis.cut, axis.whole
        self.pairs = jax.device_put(pairs, self.whole)
        self.init = jax.jit(axis.sharded(jax.vmap(self._initial), 1, 0))
        self.imitate = jax.jit(axis.sharded(self._imitated, 2, 1), donate_argnums=0)
        self.as_reference = jax.jit(axis.sharded(jax.vmap(self.agent.as_reference), 1, 0))
        self.reference = jax.jit(axis.sharded(self._reference, 1, 1))
        self.prefer = jax.jit(axis.sharded(self._preferred, 4, 2), donate_argnums=1)
        self.judge = jax.jit(axis.sharded(jax.vmap(self._judged, (0, 0, None)), 2, 1))
        self.finite = jax.jit(axis.sharded(jax.vmap(self.agent.finite), 1, 0))

    def _initial(self, seed: UInt32[Array, ""]) -> OfflineState:
        return self.agent.init(_key(seed, 0))

    def _judged(self, state: OfflineState, seed: Array, index: Array) -> Evaluation:
        return self.agent.judge(state, jax.random.fold_in(_key(seed, 1), index))

    def _orders(self, seeds: Array, epoch: Array) -> Int[Array, "minibatches agents pairs"]:
        """Which pairs are in each minibatch of an epoch."""
        size = self.config.minibatch_pairs
        count = self.rows // size

        def one(seed: Array) -> Array:
            shuffled = jax.random.permutation(jax.random.fold_in(_key(seed, 2), epoch), self.rows)
            return shuffled[: count * size].reshape(count, size)

        return jnp.swapaxes(jax.vmap(one)(seeds), 0, 1)

    def _imitated(
        self, state: OfflineState, seeds: Array, data: tuple[TrajectoryPairs, Array]
    ) -> OfflineState:
        """One epoch of imitation; the epoch's number is negative, its shuffle its own."""
        (pairs, epoch), agent = data, self.agent

        @in_turn_on_cpu
        def step(state: OfflineState, rows: Array) -> OfflineState:
            return agent.imitate(state, rows_of(pairs, rows))

        def minibatch(state: OfflineState, rows: Array) -> tuple[OfflineState, None]:
            return jax.vmap(step)(state, rows), None

        return jax.lax.scan(minibatch, state, self._orders(seeds, epoch))[0]

    def _reference(
        self, state: OfflineState, pairs: TrajectoryPairs
    ) -> Float[Array, "agents rows 2"]:
        """log π_ref of all pairs."""

        def one(state: OfflineState) -> Array:
            logs = partial(self.agent.log_probs, state.reference)
            single = jax.tree.map(lambda leaf: leaf[:, None], pairs)
            return jax.lax.map(lambda pair: logs(pair)[0], single, batch_size=_AT_ONCE)

        return jax.lax.map(one, state)

    def _preferred(
        self,
        objectives: Any,
        state: OfflineState,
        seeds: Array,
        reference: Float[Array, "agents rows 2"],
        pairs: TrajectoryPairs,
        epoch: Int[Array, ""],
    ) -> tuple[OfflineState, EpochMetrics, Float[Array, "agents minibatches 2"]]:
        """One epoch of the objectives."""
        progress, agent = epoch / self.config.epochs, self.agent

        @in_turn_on_cpu
        def step(
            objective: Any, state: OfflineState, reference: Array, rows: Array
        ) -> tuple[OfflineState, EpochMetrics, Array]:
            return agent.prefer(objective, state, rows_of(pairs, rows), reference[rows], progress)

        def minibatch(state: OfflineState, rows: Array) -> tuple[OfflineState, tuple[Any, Array]]:
            state, metrics, seen = jax.vmap(step)(objectives, state, reference, rows)
            return state, (metrics, seen)

        state, (metrics, seen) = jax.lax.scan(minibatch, state, self._orders(seeds, epoch))
        means = jax.tree.map(lambda leaf: leaf.mean(axis=0), metrics)
        return state, means, jnp.swapaxes(seen, 0, 1)


def check_minibatch(config: OfflineConfig, rows: int) -> None:
    """Raise ConfigError for data that fill no minibatch."""
    if rows < config.minibatch_pairs:
        raise ConfigError(
            f"minibatch_pairs={config.minibatch_pairs} is more than the {rows} pairs of the "
            "data; lower it, or give more rows"
        )


class OfflinePopulation:
    """The agents `objectives` × `seeds`, trained by `programs`.

    States have one leading axis, the width; what is returned as NumPy arrays has (objectives,
    seeds).
    """

    def __init__(
        self, programs: OfflinePrograms, objectives: Objectives, seeds: Sequence[int]
    ) -> None:
        check_seeds(seeds)
        settings = objectives.parameters.settings
        agents = objectives.count * len(seeds)
        if objectives.apply is not programs.apply or agents > programs.width:
            raise AssertionError("these programs are of other objectives")
        self.programs, self.count, self.seeds = programs, objectives.count, tuple(seeds)
        of_objective, of_seed = np.divmod(
            np.minimum(np.arange(programs.width, dtype=np.int32), agents - 1), len(seeds)
        )
        self._parameters = jax.device_put(
            jax.tree.map(lambda leaf: np.asarray(leaf)[of_objective], objectives.parameters),
            programs.cut,
        )
        self._seeds = jax.device_put(np.array(self.seeds, np.uint32)[of_seed], programs.cut)
        low, high = (np.asarray(getattr(settings, end)) for end in ("lowest", "highest"))
        self.ranges = list(zip(low.tolist(), high.tolist()))
        """Log-probabilities between which each objective is meant."""
        self.has_reference = bool(np.asarray(settings.reference).any())

    def init(self) -> OfflineState:
        """Fresh agents: those of one seed are equal."""
        state: OfflineState = self.programs.init(self._seeds)
        return state

    def imitate(self, state: OfflineState) -> OfflineState:
        """The supervised stage, after which agents with a reference policy have theirs.

        The others begin anew: their objective does its own imitating.
        """
        epochs = self.programs.config.sft_epochs if self.has_reference else 0
        fresh = self.init() if epochs else state
        for epoch in range(epochs):
            data = (self.programs.pairs, self._number(-1 - epoch))
            state = self.programs.imitate(state, self._seeds, data)
        with_reference = self._parameters.settings.reference
        state = jax.tree.map(
            lambda learnt, new: jnp.where(_against(with_reference, learnt), learnt, new),
            state, fresh,
        )  # fmt: skip
        found: OfflineState = self.programs.as_reference(state)
        return found

    def reference(self, state: OfflineState) -> Float[Array, "agents rows 2"]:
        """log π_ref of all pairs, by which `prefer` tells; zeros where no objective asks."""
        if not self.has_reference:
            return jax.device_put(
                np.zeros((self.programs.width, self.programs.rows, 2), np.float32),
                self.programs.cut,
            )
        found: Array = self.programs.reference(state, self.programs.pairs)
        return found

    def prefer(
        self, state: OfflineState, reference: Array, epoch: int
    ) -> tuple[OfflineState, dict[str, Float[np.ndarray, "objectives seeds"]], np.ndarray]:
        """Epoch `epoch` of the objectives; the state given is used up.

        The last is `[agents, minibatches, 2]`: log π(τ_w) and log π(τ_l) of a pair of each minibatch.
        """
        state, metrics, seen = self.programs.prefer(
            self._parameters, state, self._seeds, reference, self.programs.pairs,
            self._number(epoch),
        )  # fmt: skip
        told = {name: self._table(leaf) for name, leaf in metrics._asdict().items()}
        return state, told, np.asarray(seen)[: self.count * len(self.seeds)]

    def judge(self, state: OfflineState, index: int) -> Evaluation:
        """The `index`-th evaluation of every agent, as NumPy arrays (objectives, seeds)."""
        found = self.programs.judge(state, self._seeds, self._number(index))
        return Evaluation(*map(self._table, found))

    def finite(self, state: OfflineState) -> np.ndarray:
        """Whose weights are all numbers, `[objectives, seeds]`."""
        return self._table(self.programs.finite(state))

    def _table(self, values: Array) -> np.ndarray:
        agents = self.count * len(self.seeds)
        return np.asarray(values)[:agents].reshape(self.count, len(self.seeds))

    def _number(self, number: int) -> Array:
        return jax.device_put(np.int32(number), self.programs.whole)


def _key(seed: UInt32[Array, ""], purpose: int) -> PRNGKeyArray:
    """What an agent's weights (0), evaluations (1) and shuffles (2) draw from."""
    return jax.random.fold_in(jax.random.key(seed), purpose)


def _against(mask: Array, leaf: Array) -> Array:
    return mask.reshape(-1, *[1] * (leaf.ndim - 1))
