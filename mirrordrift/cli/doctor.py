"""`drift doctor`: what is installed and usable here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mirrordrift.cli import ERROR, PROVED
from mirrordrift.cli.options import Common
from mirrordrift.doctor import CHECKOUT, PURPOSES, examine

SCHEMA = "mirrordrift/doctor/1"
EXAMPLES = """
drift doctor
drift doctor --json
"""


@dataclass(frozen=True, kw_only=True)
class Options(Common):
    """Say what is installed and usable here: packages, JAX devices, Julia, shadowed rooms.

    Downloads nothing. Exit code: 0 formulas can be decided here, 2 something is in the way.
    """


def run(options: Options) -> int:
    """Examine and show."""
    findings = examine()
    if options.json:
        print(json.dumps({"schema": SCHEMA, **findings}))
    else:
        _show(findings)
    return ERROR if findings["problems"] else PROVED


def _show(findings: Mapping[str, Any]) -> None:
    from mirrordrift.render import say, show_field, show_table

    show_field("version", findings["mirrordrift"] or "not installed (run from its source)")
    show_field("python", f"{findings['python']} at {findings['executable']}")
    show_field("machine", f"{findings['platform']}, {findings['cpus']} CPU cores")
    print()
    parts = list(map(_part, findings["packages"].items()))
    show_table(("part", "complete", "for", "what is there"), parts)
    if findings["install"]:
        print(f"\nto complete these parts, {CHECKOUT}:\n  {findings['install']}")
    print()
    rows = (_asked(findings, part) for part in ("jax", "brax", "environments", "julia"))
    rooms = findings["rooms"].items()
    shadows = [
        (name, "shadowed" if room["shadowed"] else "ours", room["path"] or "missing")
        for name, room in rooms
    ]
    show_table(("engine", "state", "detail"), list(rows))
    print()
    show_table(("room", "state", "imported from"), shadows)
    print()
    for note in findings["notes"]:
        say(f"note: {note}")
    for problem in findings["problems"]:
        say(f"problem: {problem}")
    if not findings["problems"]:
        print("formulas can be decided here")


def _part(part: tuple[str, Mapping[str, str | None]]) -> tuple[str, ...]:
    """A row of the table of packages: the group, whether it is complete, its use, versions."""
    group, packages = part
    present = [f"{name} {found}" for name, found in packages.items() if found]
    missing = [name for name, found in packages.items() if not found]
    there = ", ".join(present)
    if missing:
        there = "; ".join(filter(None, (there, f"missing: {', '.join(missing)}")))
    return group, "no" if missing else "yes", PURPOSES[group], there


def _asked(findings: Mapping[str, Any], part: str) -> tuple[str, str, str]:
    """A row about JAX, brax, environments or Julia."""
    found = findings[part]
    if found is None:
        return part, "not installed", ""
    if "error" in found:
        return part, "not usable", found["error"]
    if part == "julia":
        where = f"Julia {found['julia']} at {found['executable']}"
        ready = "usable" if found["ready"] else "not ready"
        more = "" if found["ready"] else "; PySR's packages are fetched at its first import"
        return part, ready, where + more
    (listed,) = found.values()
    return part, "usable" if listed else "not usable", ", ".join(listed)
