"""Random maps in x, and what 60-digit sampling says of their verdicts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import mpmath
from map_oracle import DIGITS, Undefined, evaluate, points, slopes, towards

from symbolic.drift import Drift
from verify.report import Report, Verdict

_COEFFICIENTS = ("1", "2", "1/2", "3", "1/3", "3/4", "5", "1/10", "3/2")
_PLACES = ("1/2", "1/3", "1/4", "3/4", "9/10", "1/10")
_TERMS = (
    "log(x)", "log(x)", "log(x)", "(-log(1-x))", "x", "x**2", "x**3", "sqrt(x)", "exp(x)", "tanh(3*x-1)",
    "(-1/x)", "(-1/sqrt(x))", "x*log(x)", "sigmoid(4*x-2)", "softplus(x-1)", "relu(x-P)", "relu(x-P)**2",
    "(-relu(P-x)**2)", "(x-P)**3", "abs(x-P)", "max(x, P)", "min(x, P)", "clip(x, P, 19/20)", "sign(x-P)",
    "where(x < P, x, x**2)", "where(x < P, x, 2*x-P)", "log(min(x, P))", "log(x+P)", "x**(1/3)",
    "sqrt(abs(x-P))", "log(x/(1-x))", "square(x-P)", "relu(x-P)*log(x)", "x*(1-x)", "(-log(1-log(x)))",
    "relu(x-t/2)", "relu(x-t)**2", "max(x, t*P)", "relu(x**2-P)**2", "abs(x-1+t/3)", "clip(x, t/4, 1-t/4)",
)  # fmt: skip
_FACTORS = ("", "", "", "", "", "t*", "(1-t)*", "(2-t)*", "a*")


def random_map(rng: random.Random) -> Drift:
    """A sum of a few terms, most of which climb; t and a parameter a in (0, 1) now and then."""
    terms = []
    for _ in range(rng.choice((1, 2, 2, 3, 3, 4))):
        term = rng.choice(_TERMS).replace("P", f"({rng.choice(_PLACES)})")
        sign = "-" if rng.random() < 0.25 else "+"
        terms.append(f"{sign} {rng.choice(_COEFFICIENTS)}*{rng.choice(_FACTORS)}{term}")
    text = " ".join(terms).removeprefix("+ ")
    declared = ["a in (0, 1)"] if "a*" in text else []
    return Drift.from_text(text, declared, kind="mirror-map")


def against(drift: Drift, report: Report, rng: random.Random) -> Iterator[str]:
    """What sampling finds that contradicts the verdicts."""
    proved = {c.id for c in report.conditions if c.verdict is Verdict.PROVED}
    formula = drift.bound_formula()
    where = drift.domain("x")
    for _ in range(4):
        values = {name: mpmath.mpf(_inside(drift, name, rng)) for name in formula.symbols - {"x"}}
        shown = f"{drift.text} at { {k: float(v) for k, v in values.items()} }"
        levels = []
        for x in points(where.upper):
            try:
                levels.append((x, evaluate(formula, {**values, "x": x})))
            except Undefined:
                if "defined" in proved:
                    yield f"{shown}: undefined at {x}"
        with mpmath.workdps(DIGITS):
            if "increasing" in proved:
                for (x, low), (y, high) in pairwise(levels):
                    if not low < high:
                        yield f"{shown}: falls from {x} to {y}"
            if "continuously_differentiable" in proved:
                for x, _ in levels[6:-6]:
                    left, right = slopes(formula, values, x)
                    small = mpmath.mpf(10) ** -12 * (1 + abs(left))
                    if not (left > 0 and right > 0) or abs(left - right) > small:
                        yield f"{shown}: slopes {left}, {right} at {x}"
        yield from _ends(formula, values, proved, where.upper, shown)
    yield from _witnesses(drift, report)


def _ends(formula, values, proved, upper, shown):
    low = list(towards(formula, values, at_zero=True))
    with mpmath.workdps(DIGITS):
        if "lower_limit" in proved and len(low) > 1:
            if not all(b < a - mpmath.mpf(1) / 10 for (_, a), (_, b) in pairwise(low)):
                yield f"{shown}: not falling to -inf: {low}"
        if "integrable" in proved:
            for k, value in low:
                if abs(value) > mpmath.mpf(10) ** (k * mpmath.mpf("0.995")):
                    yield f"{shown}: grows like 1/x"
            if upper == 1:
                for k, value in towards(formula, values, at_zero=False):
                    if abs(value) > mpmath.mpf(10) ** (k * mpmath.mpf("0.995")):
                        yield f"{shown}: grows like 1/(1-x)"


def _witnesses(drift: Drift, report: Report) -> Iterator[str]:
    """Every refutation, looked at again at its own point."""
    for condition in report.conditions:
        witness = condition.witness
        if witness is None:
            continue
        with mpmath.workdps(DIGITS):
            values = {
                name: mpmath.mpf(at.numerator) / at.denominator
                for name, at in witness.point.items()
                if name != "x"
            }
            x = mpmath.mpf(witness.x.numerator) / witness.x.denominator
            shown = f"{drift.text}: {condition.id} refuted at {witness}"
            if condition.id == "defined":
                try:
                    evaluate(drift.formula, {**values, "x": x})
                    yield f"{shown}, where it has a value"
                except Undefined:
                    pass
            elif condition.id in ("increasing", "continuously_differentiable"):
                yield from _slope_witness(drift, condition, values, x, shown)
            else:
                yield from _end_witness(drift, condition, values, witness, shown)


def _slope_witness(drift, condition, values, x, shown):
    where = drift.domain("x")
    step = mpmath.mpf(10) ** -20
    at = evaluate(drift.formula, {**values, "x": x})
    right = condition.witness.side == "right"
    beside = evaluate(drift.formula, {**values, "x": x + step if right else x - step})
    rise = (beside - at if right else at - beside) / step
    if condition.id == "increasing":
        if rise > mpmath.mpf(10) ** -15:
            yield f"{shown}, where it climbs: {rise}"
        return
    other = rise
    inside = where.upper is None or x < mpmath.mpf(where.upper.numerator) / where.upper.denominator
    if inside:
        across = evaluate(drift.formula, {**values, "x": x - step if right else x + step})
        other = (at - across if right else across - at) / step
    scale = mpmath.mpf(10) ** -12 * (1 + abs(rise))
    if rise > scale and abs(rise - other) < scale and abs(rise) < 10**8:
        yield f"{shown}, where it is smooth and climbs: {other}, {rise}"


def _end_witness(drift, condition, values, witness, shown):
    found = list(towards(drift.formula, values, at_zero=witness.x == 0))
    if condition.id == "lower_limit":
        if len(found) > 1 and found[-1][1] < found[-2][1] - 1:
            yield f"{shown}, where it falls: {found}"
        return
    for k, value in found:
        if abs(value) < mpmath.mpf(10) ** (k * mpmath.mpf("0.9")):
            yield f"{shown}, where it does not grow so fast"


def _inside(drift: Drift, name: str, rng: random.Random) -> str:
    domain = drift.domain(name)
    low = Fraction(0) if domain.lower is None else domain.lower
    high = low + 3 if domain.upper is None else domain.upper
    share = Fraction(rng.choice((0, 1, 2, 4, 5, 8, 15, 16)), 16)
    value = low + share * (high - low)
    return str(float(value if value in domain else low + (high - low) / 2))
