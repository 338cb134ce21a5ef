"""What a command does when its training stands still."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from mirrordrift.cli import ERROR
from mirrordrift.cli.streams import complain


@contextmanager
def ended_if_stalled(go_on: str) -> Iterator[None]:
    """End the process, with a word on how to `go_on`, if nothing is computed any more.

    The same word follows an interrupt.

    Nothing gentler helps: the threads that wait cannot be interrupted.
    """
    from rl.stall import watched

    def end(seconds: float) -> None:
        complain(
            f"drift: nothing was computed for {seconds:.0f} s: the training has stopped; "
            f"go on from its last checkpoint with {go_on}"
        )
        os._exit(ERROR)

    try:
        with watched(end):
            yield
    except KeyboardInterrupt:
        complain(f"drift: go on with {go_on}")
        raise
