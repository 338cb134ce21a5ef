"""What is said of a file that cannot be written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from symbolic.errors import ConfigError


@contextmanager
def writing(label: str) -> Iterator[None]:
    """Raise ConfigError, with the label and the system's reason, where a write inside fails."""
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"{label}: cannot be written ({error.strerror or error}); "
            "name a file in a folder that you may write to"
        ) from None
