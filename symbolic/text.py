"""Tree → text that parses back to the same tree."""

from __future__ import annotations

from fractions import Fraction
from math import log2

from symbolic.expression import Expression, Number, Symbol, fold
from symbolic.operations import OPERATIONS

_ATOM = 100


def to_text(root: Expression) -> str:
    """The formula as text; `parse(to_text(tree))` is `tree`."""
    return fold(root, _print)[0]


def _print(node: Expression, args: tuple[tuple[str, int], ...]) -> tuple[str, int]:
    """(text, how tightly it binds)."""
    if isinstance(node, Number):
        return decimal(node.value), _ATOM
    if isinstance(node, Symbol):
        return node.name, _ATOM
    operation = OPERATIONS[node.op]
    if operation.infix is None:
        texts = [text for text, _ in args]
        if node.op.startswith("where"):
            return f"where({texts[0]} {node.op[5:]} {texts[1]}, {texts[2]}, {texts[3]})", _ATOM
        return f"{node.op}({', '.join(texts)})", _ATOM
    own = operation.precedence
    if node.op == "neg":
        return "-" + _bracket(args[0], own), own
    if node.op == "pow":
        return f"{_bracket(args[0], own + 1)}**{_bracket(args[1], 30)}", own
    left, right = _bracket(args[0], own), _bracket(args[1], own + 1)
    space = " " if own == 10 else ""
    return f"{left}{space}{operation.infix}{space}{right}", own


def _bracket(printed: tuple[str, int], least: int) -> str:
    text, precedence = printed
    return text if precedence >= least else f"({text})"


def decimal(value: Fraction) -> str:
    """The shortest exact decimal of a rational with a finite expansion."""
    den = value.denominator
    twos = (den & -den).bit_length() - 1
    fives = round(((den >> twos).bit_length() - 1) / log2(5))
    shift = max(twos, fives)
    digits = str(value.numerator * 10**shift // den)
    if not shift:
        stripped = digits.rstrip("0")
        zeros = len(digits) - len(stripped)
        return f"{stripped}e{zeros}" if zeros > 6 and stripped else digits
    if shift > len(digits) + 4:
        return f"{digits}e-{shift}"
    digits = digits.rjust(shift + 1, "0")
    return f"{digits[:-shift]}.{digits[-shift:]}"
