"""Many agents in one program: candidates × seeds, shared between devices.

Every candidate trains on the same seeds: the same initial weights, starts and random numbers, so
that a difference between two candidates is the drifts'. Agents know nothing of one another; one
that diverges is marked and the others are as they would be without it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt32

from rl.config import TrainerConfig
from rl.drifts import Candidates, DriftApply
from rl.environments import Task
from rl.evaluation import Evaluation
from rl.metrics import UpdateMetrics
from rl.trainer import Trainer, TrainState
from symbolic.errors import ConfigError

AXIS = "candidates"


class Compiled(NamedTuple):
    """Programs ready to run."""

    run: Callable[..., Any]
    evaluate: Callable[..., Any]
    memory: int
    """Bytes that running takes on all devices of this machine, beyond the programs themselves."""


class Programs:
    """What a configuration compiles to in a task, for `width` candidates at once and as many seeds.

    Drifts of one form (see `Candidates`) are data: another batch of them compiles nothing. The
    candidate axis is cut into equal parts, one for each device of all processes; where `width` does
    not divide, it is rounded up.
    """

    def __init__(
        self, task: Task, config: TrainerConfig, drift: DriftApply, *, width: int, num_seeds: int
    ) -> None:
        self.task, self.config, self.drift, self.num_seeds = task, config, drift, num_seeds
        self.trainer = Trainer(task, config, drift)
        devices = jax.devices() if jax.process_count() > 1 else jax.devices()[:width]
        self.width = -(-width // len(devices)) * len(devices)
        mesh = Mesh(np.array(devices), (AXIS,))
        self.cut = NamedSharding(mesh, PartitionSpec(AXIS))
        self.whole = NamedSharding(mesh, PartitionSpec())
        """Shardings of what candidates differ in, and of what all devices have."""
        self.init = jax.jit(self._equal_for_all, out_shardings=self.cut)
        self.gather = jax.jit(lambda tree: tree, out_shardings=self.whole)
        run = jax.vmap(jax.vmap(self.trainer.run, (None, 0, None)), (0, 0, None))
        self._run = jax.jit(
            self._sharded(run, 2, 1), out_shardings=(self.cut, self.whole), donate_argnums=1
        )
        self._judge = jax.jit(self._sharded(self._judged, 1, 2), out_shardings=self.whole)
        self._compiled: dict[tuple[tuple[int, ...], ...], Compiled] = {}

    def compiled(self, parameters: Any) -> tuple[Compiled, float]:
        """The programs for drift parameters of these shapes, and the seconds spent on them now."""
        shapes = tuple(leaf.shape for leaf in jax.tree.leaves(parameters))
        if shapes in self._compiled:
            return self._compiled[shapes], 0.0
        begun = time.perf_counter()
        seeds = jax.ShapeDtypeStruct((self.num_seeds,), np.uint32, sharding=self.whole)
        state = _placed_shapes(jax.eval_shape(self.init, seeds), self.cut)
        number = jax.ShapeDtypeStruct((), np.int32, sharding=self.whole)
        run = self._run.lower(_placed_shapes(parameters, self.cut), state, number).compile()
        judge = self._judge.lower(state, seeds, number).compile()
        memory = sum(
            getattr(run.memory_analysis(), f"{part}_size_in_bytes")
            for part in ("temp", "argument", "output")
        )
        found = Compiled(run, judge, memory * len(self.cut.addressable_devices))
        self._compiled[shapes] = found
        return found, time.perf_counter() - begun

    def padded(self, candidates: Candidates) -> Any:
        """The parameters of `candidates`, the last repeated to fill the width, on their devices."""
        if candidates.apply is not self.drift or candidates.count > self.width:
            raise AssertionError("these programs are of other candidates")
        short = self.width - candidates.count

        def pad(leaf: Array) -> np.ndarray:
            return np.concatenate([leaf, np.repeat(leaf[-1:], short, axis=0)])

        return jax.device_put(jax.tree.map(pad, candidates.parameters), self.cut)

    def _equal_for_all(self, seeds: UInt32[Array, "seeds"]) -> TrainState:
        state = jax.vmap(lambda seed: self.trainer.init(_keys(seed)[0]))(seeds)
        return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (self.width, *leaf.shape)), state)

    def _judged(
        self, state: TrainState, seeds: UInt32[Array, "seeds"], index: Int[Array, ""]
    ) -> Evaluation:
        def judge(state: TrainState, seed: Array) -> Evaluation:
            return self.trainer.evaluate(state, jax.random.fold_in(_keys(seed)[1], index))

        return jax.vmap(jax.vmap(judge), (0, None))(state, seeds)

    def _sharded(
        self, function: Callable[..., Any], sharded: int, replicated: int
    ) -> Callable[..., Any]:
        """`function` with its first arguments cut along the candidate axis, one part a device."""
        return jax.shard_map(
            function,
            mesh=self.cut.mesh,
            in_specs=(self.cut.spec,) * sharded + (self.whole.spec,) * replicated,
            out_specs=self.cut.spec,
            check_vma=False,
        )


class Population:
    """The agents `candidates` × `seeds`, trained by `programs`.

    States have leading axes (width, seeds); what is returned as NumPy arrays has (candidates,
    seeds), without the repetitions that fill the width.
    """

    def __init__(self, programs: Programs, candidates: Candidates, seeds: Sequence[int]) -> None:
        self.programs, self.count, self.seeds = programs, candidates.count, tuple(seeds)
        self.config = programs.config
        if unfit := [seed for seed in self.seeds if not 0 <= seed < 2**32]:
            raise ConfigError(f"seed={unfit[0]:.40} must be a whole number from 0 to 4294967295")
        self._parameters = programs.padded(candidates)
        self._seeds = jax.device_put(np.array(self.seeds, np.uint32), programs.whole)

    @classmethod
    def alone(
        cls, task: Task, config: TrainerConfig, candidates: Candidates, seeds: Sequence[int]
    ) -> Population:
        """A population with programs of its own."""
        programs = Programs(
            task, config, candidates.apply, width=candidates.count, num_seeds=len(seeds)
        )
        return cls(programs, candidates, seeds)

    def init(self) -> TrainState:
        """Fresh agents: those of one seed are equal."""
        return self.programs.init(self._seeds)

    def compile(self) -> float:
        """Seconds spent on having the programs ready: 0 if another population needed them before."""
        return self.programs.compiled(self._parameters)[1]

    @property
    def memory(self) -> int:
        """Bytes that training takes, compiled programs aside."""
        return self.programs.compiled(self._parameters)[0].memory

    def run(
        self, state: TrainState, num_updates: int
    ) -> tuple[TrainState, dict[str, Float[np.ndarray, "candidates seeds"]]]:
        """`num_updates` updates of every agent; the state given is used up."""
        programs, _ = self.programs.compiled(self._parameters)
        state, metrics = programs.run(self._parameters, state, self._number(num_updates))
        means = UpdateMetrics(*map(np.asarray, metrics)).means()
        return state, {name: np.asarray(value)[: self.count] for name, value in means.items()}

    def evaluate(self, state: TrainState, index: int) -> Evaluation:
        """The `index`-th evaluation of every agent, as NumPy arrays (candidates, seeds)."""
        programs, _ = self.programs.compiled(self._parameters)
        found = programs.evaluate(state, self._seeds, self._number(index))
        return Evaluation(*(np.asarray(leaf)[: self.count] for leaf in found))

    def density(self, state: TrainState) -> dict[str, Float[np.ndarray, "agents samples"]]:
        """Where training asked the drifts, one row an agent."""
        sample = self.programs.gather(state.density)
        arrays = {name: np.asarray(leaf) for name, leaf in sample._asdict().items()}
        return {n: leaf[: self.count].reshape(-1, leaf.shape[-1]) for n, leaf in arrays.items()}

    def _number(self, number: int) -> Array:
        return jax.device_put(np.int32(number), self.programs.whole)


def schedule(config: TrainerConfig) -> tuple[int, ...]:
    """Updates before each evaluation: segments as equal as they can be, none of them empty."""
    count = min(config.num_evaluations, config.num_updates)
    ends = [config.num_updates * (i + 1) // count for i in range(count)]
    return tuple(b - a for a, b in zip([0, *ends], ends))


def _keys(seed: UInt32[Array, ""]) -> tuple[PRNGKeyArray, PRNGKeyArray]:
    """What an agent's training and its evaluations draw from."""
    training, evaluations = jax.random.split(jax.random.key(seed))
    return training, evaluations


def _placed_shapes(tree: Any, sharding: NamedSharding) -> Any:
    return jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding), tree
    )
