"""Tree → LaTeX, for papers and the report."""

from __future__ import annotations

import re

from symbolic.expression import Expression, Number, Symbol, fold
from symbolic.operations import OPERATIONS
from symbolic.text import decimal

_ATOM, _CALL, _FRACTION, _CASES = 100, 35, 32, 0

_GREEK = re.compile(
    "alpha|beta|[Gg]amma|[Dd]elta|(?:var)?epsilon|zeta|eta|[Tt]heta|iota|kappa|[Ll]ambda|mu|nu"
    "|[Xx]i|[Pp]i|rho|[Ss]igma|tau|[Uu]psilon|[Pp]hi|chi|[Pp]si|[Oo]mega"
)
_SHORT = {"eps": "epsilon"}
_NAME = re.compile(r"([A-Za-z]+)_?(\w*)", re.ASCII)


def to_latex(root: Expression) -> str:
    """The formula as LaTeX mathematics, without surrounding `$`."""
    return fold(root, _print)[0]


def _print(node: Expression, args: tuple[tuple[str, int], ...]) -> tuple[str, int]:
    """(LaTeX, how tightly it binds)."""
    if isinstance(node, Number):
        return _number(node)
    if isinstance(node, Symbol):
        return _symbol(node.name), _ATOM
    operation = OPERATIONS[node.op]
    own = operation.precedence
    plain = [text for text, _ in args]
    if node.op in ("div", "inv"):
        return operation.latex(*plain), _FRACTION
    if node.op.startswith("where"):
        return operation.latex(*plain), _CASES
    if node.op in ("abs", "square"):
        return operation.latex(*plain), _ATOM if node.op == "abs" else OPERATIONS["pow"].precedence
    if operation.infix is None:
        return operation.latex(*plain), _CALL
    if node.op == "neg":
        return operation.latex(_bracket(args[0], own, sign=True)), own
    if node.op == "pow":
        return operation.latex(_bracket(args[0], own + 1), plain[1]), own
    return operation.latex(_bracket(args[0], own), _bracket(args[1], own + 1, sign=True)), own


def _bracket(printed: tuple[str, int], least: int, *, sign: bool = False) -> str:
    """Brackets where the operand binds too loosely, or (`sign`) starts with a minus."""
    text, precedence = printed
    if precedence >= least and not (sign and text.startswith("-")):
        return text
    return rf"\left({text}\right)"


def _number(node: Number) -> tuple[str, int]:
    mantissa, _, exponent = decimal(node.value).partition("e")
    if not exponent:
        return mantissa, _ATOM
    power = OPERATIONS["pow"].latex("10", exponent)
    if mantissa == "1":
        return power, OPERATIONS["pow"].precedence
    return OPERATIONS["mul"].latex(mantissa, power), OPERATIONS["mul"].precedence


def _symbol(name: str) -> str:
    found = _NAME.fullmatch(name)
    if found is None:  # the language allows no such name, but a tree may be built by hand
        return rf"\mathrm{{{_escaped(name)}}}"
    stem, index = found.groups()
    stem = _SHORT.get(stem, stem)
    head = (
        rf"\{stem}" if _GREEK.fullmatch(stem) else stem if len(stem) == 1 else rf"\mathrm{{{stem}}}"
    )
    if not index:
        return head
    return rf"{head}_{{{index if index.isdigit() or len(index) == 1 else _roman(index)}}}"


def _roman(text: str) -> str:
    return rf"\mathrm{{{_escaped(text)}}}"


def _escaped(text: str) -> str:
    return text.replace("_", r"\_")
