"""A second opinion: the conditions of a drift at single points, by SymPy instead of the kernel.

At exact points of A and the parameters every kink is settled by numbers with 30 digits, so
what is left is smooth, and SymPy differentiates and evaluates it. Points prove nothing, but
a point that contradicts a verdict is a bug in one of the two programs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np

from symbolic.domains import POSITIVE as POSITIVE_REALS
from symbolic.drift import Drift
from symbolic.expression import (
    Expression,
    Number,
    fold,
    integer_exponent,
    number,
    substitute,
    symbol,
)
from symbolic.numeric import evaluate
from symbolic.operations import OPERATIONS
from symbolic.sympy_bridge import to_sympy
from verify.algebra.masks import NEGATIVE, POSITIVE, ZERO
from verify.explain.pieces import Guard, TooManyPieces, smooth_pieces
from verify.proof.points import simple
from verify.report import Report, Verdict, Witness

MAX_NODES = 300
_MAX_DEGREE = 24
_MAX_SIZE = 1e60
_MAX_ORDER = 6
_POINTS = 6
_ADVANTAGES = tuple(map(Fraction, ("1", "-1", "5/2", "-1/3", "0", "-7")))
_RATIOS = tuple(map(Fraction, ("9/10", "1/3", "11/10", "2", "7")))
_DIGITS = 30
_CLEAR, _NOTHING = 1e-12, 1e-24
"""A number above the first is certainly not 0; one below the second counts as 0."""

GIVES_UP = (
    ArithmeticError,
    AttributeError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What SymPy is known to raise on expressions that it cannot handle."""


class OutOfReach(Exception):
    """SymPy would take too long, or has no real number here."""


class Clock:
    """Aborts between SymPy's calls, whose own length the limits on sizes bound."""

    def __init__(self, seconds: float) -> None:
        self.deadline = time.monotonic() + seconds

    def check(self) -> None:
        """Raise OutOfReach once the time is over."""
        if time.monotonic() > self.deadline:
            raise OutOfReach("time ran out")


def bounded(tree: Expression) -> Expression:
    """The tree, if SymPy can be trusted to handle it quickly; else OutOfReach."""
    if tree.nodes > MAX_NODES:
        raise OutOfReach("too long")

    def degree(node: Expression, args: tuple[int, ...]) -> int:
        # SymPy multiplies constant powers out, so towers of them must be refused first.
        if node.op == "mul":
            total = sum(args)
        elif node.op == "pow":
            exponent = integer_exponent(node)
            total = max(args) if exponent is None else max(1, abs(exponent)) * args[0]
        elif node.op == "square":
            total = 2 * args[0]
        else:
            total = max(args, default=1)
        if total > _MAX_DEGREE:
            raise OutOfReach("powers too high")
        return total

    fold(tree, degree)
    return tree


def contradictions(drift: Drift, report: Report, clock: Clock) -> dict[str, str]:
    """Condition → what SymPy finds at some point, where that excludes the report's verdict."""
    found: dict[str, str] = {}
    formula = drift.bound_formula()
    for name in ("nonnegative", "zero_at_identity", "flat_at_identity"):
        condition = next((c for c in report.conditions if c.id == name), None)
        if condition is None or condition.verdict is Verdict.UNKNOWN:
            continue
        if condition.verdict is Verdict.REFUTED:
            cases = iter([condition.witness] if condition.witness else [])
        else:
            cases = _cases(drift, name)
        for case in cases:
            try:
                clock.check()
                said = _against(formula, name, case, condition.verdict, clock)
            except (OutOfReach, TooManyPieces, *GIVES_UP):
                continue
            if said:
                found[name] = said
                break
    return found


def _cases(drift: Drift, name: str) -> Iterator[Witness]:
    """Points at which a proved condition is looked at, in the form of its would-be witness."""
    for point in _points(drift):
        if name == "flat_at_identity":
            for side in ("left", "right"):
                yield Witness({"r": Fraction(1), **point}, "derivative", "", side)
        elif name == "zero_at_identity":
            yield Witness({"r": Fraction(1), **point}, "value", "")
        else:
            for ratio in _RATIOS:
                yield Witness({"r": ratio, **point}, "value", "")


def _points(drift: Drift) -> Iterator[dict[str, Fraction]]:
    names = sorted(drift.bound_formula().symbols - {"r", "A"})
    choices = {name: list(islice(simple(drift.domain(name)), 3)) for name in names}
    for i in range(_POINTS):
        point = {"A": _ADVANTAGES[i]}
        for j, name in enumerate(names):
            point[name] = choices[name][(i + i * j) % len(choices[name])]
        yield point


def _against(formula: Expression, name: str, case: Witness, verdict: Verdict, clock: Clock) -> str:
    """What SymPy finds at the point of `case`, if that contradicts the verdict; else ""."""
    proved = verdict is Verdict.PROVED
    where = ", ".join(f"{k} = {v}" for k, v in case.point.items() if k in formula.symbols)
    _require_defined(formula, case)
    if name == "flat_at_identity":
        at = {k: v for k, v in case.point.items() if k != "r"}
        jump, slope = one_sided(formula, at, 1 if case.side == "right" else -1, clock)
        if proved and abs(jump) > _CLEAR:
            return f"f jumps by {jump:.6g} at {where}"
        if abs(slope) > _CLEAR if proved else abs(jump) < _NOTHING and abs(slope) < _NOTHING:
            return f"the derivative from the {case.side} is {slope:.6g} at {where}"
        return ""
    if case.evidence != "value":
        return ""
    value = value_at(formula, case.point, clock)
    if name == "nonnegative":
        wrong = value < -_CLEAR if proved else value > _CLEAR
    else:
        wrong = abs(value) > _CLEAR if proved else abs(value) < _NOTHING
    return f"f = {value:.6g} at {where}" if wrong else ""


def _require_defined(formula: Expression, case: Witness) -> None:
    """Raise OutOfReach where f is undefined, which SymPy hides: it reads exp(log(A)) as A."""
    point = {name: float(value) for name, value in case.point.items()}
    beside = {"left": 1 - 1e-3, "right": 1 + 1e-3}.get(case.side or "", point["r"])
    for ratio in (point["r"], beside):
        if not np.isfinite(evaluate(formula, {"A": 1.0, **point, "r": ratio})):
            raise OutOfReach("undefined")


def value_at(formula: Expression, point: Mapping[str, Fraction], clock: Clock) -> float:
    """f at an exact point, kinks settled by SymPy's numbers. Raises OutOfReach."""
    tree = _bind(formula, point)

    def sign_of(guard: Expression, _: tuple[Guard, ...]) -> int:
        return _sign(_evaluated(guard, clock))

    return _evaluated(smooth_pieces(tree, sign_of, 1)[0].tree, clock)


def one_sided(
    formula: Expression, point: Mapping[str, Fraction], side: int, clock: Clock
) -> tuple[float, float]:
    """(limit of f minus f(1), one-sided derivative in r) at r = 1, by SymPy. Raises OutOfReach."""
    step = symbol("_h")
    tree = substitute(
        _bind(formula, point), {"r": number(1) + step if side > 0 else number(1) - step}
    )

    def sign_of(guard: Expression, _: tuple[Guard, ...]) -> int:
        for value in _taylor(guard, clock):
            if sign := _sign(value):
                if sign != ZERO:
                    return sign
        return ZERO

    near = smooth_pieces(tree, sign_of, 1)[0].tree
    terms = _taylor(near, clock)
    limit, slope = next(terms), next(terms, 0.0)
    return limit - value_at(formula, {**point, "r": Fraction(1)}, clock), side * slope


def _taylor(tree: Expression, clock: Clock) -> Iterator[float]:
    """Derivatives in `_h` at 0, from order 0 on; at least those that decide a sign."""
    import sympy

    _require_tame(substitute(tree, {"_h": number(0)}))
    term = to_sympy(bounded(tree), {"_h": POSITIVE_REALS})
    step = sympy.Symbol("_h", positive=True)
    for _ in range(_MAX_ORDER):
        clock.check()
        yield _number(term.subs(step, 0))
        if not term.has(step):
            return
        term = sympy.diff(term, step)
        if sympy.count_ops(term) > 5 * MAX_NODES:
            raise OutOfReach("the derivative is too long")
    raise OutOfReach("flat to a high order")


def _bind(formula: Expression, point: Mapping[str, Fraction]) -> Expression:
    return substitute(formula, {name: number(value) for name, value in point.items()})


def _evaluated(tree: Expression, clock: Clock) -> float:
    clock.check()
    _require_tame(tree)
    return _number(to_sympy(bounded(tree)))


def _number(value: Any) -> float:
    found = value.evalf(_DIGITS)
    if not found.is_Float and not found.is_Rational:
        raise OutOfReach("no real number")
    return float(found)


def _sign(value: float) -> int:
    if abs(value) < _NOTHING:
        return ZERO
    if abs(value) < _CLEAR:
        raise OutOfReach("too near to a kink")
    return POSITIVE if value > 0 else NEGATIVE


def _require_tame(tree: Expression) -> None:
    """Raise OutOfReach if an intermediate number is astronomic: SymPy would write it out."""

    def visit(node: Expression, args: tuple[Any, ...]) -> Any:
        if isinstance(node, Number):
            value = float(min(node.value, Fraction(10**300)))
        else:
            value = OPERATIONS[node.op].numpy(*args)
        if abs(value) > _MAX_SIZE:
            raise OutOfReach("numbers too large")
        return np.float64(value)

    with np.errstate(all="ignore"):
        fold(tree, visit)
