"""A formula being decided: what has been found so far about each condition."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from symbolic.drift import Drift
from verify.proof.flat import Failure
from verify.report import Witness


@dataclass
class Case:
    """A formula being decided: what is known so far about each condition."""

    drift: Drift
    deadline: float
    proofs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the certificate says of each proved condition besides its verdict."""
    witnesses: dict[str, Witness] = field(default_factory=dict)
    growth: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the certificate says besides of a witness at an end of the range of x."""
    left: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Where a proof is missing and why, for conditions tried without success."""
    slopes: list[Failure] = field(default_factory=list)
    suspects: list[dict[str, Fraction]] = field(default_factory=list)
    """Points where proofs that failed seem to have had a reason."""
    timed_out: bool = False

    def open(self, condition: str) -> bool:
        return condition not in self.proofs and condition not in self.witnesses
