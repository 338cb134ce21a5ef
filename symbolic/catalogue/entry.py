"""What the catalogue records of a penalty: plain text, parsed when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from symbolic.drift import Drift, Reference

_MAP = ("defined", "increasing", "continuously_differentiable")
CONDITIONS: Mapping[str, tuple[str, ...]] = {
    "drift": ("defined", "nonnegative", "zero_at_identity", "flat_at_identity"),
    "mirror-map": (*_MAP, "lower_limit", "integrable"),
    "psi": _MAP,
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A known penalty as its source has it, and what is true of it, derived by hand.

    `domains` is in the syntax of a declaration without the name (`"(0, 1)"`); `refuted` names
    the conditions that fail for some value of the parameters, the others hold for every value.
    `reference` is None for folklore.
    """

    name: str
    title: str
    formula: str
    kind: str = "drift"
    domains: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    reference: Reference | None = None
    note: str = ""
    refuted: tuple[str, ...] = ()

    def drift(self) -> Drift:
        """The parsed penalty."""
        parsed = Drift.from_text(
            self.formula,
            self.domains,
            kind=self.kind,
            name=self.name,
            title=self.title,
            reference=self.reference,
            note=self.note,
        )
        return replace(parsed, defaults={k: Fraction(v) for k, v in self.defaults.items()})

    def verdicts(self) -> dict[str, str]:
        """The expected verdict of each condition, in the order of the report."""
        return {c: "refuted" if c in self.refuted else "proved" for c in CONDITIONS[self.kind]}
