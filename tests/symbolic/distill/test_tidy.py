"""Tidying keeps the value wherever the formula is defined, and never makes it longer."""

from __future__ import annotations

import random

import numpy as np
import pytest
from generators import random_expression
from hypothesis import given
from hypothesis import strategies as st

from symbolic.distill.tidy import tidied
from symbolic.numeric import evaluate
from symbolic.parser import parse

POINTS = {"r": np.array([0.3, 0.9, 1.0, 1.7, 4.0]), "A": np.array([-2.0, 0.0, 0.5, 1.0, 3.0])}


@given(st.integers(0, 2**32), st.integers(1, 25))
def test_the_value_stays(seed: int, nodes: int) -> None:
    tree = random_expression(random.Random(seed), nodes)
    made = tidied(tree)
    before, after = (np.broadcast_to(evaluate(t, POINTS), 5) for t in (tree, made))
    defined = np.isfinite(before)
    np.testing.assert_allclose(after[defined], before[defined], rtol=1e-9, atol=1e-12)
    assert tidied(made) is made


@pytest.mark.parametrize(
    ("text", "tidy"),
    [
        ("1*(r + 0)", "r"),
        ("r + -A", "r - A"),
        ("r - -A", "r + A"),
        ("0*log(A) + r", "r"),
        ("(-abs(r*A))**2", "(r*A)**2"),
        ("r*(-A)", "-(r*A)"),
        ("-(r - A)", "A - r"),
        ("where(A > 0, r, r)", "r"),
        ("log(1) + exp(0)*r", "r"),
        ("2*3*r", "6*r"),
    ],
)
def test_what_adds_nothing_goes(text: str, tidy: str) -> None:
    assert str(tidied(parse(text))) == tidy
