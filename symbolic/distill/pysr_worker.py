"""The process in which PySR runs: reads a folder's samples, leaves hall_of_fame.csv in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from symbolic.distill.engine import Effort
from symbolic.distill.inputs import INPUTS
from symbolic.distill.loss import Objective
from symbolic.distill.pysr import RUN, template
from symbolic.distill.samples import Floats, Samples, load_samples
from symbolic.distill.templates import Templates
from symbolic.expression import (
    Expression,
    Symbol,
    call,
    fold,
    integer_exponent,
    postorder,
    symbol,
)
from symbolic.numeric import evaluate_all
from symbolic.parser import parse

_MOST_NODES = 40
_GUESSES = 10
_BINARY = {"add": "+", "sub": "-", "mul": "*", "div": "/", "max": "max"}
_UNARY = ("tanh", "log", "exp", "sqrt", "abs", "relu", "square")
_OPERATIONS = {*_BINARY, *_UNARY, "neg"}


def table(samples: Samples) -> tuple[Floats, list[str]]:
    """(columns, names): inputs, their slopes in r, the sign of A, targets and weights, a row a sample."""
    objective = Objective(samples)
    count = len(samples)
    r, A = samples.r, samples.A
    inputs = evaluate_all([parse(text) for text in INPUTS.values()], samples.points)
    slopes = {"du": A, "dv": A / r, "dd": np.ones(count), "dl": 1 / r}
    columns = {
        **dict(zip(INPUTS, inputs)),
        **slopes,
        "p": (A >= 0).astype(float),
        "f": samples.f,
        "dfdr": samples.dfdr,
        "wf": count * objective.value_weight**2,
        "ws": count * objective.slope_weight**2,
    }
    return np.stack(list(columns.values()), axis=1), list(columns)


def guesses(formulas: Sequence[Expression]) -> list[dict[str, str]]:
    """Formulas that go by the sign of A, as PySR takes them to begin with."""
    found = []
    for formula in formulas:
        if formula.op == "where>=":
            halves = [_numbered(part) for part in formula.args[2:]]
            if None not in halves:
                found.append({half: str(text) for half, text in zip(("above", "below"), halves)})
    return found[-_GUESSES:]


def _numbered(formula: Expression) -> str | None:
    """The formula over `#1`, `#2`, …, in the operations of the search; None where it has others."""
    names = {parse(text): f"#{i}" for i, text in enumerate(INPUTS.values(), 1)}
    placeholders = {node: f"z{i}" for i, node in enumerate(names)}

    def visit(node: Expression, args: tuple[Expression, ...]) -> Expression:
        if node in placeholders:
            return symbol(placeholders[node])
        if isinstance(node, Symbol) or not args:
            return node
        return call("square", args[0]) if _is_square(node) else call(node.op, *args)

    made = fold(formula, visit)
    others = {node.op for node in postorder(made) if node.args} - _OPERATIONS
    if others or not made.symbols <= set(placeholders.values()):
        return None
    text = str(made)
    for node, name in placeholders.items():
        text = text.replace(name, names[node])
    return text


def _is_square(node: Expression) -> bool:
    return node.op == "pow" and integer_exponent(node) == 2


def main(folder: Path) -> None:
    """Search, and leave the front in the folder."""
    from pysr import PySRRegressor, TemplateExpressionSpec

    samples = load_samples(folder / "samples.npz")
    asked: dict[str, Any] = json.loads((folder / "effort.json").read_text())
    columns, names = table(samples)
    *_, begun = Templates().search(samples, Effort(generations=2, seed=asked["seed"]))
    model = PySRRegressor(
        expression_spec=TemplateExpressionSpec(
            expressions=["above", "below"], variable_names=names, combine=template()
        ),
        elementwise_loss="loss(prediction, target) = prediction",
        binary_operators=list(_BINARY.values()),
        unary_operators=list(_UNARY),
        nested_constraints={
            outer: dict.fromkeys(("tanh", "log", "exp", "relu"), 0)
            for outer in ("tanh", "log", "exp")
        },
        guesses=guesses(begun.candidates),
        maxsize=_MOST_NODES,
        niterations=asked["generations"],
        precision=64,
        deterministic=True,
        parallelism="serial",
        random_state=asked["seed"],
        input_stream="devnull",
        output_directory=str(folder),
        run_id=RUN,
        progress=False,
        verbosity=0,
    )
    model.fit(columns, np.zeros(len(samples)), variable_names=names)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
