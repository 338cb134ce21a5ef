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
from symbolic.expression import Expression, Symbol, call, fold, symbol
from symbolic.numeric import evaluate_all
from symbolic.parser import parse

_MOST_NODES = 40
_GUESSES = 10


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
    found = [
        {half: _numbered(part) for half, part in zip(("above", "below"), formula.args[2:])}
        for formula in formulas
        if formula.op == "where>="
    ]
    return found[-_GUESSES:]


def _numbered(formula: Expression) -> str:
    """The formula over `#1`, `#2`, …; what is an input as a whole is one."""
    names = {parse(text): f"#{i}" for i, text in enumerate(INPUTS.values(), 1)}
    placeholders = {node: f"z{i}" for i, node in enumerate(names)}

    def visit(node: Expression, args: tuple[Expression, ...]) -> Expression:
        if node in placeholders:
            return symbol(placeholders[node])
        if isinstance(node, Symbol) or not args:
            return node
        return call(node.op, *args)

    text = str(fold(formula, visit)).replace("**", "^")
    for node, name in placeholders.items():
        text = text.replace(name, names[node])
    return text


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
        binary_operators=["+", "-", "*", "/", "max"],
        unary_operators=["tanh", "log", "exp", "sqrt", "abs", "relu", "square"],
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
