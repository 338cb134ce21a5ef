"""`drift verify --certificate`: written whole, or not at all, and never over what is read."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

PROVED, REFUTED = "(r-1)**2", "(r-1)*A"


def test_certificate_of_one_and_of_many(drift, tmp_path):
    one, many, formulas = (tmp_path / name for name in ("one.json", "many.jsonl", "f.txt"))
    assert drift("verify", "kl", "--certificate", one).code == 0
    assert json.loads(one.read_text())["conditions"]
    if os.name == "posix":
        formulas.touch()
        assert one.stat().st_mode == formulas.stat().st_mode
    formulas.write_text(f"{PROVED}\nr +* 1\n{REFUTED}\n")
    drift("verify", "--file", formulas, "--certificate", many)
    assert len(many.read_text().splitlines()) == 2
    assert drift("check", one).code == drift("check", many).code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.txt", "many.jsonl", "one.json"]


@pytest.mark.parametrize(
    "arguments", [["(r-1"], ["absent.npz"], ["--file", "absent.txt"], ["--file", "bad.txt"]]
)
def test_an_old_certificate_outlives_what_cannot_be_decided(
    drift, tmp_path, monkeypatch, arguments
):
    monkeypatch.chdir(tmp_path)
    Path("bad.txt").write_text("r +* 1\n")
    Path("old.json").write_text("old")
    assert drift("verify", *arguments, "--certificate", "old.json").code == 2
    assert Path("old.json").read_text() == "old"
    assert drift("verify", *arguments, "--certificate", "new.json").code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.txt", "old.json"]


def test_a_certificate_never_replaces_what_is_decided(drift, tmp_path, network_file):
    formulas, link = tmp_path / "f.txt", tmp_path / "link.txt"
    formulas.write_text("(r-1)**2\n")
    link.symlink_to(formulas)
    before = network_file.read_bytes()
    for arguments, target in (
        (["--file", formulas], formulas),
        (["--file", formulas], link),
        (["--network", network_file], network_file),
        ([network_file], network_file),
    ):
        done = drift("verify", *arguments, "--certificate", target)
        assert done.code == 2
        assert f"--certificate {target}: this is the file to decide" in done.err
    assert formulas.read_text() == "(r-1)**2\n"
    assert network_file.read_bytes() == before
    done = drift("verify", "kl", "--certificate", "-")
    assert done.code == 2
    assert "standard output has the answer" in done.err


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder where no file can be made")
def test_files_that_cannot_be_written(drift):
    for arguments in (
        ["verify", "kl", "--certificate", "/proc/kl.json"],
        ["plot", "kl", "-o", "/proc/kl.png"],
    ):
        done = drift(*arguments)
        assert done.code == 2
        assert done.out == ""
        assert f"{arguments[-1]}: cannot be written (" in done.err
        assert "name a file in a folder that you may write to" in done.err
        assert len(done.err.splitlines()) == 1
