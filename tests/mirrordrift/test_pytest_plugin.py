"""The pytest plugin in a repository that is not ours, and the example that shows it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "test_my_drift.py"
REFERENCE = ROOT / "docs" / "reference.md"


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, encoding="utf-8", timeout=120, check=False
    )


def test_the_example_passes_in_a_repository_of_its_own(tmp_path):
    (tmp_path / EXAMPLE.name).write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    done = run_pytest(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout


def test_marker_and_fixture(tmp_path):
    (tmp_path / "test_mine.py").write_text(
        """
import pytest

@pytest.mark.drift("C*(r-1)**2", C="(0, inf)")
def test_proved(): ...

@pytest.mark.drift("abs(A)*(r-1)")
def test_refuted():
    print("the body must not run")

@pytest.mark.drift("(r-1)**2")
@pytest.mark.drift("dpo", timeout=20)
def test_two(drift):
    assert drift("A*(r-1)**2")["nonnegative"].witness.A < 0
    assert drift("A**2*c*(r-1)**2", c="[0, 1]").verdict == "proved"

@pytest.mark.drift("r - beta")
def test_typing_error(): ...

@pytest.mark.drift()
def test_nothing_to_verify(): ...
""",
        encoding="utf-8",
    )
    done = run_pytest(tmp_path, "-rA")
    text = done.stdout
    for name in ("test_proved", "test_two"):
        assert f"PASSED test_mine.py::{name}" in text
    for name in ("test_refuted", "test_typing_error", "test_nothing_to_verify"):
        assert f"FAILED test_mine.py::{name}" in text
    assert "3 failed, 2 passed" in text
    assert "nonnegative: refuted at r = " in text
    assert "the body must not run" not in text
    assert "unknown name 'beta'" in text
    assert "the marker is drift(spec, timeout=10.0, **parameters)" in text


def test_the_example_of_the_reference_passes(tmp_path):
    section = REFERENCE.read_text(encoding="utf-8").partition("### In tests")[2]
    (tmp_path / "test_mine.py").write_text(section.split("```")[1].removeprefix("python"))
    assert "2 passed" in run_pytest(tmp_path).stdout


def test_the_marker_is_listed(tmp_path):
    assert "@pytest.mark.drift(spec" in run_pytest(tmp_path, "--markers").stdout


@pytest.mark.parametrize("module", ["mirrordrift.pytest_plugin", "mirrordrift.testing"])
def test_loading_imports_nothing_heavy(module):
    code = (
        f"import sys, pytest; import {module};"
        "assert not {'numpy', 'hypothesis', 'flint', 'sympy', 'jax', 'torch', 'verify'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
