"""Distillation by genetic programming: pyoperon on the part of the samples where the drift acts.

Where f > 0 the drift is its inner expression g, with f = relu(g); that is smoother than f and smaller.
Searches run over all samples and over those with A ≥ 0 and A < 0 alone, each with several sets of
operations: a small formula is found sooner where fewer operations compete.

Samples have no weights there, so they are drawn by theirs; `fmin` and `fmax` are swapped in pyoperon
0.6, so both are always allowed.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from symbolic.cores import usable_cores
from symbolic.distill.engine import Effort, Engine, Found, installed_version
from symbolic.distill.loss import Objective
from symbolic.distill.operon_trees import read_tree
from symbolic.distill.samples import FEWEST, Samples
from symbolic.distill.structure import structure
from symbolic.distill.tidy import tidied
from symbolic.errors import ConfigError
from symbolic.expression import Expression, call, number, symbol
from symbolic.numeric import evaluate, evaluate_all
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
_LOOKED_AT = 60
"""Members of each length that are looked at, the best ones."""
_AS_GOOD = 1.3
"""What a member may leave unexplained, next to the best of its length."""
_NOTHING = 1e-10
"""A share of the variance, or an error, that float32 cannot tell from 0."""
_STRUCTURES = 4
"""Different ones that are kept of each length."""
_PROMISING = 2.0
"""The error of a promising fit, at most, next to the least of a smaller one."""
_KEPT = 6
"""Fits of each half that are paired with the other half's."""


@dataclass(frozen=True)
class _Fit:
    formula: Expression
    error: float


@dataclass(frozen=True)
class _Task:
    """One search: operations, and what they are tried on."""

    part: str
    alphabet: str
    inputs: tuple[Expression, ...]
    table: np.ndarray
    """Their values at the samples drawn, `[drawn, inputs]`."""
    drawn: Samples
    seed: int


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
        tasks = _tasks(samples, effort.seed)
        found: dict[str, list[_Fit]] = {name: [] for name in _INPUTS}
        # A search is one thread, so that it is reproducible; as many run at once as there are cores.
        pool = ThreadPoolExecutor(usable_cores())
        try:
            searched = pool.map(partial(_searched, generations=effort.generations), tasks)
            for done, (task, result) in enumerate(zip(tasks, searched), start=1):
                found[task.part] += _read(task, result)
                yield Found(done / len(tasks), _candidates(found))
                if done < len(tasks) and tasks[done].alphabet != task.alphabet and _exact(found):
                    break  # more operations would only say the same at greater length
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _exact(found: Mapping[str, Sequence[_Fit]]) -> bool:
    """Whether some formula follows all samples to the last digit of a search."""
    whole = (fit for part in ("all", "ratio", "gain") for fit in found[part])
    return any(fit.error < _NOTHING for fit in whole)


def _tasks(samples: Samples, seed: int) -> list[_Task]:
    """Every search over samples of which there are enough."""
    sides = {"above": samples.A >= 0, "below": samples.A < 0}
    progress = () if samples.t is None else ("t",)
    tasks = []
    for turn, (alphabet, parts) in enumerate(_SEARCHES):
        random = np.random.default_rng([seed, turn])
        for part in parts:
            drawn = _drawn(samples, sides.get(part, True) & (samples.f > 0), random)
            if drawn is not None:
                inputs = tuple(parse(text) for text in (*_INPUTS[part], *progress))
                table = np.stack(evaluate_all(inputs, drawn.points), axis=1)
                chosen = int(random.integers(2**31))
                tasks.append(_Task(part, alphabet, inputs, table, drawn, chosen))
    return tasks


def _candidates(found: Mapping[str, Sequence[_Fit]]) -> tuple[Expression, ...]:
    """The best of the searches over all samples, as they are and in a relu, and the halves paired."""
    whole = [fit for part in ("all", "ratio", "gain") for fit in found[part]]
    inner = list({structure(formula): formula for formula in _promising(whole)}.values())
    paired = [
        _by_sign(one, other)
        for one in [ZERO, *_best(found["above"])]
        for other in [ZERO, *_best(found["below"])]
        if not one is other is ZERO
    ]
    outer = [tidied(call("relu", formula)) for formula in inner]
    return tuple(dict.fromkeys([*outer, *inner, *paired]))


def _searched(task: _Task, generations: int) -> Any:
    """One search, in a thread of its own: expressions are made by the main thread alone."""
    from pyoperon.sklearn import SymbolicRegressor

    more = 2 if len(task.inputs) <= _FEW_INPUTS else 1
    return SymbolicRegressor(
        allowed_symbols=f"{task.alphabet},constant,variable",
        objectives=["r2", "length"],
        population_size=more * _POPULATION,
        generations=generations,
        max_evaluations=10**9,
        optimizer_iterations=_OPTIMISED,
        max_length=_LENGTH,
        epsilon=1e-12,
        n_threads=1,
        random_state=task.seed,
    ).fit(task.table, task.drawn.f.copy())  # it refuses what is read-only


def _read(task: _Task, found: Any) -> list[_Fit]:
    """What is as good as the best of its length, as inner expressions in r, A and t.

    A search sees values alone, and where they are noisy several formulas follow them equally well;
    their errors are those of slopes, too.
    """
    names = dict(zip(found.variables_, task.inputs))
    objective = Objective(task.drawn)
    by_length: dict[int, list[tuple[float, Any]]] = {}
    for member in found.individuals_:
        # The fitness is minus the share of the variance that is explained.
        unexplained = 1.0 + member.GetFitness(0)
        by_length.setdefault(member.Genotype.Length, []).append((unexplained, member.Genotype))
    fits = []
    for _, members in sorted(by_length.items()):
        members.sort(key=lambda pair: pair[0])
        enough = _AS_GOOD * max(members[0][0], _NOTHING)
        seen: set[Hashable] = set()
        for unexplained, tree in members[:_LOOKED_AT]:
            if len(seen) == _STRUCTURES or unexplained > enough:
                break
            formula = read_tree(tree.Nodes, names)
            if formula is not None and (key := structure(formula)) not in seen:
                seen.add(key)
                scaled = _scaled(formula, task.drawn)
                fits.append(_Fit(scaled, objective.errors(scaled).loss))
    return fits


def _scaled(formula: Expression, samples: Samples) -> Expression:
    """The formula times a number, plus one, by least squares: a search leaves both open."""
    value = np.broadcast_to(evaluate(formula, samples.points), samples.f.shape)
    if not np.isfinite(value).all():
        return formula
    apart = value - value.mean()
    if apart @ apart <= _NOTHING * (value @ value):
        return formula
    scale = (apart @ samples.f) / (apart @ apart)
    offset = samples.f.mean() - scale * value.mean()
    return tidied(number(Fraction(float(scale))) * formula + number(Fraction(float(offset))))


def _drawn(samples: Samples, chosen: np.ndarray, random: np.random.Generator) -> Samples | None:
    """Samples drawn by their weights, so that all weigh the same; None for too few."""
    weight = np.where(chosen, samples.weight, 0.0)
    if int((weight > 0).sum()) < FEWEST:
        return None
    places = random.choice(len(samples), _DRAWN, p=weight / weight.sum())
    if np.ptp(samples.f[places]) == 0:
        return None
    return samples.where(places)


def _promising(fits: Sequence[_Fit]) -> list[Expression]:
    """Those that are not much worse than a smaller one, smallest last.

    How they compare is known only once their constants are fitted to values and slopes.
    """
    found, least = list[Expression](), math.inf
    for fit in sorted(fits, key=_by_size):
        if fit.error <= _PROMISING * least:
            found.append(fit.formula)
        least = min(least, fit.error)
    return found[::-1]


def _best(fits: Sequence[_Fit]) -> list[Expression]:
    """Those that no smaller one beats, the largest few of them."""
    front: list[_Fit] = []
    for fit in sorted(fits, key=_by_size):
        if not front or fit.error < 0.98 * front[-1].error:
            front.append(fit)
    return [fit.formula for fit in front[-_KEPT:]]


def _by_size(fit: _Fit) -> tuple[int, float]:
    return fit.formula.nodes, fit.error


def _by_sign(above: Expression, below: Expression) -> Expression:
    halves = (call("relu", part) for part in (above, below))
    return tidied(call("where>=", symbol("A"), ZERO, *halves))
