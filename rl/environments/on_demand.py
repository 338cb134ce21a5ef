"""Imports put off until something is asked of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


class _OnDemand(ModuleType):
    """Stands for a module; the first attribute that is asked of it imports it."""

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):  # the import system looks at these
            raise AttributeError(attribute)
        return getattr(import_module(self.__name__), attribute)


@contextmanager
def on_demand(*names: str) -> Iterator[None]:
    """What is imported meanwhile gets these modules later, when it uses them.

    For libraries that draw pictures with what they import, seconds of it, and are not asked to.
    """
    put_off = [name for name in names if name not in sys.modules]
    stand_ins = {name: _OnDemand(name) for name in put_off}
    sys.modules |= stand_ins
    try:
        yield
    finally:
        for name, stand_in in stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]
