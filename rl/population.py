"""Many agents in one program: candidates × seeds, shared between devices.

Every candidate trains on the same seeds: the same initial weights, starts and random numbers, so
that a difference between two candidates is the drifts'. Agents know nothing of one another; one
that diverges is marked and the others are as they would be without it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Float, PRNGKeyArray

from rl.config import TrainerConfig
from rl.drifts import Candidates
from rl.environments import Task
from rl.evaluation import Evaluation
from rl.metrics import UpdateMetrics
from rl.trainer import Trainer, TrainState

AXIS = "candidates"


class Population:
    """The agents `candidates` × `seeds` of one configuration in one task.

    States have leading axes (candidates, seeds). The candidate axis is cut into equal parts, one
    for each local device; where it does not divide, the last candidate is repeated to fill it, and
    the repetitions are cut off again from whatever is returned to the caller.
    """

    def __init__(
        self, task: Task, config: TrainerConfig, candidates: Candidates, seeds: Sequence[int]
    ) -> None:
        self.config, self.count, self.seeds = config, candidates.count, tuple(seeds)
        self.trainer = Trainer(task, config, candidates.apply)
        devices = jax.local_devices()[: max(1, candidates.count)]
        self._mesh = Mesh(np.array(devices), (AXIS,))
        self.padded = -(-candidates.count // len(devices)) * len(devices)
        self.parameters = jax.tree.map(self._pad, candidates.parameters)
        keys = jnp.stack([jax.random.key(seed) for seed in self.seeds])
        self._train_keys, self._eval_keys = jax.vmap(jax.random.split, out_axes=1)(keys)
        self._init = jax.jit(self._equal_for_all)
        run = jax.vmap(jax.vmap(self.trainer.run, (None, 0, None)), (0, 0, None))
        judge = jax.vmap(jax.vmap(self.trainer.evaluate), (0, None))
        self._run = jax.jit(self._sharded(run, 2, 1), donate_argnums=1)
        self._judge = jax.jit(self._sharded(judge, 1, 1))

    def init(self) -> TrainState:
        """Fresh agents: those of one seed are equal."""
        return self._init(self._train_keys)

    def compile(self, state: TrainState) -> float:
        """Seconds to compile what `run` and `evaluate` call, or to fetch it from the cache."""
        begun = time.perf_counter()
        keys = self._keys_of(0)
        self._run = self._run.lower(self.parameters, state, jnp.asarray(1)).compile()
        self._judge = self._judge.lower(state, keys).compile()
        return time.perf_counter() - begun

    def run(
        self, state: TrainState, num_updates: int
    ) -> tuple[TrainState, dict[str, Float[np.ndarray, "candidates seeds"]]]:
        """`num_updates` updates of every agent; the state given is used up."""
        state, metrics = self._run(self.parameters, state, jnp.asarray(num_updates))
        return state, {
            name: np.asarray(value)[: self.count]
            for name, value in UpdateMetrics(*metrics).means().items()
        }

    def evaluate(self, state: TrainState, index: int) -> Evaluation:
        """The `index`-th evaluation of every agent, as NumPy arrays (candidates, seeds)."""
        found = self._judge(state, self._keys_of(index))
        return Evaluation(*(np.asarray(leaf)[: self.count] for leaf in found))

    def _equal_for_all(self, keys: PRNGKeyArray) -> TrainState:
        state = jax.vmap(self.trainer.init)(keys)
        return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (self.padded, *leaf.shape)), state)

    def _keys_of(self, evaluation: int) -> PRNGKeyArray:
        return jax.vmap(lambda key: jax.random.fold_in(key, evaluation))(self._eval_keys)

    def _sharded(
        self, function: Callable[..., Any], sharded: int, replicated: int
    ) -> Callable[..., Any]:
        """`function` with its first arguments cut along the candidate axis, one part a device."""
        cut, whole = PartitionSpec(AXIS), PartitionSpec()
        return jax.shard_map(
            function,
            mesh=self._mesh,
            in_specs=(cut,) * sharded + (whole,) * replicated,
            out_specs=cut,
            check_vma=False,
        )

    def _pad(self, leaf: Array) -> Array:
        short = self.padded - self.count
        return jnp.concatenate([leaf, jnp.repeat(leaf[-1:], short, axis=0)]) if short else leaf


def schedule(config: TrainerConfig) -> tuple[int, ...]:
    """Updates before each evaluation: segments as equal as they can be, none of them empty."""
    count = min(config.num_evaluations, config.num_updates)
    ends = [config.num_updates * (i + 1) // count for i in range(count)]
    return tuple(b - a for a, b in zip([0, *ends], ends))
