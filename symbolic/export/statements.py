"""Lowered formulas, weights and titles as pieces of source text."""

from __future__ import annotations

from collections.abc import Sequence

from symbolic.export.backends import Backend
from symbolic.lowering import INPUTS, Program

_DIGITS = 9
"""Of a weight: float32 has no more."""


def statements(
    program: Program, library: Backend, prefix: str, inputs: Sequence[str] = INPUTS
) -> tuple[list[str], str]:
    """(assignments, the name of the result); `inputs` are the names of a program's first values."""
    names = [*inputs, *(repr(value) for value in program.constants)]
    lines = []
    first = len(INPUTS)
    constants = {first + i for i, value in enumerate(program.constants) if value != 0}
    for number, instruction in enumerate(program.instructions):
        args = [argument(names[index]) for index in instruction.args]
        op = instruction.op
        if op == "div" and instruction.args[1] in constants:  # and so not 0
            lines.append(f"{prefix}{number} = {args[0]} / {args[1]}")
        else:
            lines.append(f"{prefix}{number} = {library.call(op, args)}")
        names.append(f"{prefix}{number}")
    return lines, names[program.result]


def broadcast(program: Program, result: str, inputs: Sequence[str]) -> str:
    """The result with the shape of all `inputs`, also where the formula lacks one of them."""
    used = {index for instruction in program.instructions for index in instruction.args}
    used.add(program.result)
    missing = [name for i, name in enumerate(inputs) if i not in used]
    return result + "".join(f" + 0.0 * {name}" for name in missing)


def argument(name: str) -> str:
    """A name or a number as it may stand beside an operator."""
    return f"({name})" if name.startswith("-") else name


def literal(rows: Sequence[Sequence[float]]) -> str:
    """A matrix as nested lists."""
    return "[" + ", ".join(row_literal(row) for row in rows) + "]"


def row_literal(row: Sequence[float]) -> str:
    """Numbers as a list, in the digits that float32 has."""
    return "[" + ", ".join(f"{w:.{_DIGITS}g}" for w in row) + "]"


def one_line(text: str) -> str:
    """Text that can stand in a docstring."""
    return " ".join(text.replace("\\", "\\\\").replace('"', "'").split())
