"""What a decision says: verdicts, conditions, witnesses, and their JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any

SCHEMA = "mirrordrift/verdict/1"

CONDITIONS = {
    "drift": ("defined", "nonnegative", "zero_at_identity", "flat_at_identity"),
    "mirror-map": (
        "defined", "increasing", "continuously_differentiable", "lower_limit", "integrable",
    ),
    "psi": ("defined", "increasing", "continuously_differentiable"),
}  # fmt: skip
"""Conditions of each kind of formula, in the order they are shown."""


class Verdict(StrEnum):
    """How a condition was decided; `sentence` is what a table shows."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNKNOWN = "unknown"

    @property
    def sentence(self) -> str:
        return {
            Verdict.PROVED: "holds everywhere; the certificate was replayed by the checker",
            Verdict.REFUTED: "fails at the witness shown",
            Verdict.UNKNOWN: "not decided within the budget",
        }[self]


@dataclass(frozen=True)
class Witness:
    """An exact point where a condition fails, with the rigorous evidence.

    `evidence` is `value`, `derivative` or `limit`; `text` is a rational, a ball, `+inf`,
    `-inf` or `undefined`; `side` is `"left"` or `"right"` for derivatives and limits.
    """

    point: Mapping[str, Fraction]
    evidence: str
    text: str
    side: str | None = None

    def __getattr__(self, name: str) -> Fraction:
        if name.startswith("__") or name == "point":  # asked for while a copy is being made
            raise AttributeError(name)
        try:
            return self.point[name]
        except KeyError:
            known = ", ".join(self.point)
            raise AttributeError(f"the witness has no '{name}'; it has {known}") from None

    def __str__(self) -> str:
        """`r = 3/2, A = -1: value -1/4`."""
        point = ", ".join(f"{name} = {at}" for name, at in self.point.items())
        side = f" from the {self.side}" if self.side else ""
        return f"{point}: {self.evidence}{side} {self.text}"

    def to_json(self) -> dict[str, str]:
        out = {name: str(value) for name, value in self.point.items()} | {self.evidence: self.text}
        return out if self.side is None else out | {"side": self.side}


@dataclass(frozen=True)
class Condition:
    """One condition with its verdict, how it was reached, and what is left."""

    id: str
    verdict: Verdict
    method: str
    witness: Witness | None = None
    detail: str = ""

    def __bool__(self) -> bool:
        raise TypeError("a condition has three outcomes; compare its verdict with Verdict.PROVED")

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "verdict": self.verdict.value,
            "method": self.method,
            "witness": self.witness.to_json() if self.witness else None,
            "detail": self.detail,
        }


@dataclass(frozen=True)
class Report:
    """The decision of one formula."""

    formula: str
    kind: str
    parameters: Mapping[str, str]
    conditions: tuple[Condition, ...]
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    certificate: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What `drift check` replays; JSON-serialisable."""

    @property
    def verdict(self) -> Verdict:
        """Refuted if any condition is, else unknown if any is, else proved."""
        verdicts = {condition.verdict for condition in self.conditions}
        for worst in (Verdict.REFUTED, Verdict.UNKNOWN):
            if worst in verdicts:
                return worst
        return Verdict.PROVED

    def __getitem__(self, condition: str) -> Condition:
        for found in self.conditions:
            if found.id == condition:
                return found
        raise KeyError(f"no condition '{condition}'; there are {[c.id for c in self.conditions]}")

    def __bool__(self) -> bool:
        raise TypeError("a report has three outcomes; compare report.verdict with Verdict.PROVED")

    def to_json(self) -> dict[str, Any]:
        """The object that `drift verify --json` prints."""
        return {
            "schema": SCHEMA,
            "formula": self.formula,
            "kind": self.kind,
            "parameters": dict(self.parameters),
            "verdict": self.verdict.value,
            "conditions": [condition.to_json() for condition in self.conditions],
            "notes": list(self.notes),
            "seconds": round(self.seconds, 4),
        }
