"""Reads a certificate's frame: bounded size, known schema, formula, domains."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symbolic.errors import FormulaError
from symbolic.expression import Expression, number, substitute
from symbolic.parser import check_exponents, parse
from verify.checker.algebra import Range

SCHEMA = "mirrordrift/certificate/1"
MAX_DEPTH = 500
MAX_ITEMS = 200_000
MAX_TEXT = 20_000
X = "x"
PROGRESS = "[0, 1]"
"""Where t lives unless the certificate says otherwise."""
_MAX_INTEGER = 1 << 64
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,60}\Z")
_NUMBER = r"[+-]?[0-9]{1,400}(?:/0*[1-9][0-9]{0,399})?"
_INTERVAL = re.compile(rf"([\[(])(-inf|{_NUMBER}), ?(inf|{_NUMBER})([\])])\Z")
_VALUE = re.compile(rf"{_NUMBER}\Z")
VARIABLES = {"drift": ("r", "A"), "mirror-map": ("x",), "psi": ("x",)}
"""Of each kind of formula, beside t."""
_UNIT = Range(Fraction(0), Fraction(1))
_RESERVED = frozenset({
    "r", "A", "x", "inf", "in", "where", "exp", "log", "tanh", "sqrt", "abs", "sign", "relu",
    "softplus", "sigmoid", "logistic", "square", "inv", "clip", "min", "max", "Min", "Max", "Abs",
})  # fmt: skip


class UnreadableCertificate(ValueError):
    """The data is no certificate: wrong structure, unknown schema, or beyond the size limits."""


class Oversized(UnreadableCertificate):
    """The data is beyond the size limits."""


@dataclass(frozen=True)
class Frame:
    """What a certificate speaks of."""

    kind: str
    formula: str
    domains: dict[str, str]
    tree: Expression
    """The formula with one-point symbols replaced by their values."""
    ranges: dict[str, Range]
    """The domains of all symbols, the one-point ones too."""
    conditions: Mapping[str, Any]


def read(data: Mapping[str, Any]) -> Frame:
    """The frame of a formula's certificate. Raises UnreadableCertificate."""
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in VARIABLES:
        raise UnreadableCertificate(f"unknown kind {kind!r:.60}")
    formula, conditions, domains = data.get("formula"), data.get("conditions"), data.get("domains")
    if not isinstance(formula, str) or not isinstance(conditions, dict):
        raise UnreadableCertificate("'formula' is a text and 'conditions' an object")
    if not isinstance(domains, dict):
        raise UnreadableCertificate("'domains' is an object of intervals")
    try:
        tree = parse(formula, names=[*VARIABLES[kind], "t", *domains])
    except FormulaError as error:
        raise UnreadableCertificate(f"the formula cannot be read: {error.message}") from None
    if "t" in tree.symbols:
        domains = {"t": PROGRESS, **domains}
    ranges = {name: _range(name, text, kind) for name, text in domains.items()}
    if kind != "drift":
        ranges[X] = _range_of_x(ranges.get(X, _UNIT), kind)
    bound = {
        name: number(where.lower)
        for name, where in ranges.items()
        if where.lower is not None and where.lower == where.upper
    }
    tree = substitute(tree, bound)
    try:
        check_exponents(tree)
    except FormulaError as error:
        raise UnreadableCertificate(f"the formula cannot be read: {error.message}") from None
    # One line without control characters: a formula's text must not hide a part of it.
    return Frame(kind, " ".join(formula.split()), dict(domains), tree, ranges, conditions)


def _range_of_x(where: Range, kind: str) -> Range:
    """Where x lives: inside (0, inf), for a mirror map from 0 to 1 or beyond."""
    if where.lower is None or where.lower < 0 or (where.lower == 0 and not where.lower_open):
        raise UnreadableCertificate("x is positive")
    if where.lower == where.upper:
        raise UnreadableCertificate("x has one value only")
    if kind == "mirror-map" and (where.lower or (where.upper is not None and where.upper < 1)):
        raise UnreadableCertificate("a mirror map lives on (0, 1) or beyond")
    return where


def _range(name: str, text: object, kind: str) -> Range:
    allowed = kind != "drift" and name == X
    if not _NAME.match(name) or (name in _RESERVED and not allowed):
        raise UnreadableCertificate(f"{name!r:.60} cannot be the name of a parameter")
    if isinstance(text, str):
        if _VALUE.match(text):
            return Range(Fraction(text), Fraction(text), False, False)
        if found := _INTERVAL.match(text):
            left, low, high, right = found.groups()
            lower = None if low == "-inf" else Fraction(low)
            upper = None if high == "inf" else Fraction(high)
            where = Range(lower, upper, left == "(", right == ")")
            infinite = (lower is None and left == "[") or (upper is None and right == "]")
            if not infinite and (lower is None or upper is None or lower < upper):
                return where
    raise UnreadableCertificate(f"the domain of {name} is no interval: {text!r:.60}")


def bound_size(data: object) -> None:
    """Refuse data that is too deep or too large, or holds anything but JSON."""
    stack: list[tuple[object, int]] = [(data, 0)]
    items = 0
    while stack:
        item, depth = stack.pop()
        items += 1
        if depth > MAX_DEPTH:
            raise Oversized(f"nested deeper than {MAX_DEPTH} levels")
        if items > MAX_ITEMS:
            raise Oversized(f"more than {MAX_ITEMS} items")
        if isinstance(item, dict):
            for key, value in item.items():
                if not isinstance(key, str) or len(key) > MAX_TEXT:
                    raise UnreadableCertificate("a key is no text, or too long")
                stack.append((value, depth + 1))
        elif isinstance(item, list):
            if len(item) > MAX_ITEMS:
                raise Oversized(f"more than {MAX_ITEMS} items")
            stack.extend((value, depth + 1) for value in item)
        elif isinstance(item, str):
            if len(item) > MAX_TEXT:
                raise Oversized(f"a text of more than {MAX_TEXT} characters")
        elif isinstance(item, bool) or item is None:
            continue
        elif isinstance(item, int):
            if abs(item) > _MAX_INTEGER:
                raise UnreadableCertificate("an integer of more than 64 bits")
        elif not isinstance(item, float):
            raise UnreadableCertificate(f"{type(item).__name__} is not JSON")
