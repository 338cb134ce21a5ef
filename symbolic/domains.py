"""Where a parameter or a variable lives: an interval with rational or infinite ends, or one value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symbolic.errors import FormulaError
from symbolic.tokens import MAX_DIGITS, MAX_EXPONENT

_RATIONAL = r"[+-]?\s*(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?(?:\s*/\s*\d+)?"
_END = rf"(?:[+-]?\s*(?:inf|oo|infinity)|{_RATIONAL})"
_IN = re.compile(
    rf"\s*([A-Za-z]\w*)\s+in\s*([\[(])\s*({_END})\s*,\s*({_END})\s*([\])])\s*", re.ASCII
)
_BOUND = re.compile(rf"\s*([A-Za-z]\w*)\s*=\s*({_RATIONAL})\s*", re.ASCII)
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
_MAX_TEXT = 500


@dataclass(frozen=True)
class Interval:
    """A set of reals: `lower` to `upper` (None: unbounded), each end open or closed."""

    lower: Fraction | None = None
    upper: Fraction | None = None
    lower_open: bool = True
    upper_open: bool = True

    def __post_init__(self) -> None:
        for end in (self.lower, self.upper):
            if end is not None and not isinstance(end, (int, Fraction)):
                raise FormulaError(
                    f"the end {end!r:.40} of an interval is {type(end).__name__}",
                    remedy='give a Fraction, for example Fraction("0.6"), or None for no end',
                    source="parameter",
                )
        if (self.lower is None and not self.lower_open) or (
            self.upper is None and not self.upper_open
        ):
            raise FormulaError(
                "an infinite end cannot be closed",
                remedy="write (0, inf), not [0, inf]",
                source="parameter",
            )
        if self.lower is not None and self.upper is not None:
            single = self.lower == self.upper and not (self.lower_open or self.upper_open)
            if self.lower >= self.upper and not single:
                raise FormulaError(
                    f"the interval {self._written()} is empty",
                    remedy="its lower end must be below its upper end; a single value is alpha = 2",
                    source="parameter",
                )

    @property
    def value(self) -> Fraction | None:
        """The only member of a one-point interval."""
        return self.lower if self.lower is not None and self.lower == self.upper else None

    def __contains__(self, point: Fraction) -> bool:
        above = self.lower is None or (
            point > self.lower if self.lower_open else point >= self.lower
        )
        below = self.upper is None or (
            point < self.upper if self.upper_open else point <= self.upper
        )
        return above and below

    def __str__(self) -> str:
        return self._written() if self.value is None else str(self.value)

    def _written(self) -> str:
        left = "(" if self.lower_open else "["
        right = ")" if self.upper_open else "]"
        lower = "-inf" if self.lower is None else str(self.lower)
        upper = "inf" if self.upper is None else str(self.upper)
        return f"{left}{lower}, {upper}{right}"


POSITIVE = Interval(Fraction(0))
REALS = Interval()
PROGRESS = Interval(Fraction(0), Fraction(1), False, False)
PROBABILITY = Interval(Fraction(0), Fraction(1))

VARIABLES: dict[str, dict[str, Interval]] = {
    "drift": {"r": POSITIVE, "A": REALS, "t": PROGRESS},
    "mirror-map": {"x": PROBABILITY, "t": PROGRESS},
    "psi": {"x": PROBABILITY, "t": PROGRESS},
    "link": {"z": REALS, "t": PROGRESS},
}
"""Variables of each kind of formula, with their domains unless declared otherwise. A link is what a
preference objective makes of the difference z between the two trajectories.
"""

_DECLARABLE = {"t", "x"}
_MEANINGS = {"r": "ratio", "A": "advantage", "z": "difference of the two trajectories"}
WITNESS_FIELDS = ("value", "derivative", "limit", "side", "root", "interval")
"""What a witness says beside its point, in one JSON object: no parameter may have such a name."""


def point(value: Fraction | int) -> Interval:
    """The interval that holds `value` alone."""
    value = Fraction(value)
    return Interval(value, value, False, False)


def parse_declaration(text: str) -> tuple[str, Interval]:
    """`alpha in (0, inf)` or `alpha=3/5` as (name, interval).

    Raises FormulaError for anything else.
    """
    if not isinstance(text, str):
        raise _unreadable(f"{type(text).__name__} is no declaration", repr(text)[:_MAX_TEXT])
    shown = text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT]
    if len(text) <= _MAX_TEXT:
        bound = _BOUND.fullmatch(text)
        if bound:
            return bound[1], point(_rational(bound[2], text))
        inside = _IN.fullmatch(text)
        if inside:
            lower, upper = _end(inside[3], text, "-"), _end(inside[4], text, "+")
            return inside[1], Interval(lower, upper, inside[2] == "(", inside[5] == ")")
    raise _unreadable("cannot read this declaration", shown)


def parse_declarations(
    texts: Iterable[str] | Mapping[str, object], kind: str = "drift"
) -> dict[str, Interval]:
    """Declarations as name → interval; a mapping may hold intervals, numbers or their text.

    Raises FormulaError for a name that is declared twice, reserved, or outside its variable's range.
    """
    if isinstance(texts, Mapping):
        pairs = [_from_mapping(name, value) for name, value in texts.items()]
    elif isinstance(texts, str):
        pairs = [parse_declaration(texts)]
    elif not isinstance(texts, Iterable):
        raise _unreadable(f"{type(texts).__name__} is no declaration", repr(texts)[:_MAX_TEXT])
    else:
        pairs = [parse_declaration(text) for text in texts]
    found: dict[str, Interval] = {}
    for name, interval in pairs:
        if name in found:
            raise FormulaError(
                f"'{name}' is declared twice",
                remedy="keep one of the declarations",
                source="parameter",
            )
        _check_name(name, interval, kind)
        found[name] = interval
    return found


def _from_mapping(key: object, value: object) -> tuple[str, Interval]:
    name = getattr(key, "name", key)  # a symbol, ours or of SymPy, stands for its name
    if not (isinstance(name, str) and _NAME.fullmatch(name)) or "__" in name:
        raise _unreadable(f"{key!r:.60} is no name", repr(key)[:_MAX_TEXT])
    if isinstance(value, Interval):
        return name, value
    if isinstance(value, (int, Fraction)) and not isinstance(value, bool):
        return name, point(value)
    text = _written(value).strip()
    return parse_declaration(f"{name} in {text}" if text[:1] in "([" else f"{name} = {text}")


def _written(value: Any) -> str:
    """As in a declaration; also of SymPy's Interval."""
    if not (hasattr(value, "left_open") and hasattr(value, "start")):
        return str(value)
    left, right = "(" if value.left_open else "[", ")" if value.right_open else "]"
    return f"{left}{value.start}, {value.end}{right}"


def _check_name(name: str, interval: Interval, kind: str) -> None:
    from symbolic.operations import OPERATIONS, SYNONYMS

    if name in OPERATIONS or name in SYNONYMS or name in ("where", "inf", "in"):
        raise FormulaError(
            f"'{name}' is an operation and cannot be a parameter",
            remedy="rename it",
            source="parameter",
        )
    if name in WITNESS_FIELDS:
        raise FormulaError(
            f"'{name}' cannot be a parameter: a witness has a field of that name",
            remedy=f"rename it, for example {name}0",
            source="parameter",
        )
    variables = VARIABLES[kind]
    if name not in variables:
        return
    if name not in _DECLARABLE:
        raise FormulaError(
            f"'{name}' is the {_MEANINGS[name]} and always ranges over {variables[name]}",
            remedy="remove its declaration; name a parameter otherwise",
            source="parameter",
        )
    widest = POSITIVE if name == "x" else variables[name]
    ends = [end for end in (interval.lower, interval.upper) if end is not None]
    too_wide = (interval.lower is None) or (interval.upper is None and widest.upper is not None)
    closed = Interval(widest.lower, widest.upper, False, widest.upper is None)
    outside = any(end not in closed for end in ends)
    if too_wide or outside or (name == "x" and not interval.lower_open and interval.lower == 0):
        raise FormulaError(
            f"{name} in {interval} leaves {widest}",
            remedy=f"declare {name} inside {widest}",
            source="parameter",
        )


def _rational(text: str, whole: str) -> Fraction:
    text = re.sub(r"\s+", "", text)
    exponent = re.search(r"[eE]([+-]?\d+)", text)
    if exponent and abs(int(exponent[1])) > MAX_EXPONENT:
        raise _unreadable(f"an exponent beyond {MAX_EXPONENT}", whole)
    if sum(c.isdigit() for c in text) > MAX_DIGITS:
        raise _unreadable(f"a number of more than {MAX_DIGITS} digits", whole)
    top, _, bottom = text.partition("/")
    if bottom and not int(bottom):
        raise _unreadable("division by zero in a declaration", whole)
    return Fraction(top) / (int(bottom) if bottom else 1)


def _end(text: str, whole: str, infinite_sign: str) -> Fraction | None:
    """A rational end, or None for the infinite one that may stand on this side."""
    bare = re.sub(r"\s+", "", text)
    if bare.lstrip("+-") not in ("inf", "oo", "infinity"):
        return _rational(text, whole)
    if (bare[0] == "-") != (infinite_sign == "-"):
        raise _unreadable(f"{bare} on the wrong side of an interval", whole)
    return None


def _unreadable(message: str, whole: str) -> FormulaError:
    return FormulaError(
        message,
        text=whole,
        column=0,
        width=len(whole),
        remedy="write 'alpha in (0, inf)', 'eps in [0, 1/2)' or 'alpha = 3/5'",
        source="parameter",
    )
