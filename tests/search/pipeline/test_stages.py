"""A stage runs again where what it depends on, or what it left, has changed, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest

from search.pipeline.stages import FILE, Stage, file_hash, run


class Work:
    """Two stages: `a` writes what it is asked, `b` copies that."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked, self.done = folder, "one", []

    def stages(self) -> list[Stage]:
        return [
            Stage("a", lambda: {"asked": self.asked}, lambda: ("a.txt",), self.a),
            Stage("b", lambda: {"a": file_hash(self.folder / "a.txt")}, lambda: ("b.txt",), self.b),
        ]

    def a(self) -> None:
        self.done.append("a")
        (self.folder / "a.txt").write_text(self.asked)

    def b(self) -> None:
        self.done.append("b")
        (self.folder / "b.txt").write_text((self.folder / "a.txt").read_text())

    def run(self) -> list[str]:
        self.done = []
        run(self.stages(), self.folder, lambda stage, skipped: None)
        return self.done


def test_what_is_done_is_skipped_until_something_changes(tmp_path: Path) -> None:
    work = Work(tmp_path)
    assert work.run() == ["a", "b"]
    assert work.run() == []
    work.asked = "two"
    assert work.run() == ["a", "b"] and (tmp_path / "b.txt").read_text() == "two"
    (tmp_path / "b.txt").write_text("spoiled")
    assert work.run() == ["b"]
    (tmp_path / "a.txt").unlink()
    assert work.run() == ["a"]  # and b depends on the same content as before
    (tmp_path / FILE).write_text("{")
    assert work.run() == ["a", "b"]


def test_a_stage_that_was_cut_off_runs_again(tmp_path: Path) -> None:
    work = Work(tmp_path)
    whole, work.b = work.b, lambda: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        work.run()
    work.b = whole
    assert work.run() == ["b"]
