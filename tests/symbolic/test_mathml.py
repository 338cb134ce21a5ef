"""MathML of every formula that is known is well formed and says what the formula says."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from symbolic.catalogue import catalogue
from symbolic.mathml import to_mathml
from symbolic.operations import OPERATIONS
from symbolic.parser import parse


@pytest.mark.parametrize("name", list(catalogue))
def test_known_formulas_are_well_formed(name: str) -> None:
    root = ElementTree.fromstring(to_mathml(catalogue[name].formula))
    assert root.tag == "math" and "".join(root.itertext()).strip()


def test_every_operation_is_written() -> None:
    text = (
        "where(A < 0, exp(r) + inv(r) - sqrt(r)*tanh(r)/sign(A), max(relu(r), softplus(r)) - sigmoid(r)"
        " + square(r)**3 - abs(log(r)) + clip(r, 0.8, min(1.2, A)))"
    )
    formula = parse(text)
    used = {
        n.op for n in __import__("symbolic.expression", fromlist=["postorder"]).postorder(formula)
    }
    assert {op for op in OPERATIONS if not op.startswith("where")} - used <= {"neg"}
    assert ElementTree.fromstring(to_mathml(formula)) is not None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("(r - 1)**2", "(r−1)2"),
        ("r - (A - 1)", "r−(A−1)"),
        ("abs(A)/2", "|A|2"),
        ("(r/A)**2", "(rA)2"),
    ],
)
def test_brackets_stand_where_they_must(text: str, shown: str) -> None:
    root = ElementTree.fromstring(to_mathml(parse(text)))
    assert "".join(root.itertext()).replace("\u2062", "").replace("\u2061", "") == shown
