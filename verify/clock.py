"""The clock that may end an attempt: looked at deep inside the algebra, set at the top.

Steps decide verdicts; the clock only ever turns a decision into `unknown`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_deadline: ContextVar[float] = ContextVar("deadline", default=float("inf"))


class OutOfTime(Exception):
    """The clock ran out; the condition is unknown."""


@contextmanager
def until(deadline: float) -> Iterator[None]:
    """Within the block, `look` raises once `time.monotonic()` is past the deadline."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


def look() -> None:
    """Raise OutOfTime if the time is up."""
    if time.monotonic() > _deadline.get():
        raise OutOfTime
