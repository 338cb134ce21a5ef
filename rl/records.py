"""Records as JSON has them, and what is said where they cannot be written."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from symbolic.errors import ConfigError


def json_line(record: Mapping[str, Any]) -> str:
    """One line, without its end; a number that is not finite becomes null, as JSON has none."""
    return json.dumps(plain(record), allow_nan=False)


@contextmanager
def writing_into(folder: Path) -> Iterator[None]:
    """Raise ConfigError, naming the folder and the system's reason, where a write inside fails."""
    try:
        yield
    except OSError as error:
        raise unwritable(folder, error) from None


def unwritable(folder: Path, error: OSError) -> ConfigError:
    """What is said of a folder that cannot be written."""
    reason = error.strerror or (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
    return ConfigError(f"{folder}: cannot be written ({reason}); free space or name another folder")


def plain(value: Any) -> Any:
    """With null for every number that is not finite, at any depth."""
    if isinstance(value, Mapping):
        return {name: plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
