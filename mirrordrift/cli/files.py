"""Files that commands read and write: bounded going in, whole or not at all coming out."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mirrordrift.writing import writing
from symbolic.errors import ConfigError

MAX_BYTES = 64 * 2**20
"""Of a file of formulas."""

Writer = Callable[[Mapping[str, Any]], None]


def read_lines(path: Path) -> list[tuple[int, str]]:
    """(line number, formula with its declarations) of each line that is more than a comment.

    Raises ConfigError for a file that cannot be read or holds no formula.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except ValueError:
        raise ConfigError(f"{path}: no UTF-8 text; write one formula a line") from None
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path}: more than the {MAX_BYTES} bytes allowed; split the file")
    bare = ((n, line.partition("#")[0].strip()) for n, line in enumerate(text.split("\n"), 1))
    lines = [(n, line) for n, line in bare if line]
    if not lines:
        raise ConfigError(f"{path}: no formula in this file; write one a line, '#' for comments")
    return lines


@contextmanager
def certificate_writer(path: str) -> Iterator[Writer]:
    """A function that adds a JSON line to the file `path`, or does nothing for an empty path.

    The file appears when all is written; after an error or Ctrl-C the old one is still there.
    Raises ConfigError if the folder cannot be written.
    """
    if not path:
        yield lambda _: None
        return
    target = Path(path).resolve()  # a link stays a link
    if target.exists() and not target.is_file():
        raise ConfigError(f"--certificate {path}: not an ordinary file; name one to be written")
    label = f"--certificate {path}"
    with writing(label):
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    file = os.fdopen(handle, "w", encoding="utf-8")

    def write(certificate: Mapping[str, Any]) -> None:
        with writing(label):
            print(json.dumps(certificate), file=file, flush=True)

    try:
        yield write
        with writing(label):
            os.fsync(file.fileno())
            file.close()
            _readable(Path(name))
            os.replace(name, target)  # noqa: PTH105 - as atomic as the file system is
    except BaseException:
        with suppress(OSError):
            file.close()
        with suppress(OSError):
            Path(name).unlink()
        raise


def _readable(path: Path) -> None:
    """The permissions of an ordinary new file; a temporary one is for its owner alone."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)
