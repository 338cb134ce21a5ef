"""How answers look to a person: a coloured table on a terminal, plain columns in a pipe.

rich is imported on a terminal only: in a pipe nobody sees colours, a line that is not wrapped is
easier to search, and the command starts 0.06 s sooner.
"""

from __future__ import annotations

import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from symbolic.domains import VARIABLES

if TYPE_CHECKING:
    from rich.console import Console

    from verify.checker import Replay
    from verify.explain.document import Explanation
    from verify.report import Condition, Report, Witness

T = TypeVar("T")

_STYLES = {
    "proved": "green",
    "equal": "green",
    "refuted": "bold red",
    "different": "bold red",
    "unknown": "yellow",
    "error": "bold red",
}
"""Colours of verdicts; the word always stands beside its colour."""
_WHOLE = ("name", "condition", "verdict", "year")
"""Columns that are never folded: they name the row."""
_LONG = 24
"""Characters from which a witness's number is shown rounded; JSON has it exactly."""


def show_report(report: Report, explanation: Explanation | None = None) -> None:
    """Formula and domains, the table of conditions, what is left, notes, the verdict."""
    show_field("formula", report.formula)
    show_field("for all", _domains(report.kind, report.parameters, report.formula))
    print()
    rows = [
        (c.id, c.verdict.value, c.method if c.method != "none" else "", _witness(c.witness))
        for c in report.conditions
    ]
    with_witness = any(row[3] for row in rows)
    header = ("condition", "verdict", "how", "witness")
    show_table(header if with_witness else header[:3], [r if with_witness else r[:3] for r in rows])
    print()
    sentences = [f"{c.id}: {c.detail}" for c in report.conditions if c.detail]
    sentences += [f"note: {note}" for note in report.notes]
    for sentence in sentences:
        say(sentence)
    if explanation is not None:
        if sentences:
            print()
        print(f"{explanation.text.rstrip()}\n")
    _verdict(report.verdict.value, f"in {report.seconds:.2f} s")


def show_equality(
    formulas: tuple[str, str],
    kind: str,
    domains: Mapping[str, str],
    condition: Condition,
    seconds: float,
) -> None:
    """The two formulas, whether they are equal, and where they are not."""
    for label, text in zip("fg", formulas):
        show_field(label, text)
    show_field("for all", _domains(kind, domains, " ".join(formulas)))
    print()
    if condition.witness is not None:
        show_field("witness", _witness(condition.witness))
    if condition.detail:
        say(condition.detail)
    word = {"proved": "equal", "refuted": "different"}.get(condition.verdict.value, "unknown")
    how = f"{condition.method}, " if condition.method != "none" else ""
    _verdict(word, f"{how}in {seconds:.2f} s")


def show_replay(replay: Replay) -> None:
    """What a certificate claims, whether it holds, and what that says of the formula."""
    show_field("formula", replay.formula)
    show_field("for all", _domains(kind_of(replay), replay.domains, replay.formula))
    print()
    if replay.conditions:
        show_table(("condition", "verdict"), list(replay.conditions.items()))
        print()
    print(_meaning(replay) if replay.ok else f"does not replay: {replay.error}")


def missing(replay: Replay) -> list[str]:
    """The conditions that a certificate neither proves nor refutes."""
    from verify.checker import CONDITIONS

    asked = CONDITIONS[kind_of(replay)]
    return [name for name in asked if replay.conditions.get(name, "unknown") == "unknown"]


def kind_of(replay: Replay) -> str:
    """What a certificate is about; a network is a drift, one for mirror maps a mirror map."""
    networks = {"network": "drift", "mirror-network": "mirror-map"}
    return networks.get(replay.kind, replay.kind)


def _meaning(replay: Replay) -> str:
    """What follows for the formula from a certificate that replays."""
    refuted = [name for name, word in replay.conditions.items() if word == "refuted"]
    if refuted:
        return f"replayed: the formula is refuted, by {', '.join(refuted)}"
    if left := missing(replay):
        return f"replayed; nothing is shown of {', '.join(left)}, so this does not prove a {kind_of(replay)}"
    if all(word == "proved" for word in replay.conditions.values()):
        return "replayed: every condition is proved"
    return "replayed; where the formula is undefined nothing is shown"


def row(line: str, formula: str, report: Report | None) -> str:
    """One line for one formula of many: its line, verdict, formula, the first failing condition.

    Without a report the formula could not be decided, and what was read is shown.
    """
    if report is None:
        return f"{line}  {'error':<8}  {formula}"
    failing = [c for c in report.conditions if c.verdict == report.verdict != "proved"]
    reason = ""
    if failing:
        first = failing[0]
        found = _witness(first.witness) or first.detail
        reason = f"   [{first.id}{': ' if found else ''}{found}]"
    return f"{line}  {report.verdict.value:<8}  {report.formula}{reason}"


def summary(reports: Sequence[Report | None], seconds: float) -> str:
    """How many formulas got which verdict."""
    counts = Counter("error" if report is None else report.verdict.value for report in reports)
    parts = [f"{n} {word}" for word in _STYLES if (n := counts[word])]
    plural = "" if len(reports) == 1 else "s"
    return f"\n{len(reports)} formula{plural} in {seconds:.1f} s: {', '.join(parts)}"


def show_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, short: Sequence[str] = ()
) -> None:
    """Columns under a header; a terminal colours verdicts and cuts the `short` columns to fit."""
    console = terminal(sys.stdout)
    if console is not None:
        _rich_table(console, header, rows, short)
        return
    lines = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    for line in lines:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths)).rstrip())


def progress(items: Sequence[T], what: str) -> Iterator[T]:
    """The items, with a bar on standard error while they are worked on; quiet off a terminal."""
    console = terminal(sys.stderr) if len(items) > 1 else None
    if console is None:
        yield from items
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Lines printed meanwhile go above the bar if both share a screen; a pipe gets them untouched.
    shared = sys.stdout.isatty()
    with Progress(*columns, console=console, transient=True, redirect_stdout=shared) as bar:
        yield from bar.track(items)


def terminal(stream: TextIO) -> Console | None:
    """rich's console for a stream that is a terminal; None for a pipe or a file."""
    if not stream.isatty():
        return None
    from rich.console import Console

    return Console(file=stream, highlight=False, emoji=False)


def _rich_table(
    console: Console, header: Sequence[str], rows: Sequence[Sequence[str]], short: Sequence[str]
) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), header_style="bold", show_edge=False)
    needed = {name: max(len(row[i]) for row in (header, *rows)) for i, name in enumerate(header)}
    left = console.width - sum(needed[name] + 2 for name in header if name not in short)
    for name in header:
        if name not in short:
            table.add_column(name, no_wrap=name in _WHOLE, overflow="fold")
            continue
        share = max(8, left // (len(short) - short.index(name)) - 2)
        width = min(needed[name], share)
        left -= width + 2
        table.add_column(name, width=width, no_wrap=True, overflow="ellipsis")
    for cells in rows:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in cells))
    console.print(table)


def show_field(label: str, text: str) -> None:
    """A label and what belongs to it."""
    print(_wrapped(f"{label:<8} {text}", 9))


def ranging(name: str, domain: str) -> str:
    """`alpha in (0, inf)`, or `alpha = 1/5` for a single value."""
    return f"{name} {'in' if domain[:1] in '([' else '='} {domain}"


def say(text: str) -> None:
    """A sentence, folded on a terminal."""
    print(_wrapped(text, 2))


def _wrapped(text: str, indent: int) -> str:
    """Folded at the terminal's width; in a pipe a single line."""
    console = terminal(sys.stdout)
    if console is None:
        return text
    width = max(40, console.width)
    return textwrap.fill(text, width, subsequent_indent=" " * indent, break_on_hyphens=False)


def _verdict(word: str, rest: str) -> None:
    console = terminal(sys.stdout)
    if console is None:
        print(f"{word} {rest}")
    else:
        console.print(f"[{_STYLES[word]}]{word}[/] {rest}")


def _domains(kind: str, declared: Mapping[str, str], formula: str) -> str:
    """`r in (0, inf), A in (-inf, inf), alpha = 2`."""
    return ", ".join(
        ranging(name, domain) for name, domain in ranges(kind, declared, formula).items()
    )


def ranges(kind: str, declared: Mapping[str, str], formula: str) -> dict[str, str]:
    """The domains of the variables and of what is declared; t only where the formula has it."""
    names = set(_words(formula))
    variables = {
        name: str(domain)
        for name, domain in VARIABLES[kind].items()
        if name != "t" or "t" in names or "t" in declared
    }
    return {**variables, **declared}


def _words(formula: str) -> Iterable[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in formula).split()


def _witness(witness: Witness | None) -> str:
    """`r = 3/2, A = -1: value -1/4`."""
    if witness is None:
        return ""
    point = ", ".join(f"{name} = {_number(value)}" for name, value in witness.point.items())
    side = f" from the {witness.side}" if witness.side else ""
    return f"{point}: {witness.evidence}{side} {witness.text}"


def compact(value: float | None, sign: str = "") -> str:
    """A measured number in four digits, a dash where there is none; sign "+" shows both signs."""
    return "–" if value is None else f"{round(value, 9):{sign}.4g}"


def _number(value: Any) -> str:
    exact = str(value)
    if len(exact) <= _LONG or not isinstance(value, Fraction):
        return exact
    return f"{_scientific(value)} (rounded)"


def _scientific(value: Fraction) -> str:
    """Six digits of a rational that may be far outside a double's range."""
    from decimal import Context

    context = Context(prec=6, Emax=10**9, Emin=-(10**9))
    return str(context.divide(context.create_decimal(value.numerator), value.denominator))
