"""Deliberate faults: one changed piece of one function each, put in place while a test runs.

A fault is a text in a function's source and what stands there instead. The changed source is
compiled and the function gets the new code object, so that every importer of the function sees
the fault; nothing else of the module is touched or run. A fault whose text is gone is stale, and
its test says so.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest


@dataclass(frozen=True)
class Mutant:
    """A fault of `layer` ("prover", "checker", "falsifier") in one function."""

    layer: str
    fault: str
    target: str
    """module:function, or module:Class.method."""
    old: str
    new: str
    caught_by: str
    """The law that notices it, or the formula whose verdict it spoils."""

    @property
    def id(self) -> str:
        return f"{self.layer}: {self.fault}"

    def apply(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put the fault in place until `monkeypatch` is undone."""
        name, _, path = self.target.partition(":")
        module = importlib.import_module(name)
        source = _mutated(inspect.getsource(module), path, self.old, self.new)
        code = next(
            code
            for code in _codes(compile(source, module.__file__ or name, "exec", dont_inherit=True))
            if code.co_qualname == path
        )
        monkeypatch.setattr(_function(module, path), "__code__", code)


def _mutated(source: str, path: str, old: str, new: str) -> str:
    """The module's text with the fault in one function."""
    node: Any = ast.parse(source)
    for part in path.split("."):
        node = next(child for child in node.body if getattr(child, "name", "") == part)
    lines = source.splitlines(keepends=True)
    body = "".join(lines[node.lineno - 1 : node.end_lineno])
    found = body.count(old)
    assert found == 1, f"stale fault: {old!r} stands {found} times in {path}"
    return "".join([
        *lines[: node.lineno - 1], body.replace(old, new), *lines[node.end_lineno :],
    ])  # fmt: skip


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _function(module: ModuleType, path: str) -> FunctionType:
    found: Any = module
    for part in path.split("."):
        found = inspect.getattr_static(found, part)
        found = getattr(found, "__func__", found)  # static and class methods
        found = found.fget if isinstance(found, property) else found
    return inspect.unwrap(found)
