"""`drift catalogue`: known penalties and mirror maps, and whether the verifier agrees about them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

from mirrordrift.cli import PROVED, REFUTED
from mirrordrift.cli.options import Common, Flag
from mirrordrift.interface import decide_target
from symbolic.drift import Drift

if TYPE_CHECKING:
    from verify.report import Report

SCHEMA = "mirrordrift/catalogue/1"
EXAMPLES = """
drift catalogue
drift catalogue dpo
drift catalogue log-odds
drift catalogue --verify
"""


@dataclass(frozen=True, kw_only=True)
class Options(Common):
    """Show the known drifts and mirror maps with formula, paper and verdict.

    --verify decides them here and now.

    Exit code with --verify: 0 every verdict is the one on record, 1 one is not.
    """

    name: Annotated[Positional[str], arg(metavar="[NAME]", help_behavior_hint="")] = ""
    """One entry, with LaTeX, note and domains."""
    verify: Flag = False
    """Decide the entries and compare with what is on record."""


@dataclass(frozen=True)
class Row:
    """An entry, the verdicts on record (condition → word), and perhaps what was decided now."""

    drift: Drift
    recorded: dict[str, str]
    report: Report | None = None

    @property
    def verdict(self) -> str:
        """The verdict on record of the whole."""
        return "refuted" if "refuted" in self.recorded.values() else "proved"

    @property
    def shown(self) -> str:
        """The verdict decided now, else the one on record."""
        return self.verdict if self.report is None else self.report.verdict.value

    @property
    def agrees(self) -> bool:
        """Whether every condition decided now has the verdict on record."""
        if self.report is None:
            return True
        return {c.id: c.verdict.value for c in self.report.conditions} == self.recorded

    def to_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        from symbolic.latex import to_latex

        drift, reference = self.drift, self.drift.reference
        found: dict[str, Any] = {
            "schema": SCHEMA,
            "name": drift.name,
            "title": drift.title,
            "kind": drift.kind,
            "formula": drift.text,
            "latex": to_latex(drift.formula),
            "parameters": {name: str(domain) for name, domain in drift.domains.items()},
            "paper": reference.paper if reference else None,
            "authors": reference.note if reference else None,
            "year": reference.year if reference else None,
            "note": drift.note,
            "verdict": self.verdict,
            "conditions": self.recorded,
        }
        if self.report is not None:
            found |= {"as_recorded": self.agrees, "report": self.report.to_json()}
        return found


def run(options: Options) -> int:
    """Show one entry or all; decide them first if asked."""
    from mirrordrift.render import progress
    from symbolic.catalogue import entries, expected_verdicts

    drifts = [_one(options.name)] if options.name else [*entries.values()]
    rows = []
    for drift in progress(drifts, "deciding") if options.verify else drifts:
        report = decide_target(drift, timeout=10.0) if options.verify else None
        row = Row(drift, expected_verdicts(drift.name), report)
        if options.json:
            print(json.dumps(row.to_json()), flush=True)
        rows.append(row)
    if options.name and not options.json:
        _show_entry(rows[0])
    elif not options.json:
        _show_all(rows)
    return PROVED if all(row.agrees for row in rows) else REFUTED


def _one(name: str) -> Drift:
    """The entry of a name; raises ConfigError, with the nearest names, for an unknown one."""
    from symbolic.catalogue import entries

    return entries[name.strip()]


def _show_all(rows: Sequence[Row]) -> None:
    from mirrordrift.render import show_table

    header = ("name", "verdict", "formula", "paper", "year")
    table = []
    for row in rows:
        reference = row.drift.reference
        paper, year = (reference.paper, str(reference.year)) if reference else ("", "")
        table.append((row.drift.name, row.shown, row.drift.text, paper, year))
    show_table(header, table, short=("formula", "paper"))
    print()
    wrong = [row for row in rows if not row.agrees]
    if all(row.report is None for row in rows):
        print(f"{len(rows)} entries; `drift catalogue NAME` shows one, --verify decides them all")
        return
    seconds = sum(row.report.seconds for row in rows if row.report is not None)
    agreeing = f"{len(rows) - len(wrong)} of {len(rows)} entries decided as on record"
    print(f"{agreeing}, in {seconds:.1f} s")
    for row in wrong:
        print(f"{row.drift.name}: {_difference(row)}")


def _show_entry(row: Row) -> None:
    from mirrordrift.render import ranging, show_field, show_report
    from symbolic.latex import to_latex

    drift, reference = row.drift, row.drift.reference
    show_field("name", f"{drift.name}: {drift.title}" if drift.title else drift.name)
    if reference is not None:
        by = f", {reference.note}" if reference.note else ""
        show_field("paper", f"{reference.paper} ({reference.year}){by}")
    if drift.note:
        show_field("note", drift.note)
    show_field("latex", to_latex(drift.formula))
    if row.report is not None:
        print()
        show_report(row.report)
        print("as on record" if row.agrees else f"not as on record: {_difference(row)}")
        return
    show_field("formula", drift.text)
    for name, domain in drift.domains.items():
        show_field("domain", ranging(name, str(domain)))
    failing = [condition for condition, word in row.recorded.items() if word == "refuted"]
    show_field("verdict", f"{row.verdict}{' (' + ', '.join(failing) + ')' if failing else ''}")


def _difference(row: Row) -> str:
    """The conditions that were decided otherwise than recorded."""
    if row.report is None:
        return ""
    return ", ".join(
        f"{c.id} is {c.verdict.value}, on record {row.recorded.get(c.id, 'missing')}"
        for c in row.report.conditions
        if c.verdict.value != row.recorded.get(c.id)
    )
