"""What a person sees on a terminal and in a pipe."""

from __future__ import annotations

import io
import sys
from fractions import Fraction

from mirrordrift import render
from verify.report import Condition, Report, Verdict, Witness

BIG = Fraction(10**60 + 1, 3 * 10**50 + 1)
REPORT = Report(
    formula="where(A >= 0, " + " + ".join(["(r - 1)**2*abs(A)"] * 8) + ", [bold]0)",
    kind="drift",
    parameters={"alpha": "(0, inf)", "eps": "1/5"},
    conditions=(
        Condition("defined", Verdict.PROVED, "proof on 9 regions"),
        Condition(
            "nonnegative",
            Verdict.REFUTED,
            "exact counterexample",
            Witness({"r": BIG, "A": Fraction(-1)}, "value", "[-0.25 +/- 1e-30]"),
        ),
        Condition("zero_at_identity", Verdict.UNKNOWN, "none", detail="raise --timeout"),
        Condition(
            "flat_at_identity",
            Verdict.REFUTED,
            "germ",
            Witness({"r": Fraction(1), "A": Fraction(1)}, "derivative", "-1", "left"),
        ),
    ),
    notes=("f + c(r - 1) with c = 1 is proved",),
    seconds=0.5,
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def on_terminal(monkeypatch):
    """Standard output becomes a terminal of 80 columns (from here on: pytest swaps it earlier)."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    return stream


def test_eighty_columns_are_enough(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = on_terminal(monkeypatch)
    render.show_report(REPORT)
    text = terminal.getvalue()
    plain = text.replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert max(map(len, plain.splitlines())) <= 80
    for word in (
        "nonnegative",
        "zero_at_identity",
        "refuted",
        "unknown",
        "raise --timeout",
        "c = 1",
    ):
        assert word in plain
    assert "[bold]" in plain  # text of a formula is never markup
    assert "from the left" in " ".join(plain.split())


def test_colours_repeat_what_words_say(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = on_terminal(monkeypatch)
    render.show_report(REPORT)
    assert "\x1b[1;31mrefuted" in terminal.getvalue()
    assert "\x1b[32mproved" in terminal.getvalue()


def test_a_pipe_gets_whole_lines(capsys):
    render.show_report(REPORT)
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert REPORT.formula in out
    assert "r in (0, inf), A in (-inf, inf), alpha in (0, inf), eps = 1/5" in out
    assert "3.33333E+9 (rounded)" in out
    assert out.splitlines()[-1] == "refuted in 0.50 s"


def test_one_line_of_many():
    shown = render.row("line 7", "where(...)", REPORT)
    assert shown.startswith("line 7  refuted   where(A")
    assert "[nonnegative: r = " in shown
    assert "\n" not in shown
    assert render.row("line 7", "r +* 1", None) == "line 7  error     r +* 1"


def test_progress_is_quiet_in_a_pipe(capsys):
    assert list(render.progress([1, 2, 3], "counting")) == [1, 2, 3]
    assert capsys.readouterr() == ("", "")


def test_progress_on_a_terminal_leaves_standard_output_alone(monkeypatch, capsys):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    for item in render.progress([1, 2, 3], "counting"):
        print(item)
    assert capsys.readouterr().out == "1\n2\n3\n"
    assert "counting" in stream.getvalue()


def test_short_columns_give_way_to_names(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = on_terminal(monkeypatch)
    rows = [
        (f"entry-number-{n}", "proved", "(r - 1)**2 + " * 20, "Paper " * 20, "2022")
        for n in range(3)
    ]
    render.show_table(
        ("name", "verdict", "formula", "paper", "year"), rows, short=("formula", "paper")
    )
    shown = terminal.getvalue().splitlines()
    assert len(shown) == 5
    for row in shown[2:]:
        assert len(row) <= 80
        assert row.startswith("entry-number-")
        assert row.rstrip().endswith("2022")
