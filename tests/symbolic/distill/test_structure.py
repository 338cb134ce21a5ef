"""Structures forget numbers, signs and order, and nothing else."""

from __future__ import annotations

import pytest

from symbolic.distill.structure import structure
from symbolic.parser import parse


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("2*r + A", "A - 0.5*r", True),
        ("r*A*3", "-(A*(2*r))", True),
        ("r*r", "r", False),
        ("r + r", "r*r", False),
        ("log(2*r + 1)", "3*log(r - 5)", True),
        ("log(2*r + 1)", "log(2*r)", False),
        ("r/A", "A/r", False),
        ("7", "0.5 + 1", True),
    ],
)
def test_structures_are_formulas_without_their_numbers(one: str, other: str, alike: bool) -> None:
    assert (structure(parse(one)) == structure(parse(other))) is alike
