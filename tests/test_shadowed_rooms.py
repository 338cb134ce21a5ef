"""The command line works in a folder that has rooms of the same names.

`rl`, `search`, `symbolic` and `verify` are ordinary words: people have folders called so.
"""

from __future__ import annotations

import json

import pytest

ROOMS = ("symbolic", "verify", "rl", "search")
TRAP = "raise ImportError('this folder is not a room of mirrordrift')\n"


@pytest.fixture
def crowded(tmp_path):
    """A working folder with a package of each room's name, none of which may be imported."""
    for room in ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text(TRAP)
    return tmp_path


@pytest.mark.parametrize("rooms", [("rl", "search"), ROOMS], ids=["rl-search", "every-room"])
def test_verify_in_a_folder_with_rooms(run_drift, tmp_path, rooms):
    for room in rooms:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text(TRAP)

    done = run_drift("verify", "dpo", "--json", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verdict"] == "proved"


def test_a_formula_from_elsewhere_is_decided_there_too(run_drift, crowded):
    done = run_drift("verify", "(r-1)*A", "--json", cwd=crowded)

    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["verdict"] == "refuted"


def test_doctor_runs_and_names_a_shadowed_room(run_drift, crowded):
    """PYTHONPATH puts the folder before the installed packages: that is what doctor is for."""
    (crowded / "symbolic" / "__init__.py").unlink()
    (crowded / "symbolic").rmdir()
    (crowded / "verify" / "__init__.py").unlink()
    (crowded / "verify").rmdir()

    done = run_drift("doctor", cwd=crowded, env={"PYTHONPATH": str(crowded)})

    assert "Traceback" not in done.stderr
    assert "shadow" in done.stdout + done.stderr
    assert "rl" in done.stdout + done.stderr
