"""Many agents in one program: candidates × seeds, shared between devices.

Every candidate trains on the same seeds: the same initial weights, starts and random numbers, so
that a difference between two candidates is the drifts'. Agents know nothing of one another; one
that diverges is marked and the others are as they would be without it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt32

from rl.config import TrainerConfig
from rl.drifts import Candidates, DriftApply
from rl.environments import Task
from rl.evaluation import Evaluation
from rl.metrics import UpdateMetrics
from rl.networks import Parameters
from rl.normalisation import Moments
from rl.sharding import AgentAxis
from rl.trainer import Trainer, TrainState
from symbolic.errors import ConfigError


class Compiled(NamedTuple):
    """A program ready to run."""

    program: Callable[..., Any]
    memory: int
    """Bytes that it takes on all devices of this machine, beyond the program itself."""


class Programs:
    """What a configuration compiles to in a task, for `width` agents at once.

    Drifts of one form (see `Candidates`) are data: other ones compile nothing. The axis of agents
    is cut into equal parts, one for each device of all processes; where `width` does not divide, it
    is rounded up.
    """

    def __init__(self, task: Task, config: TrainerConfig, drift: DriftApply, *, width: int) -> None:
        self.config, self.drift = config, drift
        self.trainer = Trainer(task, config, drift)
        axis = AgentAxis(width)
        self.width, self.cut, self.whole = axis.width, axis.cut, axis.whole
        self.init = jax.jit(self._initial, out_shardings=self.cut)
        self.gather = jax.jit(lambda tree: tree, out_shardings=self.whole)
        run = axis.sharded(self._updated, 2, 1)
        self._run = jax.jit(run, out_shardings=(self.cut, self.whole), donate_argnums=1)
        judge = axis.sharded(jax.vmap(self._judged, (0, 0, None)), 2, 1)
        self._judge = jax.jit(judge, out_shardings=self.whole)
        self._compiled: dict[Hashable, Compiled] = {}
        self._unclaimed = 0.0

    def updates(self, parameters: Any) -> Compiled:
        """The program of updates for drift parameters of these shapes."""
        shapes = tuple(leaf.shape for leaf in jax.tree.leaves(parameters))
        return self._ready(shapes, self._run, _placed(parameters, self.cut), self._state)

    def evaluation(self) -> Compiled:
        """The program of evaluations."""
        seeds = jax.ShapeDtypeStruct((self.width,), np.uint32, sharding=self.cut)
        return self._ready("evaluation", self._judge, self._state, seeds)

    @cached_property
    def _state(self) -> Any:
        """Shapes of the agents."""
        one_seed = jax.ShapeDtypeStruct((1,), np.uint32)
        places = jax.ShapeDtypeStruct((self.width,), np.int32)
        return _placed(jax.eval_shape(self.init, one_seed, places), self.cut)

    def claim_seconds(self) -> float:
        """Seconds spent on compiling since this was last asked: whose they are, who asks decides."""
        seconds, self._unclaimed = self._unclaimed, 0.0
        return seconds

    def _ready(self, name: Hashable, function: Any, *shapes: Any) -> Compiled:
        """`function` compiled for arguments of these shapes and a number, once for each name."""
        if name in self._compiled:
            return self._compiled[name]
        begun = time.perf_counter()
        number = jax.ShapeDtypeStruct((), np.int32, sharding=self.whole)
        program = function.lower(*shapes, number).compile()
        memory = sum(
            getattr(program.memory_analysis(), f"{part}_size_in_bytes")
            for part in ("temp", "argument", "output")
        )
        self._compiled[name] = Compiled(program, memory * len(self.cut.addressable_devices))
        self._unclaimed += time.perf_counter() - begun
        return self._compiled[name]

    def _initial(self, seeds: UInt32[Array, "seeds"], places: Int[Array, "width"]) -> TrainState:
        """A fresh agent for each of `seeds`, and then for each place a copy of one of them."""
        fresh = jax.vmap(lambda seed: self.trainer.init(_keys(seed)[0]))(seeds)
        return jax.tree.map(lambda leaf: leaf[places], fresh)

    def _updated(
        self, parameters: Any, state: TrainState, number: Int[Array, ""]
    ) -> tuple[TrainState, UpdateMetrics]:
        """`number` updates of every agent and what they tell; the number is data.

        The agents are batched inside the loop: to batch a loop, JAX traces it several times.
        """
        update = jax.vmap(self.trainer.update)

        def one(
            _: Array, carry: tuple[TrainState, UpdateMetrics]
        ) -> tuple[TrainState, UpdateMetrics]:
            state, so_far = carry
            state, metrics = update(parameters, state)
            return state, jax.tree.map(jnp.add, so_far, metrics)

        start = UpdateMetrics.zero(state.updates.shape)
        return jax.lax.fori_loop(0, number, one, (state, start))

    def _judged(
        self, state: TrainState, seed: UInt32[Array, ""], index: Int[Array, ""]
    ) -> Evaluation:
        return self.trainer.evaluate(state, jax.random.fold_in(_keys(seed)[1], index))


class Population:
    """The agents `candidates` × `seeds`, trained by `programs`.

    States have one leading axis, the width; what is returned as NumPy arrays has (candidates,
    seeds), without the repetitions of the last agent that fill the width.
    """

    def __init__(self, programs: Programs, candidates: Candidates, seeds: Sequence[int]) -> None:
        check_seeds(seeds)
        agents = candidates.count * len(seeds)
        if candidates.apply is not programs.drift or agents > programs.width:
            raise AssertionError("these programs are of other candidates")
        self.programs, self.count, self.seeds = programs, candidates.count, tuple(seeds)
        self.config = programs.config
        of_candidate, of_seed = np.divmod(
            np.minimum(np.arange(programs.width, dtype=np.int32), agents - 1), len(seeds)
        )
        self._places = of_seed
        self._parameters = jax.device_put(
            jax.tree.map(lambda leaf: np.asarray(leaf)[of_candidate], candidates.parameters),
            programs.cut,
        )
        self._distinct = np.array(self.seeds, np.uint32)
        self._seeds = jax.device_put(self._distinct[of_seed], programs.cut)

    @classmethod
    def alone(
        cls, task: Task, config: TrainerConfig, candidates: Candidates, seeds: Sequence[int]
    ) -> Population:
        """A population with programs of its own."""
        width = candidates.count * len(seeds)
        return cls(Programs(task, config, candidates.apply, width=width), candidates, seeds)

    def init(self) -> TrainState:
        """Fresh agents: those of one seed are equal."""
        return self.programs.init(self._distinct, self._places)

    def compile(self) -> float:
        """Have the programs ready; seconds that were spent on them and are nobody else's yet."""
        self.programs.updates(self._parameters)
        self.programs.evaluation()
        return self.programs.claim_seconds()

    @property
    def memory(self) -> int:
        """Bytes that training takes, compiled programs aside."""
        return self.programs.updates(self._parameters).memory

    def run(
        self, state: TrainState, num_updates: int
    ) -> tuple[TrainState, dict[str, Float[np.ndarray, "candidates seeds"]]]:
        """`num_updates` updates of every agent; the state given is used up."""
        update = self.programs.updates(self._parameters).program
        state, metrics = update(self._parameters, state, self._number(num_updates))
        with np.errstate(invalid="ignore"):  # no episode ended: nan says so
            means = UpdateMetrics(*map(np.asarray, metrics)).means()
        return state, {name: self._table(value) for name, value in means.items()}

    def evaluate(self, state: TrainState, index: int) -> Evaluation:
        """The `index`-th evaluation of every agent, as NumPy arrays (candidates, seeds)."""
        judge = self.programs.evaluation().program
        return Evaluation(*map(self._table, judge(state, self._seeds, self._number(index))))

    def weights(self, state: TrainState, place: int) -> tuple[Parameters, Moments]:
        """What one agent acts by, candidates first."""
        whole = self.programs.gather((state.parameters, state.observations))
        parameters, observations = jax.tree.map(lambda leaf: jnp.asarray(leaf[place]), whole)
        return parameters, observations

    def density(self, state: TrainState) -> dict[str, Float[np.ndarray, "agents samples"]]:
        """Where training asked the drifts, one row an agent, candidates first."""
        agents = self.count * len(self.seeds)
        sample = self.programs.gather(state.density)
        return {name: np.asarray(leaf)[:agents] for name, leaf in sample._asdict().items()}

    def _table(self, values: Array) -> Float[np.ndarray, "candidates seeds"]:
        agents = self.count * len(self.seeds)
        return np.asarray(values)[:agents].reshape(self.count, len(self.seeds))

    def _number(self, number: int) -> Array:
        return jax.device_put(np.int32(number), self.programs.whole)


def check_seeds(seeds: Sequence[int]) -> None:
    """Raise ConfigError for seeds that are out of range or given twice."""
    if unfit := [seed for seed in seeds if not 0 <= seed < 2**32]:
        raise ConfigError(f"seed={unfit[0]} must be a whole number from 0 to 4294967295")
    if len(set(seeds)) < len(seeds):
        again = next(seed for seed in seeds if list(seeds).count(seed) > 1)
        raise ConfigError(f"seed={again} is given twice; it trains the same agent, leave one out")


def schedule(config: TrainerConfig) -> tuple[int, ...]:
    """Updates before each evaluation: segments as equal as they can be, none of them empty."""
    count = min(config.num_evaluations, config.num_updates)
    ends = [config.num_updates * (i + 1) // count for i in range(count)]
    return tuple(b - a for a, b in zip([0, *ends], ends))


def _keys(seed: UInt32[Array, ""]) -> tuple[PRNGKeyArray, PRNGKeyArray]:
    """What an agent's training and its evaluations draw from."""
    training, evaluations = jax.random.split(jax.random.key(seed))
    return training, evaluations


def _placed(tree: Any, sharding: NamedSharding) -> Any:
    return jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding), tree
    )
