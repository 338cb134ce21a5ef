"""Checks of values that configurations share."""

from __future__ import annotations


def is_number(value: object) -> bool:
    """Whether a value is a number of Python's, and no truth value."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
