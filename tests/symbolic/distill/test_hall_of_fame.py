"""PySR's files are read by our parser; what they hold that is no formula is told, never run."""

from __future__ import annotations

from pathlib import Path

import pytest

from symbolic.distill.hall_of_fame import read_front, write_front
from symbolic.errors import ConfigError
from symbolic.parser import parse

CORPUS = Path(__file__).parents[2] / "corpus" / "pysr"
X = {f"x{i}": "r" for i in range(1, 40)}


def test_files_of_pysr_are_read() -> None:
    rows = read_front(CORPUS / "hall_of_fame_rdpg.csv", X)
    assert len(rows) == 7 and all(row.formula is not None for row in rows)
    rows = read_front(CORPUS / "hall_of_fame_monkeypox.csv", X)
    assert [row.problem for row in rows[1:]] == ["unknown operation 'cos'"] * 4


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    formulas = [parse(text) for text in ("(r - 1)**2", "where(A >= 0, relu((r - 1)*A), 0)")]
    text = write_front((f.nodes, 0.5, f) for f in formulas)
    (tmp_path / "front.csv").write_text(text)
    assert [row.formula for row in read_front(tmp_path / "front.csv")] == formulas
    assert text.splitlines()[0] == "Complexity,Loss,Equation"


@pytest.mark.parametrize(
    ("equation", "formula"),
    [
        ("u - tanh(u)", "(r - 1)*A - tanh((r - 1)*A)"),
        (
            "above = relu(#1 - 2.0); below = square(#2)",
            "where(A >= 0, relu((r - 1)*A - 2), square(log(r)*A))",
        ),
        ("f = #3 * #3", "(r - 1)*(r - 1)"),
        ("max(d, l) ^ 2", "max(r - 1, log(r))**2"),
    ],
)
def test_inputs_and_templates_are_written_out(equation: str, formula: str, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(f'Complexity,Loss,Equation\n1,0.5,"{equation}"\n')
    assert str(read_front(tmp_path / "f.csv")[0].formula) == formula


@pytest.mark.parametrize(
    "equation",
    [
        "__import__('os').system('touch /tmp/owned')", "f = g; h = 1", "above = u", "f = #9", "x1 + r",
        "f(#1) = ;", "", "1 ++", "(" * 500 + "r", "\x00", "=cmd|' /C calc'!A0",
    ],
)  # fmt: skip
def test_hostile_rows_are_told_and_left_out(equation: str, tmp_path: Path) -> None:
    quoted = equation.replace('"', '""')
    (tmp_path / "f.csv").write_text(f'Complexity,Loss,Equation\n1,0.5,"{quoted}"\n2,0.1,"u*u"\n')
    bad, good = read_front(tmp_path / "f.csv")
    assert bad.formula is None and bad.problem and good.formula is not None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "must name Complexity"),
        (b"a,b\n1,2\n", "must name Complexity"),
        (b"\xff\xfe\x00", "no UTF-8"),
        (b"Complexity,Loss,Equation\n" + b"1,1,r\n" * 10_001, "more than 10000 lines"),
    ],
)
def test_what_is_no_hall_of_fame_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        read_front(tmp_path / "f.csv")
    with pytest.raises(ConfigError, match="no such file"):
        read_front(tmp_path / "missing.csv")
