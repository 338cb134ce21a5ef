"""What the operations compute on arrays of floats, once for NumPy and for JAX.

Each function takes the array module first. Undefined gives nan, never a hidden number, and no
branch that is not taken divides by 0 or takes a root there: a derivative through it stays finite.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def divide(xp: Any, a: Any, b: Any) -> Any:
    """a / b; undefined at b = 0."""
    return xp.where(b == 0, xp.nan, xp.divide(a, xp.where(b == 0, 1.0, b)))


def log(xp: Any, x: Any) -> Any:
    """The natural logarithm of x > 0."""
    return xp.where(x > 0, xp.log(xp.where(x > 0, x, 1.0)), xp.nan)


def sqrt(xp: Any, x: Any) -> Any:
    """The root of x ≥ 0, with slope 0 at 0: what is flat there must not become 0·∞."""
    return xp.where(x == 0, 0.0, xp.sqrt(xp.where(x == 0, 1.0, x)))


def power(xp: Any, a: Any, b: Any) -> Any:
    """a**b for a > 0, and 0 at a = 0 with b > 0 (integer exponents go by `integer_power`)."""
    positive = (a > 0) & ~xp.isnan(b)  # 1**nan would be 1
    general = xp.power(xp.where(positive, a, 1.0), b)
    return xp.where(positive, general, xp.where((a == 0) & (b > 0), 0.0, xp.nan))


def integer_power(xp: Any, a: Any, n: int) -> Any:
    """x**n as a product; n < 0 is undefined at 0, and any n where x is."""
    if n == 0:
        return xp.where(xp.isnan(a), xp.nan, 1.0)
    return xp.power(a, float(n)) if n > 0 else divide(xp, 1.0, xp.power(a, float(-n)))


def softplus(xp: Any, x: Any) -> Any:
    """log(1 + exp x) without overflow.

    By min(x, −x) and not −|x|: at 0 JAX takes the slope of |x| from the right, and both halves of
    the sum then cancel, where the slope is 1/2.
    """
    return xp.maximum(x, 0.0) + xp.log1p(xp.exp(xp.minimum(x, -x)))


def sigmoid(xp: Any, x: Any) -> Any:
    """1 / (1 + exp −x) without overflow."""
    return 0.5 * (1.0 + xp.tanh(0.5 * x))


def clip(xp: Any, x: Any, lo: Any, hi: Any) -> Any:
    """min(max(x, lo), hi), in this order where lo > hi."""
    return xp.minimum(xp.maximum(x, lo), hi)


def maximum(xp: Any, *args: Any) -> Any:
    """The greatest of the arguments."""
    value = args[0]
    for other in args[1:]:
        value = xp.maximum(value, other)
    return value


def minimum(xp: Any, *args: Any) -> Any:
    """The least of the arguments."""
    value = args[0]
    for other in args[1:]:
        value = xp.minimum(value, other)
    return value


def where(test: str) -> Callable[..., Any]:
    """The branch that a comparison (a function of the array module by name) chooses."""

    def choose(xp: Any, a: Any, b: Any, u: Any, v: Any) -> Any:
        chosen = xp.where(getattr(xp, test)(a, b), u, v)
        return xp.where(xp.isnan(a) | xp.isnan(b), xp.nan, chosen)

    return choose
