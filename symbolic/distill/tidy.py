"""A candidate without what adds nothing: factors of 1, terms of 0, signs of signs, sums of numbers.

Unlike the language itself, which keeps a formula as it was written, this changes it: a product
with 0 becomes 0 even where the other factor is undefined. What comes out is a candidate of its own
and is verified as such.
"""

from __future__ import annotations

from collections.abc import Callable

from symbolic.expression import (
    Expression,
    Number,
    call,
    constant_value,
    fold,
    integer_exponent,
    number,
)
from symbolic.operations import ONE, ZERO


def tidied(formula: Expression) -> Expression:
    """The formula without needless parts."""

    def visit(node: Expression, args: tuple[Expression, ...]) -> Expression:
        made = call(node.op, *args) if args else node
        if args and all(constant_value(arg) is not None for arg in args):
            value = constant_value(made)
            if value is not None:
                return number(value)
        if len(args) == 1 and (exact := _EXACT.get((node.op, args[0]))) is not None:
            return exact
        rule = _RULES.get(node.op)
        return made if rule is None else rule(made, *args)

    return fold(formula, visit)


def _negated(a: Expression) -> Expression:
    return _neg(-a, a)


def _neg(node: Expression, a: Expression) -> Expression:
    if a.op == "neg":
        return a.args[0]
    return _sub(a.args[1] - a.args[0], a.args[1], a.args[0]) if a.op == "sub" else node


def _add(node: Expression, a: Expression, b: Expression) -> Expression:
    if a is ZERO:
        return b
    if b is ZERO:
        return a
    if b.op == "neg":
        return _sub(a - b.args[0], a, b.args[0])
    if a.op == "neg":
        return _sub(b - a.args[0], b, a.args[0])
    return node


def _sub(node: Expression, a: Expression, b: Expression) -> Expression:
    if b is ZERO:
        return a
    if a is ZERO:
        return _negated(b)
    if b.op == "neg":
        return a + b.args[0]
    return ZERO if a is b else node


def _mul(node: Expression, a: Expression, b: Expression) -> Expression:
    if a is ZERO or b is ZERO:
        return ZERO
    if a is ONE:
        return b
    if b is ONE:
        return a
    if a.op == "neg" or b.op == "neg":
        left, right = (part.args[0] if part.op == "neg" else part for part in (a, b))
        product = _mul(left * right, left, right)
        return product if a.op == b.op else _negated(product)
    if isinstance(b, Number) and not isinstance(a, Number):
        return b * a
    return node


def _div(node: Expression, a: Expression, b: Expression) -> Expression:
    if b is ONE:
        return a
    if b.op == "neg":
        return _negated(_div(a / b.args[0], a, b.args[0]))
    if a.op == "neg":
        return _negated(_div(a.args[0] / b, a.args[0], b))
    return ZERO if a is ZERO else node


def _pow(node: Expression, a: Expression, b: Expression) -> Expression:
    n = integer_exponent(node)
    base = a
    while n is not None and n % 2 == 0 and base.op in ("neg", "abs"):
        base = base.args[0]
    return node if base is a else base**b


def _abs(node: Expression, a: Expression) -> Expression:
    return a if a.op == "abs" else call("abs", a.args[0]) if a.op == "neg" else node


def _where(node: Expression, *args: Expression) -> Expression:
    return args[2] if args[2] is args[3] else node


_EXACT = {
    **{(op, ZERO): ZERO for op in ("abs", "relu", "square", "tanh", "sqrt", "sign", "neg")},
    **{(op, ONE): ONE for op in ("abs", "relu", "square", "sqrt", "sign", "inv")},
    ("log", ONE): ZERO,
    ("exp", ZERO): ONE,
}
"""Values of functions at 0 and 1 that are whole numbers."""
_RULES: dict[str, Callable[..., Expression]] = {
    "neg": _neg,
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "pow": _pow,
    "abs": _abs,
    "where<": _where,
    "where<=": _where,
    "where>": _where,
    "where>=": _where,
}
