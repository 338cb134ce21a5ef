"""The tree: one object per formula, exact numbers, no truth value."""

from __future__ import annotations

import copy
import gc
import time
from fractions import Fraction

import pytest

from symbolic.expression import (
    as_expression,
    call,
    constant_value,
    fold,
    integer_exponent,
    number,
    postorder,
    substitute,
    symbol,
    terms,
)
from symbolic.parser import parse

r, A = symbol("r"), symbol("A")


def test_equal_formulas_are_one_object():
    assert parse("(r - 1)*A") is (r - 1) * A
    assert hash(parse("r+A")) == hash(r + A)
    assert parse("r+A") != parse("A+r")  # as it was written
    assert copy.deepcopy(r * A) is r * A


def test_identity_survives_collection():
    kept = parse("r**2 + tanh(A)")
    parse("sqrt(r)*softplus(A)")
    gc.collect()
    assert parse("r**2 + tanh(A)") is kept


def test_operators_build_the_tree_as_written():
    assert str(1 - r) == "1 - r"
    assert str(2 / r + A * Fraction(3, 5)) == "2/r + A*0.6"
    assert str(-(r**2)) == "-r**2"
    assert str(1 + r - A / 3 * 2) == "1 + r - A/3*2"


@pytest.mark.parametrize("den", [1, 2, 5, 8, 3125, 10**300, 3, 7, 5**40 + 2, 2 * 5**40 - 5])
def test_only_finite_decimals_are_literals(den):
    rest = den
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    assert (number(Fraction(1, den)).op in ("number", "neg")) is (rest == 1)


def test_long_numbers_are_made_at_once():
    start = time.process_time()
    assert number(Fraction(1, 10**90_000)).op == "number"
    assert number(Fraction(1, 3 * 10**90_000)).op == "div"
    assert time.process_time() - start < 1


def test_floats_and_booleans_are_refused():
    with pytest.raises(TypeError, match=r"0\.1 is not exact"):
        as_expression(0.1)
    with pytest.raises(TypeError, match="True"):
        r + True


def test_no_truth_value():
    with pytest.raises(TypeError, match="no truth value"):
        bool(r - 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(3, 5), "0.6"), (Fraction(-1, 3), "-(1/3)"), (Fraction(-2), "-2"),
        (Fraction(7, 30), "7/30"), (Fraction(0), "0"),
    ],
)  # fmt: skip
def test_numbers(value, text):
    tree = number(value)
    assert constant_value(tree) == value
    assert str(tree) == text
    assert parse(text) is tree


def test_node_count_and_symbols():
    tree = parse("where(A >= 0, relu(r - 1), 2)")
    assert tree.nodes == 8  # where, A, 0, relu, sub, r, 1, 2
    assert tree.symbols == {"A", "r"}
    assert parse("0.6").nodes == 1


def test_postorder_visits_shared_nodes_once():
    x = r - 1
    seen = list(postorder(x * x + x))
    assert len(seen) == 5
    assert seen[-1] is x * x + x
    assert all(seen.index(arg) < seen.index(node) for node in seen for arg in node.args)


def test_fold_of_a_deep_tree():
    tree = r
    for _ in range(20_000):
        tree = tree + 1
    assert fold(tree, lambda node, args: 1 + max(args, default=0)) == 20_001


def test_substitute_is_simultaneous():
    assert substitute(parse("r - A"), {"r": A, "A": r}) is A - r
    assert substitute(parse("r - A"), {}) is r - A


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2**10", 1024), ("-(1/3) + 0.5", Fraction(1, 6)), ("(2/3)**-2", Fraction(9, 4)),
        ("1/0", None), ("0**-1", None), ("2**0.5", None), ("exp(0)", None), ("r - r", None),
        ("0**0", 1), ("1e300**300", None),
    ],
)  # fmt: skip
def test_constant_value(text, value):
    assert constant_value(parse(text)) == value


def test_integer_exponent():
    assert integer_exponent(parse("r**(4/2)")) == 2
    assert integer_exponent(parse("r**-3")) == -3
    assert integer_exponent(parse("r**0.5")) is None
    assert integer_exponent(parse("r**A")) is None


def test_call_shares_arguments():
    assert call("max", r, A).args == (r, A)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("r", ["r"]),
        ("r - (log(r) - 2*r) + -3", ["r", "log(r)", "2*r", "3"]),
        ("2*(r + 1)", ["r", "1"]),
        ("-1/3*(2*(r + A)/5 - 4*log(r))", ["r", "A", "4*log(r)"]),
        ("2*log(r)", ["2*log(r)"]),
        ("r*(r + 1)", ["r*(r + 1)"]),
        ("0*(r + 1) + A", ["0*(r + 1)", "A"]),
        ("(r + 1)/(1 - 1)", ["(r + 1)/(1 - 1)"]),
    ],
)
def test_terms(text, parts):
    assert [str(term) for term in terms(parse(text))] == parts
