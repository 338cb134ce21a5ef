"""PySR's `hall_of_fame.csv`: Complexity, Loss, Equation; read by our parser, never evaluated.

A plain equation is one formula. A template's is its parts, `above = …; below = …`, where `#1`, `#2`
stand for the inputs in their order: the two halves of a drift by the sign of A.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from symbolic.arrays import read_bounded
from symbolic.distill.inputs import INPUTS, written_out
from symbolic.distill.tidy import tidied
from symbolic.errors import ConfigError, FormulaError
from symbolic.expression import Expression, call, symbol
from symbolic.operations import ZERO
from symbolic.parser import parse

COLUMNS = ("Complexity", "Loss", "Equation")
_MOST_ROWS = 10_000
_HALVES = ("above", "below")
_ARGUMENT = re.compile(r"#(\d{1,3})")
_PART = re.compile(r"\s*([A-Za-z]\w*)\s*=\s*(.+?)\s*", re.DOTALL)


@dataclass(frozen=True)
class Row:
    """A line of the file: its formula in r, A and t, or why there is none."""

    line: int
    equation: str
    formula: Expression | None
    problem: str = ""


def read_front(path: str | Path, inputs: Mapping[str, str] | None = None) -> list[Row]:
    """The rows of a file; `inputs` say what its variables are, beside r, A, t, u, v, d and l.

    A row that is no formula of ours stays, with the reason. Raises ConfigError for a file that is
    no hall of fame, or an input that is no formula.
    """
    path = Path(path)
    known = {**{n: text for n, text in INPUTS.items() if n != "A"}, **(inputs or {})}
    for name, text in (inputs or {}).items():
        try:
            parse(text)
        except FormulaError as error:
            raise ConfigError(f"input {name}: {error}") from None
    try:
        text = read_bounded(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: no UTF-8 text; give PySR's hall_of_fame.csv") from None
    try:
        lines = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise ConfigError(f"{path}: no table ({error}); give PySR's hall_of_fame.csv") from None
    if not lines or not set(COLUMNS) <= set(lines[0]):
        raise ConfigError(
            f"{path}: the first line must name {', '.join(COLUMNS)}; give PySR's hall_of_fame.csv"
        )
    if len(lines) > _MOST_ROWS:
        raise ConfigError(f"{path}: more than {_MOST_ROWS} lines; is it the right file?")
    place = lines[0].index("Equation")
    return [
        _row(number, line[place] if len(line) > place else "", known)
        for number, line in enumerate(lines[1:], 2)
        if line
    ]


def write_front(rows: Iterable[tuple[int, float, Expression]]) -> str:
    """The text of such a file from (complexity, loss, formula)."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows([size, repr(loss), str(formula)] for size, loss, formula in rows)
    return out.getvalue()


def _row(line: int, equation: str, inputs: Mapping[str, str]) -> Row:
    try:
        return Row(line, equation, tidied(_formula(equation, inputs)))
    except FormulaError as error:
        problem = error.message
    except ConfigError as error:
        problem = str(error)
    return Row(line, equation, None, problem)


def _formula(equation: str, inputs: Mapping[str, str]) -> Expression:
    if ";" not in equation and not _PART.fullmatch(equation):
        return _read(equation, inputs)
    parts = {}
    for piece in equation.split(";"):
        if piece.strip():
            found = _PART.fullmatch(piece)
            if found is None:
                raise ConfigError("a part of a template is not written name = formula")
            parts[found[1]] = found[2]
    if set(parts) == {"f"}:
        return _read(_numbered(parts["f"]), inputs)
    if set(parts) != set(_HALVES):
        raise ConfigError(
            f"a template of parts {', '.join(parts)}, which nobody said how to put together; known "
            f"are f, and {' and '.join(_HALVES)}"
        )
    above, below = (_read(_numbered(parts[name]), inputs) for name in _HALVES)
    return call("where>=", symbol("A"), ZERO, above, below)


def _numbered(text: str) -> str:
    """`#1` and so on as the inputs' names."""
    names = list(INPUTS)

    def name(found: re.Match[str]) -> str:
        place = int(found[1])
        if not 1 <= place <= len(names):
            raise ConfigError(f"#{place} is no input; there are {len(names)}")
        return names[place - 1]

    return _ARGUMENT.sub(name, text)


def _read(text: str, inputs: Mapping[str, str]) -> Expression:
    names = ["r", "A", "t", *inputs]
    formula = parse(text, names=names, declare='say what it is: --input "{name} = (r-1)*A"')
    return written_out(formula, inputs)
