"""Tells a computation that has stopped from one that takes long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 120.0
"""Seconds without any processor time, on a CPU, after which a computation counts as stopped."""

_IDLE_SHARE = 0.005
_LOOK_EVERY = 5.0


@contextmanager
def watched(
    stalled: Callable[[float], None], *, patience: float = PATIENCE, look_every: float = _LOOK_EVERY
) -> Iterator[None]:
    """Call `stalled(seconds)` from another thread if this process uses no processor for `patience`.

    For computations on a CPU, which use it all the while; a deadlocked pool of threads uses none.
    """
    done = threading.Event()

    def look() -> None:
        since, used = time.monotonic(), time.process_time()
        while not done.wait(look_every):
            now, cpu = time.monotonic(), time.process_time()
            if cpu - used > _IDLE_SHARE * (now - since) + 0.01:
                since, used = now, cpu
            elif now - since >= patience:
                stalled(now - since)
                return

    watcher = threading.Thread(target=look, name="stall", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
