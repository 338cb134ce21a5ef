"""Distillation by genetic programming: pyoperon on the part of the samples where the drift acts.

Where f > 0 the drift is its inner expression g, with f = relu(g); that is smoother than f and smaller.
Searches run over all samples and over those with A ≥ 0 and A < 0 alone, each with several sets of
operations: a small formula is found sooner where fewer operations compete.

Of pyoperon 0.6: samples have no weights there, so they are drawn by theirs; `fmin` and `fmax` are
swapped, so both are always allowed, and what is read from a tree goes by what it computes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from symbolic.distill.engine import Effort, Engine, Found, installed_version
from symbolic.distill.samples import FEWEST, Samples
from symbolic.distill.tidy import tidied
from symbolic.errors import ConfigError
from symbolic.expression import Expression, call, number, symbol
from symbolic.numeric import evaluate_all
from symbolic.operations import ZERO
from symbolic.parser import parse

_INPUTS = {
    "all": ("abs((r - 1)*A)", "abs(log(r)*A)", "(r - 1)*A", "r - 1", "log(r)", "abs(A)"),
    "ratio": ("r", "sqrt(r)", "log(r)"),
    "gain": ("abs((r - 1)*A)", "(r - 1)*A"),
    "above": ("(r - 1)*A", "log(r)*A", "r - 1", "log(r)", "A"),
    "below": ("(r - 1)*A", "log(r)*A", "r - 1", "log(r)", "A"),
}
"""What a search may build on: anything; the ratio alone, as divergences do; the gain alone; and
anything on one side of A.
"""
_SEARCHES = (
    ("add,sub,mul,div", ("all", "ratio", "gain")),
    ("add,sub,mul,log", ("ratio", "gain", "above", "below")),
    ("add,sub,mul,exp", ("ratio", "gain")),
    ("add,sub,mul,div,square,sqrt,tanh,fmin,fmax", ("all", "above", "below")),
)
"""Operations, and the inputs that they are tried with."""
_DRAWN = 400
_POPULATION, _OPTIMISED = 500, 5
"""Formulas of a search, and iterations by which each has its constants fitted."""
_FEW_INPUTS = 3
"""Searches of so few inputs are cheap: they get twice of both."""
_LENGTH = 20
_KEPT = 6
"""Fits of each half that are paired with the other half's."""


@dataclass(frozen=True)
class _Fit:
    formula: Expression
    error: float


class Operon(Engine):
    """pyoperon, by the extra `operon`; a generation is one of each of its searches."""

    name = "operon"
    default_generations = 40

    def missing(self) -> str:
        try:
            import pyoperon.sklearn  # noqa: F401
        except ImportError as error:
            return f"pyoperon cannot be imported ({error}); pip install 'mirrordrift[operon]'"
        return ""

    def version(self) -> str:
        return installed_version("pyoperon")

    def search(self, samples: Samples, effort: Effort) -> Iterator[Found]:
        if reason := self.missing():
            raise ConfigError(f"engine=operon: {reason}")
        progress = () if samples.t is None else ("t",)
        sides = {"above": samples.A >= 0, "below": samples.A < 0}
        every = np.ones(len(samples), bool)
        found: dict[str, list[_Fit]] = {name: [] for name in _INPUTS}
        for turn, (alphabet, parts) in enumerate(_SEARCHES):
            random = np.random.default_rng([effort.seed, turn])
            for part in parts:
                chosen, inputs = sides.get(part, every), (*_INPUTS[part], *progress)
                found[part] += _searched(
                    samples, chosen, inputs, alphabet, effort.generations, random
                )
            yield Found((turn + 1) / len(_SEARCHES), _candidates(found))


def _candidates(found: Mapping[str, Sequence[_Fit]]) -> tuple[Expression, ...]:
    """The best of the searches over all samples, as they are and in a relu, and the halves paired."""
    inner = [formula for part in ("all", "ratio", "gain") for formula in _best(found[part])]
    paired = [
        _by_sign(one, other)
        for one in [ZERO, *_best(found["above"])]
        for other in [ZERO, *_best(found["below"])]
        if not one is other is ZERO
    ]
    outer = [tidied(call("relu", formula)) for formula in inner]
    return tuple(dict.fromkeys([*outer, *inner, *paired]))


def _searched(
    samples: Samples,
    chosen: np.ndarray,
    inputs: Sequence[str],
    alphabet: str,
    generations: int,
    random: np.random.Generator,
) -> list[_Fit]:
    """The Pareto front of one search, as inner expressions in r, A and t."""
    from pyoperon.sklearn import SymbolicRegressor

    drawn = _drawn(samples, chosen & (samples.f > 0), random)
    if drawn is None:
        return []
    roots = [parse(text) for text in inputs]
    more = 2 if len(inputs) <= _FEW_INPUTS else 1
    table = np.stack(evaluate_all(roots, drawn.points), axis=1)
    found = SymbolicRegressor(
        allowed_symbols=f"{alphabet},constant,variable",
        objectives=["r2", "length"],
        population_size=more * _POPULATION,
        generations=generations,
        max_evaluations=10**9,
        optimizer_iterations=more * _OPTIMISED,
        max_length=_LENGTH,
        epsilon=1e-12,
        n_threads=1,
        random_state=int(random.integers(2**31)),
    ).fit(table, drawn.f.copy())  # it refuses what is read-only
    names = dict(zip(found.variables_, roots))
    return [
        _Fit(formula, float(member["mean_squared_error"]))
        for member in found.pareto_front_
        if (formula := read_tree(member["tree"].Nodes, names)) is not None
    ]


def _drawn(samples: Samples, chosen: np.ndarray, random: np.random.Generator) -> Samples | None:
    """Samples drawn by their weights, so that all weigh the same; None for too few."""
    weight = np.where(chosen, samples.weight, 0.0)
    if int((weight > 0).sum()) < FEWEST:
        return None
    places = random.choice(len(samples), _DRAWN, p=weight / weight.sum())
    if np.ptp(samples.f[places]) == 0:
        return None
    return samples.where(places)


def read_tree(nodes: Sequence[Any], variables: dict[int, Expression]) -> Expression | None:
    """The formula of a tree in postfix order; None for a constant that is no number."""
    stack: list[Expression] = []
    for node in nodes:
        if node.IsConstant or node.IsVariable:
            if not np.isfinite(node.Value):
                return None
            value = number(Fraction(repr(float(node.Value))))
            stack.append(value if node.IsConstant else value * variables[node.HashValue])
            continue
        args = [stack.pop() for _ in range(node.Arity)]
        stack.append(_CALLS[_kind(node)](args))
    return tidied(stack[0])


def _kind(node: Any) -> str:
    """What a node computes, by name."""
    kind = str(node.Type).rpartition(".")[2]
    return {"Fmin": _lesser_of_two(), "Fmax": _OTHER[_lesser_of_two()]}.get(kind, kind)


_OTHER = {"Fmin": "Fmax", "Fmax": "Fmin"}


@cache
def _lesser_of_two() -> str:
    """What the node called Fmin computes in this version: Fmin, or Fmax where they are swapped."""
    import pyoperon as op

    data = op.Dataset(np.asfortranarray([[1.0, 2.0], [1.0, 2.0]]))
    one, two = (op.Node.Constant(value) for value in (1.0, 2.0))
    least = op.Node(op.NodeType.Fmin)
    tree = op.Tree([one, two, least]).UpdateNodes()
    value = op.Evaluate(op.DispatchTable(), tree, data, op.Range(0, 2))
    return "Fmin" if float(np.ravel(value)[0]) == 1.0 else "Fmax"


def _folded(op: str) -> Any:
    def made(args: list[Expression]) -> Expression:
        total = args[0]
        for other in args[1:]:
            total = call(op, total, other)
        return total

    return made


_CALLS = {
    "Add": _folded("add"),
    "Sub": _folded("sub"),
    "Mul": _folded("mul"),
    "Div": _folded("div"),
    "Fmin": lambda args: call("min", *args),
    "Fmax": lambda args: call("max", *args),
    "Square": lambda args: args[0] ** 2,
    "Log": lambda args: call("log", args[0]),
    "Exp": lambda args: call("exp", args[0]),
    "Sqrt": lambda args: call("sqrt", args[0]),
    "Tanh": lambda args: call("tanh", args[0]),
}


def _best(fits: Sequence[_Fit]) -> list[Expression]:
    """Those that no smaller one beats, the largest few of them."""
    front: list[_Fit] = []
    for fit in sorted(fits, key=lambda fit: (fit.formula.nodes, fit.error)):
        if not front or fit.error < 0.98 * front[-1].error:
            front.append(fit)
    return [fit.formula for fit in front[-_KEPT:]]


def _by_sign(above: Expression, below: Expression) -> Expression:
    halves = (call("relu", part) for part in (above, below))
    return tidied(call("where>=", symbol("A"), ZERO, *halves))
