"""Hypothesis strategies for drifts: where to evaluate them, and whole drifts.

Examples shrink towards the identity: r = 1, A = 0, simple rationals, one known shape.
Importing this module imports Hypothesis.
"""

from __future__ import annotations

import functools
import math
import struct
from fractions import Fraction
from typing import Literal

from hypothesis import strategies as st

from symbolic.domains import Interval, parse_declaration
from symbolic.errors import ConfigError
from symbolic.expression import Expression, as_expression, call, number, substitute, symbol
from symbolic.operations import OPERATIONS
from symbolic.parser import parse

__all__ = ["advantages", "drift_expressions", "log_ratios", "parameters", "ratios"]

DType = Literal["float64", "float32"]

LARGEST_LOG_RATIO = {"float64": 300.0, "float32": 40.0}
"""|log r| such that r² and the gradient of (r − 1)² stay finite in that precision."""
LARGEST_ADVANTAGE = {"float64": 1e6, "float32": 20.0}
"""Normalised advantages stay far below; float32 leaves room for A times a squared ratio."""

_SIMPLE = tuple(
    Fraction(text)
    for text in ("1", "2", "1/2", "3/2", "5/4", "3/4", "3", "1/4", "4", "9/8", "7/8", "10", "1/8",
                 "1/16", "100", "1/1024", "1025/1024", "1023/1024", "1048577/1048576")
)  # fmt: skip


def ratios(dtype: DType = "float64") -> st.SearchStrategy[float]:
    """Ratios r > 0 from e^-L to e^L (L: `LARGEST_LOG_RATIO`), many of them beside 1.

    Shrinks to 1 and to simple rationals. Every value is exact in `dtype`.
    """
    _check_dtype(dtype)
    beside = st.builds(
        lambda sign, k: 1.0 + sign * 2.0**-k, st.sampled_from((1, -1)), st.integers(1, 20)
    )
    spread = log_ratios(dtype).map(math.exp).map(functools.partial(_round, dtype))
    return st.one_of(st.sampled_from(_SIMPLE).map(float), beside, spread)


def log_ratios(dtype: DType = "float64") -> st.SearchStrategy[float]:
    """Log-ratios in [-L, L] (L: `LARGEST_LOG_RATIO`), many of them small; shrinks to 0."""
    _check_dtype(dtype)
    return _signed(LARGEST_LOG_RATIO[dtype], dtype)


def advantages(dtype: DType = "float64") -> st.SearchStrategy[float]:
    """Advantages A of either sign up to `LARGEST_ADVANTAGE`; shrinks to 0 and to integers."""
    _check_dtype(dtype)
    return _signed(LARGEST_ADVANTAGE[dtype], dtype)


def parameters(interval: Interval | str) -> st.SearchStrategy[Fraction]:
    """Exact values of a parameter in an interval such as `"(0, inf)"`, its closed ends included.

    Shrinks to the simplest rational inside. Raises FormulaError for text that is no interval.
    """
    if isinstance(interval, str):
        interval = parse_declaration(f"value in {interval}")[1]
    if interval.value is not None:
        return st.just(interval.value)
    low, high = interval.lower, interval.upper
    inside = [value for sign in (1, -1) for q in _SIMPLE if (value := sign * q) in interval]
    if Fraction(0) in interval:
        inside.insert(0, Fraction(0))
    ends = [end for end in (low, high) if end is not None and end in interval]
    unit = st.fractions(0, 1, max_denominator=1024)
    if low is not None and high is not None:
        spread = unit.map(lambda u: low + (high - low) * u)
    elif low is not None:
        spread = st.fractions(0, 1000, max_denominator=64).map(lambda u: low + u)
    elif high is not None:
        spread = st.fractions(0, 1000, max_denominator=64).map(lambda u: high - u)
    else:
        spread = st.fractions(-1000, 1000, max_denominator=64)
    spread = spread.filter(lambda value: value in interval)
    first = [st.sampled_from(found) for found in (inside, ends) if found]
    return st.one_of(*first, spread)


def drift_expressions(valid: bool = True) -> st.SearchStrategy[Expression]:
    """Whole drifts over r and A as trees.

    `valid=True`: all conditions hold by construction (known shapes, added, weighted by
    non-negative functions of A, and composed in ways that keep them), and values stay finite in
    float32 over `ratios("float32")` and `advantages("float32")`. `valid=False`: any tree of the
    table of operations; it may be valid, broken or undefined.
    """
    return _valid_drifts() if valid else _arbitrary_trees()


def _check_dtype(dtype: str) -> None:
    if dtype not in LARGEST_LOG_RATIO:
        raise ConfigError(f"dtype={dtype!r}: use 'float64' or 'float32'")


def _round(dtype: str, value: float) -> float:
    """The nearest value of the dtype."""
    return struct.unpack("f", struct.pack("f", value))[0] if dtype == "float32" else value


def _signed(largest: float, dtype: DType) -> st.SearchStrategy[float]:
    """Values of every scale up to ±largest; uniform floats alone would hardly ever be small."""
    simple = st.sampled_from([0.0, *(s * float(q) for q in _SIMPLE for s in (1, -1))])
    scaled = st.builds(
        lambda x, k: _round(dtype, x * 2.0**-k),
        st.floats(-largest, largest, width=32 if dtype == "float32" else 64),
        st.integers(0, 24),
    )
    return st.one_of(simple.filter(lambda x: abs(x) <= largest), scaled)


# Valid by construction ------------------------------------------------------------------------

_SHAPES = (
    "(r-1)**2", "r-1-log(r)", "r*log(r)-r+1", "log(r)**2", "(sqrt(r)-1)**2", "(r-1)*log(r)",
    "(r-1)**2/r", "r+1/r-2", "sqrt(1+(r-1)**2)-1", "log(1+(r-1)**2)", "abs(A)*(r-1)**2",
    "relu((r-clip(r, 4/5, 6/5))*A)", "relu((r-1)*A-2*tanh((r-1)*A/2))",
    "relu(log(r)*A-3/5*tanh(log(r)*A/(3/5)))", "(r-1)*A*tanh((r-1)*A)",
    "abs(log(r)*A)-tanh(abs(log(r)*A))", "softplus((r-1)*A)-(r-1)*A/2-log(2)",
)  # fmt: skip
"""Known drifts that grow no faster than |A|·(r − 1)²."""
_WEIGHTS = ("sigmoid(A)", "1/(1+A**2)", "exp(-abs(A))", "1+tanh(A)", "where(A >= 0, 1, 1/2)")
"""Non-negative functions of A, at most 2."""
_KEEPING = (
    "log(1+f)", "tanh(f)", "f/(1+f)", "sqrt(1+f)-1", "relu(f-1/10)", "min(f, 1)", "softplus(f)-log(2)-f/2",
)  # fmt: skip
"""g(f) with g(0) = 0, g ≥ 0 on f ≥ 0, at most f, and a bounded slope: all conditions are kept."""
_JOINING = ("f+g", "max(f, g)", "min(f, g)", "where(A >= 0, f, g)", "where(r < 1, f, g)")


def _template(text: str) -> Expression:
    return parse(text, names=("r", "A", "f", "g"))


def _valid_drifts() -> st.SearchStrategy[Expression]:
    shapes = st.sampled_from([_template(text) for text in _SHAPES])
    weights = st.sampled_from([_template(text) for text in _WEIGHTS])
    scales = st.sampled_from([number(Fraction(q)) for q in ("2", "1/2", "1/5", "3")])
    keeping = st.sampled_from([_template(text) for text in _KEEPING])
    joining = st.sampled_from([_template(text) for text in _JOINING])

    def extend(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        return st.one_of(
            st.builds(lambda weight, f: weight * f, weights, inner),
            st.builds(lambda form, f: substitute(form, {"f": f}), keeping, inner),
            st.builds(lambda form, f, g: substitute(form, {"f": f, "g": g}), joining, inner, inner),
        )

    scaled = st.builds(lambda c, f: c * f, scales, shapes)
    return st.recursive(st.one_of(shapes, scaled), extend, max_leaves=4)


# Any tree --------------------------------------------------------------------------------------


def _arbitrary_trees() -> st.SearchStrategy[Expression]:
    literals = st.sampled_from([number(Fraction(q)) for q in ("1", "0", "2", "1/2", "1/5", "10")])
    leaves = st.one_of(st.sampled_from([symbol("r"), symbol("A")]), literals)

    def extend(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        calls = [
            st.builds(functools.partial(call, name), *[inner] * operation.arity[0])
            for name, operation in OPERATIONS.items()
            if name != "pow"
        ]
        powers = st.builds(
            lambda base, exponent: base ** as_expression(exponent),
            inner,
            st.sampled_from([Fraction(q) for q in ("2", "3", "1/2", "-1", "3/2", "0")]),
        )
        return st.one_of(*calls, powers, st.builds(functools.partial(call, "pow"), inner, inner))

    return st.recursive(leaves, extend, max_leaves=8)
