"""Operon's trees mean here what they mean there."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from distilling import TRUTHS, samples_of

from symbolic.distill.engine import Effort
from symbolic.distill.loss import Objective
from symbolic.distill.operon import Operon
from symbolic.distill.operon_trees import read_tree
from symbolic.numeric import evaluate
from symbolic.parser import parse

pytestmark = pytest.mark.skipif(
    find_spec("pyoperon") is None, reason="the extra operon is not installed"
)


def trees(symbols: str, seed: int):
    """(trees of a short search, their values there, variables by hash, data)."""
    import pyoperon as op
    from pyoperon.sklearn import SymbolicRegressor

    table = np.random.default_rng(seed).uniform(0.5, 2.0, (60, 2))
    target = np.sin(3 * table[:, 0]) + table[:, 1] ** 2
    found = SymbolicRegressor(
        allowed_symbols=f"{symbols},constant,variable", objectives=["r2", "length"], population_size=100,
        generations=4, max_length=25, random_state=seed, n_threads=1,
    ).fit(table, target)  # fmt: skip
    names = dict(zip(found.variables_, (parse("r"), parse("A"))))
    data, every = op.Dataset(np.asfortranarray(table)), op.Range(0, len(table))
    for member in found.pareto_front_:
        value = np.ravel(op.Evaluate(op.DispatchTable(), member["tree"], data, every))
        yield member["tree"], value, names, table


@pytest.mark.parametrize(
    "symbols",
    [
        "add,sub,mul,div,square",
        "add,sub,mul,log,exp,sqrt,tanh",
        "add,sub,fmin,fmax,mul",
    ],
)
def test_trees_are_read_as_they_compute(symbols: str) -> None:
    read = 0
    for tree, value, names, table in trees(symbols, seed=len(symbols)):
        formula = read_tree(tree.Nodes, names)
        ours = np.broadcast_to(evaluate(formula, {"r": table[:, 0], "A": table[:, 1]}), value.shape)
        good = np.isfinite(value) & np.isfinite(ours)
        np.testing.assert_allclose(ours[good], value[good], rtol=2e-4, atol=1e-5)
        read += good.any()
    assert read


def test_a_search_is_reproducible_and_finds_what_is_small() -> None:
    samples = samples_of(TRUTHS["spo"], size=200)
    one, two = (next(Operon().search(samples, Effort(generations=8, seed=1))) for _ in "ab")
    assert one == two and one.candidates
    assert min(Objective(samples).errors(c).loss for c in one.candidates) < 0.2


def test_a_search_ends_where_nothing_is_left_to_explain() -> None:
    samples = samples_of("((r - 1)*A)**2", size=200)
    steps = list(Operon().search(samples, Effort(generations=5, seed=0)))
    assert steps[-1].share < 1
    assert min(Objective(samples).errors(c).loss for c in steps[-1].candidates) < 1e-9
