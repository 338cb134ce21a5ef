"""Standard output and standard error, which may be closed, full, or left by their reader."""

from __future__ import annotations

import os
import sys


def prepare() -> None:
    """Make both streams usable: a closed one swallows, and no character is beyond a console."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller, who wants the exit code alone
            nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - to the end
            setattr(sys, name, nowhere)
        stream = getattr(sys, name)
        if hasattr(stream, "reconfigure"):  # a console that has no ∂ shows an escape, and goes on
            stream.reconfigure(errors="backslashreplace")


def complain(message: str) -> None:
    """One message on standard error; where nobody can read it, the exit code has to do."""
    try:
        print(message, file=sys.stderr, flush=True)
    except OSError:
        _give_up(sys.stderr)


def settle() -> None:
    """Let go of what could not be written, which Python would try to write again as it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _give_up(stream)


def failed_to_write(error: BaseException) -> bool:
    """Whether this came from writing to a stream: errors about a file name it."""
    return isinstance(error, OSError) and error.filename is None


def _give_up(stream: object) -> None:
    """Send whatever this stream still holds to nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())  # type: ignore[attr-defined]
    finally:
        os.close(nowhere)
