"""SymPy: assumptions, simplification by the sign of A, and inequalities in one variable."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from engines.question import Answer
from symbolic.domains import Interval
from symbolic.drift import Drift
from symbolic.expression import Expression, Number, Symbol, fold
from symbolic.operations import OPERATIONS


def version() -> str:
    """Version of the installed SymPy."""
    import sympy

    return f"SymPy {sympy.__version__}"


def decide(drift: Drift, timeout: float) -> Answer:
    """The strongest of what a SymPy user would try, cheapest first."""
    del timeout  # SymPy cannot be told; it is stopped from outside
    import sympy as sp

    cases = list(_cases(drift))
    if all(case.is_nonnegative for _, case in cases):
        return Answer("valid", detail="assumptions")
    if all(_simply_nonnegative(sp, case) for _, case in cases):
        return Answer("valid", detail="simplify and assumptions")
    verdicts = [_inequality(sp, drift, case) for _, case in cases]
    for (sign, _), verdict in zip(cases, verdicts):
        if verdict is not None and verdict is not True:
            found = {name: abs(value) * sign if name == "A" else value for name, value in verdict}
            if "A" in drift.formula.symbols and "A" not in found:
                found["A"] = Fraction(sign)
            return Answer("invalid", found, detail="inequality")
    if all(verdict is True for verdict in verdicts):
        return Answer("valid", detail="inequality")
    return Answer("unknown")


def _cases(drift: Drift) -> Iterator[tuple[int, Any]]:
    """(sign of A, formula with A replaced by ±a, a > 0, or 0)."""
    import sympy as sp

    signs = (1, -1, 0) if "A" in drift.formula.symbols else (0,)
    for sign in signs:
        symbols = {
            name: _symbol(name, drift.domain(name)) for name in drift.formula.symbols if name != "A"
        }
        symbols["A"] = sign * sp.Symbol("A", positive=True)

        def visit(node: Expression, args: tuple[Any, ...], known: Any = symbols) -> Any:
            if isinstance(node, Number):
                return sp.Rational(node.value.numerator, node.value.denominator)
            if isinstance(node, Symbol):
                return known[node.name]
            return OPERATIONS[node.op].sympy(sp, *args)

        yield sign, fold(drift.formula, visit)


def _symbol(name: str, domain: Interval) -> Any:
    import sympy as sp

    if domain.value is not None:
        return sp.Rational(domain.value.numerator, domain.value.denominator)
    if domain.lower is not None and (domain.lower > 0 or (domain.lower == 0 and domain.lower_open)):
        return sp.Symbol(name, positive=True)
    if domain.lower is not None and domain.lower >= 0:
        return sp.Symbol(name, nonnegative=True)
    return sp.Symbol(name, real=True)


def _simply_nonnegative(sp: Any, expression: Any) -> bool:
    return any(
        form(expression).is_nonnegative for form in (sp.piecewise_fold, sp.factor, sp.simplify)
    )


def _inequality(sp: Any, drift: Drift, expression: Any) -> Any:
    """True if never negative, [(name, value)] of a point where it is, None if undecided."""
    free = sorted(expression.free_symbols, key=str)
    if not free:
        return True if expression.is_nonnegative else None
    if len(free) > 1:
        return None
    variable = free[0]
    domain = _set(sp, drift, variable.name)
    real = sp.Symbol(variable.name, real=True)
    solutions = sp.solveset(expression.subs(variable, real) < 0, real, domain)
    if solutions is sp.S.EmptySet:
        return True
    point = _inside(sp, solutions)
    return None if point is None else [(variable.name, point)]


def _set(sp: Any, drift: Drift, name: str) -> Any:
    domain = drift.domain(name)
    if name == "A":
        return sp.Interval.open(0, sp.oo)
    ends = [
        infinite if end is None else sp.Rational(end.numerator, end.denominator)
        for end, infinite in ((domain.lower, -sp.oo), (domain.upper, sp.oo))
    ]
    return sp.Interval(*ends, domain.lower_open, domain.upper_open)


def _inside(sp: Any, solutions: Any) -> Fraction | None:
    """A rational point of an interval, or of a union of intervals."""
    if isinstance(solutions, sp.Union):
        found = (_inside(sp, part) for part in solutions.args)
        return next((point for point in found if point is not None), None)
    if not isinstance(solutions, sp.Interval):
        return None
    low, high = solutions.start, solutions.end
    if high.is_infinite:
        high = low + 2 if not low.is_infinite else sp.Integer(2)
    if low.is_infinite:
        low = high - 2
    middle = sp.Rational(str(sp.N((low + high) / 2, 40)))
    return Fraction(int(middle.p), int(middle.q))
