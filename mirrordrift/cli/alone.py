"""One command at a time at work in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mirrordrift.writing import writing
from symbolic.errors import ConfigError

_FILE = ".lock"


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other commands out of a folder meanwhile; a process that dies leaves it free.

    Of processes that share the agents the leader stands for all. Raises ConfigError where another
    command is at work.
    """
    from rl.start import leads

    try:
        from fcntl import LOCK_EX, LOCK_NB, flock
    except ImportError:  # no such locks on this system
        yield
        return
    if not leads():
        yield
        return
    with writing(str(folder)):
        file = os.open(folder / _FILE, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            flock(file, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"{folder}: another command is at work in it; wait for it, or name another folder"
            ) from None
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(file)
