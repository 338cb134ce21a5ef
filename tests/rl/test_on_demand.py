"""A module that is put off comes when it is used, and not before."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rl.environments.on_demand import on_demand


def test_a_module_comes_when_it_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "costly_pictures.py").write_text("import colorsys\nWIDTH = 3\n")
    (tmp_path / "costly_user.py").write_text(
        "import costly_pictures as pictures\ndef width():\n    return pictures.WIDTH\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with on_demand("costly_pictures"):
        import costly_user
    assert "costly_pictures" not in sys.modules
    assert costly_user.width() == 3
    assert "costly_pictures" in sys.modules
    with on_demand("costly_pictures"):  # one that is there stays
        assert sys.modules["costly_pictures"].WIDTH == 3
    assert sys.modules["costly_pictures"].WIDTH == 3
