"""Formula → straight-line program over the logarithm of the ratio, as training evaluates it.

Code that trains knows log r, not r: the program computes r − 1 as expm1(log r), log r as what is
given, and powers of r as exp(q·log r), so that values and slopes stay exact near r = 1 and finite
far from it. Only identities that hold for every r > 0 are applied; the formula stays what it was.
Mirror maps are lowered alike, in x and log x.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from symbolic.drift import Drift
from symbolic.expression import (
    Call,
    Expression,
    Number,
    Symbol,
    constant_value,
    fold,
    integer_exponent,
    postorder,
)
from symbolic.network import DriftNetwork, output
from symbolic.numeric import nearest
from symbolic.operations import OPERATIONS

INPUTS = ("log_ratio", "advantage", "progress")
"""The first three values of every program, in this order."""

MACHINE: dict[str, Callable[..., Any]] = {
    **{name: entry.array for name, entry in OPERATIONS.items()},
    "expm1": lambda xp, x: xp.expm1(x),
}
"""What an instruction computes, on the array module and its arguments."""

NetworkProgram = Callable[[Any, Sequence[Any], Any, Any, Any], Any]

_RATIO = {"drift": "r", "mirror-map": "x", "psi": "x", "link": ""}
"""The variable that is known by its logarithm."""


@dataclass(frozen=True)
class Instruction:
    """One operation on values computed before, by their numbers."""

    op: str
    args: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """Values numbered from 0: `INPUTS`, then `constants`, then one for each instruction."""

    constants: tuple[float, ...]
    instructions: tuple[Instruction, ...]
    result: int
    """Number of the value that is the formula's."""

    def __call__(self, xp: Any, log_ratio: Any, advantage: Any, progress: Any) -> Any:
        """The formula on arrays of `xp` (NumPy or `symbolic.jax_arrays`) that broadcast together."""
        values = [log_ratio, advantage, progress, *self.constants]
        for instruction in self.instructions:
            args = [values[index] for index in instruction.args]
            values.append(MACHINE[instruction.op](xp, *args))
        return values[self.result] + xp.zeros_like(log_ratio + advantage)


def lower(drift: Drift) -> Program:
    """The program of a formula; parameters get their bound value or their default.

    The first input is log r or log x, or z itself for a link.

    Raises ConfigError for a parameter that has neither.
    """
    return _Lowering(_RATIO[drift.kind]).program(drift.closed_formula())


def feature_programs(network: DriftNetwork) -> list[Program]:
    """The programs of a network's inputs."""
    return [_Lowering("r").program(feature) for feature in network.features]


def lower_network(network: DriftNetwork) -> NetworkProgram:
    """(array module, layers, log_ratio, advantage, progress) -> f of a network, as training calls it.

    Only the layers are data; all else of the network is fixed.
    """
    programs = feature_programs(network)

    def value(xp: Any, layers: Sequence[Any], log_ratio: Any, advantage: Any, progress: Any) -> Any:
        inputs = [program(xp, log_ratio, advantage, progress) for program in programs]
        return output(network, xp, layers, inputs, xp.exp(log_ratio), advantage)

    return value


class _Lowering:
    """Value numbers of nodes already lowered; equal computations share a value."""

    def __init__(self, ratio: str) -> None:
        self.ratio = ratio
        self.inputs = {"z": 0, "A": 1, "t": 2}
        self.values: list[float | Instruction] = []
        self.numbers: dict[object, int] = {}
        self.powers: dict[int, Fraction | None] = {}
        self.closed: set[int] = set()
        """Identities of nodes without a symbol: only these can be constants."""

    def program(self, root: Expression) -> Program:
        nodes = list(postorder(root))  # kept, so that identities stay those of living nodes
        fold(root, self._note_power)
        done: dict[int, int] = {}
        for node in nodes:
            done[id(node)] = self._lower(node, done)
        return self._finished(done[id(root)])

    def _note_power(self, node: Expression, args: tuple[Fraction | None, ...]) -> Fraction | None:
        if not isinstance(node, Symbol) and all(id(arg) in self.closed for arg in node.args):
            self.closed.add(id(node))
        power = self._power(node, args)
        self.powers[id(node)] = power
        return power

    def _power(self, node: Expression, args: tuple[Fraction | None, ...]) -> Fraction | None:
        """q where the node is r**q for all r > 0, else None; the number 1 has q = 0."""
        if isinstance(node, Symbol):
            return Fraction(1) if node.name == self.ratio else None
        if isinstance(node, Number):
            return Fraction(0) if node.value == 1 else None
        if not args or (q := args[0]) is None:
            return None
        if node.op in ("mul", "div") and (p := args[1]) is not None:
            return q + p if node.op == "mul" else q - p
        if node.op == "pow" and q != 0 and (exponent := self._exactly(node.args[1])) is not None:
            return q * exponent
        factors = {"inv": Fraction(-1), "square": Fraction(2), "sqrt": Fraction(1, 2)}
        return q * factors[node.op] if node.op in factors else None

    def _exactly(self, node: Expression) -> Fraction | None:
        return constant_value(node) if id(node) in self.closed else None

    def _lower(self, node: Expression, done: dict[int, int]) -> int:
        if (constant := self._exactly(node)) is not None:
            return self._constant(nearest(constant))
        power = self.powers[id(node)]
        if power is not None:
            return self._emit("exp", self._scaled_log(power))
        if isinstance(node, Symbol):
            return self.inputs[node.name]
        args = [done[id(arg)] for arg in node.args]
        if (shifted := self._minus_one(node, done)) is not None:
            return shifted
        if node.op == "log" and (power := self.powers[id(node.args[0])]) is not None:
            return self._scaled_log(power)
        if node.op == "pow" and (n := integer_exponent(node)) is not None:
            return self._integer_power(args[0], n)
        if node.op in ("max", "min"):
            value = args[0]
            for other in args[1:]:
                value = self._emit(node.op, value, other)
            return value
        return self._emit(node.op, *args)

    def _minus_one(self, node: Expression, done: dict[int, int]) -> int | None:
        """x − 1, 1 − x and x + (−1) by expm1, where x is a power of r or an exponential."""
        if node.op not in ("sub", "add"):
            return None
        left, right = node.args
        ones = [self._exactly(arg) for arg in node.args]
        if node.op == "sub" and ones[1] == 1:
            return self._expm1(left, done)
        if node.op == "sub" and ones[0] == 1:
            value = self._expm1(right, done)
            return None if value is None else self._emit("neg", value)
        if node.op == "add" and -1 in ones:
            return self._expm1(right if ones[0] == -1 else left, done)
        return None

    def _expm1(self, node: Expression, done: dict[int, int]) -> int | None:
        power = self.powers[id(node)]
        if power is not None:
            return self._emit("expm1", self._scaled_log(power))
        if isinstance(node, Call) and node.op == "exp":
            return self._emit("expm1", done[id(node.args[0])])
        return None

    def _scaled_log(self, power: Fraction) -> int:
        if power == 1:
            return 0
        if power == -1:
            return self._emit("neg", 0)
        return self._emit("mul", self._constant(nearest(power)), 0)

    def _integer_power(self, base: int, n: int) -> int:
        """By repeated squaring; x**0 is 1 where x is defined."""
        if n == 0:
            return self._emit(
                "add", self._emit("mul", base, self._constant(0.0)), self._constant(1.0)
            )
        value, square, left = None, base, abs(n)
        while left:
            if left & 1:
                value = square if value is None else self._emit("mul", value, square)
            left >>= 1
            if left:
                square = self._emit("square", square)
        assert value is not None
        return value if n > 0 else self._emit("inv", value)

    def _constant(self, value: float) -> int:
        return self._numbered(("constant", value, math.copysign(1.0, value)), value)

    def _emit(self, op: str, *args: int) -> int:
        given = [value for index in args if isinstance(value := self._value(index), float)]
        if len(given) == len(args):
            with np.errstate(all="ignore"):
                return self._constant(float(MACHINE[op](np, *map(np.float64, given))))
        return self._numbered((op, args), Instruction(op, args))

    def _value(self, index: int) -> float | Instruction | None:
        return None if index < len(INPUTS) else self.values[index - len(INPUTS)]

    def _numbered(self, key: object, value: float | Instruction) -> int:
        if key not in self.numbers:
            self.numbers[key] = len(INPUTS) + len(self.values)
            self.values.append(value)
        return self.numbers[key]

    def _finished(self, result: int) -> Program:
        """Only what the result needs, constants first."""
        needed = {result}
        for index in range(len(INPUTS) + len(self.values) - 1, len(INPUTS) - 1, -1):
            value = self._value(index)
            if index in needed and isinstance(value, Instruction):
                needed |= set(value.args)
        kept = [index for index in sorted(needed) if index >= len(INPUTS)]
        constants = [i for i in kept if isinstance(self._value(i), float)]
        steps = [i for i in kept if isinstance(self._value(i), Instruction)]
        places = {i: i for i in range(len(INPUTS))}
        places |= {i: len(INPUTS) + at for at, i in enumerate([*constants, *steps])}
        return Program(
            constants=tuple(self._value(i) for i in constants),  # type: ignore[misc]
            instructions=tuple(
                Instruction(value.op, tuple(places[arg] for arg in value.args))
                for i in steps
                if isinstance(value := self._value(i), Instruction)
            ),
            result=places[result],
        )
