"""`jax.numpy` for evaluating formulas: the same functions, with slopes that survive float32.

Only this file of the package imports JAX, and only code that trains imports this file.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp


def __getattr__(name: str) -> Any:
    return getattr(jnp, name)


@jax.custom_jvp
def divide(a: Any, b: Any) -> Any:
    """a / b; its slope (da − (a/b)·db)/b never squares b, which overflows for ratios near e³⁰."""
    return jnp.divide(a, b)


@divide.defjvp
def _divide_slope(values: tuple[Any, Any], slopes: tuple[Any, Any]) -> tuple[Any, Any]:
    (a, b), (da, db) = values, slopes
    quotient = jnp.divide(a, b)
    return quotient, jnp.divide(da - quotient * db, b)
