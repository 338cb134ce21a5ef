"""The simplest number lies where it must, and is the one that a person would write."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbolic.distill.simplest import simplest

NUMBERS = st.floats(-1e9, 1e9).filter(lambda x: x == 0 or abs(x) > 1e-9)


@given(NUMBERS, st.floats(1e-12, 1.0))
def test_it_lies_in_the_interval(middle: float, reach: float) -> None:
    low, high = middle - reach * abs(middle), middle + reach * abs(middle)
    assert Fraction(low) <= simplest(low, high) <= Fraction(high)


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0.58, 0.62, "3/5"),
        (0.3333, 0.33334, "1/3"),
        (1.96, 2.07, "2"),
        (-0.201, -0.198, "-1/5"),
        (-0.1, 0.1, "0"),
        (0.66661, 0.6667, "2/3"),
        (1234.4, 1236.1, "1235"),
        (1e-7, 1.2e-7, "1/10000000"),
    ],
)
def test_people_would_write_it_so(low: float, high: float, found: str) -> None:
    assert simplest(low, high) == Fraction(found)


def test_the_ends_may_be_given_in_either_order() -> None:
    assert simplest(0.62, 0.58) == Fraction(3, 5)
