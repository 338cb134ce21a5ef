"""The one table of operations: everything the project knows about each, in one entry.

Parser, printers, evaluators, derivative and documentation read this table. Two places
are exempt by design, and a test shows that both cover it: the prover's rules, and the
independent checker of certificates, which shares nothing with what it checks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

import numpy as np

from symbolic import pointwise
from symbolic.expression import Expression, call, integer_exponent, number

ONE, TWO, ZERO = number(1), number(2), number(0)

Derivative = Callable[[Expression, tuple[Expression, ...], int], Expression]
"""(node, derivatives of its arguments, side +1 or -1) -> one-sided derivative of the node."""


@dataclass(frozen=True)
class Operation:
    """What the project knows about one operation."""

    name: str
    arity: tuple[int, int | None]
    """Least and greatest number of arguments (None: no bound)."""
    domain: str
    """Where it is defined, for people."""
    array: Callable[..., Any]
    """The array module (NumPy, or `symbolic.jax_arrays`) and arrays in, array out; undefined is nan."""
    ball: Callable[..., Any]
    """The same on python-flint balls (methods only, so nothing is imported here)."""
    derivative: Derivative
    """One-sided derivative, exact at kinks of continuous formulas."""
    latex: Callable[..., str]
    """LaTeX from the arguments' LaTeX; operators bracket by `precedence`."""
    sympy: Callable[..., Any]
    """The SymPy expression from the module and the arguments."""
    source: str
    """The expression in exported code: arguments by number, functions of the library by name
    (`symbolic.export.backends`)."""
    precedence: int = 100
    """How tightly the printed form binds; 100 for calls and atoms."""
    infix: str | None = None
    """Operator in the text form, None for `name(...)`."""

    @property
    def numpy(self) -> Callable[..., Any]:
        """`array` on float64 NumPy arrays."""
        return partial(self.array, np)


def _kink_max(
    side: int, a: Expression, b: Expression, da: Expression, db: Expression
) -> Expression:
    """Derivative of max(a, b): at a tie the branch that grows faster on that side wins."""
    tie = call("max" if side > 0 else "min", da, db)
    return _where(">", a, b, da, _where("<", a, b, db, tie))


def _kink_min(
    side: int, a: Expression, b: Expression, da: Expression, db: Expression
) -> Expression:
    tie = call("min" if side > 0 else "max", da, db)
    return _where("<", a, b, da, _where(">", a, b, db, tie))


def _where(relation: str, a: Expression, b: Expression, u: Expression, v: Expression) -> Expression:
    return u if u is v else call("where" + relation, a, b, u, v)


def _fold_kinks(rule: Callable[..., Expression], op: str) -> Derivative:
    def derivative(node: Expression, d: tuple[Expression, ...], side: int) -> Expression:
        value, slope = node.args[0], d[0]
        for other, other_slope in zip(node.args[1:], d[1:], strict=True):
            slope = rule(side, value, other, slope, other_slope)
            value = call(op, value, other)
        return slope

    return derivative


def _d_clip(node: Expression, d: tuple[Expression, ...], side: int) -> Expression:
    x, lo, hi = node.args
    lower = call("max", x, lo)
    return _kink_min(side, lower, hi, _kink_max(side, x, lo, d[0], d[1]), d[2])


def _d_where(relation: str) -> Derivative:
    """The branch that holds just beside the point, where the two sides of the comparison differ
    there to first order or not at all.
    """

    def derivative(node: Expression, d: tuple[Expression, ...], side: int) -> Expression:
        a, b, _, _ = node.args
        beside = "<" if (relation[0] == "<") == (side > 0) else ">"
        # Sides that move alike stay equal (a guard on A at r = 1), so the comparison itself decides.
        tie = _where(beside + relation[1:], d[0], d[1], d[2], d[3])
        first, second = (d[2], d[3]) if relation[0] == "<" else (d[3], d[2])
        return _where("<", a, b, first, _where(">", a, b, second, tie))

    return derivative


def _d_pow(node: Expression, d: tuple[Expression, ...], side: int) -> Expression:
    base, exponent = node.args
    n = integer_exponent(node)
    if n is not None:
        if n == 0:
            return ZERO
        if n == 1:
            return d[0]
        return _scale(number(n) * (base if n == 2 else base ** number(n - 1)), d[0])
    outer = _scale(exponent * base ** (exponent - ONE), d[0])
    inner = _scale(node * call("log", base), d[1])
    return outer if inner is ZERO else inner if outer is ZERO else outer + inner


def _ball_where(relation: str) -> Callable[..., Any]:
    """One branch where the comparison is certain, the hull of both where it is not."""

    def choose(a: Any, b: Any, u: Any, v: Any) -> Any:
        difference = a - b
        true, false = {
            "<": (difference < 0, difference >= 0),
            "<=": (difference <= 0, difference > 0),
            ">": (difference > 0, difference <= 0),
            ">=": (difference >= 0, difference < 0),
        }[relation]
        return (
            u if true else v if false else u.union(v) if difference.is_finite() else difference * 0
        )

    return choose


def _ball_sign(x: Any) -> Any:
    return x * 0 + 1 if x > 0 else x * 0 - 1 if x < 0 else x.sgn()


def _product_latex(a: str, b: str) -> str:
    return rf"{a} \cdot {b}" if b[:1].isdigit() else rf"{a} \, {b}"


def _call_latex(name: str) -> Callable[..., str]:
    return lambda *args: rf"\{name}\left({', '.join(args)}\right)"


def _named_latex(name: str) -> Callable[..., str]:
    return lambda *args: rf"\operatorname{{{name}}}\left({', '.join(args)}\right)"


def _where_latex(relation: str) -> Callable[..., str]:
    return lambda a, b, u, v: (
        rf"\begin{{cases}} {u} & \text{{if }} {a} {relation} {b} \\"
        rf" {v} & \text{{otherwise}} \end{{cases}}"
    )


def _sympy_where(method: str) -> Callable[..., Any]:
    return lambda sp, a, b, u, v: sp.Piecewise((u, getattr(sp, method)(a, b)), (v, True))


REAL = "every real argument"

_ENTRIES = (
    Operation(
        "add", (2, 2), REAL, lambda xp, a, b: xp.add(a, b), lambda a, b: a + b,
        lambda n, d, s: d[1] if d[0] is ZERO else d[0] if d[1] is ZERO else d[0] + d[1],
        lambda a, b: f"{a} + {b}", lambda sp, a, b: a + b,
        "{0} + {1}", precedence=10, infix="+",
    ),
    Operation(
        "sub", (2, 2), REAL, lambda xp, a, b: xp.subtract(a, b), lambda a, b: a - b,
        lambda n, d, s: d[0] if d[1] is ZERO else -d[1] if d[0] is ZERO else d[0] - d[1],
        lambda a, b: f"{a} - {b}", lambda sp, a, b: a - b,
        "{0} - {1}", precedence=10, infix="-",
    ),
    Operation(
        "mul", (2, 2), REAL, lambda xp, a, b: xp.multiply(a, b), lambda a, b: a * b,
        lambda n, d, s: _product_rule(n.args[0], n.args[1], d[0], d[1]),
        _product_latex, lambda sp, a, b: a * b,
        "{0} * {1}", precedence=20, infix="*",
    ),
    Operation(
        "div", (2, 2), "denominator other than 0", pointwise.divide, lambda a, b: a / b,
        lambda n, d, s: _quotient(d[0], n.args[1]) if d[1] is ZERO
        else (d[0] * n.args[1] - n.args[0] * d[1]) / n.args[1] ** TWO,
        lambda a, b: rf"\frac{{{a}}}{{{b}}}", lambda sp, a, b: a / b,
        "{divide}({0}, {1})", precedence=20, infix="/",
    ),
    Operation(
        "neg", (1, 1), REAL, lambda xp, a: xp.negative(a), lambda a: -a,
        lambda n, d, s: ZERO if d[0] is ZERO else -d[0],
        lambda a: f"-{a}", lambda sp, a: -a,
        "-{0}", precedence=30, infix="-",
    ),
    Operation(
        "pow", (2, 2),
        "base > 0; base 0 with a positive exponent; any base with a constant integer exponent >= 0",
        pointwise.power, lambda a, b: a**b, _d_pow,
        lambda a, b: f"{a}^{{{b}}}", lambda sp, a, b: a**b,
        "{power}({0}, {1})", precedence=40, infix="**",
    ),
    Operation(
        "exp", (1, 1), REAL, lambda xp, x: xp.exp(x), lambda x: x.exp(), lambda n, d, s: _scale(n, d[0]),
        lambda x: f"e^{{{x}}}", lambda sp, x: sp.exp(x),
        "{xp}.exp({0})",
    ),
    Operation(
        "log", (1, 1), "argument > 0", pointwise.log, lambda x: x.log(),
        lambda n, d, s: _quotient(d[0], n.args[0]), _call_latex("log"), lambda sp, x: sp.log(x),
        "{log}({0})",
    ),
    Operation(
        "tanh", (1, 1), REAL, lambda xp, x: xp.tanh(x), lambda x: x.tanh(),
        lambda n, d, s: _scale(ONE - n**TWO, d[0]), _call_latex("tanh"),
        lambda sp, x: sp.tanh(x),
        "{xp}.tanh({0})",
    ),
    Operation(
        "sqrt", (1, 1), "argument >= 0", pointwise.sqrt, lambda x: x.sqrt(),
        lambda n, d, s: _quotient(d[0], TWO * n), lambda x: rf"\sqrt{{{x}}}", lambda sp, x: sp.sqrt(x),
        "{sqrt}({0})",
    ),
    Operation(
        "abs", (1, 1), REAL, lambda xp, x: xp.abs(x), abs,
        lambda n, d, s: _kink_max(s, n.args[0], -n.args[0], d[0], -d[0]),
        lambda x: rf"\left|{x}\right|", lambda sp, x: sp.Abs(x),
        "{xp}.abs({0})",
    ),
    Operation(
        "sign", (1, 1), REAL, lambda xp, x: xp.sign(x), _ball_sign, lambda n, d, s: ZERO,
        _named_latex("sign"), lambda sp, x: sp.sign(x),
        "{xp}.sign({0})",
    ),
    Operation(
        "relu", (1, 1), REAL, lambda xp, x: xp.maximum(x, 0.0), lambda x: x.max(x * 0),
        lambda n, d, s: _kink_max(s, n.args[0], ZERO, d[0], ZERO),
        _named_latex("ReLU"), lambda sp, x: sp.Max(x, 0),
        "{maximum}({0}, 0.0)",
    ),
    Operation(
        "softplus", (1, 1), REAL, pointwise.softplus, lambda x: x.exp().log1p(),
        lambda n, d, s: _scale(call("sigmoid", n.args[0]), d[0]), _named_latex("softplus"),
        lambda sp, x: sp.log(1 + sp.exp(x)),
        "{softplus}({0})",
    ),
    Operation(
        "sigmoid", (1, 1), REAL, pointwise.sigmoid, lambda x: 1 / ((-x).exp() + 1),
        lambda n, d, s: _scale(n * (ONE - n), d[0]), lambda x: rf"\sigma\left({x}\right)",
        lambda sp, x: 1 / (1 + sp.exp(-x)),
        "0.5 * (1.0 + {xp}.tanh(0.5 * {0}))",
    ),
    Operation(
        "square", (1, 1), REAL, lambda xp, x: xp.square(x), lambda x: x**2,
        lambda n, d, s: _scale(TWO * n.args[0], d[0]),
        lambda x: rf"\left({x}\right)^{{2}}", lambda sp, x: x**2,
        "{0} * {0}",
    ),
    Operation(
        "inv", (1, 1), "argument other than 0", lambda xp, x: pointwise.divide(xp, 1.0, x), lambda x: 1 / x,
        lambda n, d, s: ZERO if d[0] is ZERO else -d[0] / n.args[0] ** TWO,
        lambda x: rf"\frac{{1}}{{{x}}}", lambda sp, x: 1 / x,
        "{divide}(1.0, {0})",
    ),
    Operation(
        "clip", (3, 3), REAL, pointwise.clip,
        lambda x, lo, hi: x.max(lo).min(hi), _d_clip, _named_latex("clip"),
        lambda sp, x, lo, hi: sp.Min(sp.Max(x, lo), hi),
        "{minimum}({maximum}({0}, {1}), {2})",
    ),
    Operation(
        "max", (2, None), REAL, pointwise.maximum, lambda *args: reduce(lambda a, b: a.max(b), args),
        _fold_kinks(_kink_max, "max"), _call_latex("max"), lambda sp, *args: sp.Max(*args),
        "{maximum}({0}, {1})",
    ),
    Operation(
        "min", (2, None), REAL, pointwise.minimum, lambda *args: reduce(lambda a, b: a.min(b), args),
        _fold_kinks(_kink_min, "min"), _call_latex("min"), lambda sp, *args: sp.Min(*args),
        "{minimum}({0}, {1})",
    ),
    *(
        Operation(
            "where" + relation, (4, 4), "where the chosen branch is defined",
            pointwise.where(test), _ball_where(relation), _d_where(relation),
            _where_latex(latex), _sympy_where(method),
            f"{{where}}({{0}} {relation} {{1}}, {{2}}, {{3}})",
        )
        for relation, test, latex, method in (
            ("<", "less", "<", "Lt"),
            ("<=", "less_equal", r"\le", "Le"),
            (">", "greater", ">", "Gt"),
            (">=", "greater_equal", r"\ge", "Ge"),
        )
    ),
)  # fmt: skip

OPERATIONS: dict[str, Operation] = {entry.name: entry for entry in _ENTRIES}

FUNCTIONS = frozenset(
    name for name, entry in OPERATIONS.items() if entry.infix is None and "where" not in name
)
"""Operations written as calls, `where` aside, which reads a comparison."""

SYNONYMS = {"Max": "max", "Min": "min", "Abs": "abs", "logistic": "sigmoid"}
"""Spellings of SymPy and PySR that mean an operation of the table."""

RELATIONS = ("<=", ">=", "<", ">")


def _scale(factor: Expression, slope: Expression) -> Expression:
    return ZERO if slope is ZERO else factor if slope is ONE else factor * slope


def _quotient(slope: Expression, divisor: Expression) -> Expression:
    """`slope / divisor`; a constant stays constant where the divisor is 0 (sqrt(A) at A = 0)."""
    return ZERO if slope is ZERO else slope / divisor


def _product_rule(a: Expression, b: Expression, da: Expression, db: Expression) -> Expression:
    if da is ZERO:
        return _scale(a, db)
    return _scale(b, da) if db is ZERO else _scale(b, da) + _scale(a, db)
