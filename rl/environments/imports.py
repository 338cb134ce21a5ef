"""Imports of libraries that bring more than they are asked for: what is slow, and what is loud."""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
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
def quiet() -> Iterator[None]:
    """Without warnings, and without what is printed: standard output is for answers.

    MuJoCo prints which of its optional parts are missing; brax warns that it is not developed on.
    """
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


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
