"""A front as a table, and what is said below it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mirrordrift.render import compact

KNEE = "*"


def table(record: Mapping[str, Any]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """(header, rows) of a front's record, as texts."""
    header = ("", "nodes", "error f", "error ∂f/∂r", "sup distance", "verdict", "formula")
    return header, [
        (
            KNEE if member["knee"] else "",
            str(member["complexity"]),
            compact(float(member["error_f"])),
            compact(float(member["error_grad"])),
            distance(member["sup_distance"]),
            member["verdict"],
            member["formula"],
        )
        for member in record["members"]
    ]


def distance(bounds: Any) -> str:
    """The bounds of a certified distance."""
    if bounds is None:
        return "–"
    low, high = (math.inf if bound is None else float(bound) for bound in bounds)
    return f"[{compact(low)}, {compact(high)}]"


def sentences(record: Mapping[str, Any]) -> list[str]:
    """What the table's numbers mean."""
    engine = record["engine"]
    said = [
        f"Engine: {engine['name']} {engine['version']} ({engine['why']}).",
        "Errors: root mean square over the weighted samples, relative to that of the target; "
        f"{KNEE} marks the knee, the formula to take where nothing else decides.",
    ]
    boxes = [member for member in record["members"] if member["sup_distance"] is not None]
    if boxes:
        sides = ", ".join(
            f"{float(low):g} ≤ {name} ≤ {float(high):g}"
            for name, (low, high) in boxes[0]["box"].items()
        )
        said.append(f"Sup distance: certified bounds of the largest |difference| over {sides}.")
    said += [
        f"{each['formula']} is equal to {each['of']}, "
        + ("proved." if each["by"] == "proof" else "by 25 digits at 24 points, not proved.")
        for each in record.get("duplicates", [])
    ]
    return said
