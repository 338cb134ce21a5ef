"""What libraries bring beside what they are asked for stays out of the way."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import pytest

from rl.environments.imports import on_demand, quiet


def test_nothing_is_printed_or_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    with quiet():
        print("Failed to import something")
        warnings.warn("not developed on", UserWarning, stacklevel=1)
    assert capsys.readouterr() == ("", "")


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
