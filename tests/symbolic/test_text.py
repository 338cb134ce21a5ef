"""Laws of every tree: its text reads back as itself, and all that reads it copes with it."""

from __future__ import annotations

import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbolic.derivative import derivative
from symbolic.expression import Expression, call, number, symbol
from symbolic.latex import to_latex
from symbolic.numeric import evaluate
from symbolic.operations import OPERATIONS
from symbolic.parser import parse
from symbolic.text import decimal, to_text

NAMES = ("r", "A", "t", "alpha")


def literals() -> st.SearchStrategy[Expression]:
    """Numbers as a person may write them, and rationals that no decimal writes."""
    return st.one_of(
        st.integers(-20, 20).map(number),
        st.fractions(-3, 3, max_denominator=50).map(number),
        st.tuples(st.integers(1, 10**9), st.integers(-40, 40)).map(
            lambda pair: number(pair[0] * Fraction(10) ** pair[1])
        ),
    )


def calls(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    def of(name: str) -> st.SearchStrategy[Expression]:
        least, most = OPERATIONS[name].arity
        return st.lists(inner, min_size=least, max_size=least + 2 if most is None else most).map(
            lambda args: call(name, *args)
        )

    # The parser bounds constant exponents, so powers are drawn apart.
    powers = st.tuples(inner, st.one_of(st.integers(-9, 9).map(number), st.just(symbol("alpha"))))
    others = [of(name) for name in sorted(OPERATIONS) if name != "pow"]
    return st.one_of(powers.map(lambda pair: call("pow", *pair)), *others)


TREES = st.recursive(
    st.one_of(st.sampled_from(NAMES).map(symbol), literals()), calls, max_leaves=12
)


@given(TREES)
def test_printed_formula_is_the_same_tree(tree):
    assert parse(to_text(tree), names=NAMES) is tree


@given(TREES)
def test_latex_is_balanced(tree):
    latex = to_latex(tree)
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\left") == latex.count(r"\right")
    depth = 0
    for character in latex:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0


@given(TREES, st.sampled_from([1, -1]))
def test_every_tree_has_values_and_slopes(tree, side):
    values = {"r": np.array([0.5, 1.0, 2.0]), "A": -1.0, "t": 0.5, "alpha": 0.75}
    assert np.shape(evaluate(tree, values)) in ((), (3,))
    slope = derivative(tree, "r", side)
    assert slope.symbols <= tree.symbols
    assert np.shape(evaluate(slope, values)) in ((), (3,))


@given(TREES)
def test_pickling_keeps_identity(tree):
    assert pickle.loads(pickle.dumps(tree)) is tree


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("-r**2", "-r**2"),
        ("(-r)**2", "(-r)**2"),
        ("2**-r", "2**-r"),
        ("r**A**t", "r**A**t"),
        ("(r**A)**t", "(r**A)**t"),
        ("r-(A-t)", "r - (A - t)"),
        ("(r-A)-t", "r - A - t"),
        ("r/(A*t)", "r/(A*t)"),
        ("r/A*t", "r/A*t"),
        ("--r", "--r"),
        ("-(r+A)", "-(r + A)"),
        ("-(r*A)", "-(r*A)"),
        ("-r*A", "-r*A"),
        ("Max(r, 1, A)", "max(r, 1, A)"),
        ("where(A>=0,r,A)", "where(A >= 0, r, A)"),
        ("0.60", "0.6"),
        ("1e-6", "1e-6"),
        ("1000000000000", "1e12"),
        ("((r))", "r"),
    ],
)
def test_text_of(text, printed):
    assert to_text(parse(text)) == printed


@given(st.integers(0, 10**30), st.integers(-60, 60))
def test_decimal_is_exact(mantissa, exponent):
    value = mantissa * Fraction(10) ** exponent
    assert Fraction(decimal(value)) == value


def test_five_thousand_terms():
    text = " + ".join(["r"] * 5000)
    tree = parse(text)
    assert tree.nodes == 9999
    assert to_text(tree) == text
    assert evaluate(tree, {"r": 2.0}) == 10_000
