"""Many formulas in one compiled program: each is a tape that one evaluator reads.

A tape is data, so a new batch of formulas compiles nothing. The evaluator reads instructions one
by one over a file of registers, and computes the value and the slope in the log-ratio together, by
forward mode: a policy gradient needs no other derivative of a drift. Under a `vmap` over tapes the
switch computes every operation for every tape, which a CPU should be spared (see `rl.turns`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from symbolic import jax_arrays
from symbolic.errors import ConfigError
from symbolic.lowering import INPUTS, MACHINE, Program
from symbolic.operations import OPERATIONS

OPCODES = {name: code for code, name in enumerate(MACHINE)}
MAX_LENGTH = 4096
"""Instructions of a tape; a formula of the language's greatest size stays below."""

_MAX_ARITY = 4
_SIZES = (32, 128, 512, 2048, MAX_LENGTH)
"""Tapes are padded to one of these lengths, so that few programs are ever compiled."""
_REGISTERS = (16, 32, 64, 256, 1024, MAX_LENGTH)


class Tape(NamedTuple):
    """Formulas as arrays; a population has a leading axis `candidates`."""

    opcodes: Int[Array, "*candidates length"]
    operands: Int[Array, "*candidates length 4"]
    """Registers that an instruction reads."""
    targets: Int[Array, "*candidates length"]
    """Register that an instruction writes."""
    length: Int[Array, "*candidates"]
    registers: Float[Array, "*candidates registers"]
    """What registers hold at the start; the first three are the inputs'."""
    result: Int[Array, "*candidates"]
    """Register that holds the formula's value at the end."""


def encode(programs: Sequence[Program]) -> Tape:
    """The tapes of a population, padded alike: `[candidates, …]` NumPy arrays.

    Raises ConfigError for a formula beyond MAX_LENGTH instructions or registers.
    """
    if not programs:
        raise ConfigError("no formula to train with; give one at least")
    allocated = [_allocate(program) for program in programs]
    length = _fitting(max(len(program.instructions) for program in programs), _SIZES)
    width = _fitting(max(used for *_, used in allocated), _REGISTERS)
    count = len(programs)
    opcodes = np.zeros((count, length), np.int32)
    operands = np.zeros((count, length, _MAX_ARITY), np.int32)
    targets = np.zeros((count, length), np.int32)
    registers = np.zeros((count, width), np.float32)
    for i, (program, (reads, writes, _)) in enumerate(zip(programs, allocated, strict=True)):
        steps = len(program.instructions)
        opcodes[i, :steps] = [OPCODES[step.op] for step in program.instructions]
        for j, read in enumerate(reads):
            operands[i, j, : len(read)] = read
        targets[i, :steps] = writes
        with np.errstate(over="ignore"):
            registers[i, 3 : 3 + len(program.constants)] = program.constants
    lengths = np.array([len(program.instructions) for program in programs], np.int32)
    results = np.array(
        [
            writes[-1] if writes else program.result
            for program, (_, writes, _) in zip(programs, allocated)
        ],
        np.int32,
    )
    return Tape(*map(jnp.asarray, (opcodes, operands, targets, lengths, registers, results)))


def _fitting(needed: int, sizes: Sequence[int]) -> int:
    for size in sizes:
        if needed <= size:
            return size
    raise ConfigError(
        f"a formula of {needed} instructions is longer than the {sizes[-1]} a tape holds; "
        "train it alone, or shorten it"
    )


def _allocate(program: Program) -> tuple[list[tuple[int, ...]], list[int], int]:
    """(registers read, register written) of each instruction, and how many registers are used.

    A register is free again after the last instruction that reads it. Every instruction is needed
    for the result, so the last one computes it.
    """
    fixed = len(INPUTS) + len(program.constants)
    last: dict[int, int] = {}
    for at, step in enumerate(program.instructions):
        last.update(dict.fromkeys(step.args, at))
    place = {value: value for value in range(fixed)}
    free: list[int] = []
    used = fixed
    reads, writes = [], []
    for at, step in enumerate(program.instructions):
        reads.append(tuple(place[arg] for arg in step.args))
        free += [place[arg] for arg in set(step.args) if arg >= fixed and last[arg] == at]
        if free:
            register = free.pop()
        else:
            register, used = used, used + 1
        place[fixed + at] = register
        writes.append(register)
    return reads, writes, used


def value_and_slope(
    tape: Tape,
    log_ratio: Float[Array, "batch"],
    advantage: Float[Array, "batch"],
    progress: Float[Array, ""],
) -> tuple[Float[Array, "batch"], Float[Array, "batch"]]:
    """f and ∂f/∂log r of one tape."""

    def run(log_ratio: Array) -> Array:
        registers = jnp.broadcast_to(
            tape.registers[:, None], (*tape.registers.shape, log_ratio.size)
        )
        inputs = jnp.stack([log_ratio, advantage, jnp.broadcast_to(progress, log_ratio.shape)])
        registers = registers.at[: len(INPUTS)].set(inputs)

        def step(at: Array, registers: Array) -> Array:
            value = jax.lax.switch(tape.opcodes[at], _BRANCHES, registers, tape.operands[at])
            return registers.at[tape.targets[at]].set(value)

        # The bound is data, so padding costs nothing; forward mode can go through such a loop.
        return jax.lax.fori_loop(0, tape.length, step, registers)[tape.result]

    return jax.jvp(run, (log_ratio,), (jnp.ones_like(log_ratio),))


def _branch(op: str, arity: int) -> Callable[[Array, Array], Array]:
    def compute(registers: Array, operands: Array) -> Array:
        return jnp.asarray(MACHINE[op](jax_arrays, *(registers[operands[i]] for i in range(arity))))

    return compute


def _arity(op: str) -> int:
    return OPERATIONS[op].arity[0] if op in OPERATIONS else 1


_BRANCHES = [_branch(op, _arity(op)) for op in OPCODES]
