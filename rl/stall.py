"""Tells a computation that has stopped from one that takes long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import jax

PATIENCE = 120.0
"""Seconds without any processor time, on a CPU, after which a computation counts as stopped."""

_IDLE_SHARE = 0.005
_LOOK_EVERY = 5.0
_SUSPENDED = 3.0
"""A look that comes so many times later than it should: the process itself was stopped."""


@contextmanager
def watched(
    stalled: Callable[[float], None], *, patience: float = PATIENCE, look_every: float = _LOOK_EVERY
) -> Iterator[None]:
    """Call `stalled(seconds)` from another thread if this process uses no processor for `patience`.

    For computations on the CPU of one process, which use it all the while; a deadlocked pool of
    threads uses none. Where an accelerator or another process may be waited for, nothing is watched.
    """
    if jax.default_backend() != "cpu" or jax.process_count() > 1:
        yield
        return
    done = threading.Event()

    def look() -> None:
        last, used, idle = time.monotonic(), time.process_time(), 0.0
        while not done.wait(look_every):
            now, cpu = time.monotonic(), time.process_time()
            if cpu - used > _IDLE_SHARE * (now - last) or now - last > _SUSPENDED * look_every:
                idle = 0.0
            else:
                idle += now - last
            last, used = now, cpu
            if idle >= patience:
                stalled(idle)
                return

    watcher = threading.Thread(target=look, name="stall", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
