"""The simplest number in an interval: what a fitted constant most likely is."""

from __future__ import annotations

from fractions import Fraction
from math import floor, log10

from symbolic.expression import number

_MOST_DIGITS = 17


def simplest(low: float, high: float) -> Fraction:
    """The rational between `low` and `high`, ends included, that is shortest to write.

    Decimals of few digits win over fractions such as 1/3, unless these are no longer, each node of
    a formula counted as one digit more: 0.6 is one node, 1/3 three.
    """
    bottom, top = Fraction(low), Fraction(high)
    if bottom > top:
        bottom, top = top, bottom
    if bottom <= 0 <= top:
        return Fraction(0)
    if top < 0:
        return -simplest(-high, -low)
    decimal, fraction = _shortest_decimal(bottom, top), _least_fraction(bottom, top)
    return fraction if _length(fraction) <= _length(decimal) else decimal


def _shortest_decimal(low: Fraction, high: Fraction) -> Fraction:
    """The decimal of fewest digits in [low, high], 0 < low; of several the one nearest the middle."""
    middle = (low + high) / 2
    exponent = floor(log10(high)) if high < Fraction(10) ** 300 else 300
    for digits in range(1, _MOST_DIGITS + 1):
        unit = Fraction(10) ** (exponent - digits + 1)
        found = round(middle / unit) * unit
        if low <= found <= high:
            return found
    return middle


def _least_fraction(low: Fraction, high: Fraction) -> Fraction:
    """The rational of least denominator in [low, high], by continued fractions."""
    whole = Fraction(floor(low))
    if whole == low or whole + 1 <= high:
        return whole if whole == low else whole + 1
    return whole + 1 / _least_fraction(1 / (high - whole), 1 / (low - whole))


def _length(value: Fraction) -> int:
    """How much there is to read: characters and nodes."""
    written = number(value)
    return len(str(written)) + written.nodes
