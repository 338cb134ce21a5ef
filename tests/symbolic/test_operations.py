"""The table: every entry complete, and each function of an entry the same function."""

from __future__ import annotations

import inspect
import math

import flint
import numpy as np
import pytest
import sympy

from symbolic.expression import call, number, symbol
from symbolic.numeric import evaluate
from symbolic.operations import FUNCTIONS, OPERATIONS, RELATIONS, SYNONYMS

NAMES = sorted(OPERATIONS)
POINTS = [-2.0, -1.0, -0.25, 0.0, 0.5, 1.0, 3.0]


def arguments(name: str) -> list[tuple[float, ...]]:
    """Points at which the operation is defined, kinks and ties among them."""
    least, _ = OPERATIONS[name].arity
    grid = np.stack(np.meshgrid(*[POINTS] * least), -1).reshape(-1, least)
    if name == "log":
        grid = grid[grid[:, 0] > 0]
    elif name == "sqrt":
        grid = grid[grid[:, 0] >= 0]
    elif name == "inv":
        grid = grid[grid[:, 0] != 0]
    elif name == "div":
        grid = grid[grid[:, 1] != 0]
    elif name == "pow":
        grid = grid[grid[:, 0] > 0]
    return [tuple(row) for row in grid[:: max(1, len(grid) // 60)].tolist()]


def test_names():
    assert all(OPERATIONS[name].name == name for name in NAMES)
    assert {name for name in NAMES if name.startswith("where")} == {"where" + r for r in RELATIONS}
    assert set(SYNONYMS.values()) <= FUNCTIONS
    assert not set(SYNONYMS) & set(OPERATIONS)
    written = {name for name in NAMES if OPERATIONS[name].infix or name.startswith("where")}
    assert set(NAMES) - written == FUNCTIONS


@pytest.mark.parametrize("name", NAMES)
def test_entry_is_complete(name):
    entry = OPERATIONS[name]
    least, most = entry.arity
    assert 1 <= least <= (most or least)
    assert entry.domain
    assert entry.precedence in (10, 20, 30, 40, 100)
    assert (entry.infix is None) == (entry.precedence == 100)
    assert all(
        callable(f) for f in (entry.numpy, entry.ball, entry.derivative, entry.latex, entry.sympy)
    )
    assert len(inspect.signature(entry.derivative).parameters) == 3
    latex = entry.latex(*"abcd"[:least])
    assert all(letter in latex for letter in "abcd"[:least])


@pytest.mark.parametrize("name", NAMES)
def test_balls_hold_the_float_value(name):
    for args in arguments(name):
        value = float(OPERATIONS[name].numpy(*map(np.float64, args)))
        ball = OPERATIONS[name].ball(*map(flint.arb, args))
        assert abs(ball - flint.arb(value)) < 1e-14 * (1 + abs(value)), (name, args)


@pytest.mark.parametrize("name", NAMES)
def test_wide_balls_hold_their_points(name):
    for args in arguments(name)[::5]:
        wide = [flint.arb(x, 0.125) for x in args]
        ball = OPERATIONS[name].ball(*wide)
        value = float(OPERATIONS[name].numpy(*map(np.float64, args)))
        inside = flint.arb(value)
        assert not ball.is_finite() or ball.overlaps(inside) or abs(ball - inside) < 1e-14


@pytest.mark.parametrize("name", NAMES)
def test_sympy_means_the_same(name):
    for args in arguments(name):
        exact = [sympy.Rational(x) for x in args]
        value = OPERATIONS[name].sympy(sympy, *exact)
        expected = float(OPERATIONS[name].numpy(*map(np.float64, args)))
        assert math.isclose(float(value), expected, rel_tol=1e-12, abs_tol=1e-15), (name, args)


@pytest.mark.parametrize("name", ["max", "min"])
def test_any_number_of_arguments(name):
    args = [number(3), symbol("r"), number(1), number(2)]
    for count in (2, 3, 4):
        chosen = getattr(np, name)([3, 0.5, 1, 2][:count])
        assert evaluate(call(name, *args[:count]), {"r": 0.5}) == chosen


def test_undecided_where_keeps_both_branches():
    touching = OPERATIONS["where<"].ball(flint.arb(0, 1), flint.arb(0), flint.arb(2), flint.arb(5))
    assert touching.contains(flint.arb(2))
    assert touching.contains(flint.arb(5))
    equal = OPERATIONS["where<="].ball(flint.arb(1), flint.arb(1), flint.arb(2), flint.arb(5))
    assert equal == 2


def test_sign_of_an_undecided_ball():
    assert OPERATIONS["sign"].ball(flint.arb(0)) == 0
    assert OPERATIONS["sign"].ball(flint.arb(0, 1)).contains(flint.arb(-1))
