"""A front as a table, and what is said below it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mirrordrift.render import compact

KNEE = "*"
LABELS = {
    "drift": ("f", "∂f/∂r"),
    "mirror-map": ("φ⁻¹", "∂φ⁻¹/∂log x"),
    "psi": ("ψ", "∂ψ/∂log x"),
}
"""The value and the slope, by kind."""


def table(record: Mapping[str, Any]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """(header, rows) of a front's record, as texts."""
    value, slope = LABELS[record.get("kind", "drift")]
    header = (
        "",
        "nodes",
        f"error {value}",
        f"error {slope}",
        "largest error",
        "verdict",
        "formula",
    )
    certified = "kind" not in record
    if certified:
        header = (*header[:4], "sup distance", *header[5:])
    return header, [
        (
            KNEE if member["knee"] else "",
            str(member["complexity"]),
            compact(float(member["error_f"])),
            compact(float(member["error_grad"])),
            distance(member["sup_distance"])
            if certified
            else compact(float(member["largest_error"])),
            member["verdict"],
            member["formula"],
        )
        for member in record["members"]
    ]


_ERRORS_OF_MAPS = (
    "Errors: root mean square over the weighted samples, of values relative to their spread (a constant "
    "is free) and of slopes relative to the slope where that is above its median, else to the median; "
    f"largest error: of a value at any sample; {KNEE} marks the knee."
)


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
    if "kind" in record:
        said[1:] = [_ERRORS_OF_MAPS]
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
