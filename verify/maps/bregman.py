"""The Bregman divergence of a mirror map: D(x, y) = ∫ from y to x of φ⁻¹(s) − φ⁻¹(y) ds, over actions.

A closed form is given only if our own derivative confirms it exactly: ∂D/∂x = φ⁻¹(x) − φ⁻¹(y), and
D = 0 at x = y.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from symbolic.derivative import derivative
from symbolic.domains import Interval
from symbolic.drift import Drift
from symbolic.expression import Expression, call, constant_value, number, substitute, symbol
from verify.algebra.polynomials import GENERATORS, Quotient, coefficients, used
from verify.maps.scopes import GIVES_UP, Cut, Scope, Smooth, Split, smooth_on
from verify.proof.prove import Budget, with_scales
from verify.report import Report, Verdict

_STEPS = 60
_X, _Y = symbol("x"), symbol("y")
_INTEGRAL = "the sum over actions of the integral from y to x of φ⁻¹(s) - φ⁻¹(y) ds"
_NONNEGATIVE = (
    "D(x, y) >= 0, and 0 only at x = y: φ⁻¹ increases, so φ⁻¹(s) - φ⁻¹(y) has the sign of s - y all "
    "the way from y to x, and the integral is finite since φ⁻¹ is continuous"
)
_BASIS = ("continuously_differentiable", "integrable")


@dataclass(frozen=True)
class Form:
    """A closed form of D(x, y) for one action."""

    name: str
    tree: Expression


def divergence(drift: Drift, report: Report) -> tuple[str, ...]:
    """What is known of the divergence of an increasing map: its form, and that it is >= 0."""
    if report["increasing"].verdict is not Verdict.PROVED:
        return ()
    form = closed_form(drift)
    if form is None:
        text = f"the Bregman divergence D(x, y) is {_INTEGRAL}"
    else:
        known = f": {form.name}" if form.name else ""
        text = f"the Bregman divergence D(x, y) is the sum over actions of {form.tree}{known}"
    if any(report[name].verdict is not Verdict.PROVED for name in _BASIS):
        return (text,)
    return (text, _NONNEGATIVE)


def closed_form(drift: Drift) -> Form | None:
    """A closed form for one action, if one of a few shapes is it."""
    found: list[Form] = []

    def attempt(scales: dict[str, Fraction]) -> dict[str, object] | None:
        names = drift.bound_formula().symbols - {"x"}
        domains = {name: drift.domain(name) for name in names}
        where = drift.domain("x")
        inside = Interval(where.lower, where.upper, True, True)
        scope = Scope(drift.bound_formula(), {**domains, "y": inside}, (), Budget(_STEPS))
        smooth = smooth_on(scope.prover(scales, "x", inside), scope.tree, "x")
        for form in _candidates(smooth):
            if _holds(smooth, form.tree, scope.tree):
                found.append(form)
                return {}
        return None

    if "y" in drift.domains:
        return None
    try:
        with_scales(attempt)
    except (*GIVES_UP, Cut, Split):
        return None
    return found[0] if found else None


def _holds(smooth: Smooth, tree: Expression, formula: Expression) -> bool:
    """Whether a tree is D: its derivative in x, and its value at x = y."""
    target = derivative(tree, "x") - (formula - substitute(formula, {"x": _Y}))
    return all(
        smooth_on(smooth.prover, claim).value.is_zero
        for claim in (target, substitute(tree, {"x": _Y}))
    )


def _candidates(smooth: Smooth) -> Iterator[Form]:
    """Forms by the derivative of φ⁻¹, then sums of powers and logarithms."""
    k, prover = smooth.prover.signs, smooth.prover
    slope = k.slope(smooth.value, "x")
    log_ratio, gap = call("log", _X / _Y), _X - _Y
    other = number(1) - _X, number(1) - _Y
    shapes = (
        (_X, "the Kullback-Leibler divergence where x and y sum to 1", _X * log_ratio - gap),
        (number(1), "half the squared Euclidean distance", gap ** number(2) / number(2)),
        (
            _X * other[0],
            "the relative entropy of each action against all others (of a Bernoulli trial)",
            _X * log_ratio + other[0] * call("log", other[0] / other[1]),
        ),
        (_X ** number(2), "the Itakura-Saito divergence", _X / _Y - log_ratio - number(1)),
    )
    for weight, name, tree in shapes:
        c = k.mul(slope, smooth_on(prover, weight).value)
        if not k.depends(c, "x") and not c.is_zero:
            yield _scaled(smooth, c, name, tree)
    yield from _power_law(smooth, slope)
    antiderivative = _antiderivative(smooth)
    if antiderivative is not None:
        g, start = k.tree(smooth.value), {"x": _Y}
        rest = substitute(antiderivative, start) + substitute(g, start) * gap
        yield Form("", antiderivative - rest)


def _scaled(smooth: Smooth, c: Quotient, name: str, tree: Expression) -> Form:
    k = smooth.prover.signs
    if c == k.one:
        return Form(name, tree)
    return Form(f"a multiple of {name}", k.tree(c) * tree)


def _power_law(smooth: Smooth, slope: Quotient) -> Iterator[Form]:
    """φ⁻¹′ = c·x^(q−2): the divergence of Tsallis entropy of order q."""
    k, prover = smooth.prover.signs, smooth.prover
    if slope.is_zero:
        return
    growth = k.div(k.mul(k.slope(slope, "x"), smooth_on(prover, _X).value), slope)
    order = k.add(growth, k.rational(2))
    lower = k.add(growth, k.one)
    if k.depends(growth, "x") or order.is_zero or lower.is_zero:
        return
    q, below = k.tree(order), k.tree(lower)
    c = k.mul(slope, smooth_on(prover, _X ** (number(2) - q)).value)
    if k.depends(c, "x"):
        return
    exact = constant_value(q)
    gap = _X - _Y
    if exact is not None and exact < 0:
        # Written with a plus, not as the difference of something negative.
        slope_of_power = _Y**below if exact == -1 else number(-exact) * _Y**below
        powers = _X**q - _Y**q + slope_of_power * gap
    else:
        powers = _X**q - _Y**q - q * _Y**below * gap
    name = f"the divergence of Tsallis entropy of order {q}"
    yield _scaled(smooth, k.div(c, k.mul(order, lower)), name, powers)


def _antiderivative(smooth: Smooth) -> Expression | None:
    """Of a sum of x^n and x^n·log(x), coefficients free of x."""
    k = smooth.prover.signs
    value = smooth.value
    if k.depends(Quotient(value.den, k.one.den), "x"):
        return None
    total: Expression | None = None
    x = k.variable("x")
    logs = [i for i in used(value.num) if k.atom_depends(i, "x") and i != x]
    if len(logs) > 1 or any(
        k.atoms[i].kind != "log" or k.atoms[i].inside != k.quotient(GENERATORS[x]) for i in logs
    ):
        return None
    by_log = coefficients(value.num, logs[0]) if logs else {0: value.num}
    if set(by_log) - {0, 1}:
        return None
    for has_log, part in by_log.items():
        for n, rest in coefficients(part, x).items():
            term = _times(smooth, k.quotient(rest, value.den * (n + 1)), n + 1)
            if has_log:
                term = term * (call("log", _X) - number(Fraction(1, n + 1)))
            total = term if total is None else total + term
    return total


def _times(smooth: Smooth, c: Quotient, power: int) -> Expression:
    """c·x^power."""
    x = _X if power == 1 else _X ** number(power)
    return x if c == smooth.prover.signs.one else smooth.prover.signs.tree(c) * x
