"""Files that commands read and write: bounded going in, whole or not at all coming out."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mirrordrift.writing import writing
from symbolic.errors import ConfigError

MAX_BYTES = 64 * 2**20
"""Of a file of formulas."""
STANDARD = "-"
"""Standard input, where a file to read is asked for."""

Writer = Callable[[Mapping[str, Any]], None]


def read_lines(name: str) -> list[tuple[int, str]]:
    """(line number, formula with its declarations) of each line that is more than a comment.

    The name `-` means standard input. Raises ConfigError for a file that cannot be read or holds
    no formula.
    """
    label = label_of(name)
    try:
        content = _content(name)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{label}: cannot be read ({error.strerror}); check the path") from None
    except ValueError:  # bytes that are no text, or a path with a zero byte
        raise ConfigError(f"{label}: no UTF-8 text; write one formula a line") from None
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{label}: more than the {MAX_BYTES} bytes allowed; split the file")
    bare = ((n, line.partition("#")[0].strip()) for n, line in enumerate(text.split("\n"), 1))
    lines = [(n, line) for n, line in bare if line]
    if not lines:
        raise ConfigError(f"{label}: no formula in this file; write one a line, '#' for comments")
    return lines


def label_of(name: str) -> str:
    """How a message calls a file of formulas."""
    return "standard input" if name.strip() == STANDARD else name


def _content(name: str) -> bytes:
    if name.strip() != STANDARD:
        with Path(name).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    if sys.stdin is None:  # closed by the caller
        return b""
    return sys.stdin.buffer.read(MAX_BYTES + 1)


@contextmanager
def certificate_writer(path: str, sources: Iterable[str] = ()) -> Iterator[Writer]:
    """A function that adds a JSON line to the file `path`, or does nothing for an empty path.

    The file appears when all is written; where nothing was, and after an error or Ctrl-C, the old
    one is still there. Raises ConfigError if the folder cannot be written, or if the file is one
    of the `sources` that are read.
    """
    if not path:
        yield lambda _: None
        return
    label = f"--certificate {path}"
    target = _target(path, label, sources)
    with writing(label):
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    file = os.fdopen(handle, "w", encoding="utf-8")
    written = 0

    def write(certificate: Mapping[str, Any]) -> None:
        nonlocal written
        with writing(label):
            print(json.dumps(certificate), file=file, flush=True)
        written += 1

    try:
        yield write
        if written:
            with writing(label):
                os.fsync(file.fileno())
                file.close()
                _readable(Path(name))
                os.replace(name, target)  # noqa: PTH105 - as atomic as the file system is
    finally:
        with suppress(OSError):
            file.close()
        with suppress(OSError):
            Path(name).unlink(missing_ok=True)


def _target(path: str, label: str, sources: Iterable[str]) -> Path:
    """The file that will be written; raises ConfigError for what must not be replaced."""
    if path.strip() == STANDARD:
        raise ConfigError(f"{label}: standard output has the answer; name a file")
    target = Path(path).resolve()  # a link stays a link
    if any(_is_same(target, source) for source in sources):
        raise ConfigError(
            f"{label}: this is the file to decide, and it would be lost; name another"
        )
    if target.exists() and not target.is_file():
        raise ConfigError(f"{label}: not an ordinary file; name one to be written")
    return target


def _is_same(target: Path, source: str) -> bool:
    try:
        return bool(source) and target.samefile(source)
    except (OSError, ValueError):  # no such file yet, or a formula
        return False


def _readable(path: Path) -> None:
    """The permissions of an ordinary new file; a temporary one is for its owner alone."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)
