"""An interrupt that waits until what must not be cut is done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def held_back() -> Iterator[None]:
    """Ctrl-C takes effect when this ends.

    A context manager and a decorator, for libraries that run event loops of their own: an interrupt
    inside one may be lost, and the program goes on as if nobody had asked it to stop. Only the main
    thread hears interrupts.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[tuple[int, Any]] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if heard and callable(before):
        before(*heard[0])
