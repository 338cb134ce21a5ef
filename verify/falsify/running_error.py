"""Float64 values of a formula over many points, each with a bound of its rounding error.

Every value is kept twice: v, and its distance w = v − c to a rational centre c, the value
at r = 1 where that is a constant. Points near r = 1 give r as 1 + d with d exact, so that
r − 1, log r, exp(r − 1) − 1, r**2 − 1 and the like keep their relative accuracy and the noise
of rounding neither hides nor feigns a violation there. The bounds are of first order: they
guide a search and certify nothing.

Source: N. J. Higham, Accuracy and Stability of Numerical Algorithms, section 3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from flint import fmpq

UNIT = 2.0**-52
"""Twice the unit roundoff: room for functions that are not correctly rounded."""
_ZERO, _ONE, _HALF = fmpq(0), fmpq(1), fmpq(1, 2)
_MAX_HEIGHT = 200


class Approximation:
    """v ± e, equal to c + (w ± we); `bad` marks points where it is undefined.

    Arrays are [points] or scalars. Where the centre c is 0 or None (no centre), w is v.
    """

    __slots__ = ("bad", "c", "e", "v", "w", "we")

    def __init__(
        self, v: Any, e: Any, c: fmpq | None = None, w: Any = None, we: Any = None, bad: Any = None
    ) -> None:
        self.v, self.e, self.bad = v, e, bad
        if w is None or c is None or c == 0 or c.height_bits() > _MAX_HEIGHT:
            self.c = _ZERO if c is not None and c == 0 else None
            self.w, self.we = v, e
        else:
            self.c, self.w, self.we = c, w, we

    def shifted(self, centre: fmpq) -> tuple[Any, Any]:
        """The distance to another centre, with its error."""
        if self.c is None or self.c == centre:
            gap = 0.0 if self.c is not None else -as_float(centre)
        else:
            gap = as_float(self.c - centre)
        if gap == 0.0:
            return self.w, self.we
        moved = self.w + gap
        return moved, self.we + UNIT * (np.abs(moved) + abs(gap))


def as_float(value: fmpq) -> float:
    """The nearest float, or an infinity."""
    try:
        return int(value.p) / int(value.q)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def literal(exact: fmpq, bad: Any = None) -> Approximation:
    """A constant (NumPy scalars, which divide by zero as arrays do)."""
    value = np.float64(as_float(exact))
    error = np.float64(np.inf)
    if np.isfinite(value):
        agrees = fmpq(*value.as_integer_ratio()) == exact
        error = np.float64(0.0) if agrees else 0.5 * UNIT * np.abs(value)
    return Approximation(value, error, exact, np.float64(0.0), np.float64(0.0), bad)


def _either(*values: Approximation) -> Any:
    """Points where some argument is undefined."""
    bad = None
    for value in values:
        if value.bad is not None:
            bad = value.bad if bad is None else bad | value.bad
    return bad


def _marked(bad: Any, more: Any) -> Any:
    if not np.any(more):
        return bad
    return more if bad is None else bad | more


def _add(_: Any, a: Approximation, b: Approximation) -> Approximation:
    return _sum(a, b, 1.0)


def _sub(_: Any, a: Approximation, b: Approximation) -> Approximation:
    return _sum(a, b, -1.0)


def _sum(a: Approximation, b: Approximation, sign: float) -> Approximation:
    v = a.v + b.v if sign > 0 else a.v - b.v
    e = a.e + b.e + UNIT * np.abs(v)
    bad = _either(a, b)
    if a.c is None or b.c is None:
        return Approximation(v, e, bad=bad)
    c = a.c + b.c if sign > 0 else a.c - b.c
    if a.c == 0 and b.c == 0:
        return Approximation(v, e, c, bad=bad)
    w = a.w + b.w if sign > 0 else a.w - b.w
    we = a.we + b.we + UNIT * np.abs(w)
    return Approximation(w, we, c, bad=bad) if c == 0 else Approximation(v, e, c, w, we, bad)


def _neg(_: Any, a: Approximation) -> Approximation:
    return Approximation(-a.v, a.e, None if a.c is None else -a.c, -a.w, a.we, a.bad)


def _mul(_: Any, a: Approximation, b: Approximation) -> Approximation:
    v = a.v * b.v
    e = np.abs(a.v) * b.e + np.abs(b.v) * a.e + UNIT * np.abs(v)
    bad = _either(a, b)
    if a.c == 0 or b.c == 0:
        return Approximation(v, e, _ZERO, bad=bad)
    if a.c is None or b.c is None:
        return Approximation(v, e, bad=bad)
    first, second = as_float(a.c) * b.w, a.w * b.v
    w = first + second
    we = (
        abs(as_float(a.c)) * b.we + np.abs(b.v) * a.we + np.abs(a.w) * b.e
        + UNIT * (np.abs(first) + np.abs(second))
    )  # fmt: skip
    return Approximation(v, e, a.c * b.c, w, we, bad)


def _div(_: Any, a: Approximation, b: Approximation) -> Approximation:
    size = np.abs(b.v)
    bad = _marked(_either(a, b), (b.v == 0) & (b.e == 0))
    v = a.v / b.v
    # Nothing is known where the denominator may be 0.
    e = np.where(size > b.e, (a.e + np.abs(v) * b.e) / size + UNIT * np.abs(v), np.inf)
    if a.c is not None and a.c == 0:
        return Approximation(v, e, _ZERO, bad=bad)
    if a.c is None or not b.c:
        return Approximation(v, e, bad=bad)
    c = a.c / b.c
    scaled = as_float(c) * b.w
    w = (a.w - scaled) / b.v
    we = (a.we + abs(as_float(c)) * b.we + UNIT * (np.abs(a.w) + np.abs(scaled))) / size
    return Approximation(v, e, c, w, we + np.abs(w) * (b.e / size + UNIT), bad)


def _inv(_: Any, a: Approximation) -> Approximation:
    return _div(None, literal(_ONE), a)


def _square(_: Any, a: Approximation) -> Approximation:
    return integer_power(2, a)


def integer_power(n: int, a: Approximation) -> Approximation:
    """a**n for a constant integer n."""
    if n == 0:
        return literal(_ONE, a.bad)
    if n < 0:
        return _inv(None, integer_power(-n, a))
    if n == 2 or (n <= 4 and a.c is not None and a.c != 0):
        made = a
        for _ in range(n - 1):
            made = _mul(None, made, a)
        return made
    v = np.power(a.v, float(n))
    e = n * (np.power(np.abs(a.v) + a.e, float(n - 1)) * a.e + UNIT * np.abs(v))
    if a.c is None or a.c == 0 or n * a.c.height_bits() > _MAX_HEIGHT:
        return Approximation(v, e, None if a.c is None or a.c != 0 else _ZERO, bad=a.bad)
    c = a.c**n
    power = n * np.log1p(a.w / as_float(a.c))
    w = as_float(c) * np.expm1(power)
    shift = a.we * n / np.abs(a.v) + 2 * UNIT * np.abs(power)
    return Approximation(v, e, c, w, np.abs(v) * np.expm1(shift) + 2 * UNIT * np.abs(w), a.bad)


def _pow(_: Any, a: Approximation, b: Approximation) -> Approximation:
    zero = (a.v == 0) & (a.e == 0)
    bad = _marked(_either(a, b), (a.v < -a.e) | (zero & (b.v <= 0)))
    centred = a.c is not None and a.c == 1
    logarithm = _log(None, Approximation(a.v, a.e, a.c, a.w, a.we))
    power = _mul(None, b, Approximation(logarithm.v, logarithm.e))
    v = np.where(zero, 0.0, np.exp(power.v))
    e = np.where(zero, 0.0, v * np.expm1(power.e) + UNIT * v)
    if not centred:
        return Approximation(v, e, bad=bad)
    w = np.expm1(power.v)
    return Approximation(v, e, _ONE, w, v * np.expm1(power.e) + UNIT * np.abs(w), bad)


def _exp(_: Any, a: Approximation) -> Approximation:
    v = np.exp(a.v)
    spread = v * np.expm1(a.e)
    if a.c is None or a.c != 0:
        return Approximation(v, spread + UNIT * v, bad=a.bad)
    w = np.expm1(a.v)
    return Approximation(v, spread + UNIT * v, _ONE, w, spread + UNIT * np.abs(w), a.bad)


def _log(_: Any, a: Approximation) -> Approximation:
    bad = _marked(a.bad, (a.v <= 0) & (a.v + a.e <= 0))
    sure = a.v > a.e
    if a.c is not None and a.c == 1:
        v = np.log1p(a.w)
        e = np.where(sure, a.we / a.v + UNIT * np.abs(v), np.inf)
        return Approximation(v, e, _ZERO, bad=bad)
    v = np.log(a.v)
    return Approximation(v, np.where(sure, a.e / a.v + UNIT * np.abs(v), np.inf), bad=bad)


def _sqrt(_: Any, a: Approximation) -> Approximation:
    bad = _marked(a.bad, a.v < -a.e)
    v = np.sqrt(np.maximum(a.v, 0.0))
    e = np.minimum(np.sqrt(a.e), a.e / np.where(v > 0, v, 1e-300)) + UNIT * v
    if a.c is None or a.c <= 0 or not _is_square(a.c):
        return Approximation(v, e, a.c if a.c is not None and a.c == 0 else None, bad=bad)
    c = fmpq(a.c.p.isqrt(), a.c.q.isqrt())
    bottom = v + as_float(c)
    w = a.w / bottom
    return Approximation(v, e, c, w, (a.we + np.abs(w) * e) / bottom + UNIT * np.abs(w), bad)


def _is_square(value: fmpq) -> bool:
    return bool(value.p.is_square() and value.q.is_square())


def _tanh(_: Any, a: Approximation) -> Approximation:
    v = np.tanh(a.v)
    slope = np.minimum(1.0, (1.0 - v * v) + 2 * a.e + UNIT)
    e = np.minimum(a.e * slope + UNIT * np.abs(v), 2.0)
    return Approximation(v, e, a.c if a.c is not None and a.c == 0 else None, bad=a.bad)


def _sigmoid(_: Any, a: Approximation) -> Approximation:
    v = np.exp(-np.logaddexp(0.0, -a.v))
    e = v * np.minimum(np.expm1(a.e), 1.0) + 2 * UNIT * v * (1 + np.minimum(np.abs(a.v), 750.0))
    if a.c is None or a.c != 0:
        return Approximation(v, e, bad=a.bad)
    w = 0.5 * np.tanh(0.5 * a.v)
    return Approximation(v, e, _HALF, w, 0.25 * a.e + UNIT * np.abs(w), a.bad)


def _softplus(_: Any, a: Approximation) -> Approximation:
    v = np.maximum(a.v, 0.0) + np.log1p(np.exp(-np.abs(a.v)))
    slope = np.minimum(1.0, np.exp(a.v + a.e))
    return Approximation(v, a.e * slope + 2 * UNIT * v, bad=a.bad)


def _abs(_: Any, a: Approximation) -> Approximation:
    return _extreme(np.greater, (a, _neg(None, a)))


def _sign(_: Any, a: Approximation) -> Approximation:
    v = np.sign(a.v)
    return Approximation(
        v, np.where(np.abs(a.v) > a.e, 0.0, np.where(a.e > 0, 2.0, 0.0)), bad=a.bad
    )


def _relu(_: Any, a: Approximation) -> Approximation:
    return _extreme(np.greater, (a, literal(_ZERO)))


def _max(_: Any, *args: Approximation) -> Approximation:
    return _extreme(np.greater, args)


def _min(_: Any, *args: Approximation) -> Approximation:
    return _extreme(np.less, args)


def _clip(_: Any, x: Approximation, low: Approximation, high: Approximation) -> Approximation:
    return _extreme(np.less, (_extreme(np.greater, (x, low)), high))


def _extreme(wins: Callable[[Any, Any], Any], args: Sequence[Approximation]) -> Approximation:
    """Greatest (`wins` is `>`) or least; the centre is the one that wins at r = 1."""
    found = args[0]
    for other in args[1:]:
        first = wins(found.v, other.v)
        v = np.where(first, found.v, other.v)
        # Within the errors either may win, but then they differ by no more than the errors.
        gap = np.abs(found.v - other.v)
        doubt = np.where(gap < found.e + other.e, np.minimum(found.e, other.e), 0.0)
        doubt = np.maximum(
            doubt, np.where(gap < found.e + other.e, np.maximum(found.e, other.e), 0.0)
        )
        e = np.maximum(np.where(first, found.e, other.e), doubt)
        bad = _either(found, other)
        if found.c is None or other.c is None:
            found = Approximation(v, e, bad=bad)
            continue
        c = found.c if wins(found.c, other.c) else other.c
        (a, ae), (b, be) = found.shifted(c), other.shifted(c)
        we = np.maximum(np.where(first, ae, be), doubt)
        found = Approximation(v, e, c, np.where(first, a, b), we, bad)
    return found


def choose(
    relation: str, a: Approximation, b: Approximation, u: Approximation, v: Approximation
) -> Approximation:
    """`where(a relation b, u, v)`."""
    gap = _sum(a, b, -1.0)
    chosen = _TESTS[relation](gap.w if gap.c == 0 else gap.v, 0.0)
    value = np.where(chosen, u.v, v.v)
    doubt = np.where(np.abs(gap.v) < gap.e, np.abs(u.v - v.v), 0.0)
    e = np.where(chosen, u.e, v.e) + doubt
    bad = _either(a, b)
    if u.bad is not None or v.bad is not None:
        inner = np.where(
            chosen, False if u.bad is None else u.bad, False if v.bad is None else v.bad
        )
        bad = inner if bad is None else bad | inner
    if u.c is None or v.c is None:
        return Approximation(value, e, bad=bad)
    (x, xe), (y, ye) = u.shifted(u.c), v.shifted(u.c)
    w = np.where(chosen, x, y)
    return Approximation(value, e, u.c, w, np.where(chosen, xe, ye) + doubt, bad)


_TESTS: dict[str, Callable[[Any, Any], Any]] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip

RULES: dict[str, Callable[..., Approximation]] = {
    "add": _add, "sub": _sub, "mul": _mul, "div": _div, "neg": _neg, "pow": _pow, "inv": _inv,
    "square": _square, "exp": _exp, "log": _log, "sqrt": _sqrt, "tanh": _tanh, "sigmoid": _sigmoid,
    "softplus": _softplus, "abs": _abs, "sign": _sign, "relu": _relu, "max": _max, "min": _min,
    "clip": _clip, "where<": choose, "where<=": choose, "where>": choose, "where>=": choose,
}  # fmt: skip
"""One rule for each operation: (constant, *arguments) -> value, error, centre.

The constant is the comparison of a `where`; the others have none.
"""
