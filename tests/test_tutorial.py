"""The tutorial is run as it stands: its commands in their order, and then its Python."""

from __future__ import annotations

import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import pytest

from mirrordrift.cli import main

PAGE = Path(__file__).parents[1] / "docs" / "from-network-to-theorem.md"
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.mark.skipif(find_spec("jax") is None, reason="the extra train is not installed")
def test_the_tutorial_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    blocks = BLOCK.findall(PAGE.read_text("utf-8"))
    assert [kind for kind, _ in blocks].count("sh") >= 4
    for kind, text in blocks:
        if kind == "sh":
            for line in text.splitlines():
                program, *arguments = shlex.split(line)
                assert program == "drift" and main(arguments) == 0, line
        else:
            exec(compile(text, "tutorial", "exec"), {})
