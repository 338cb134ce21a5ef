"""What a search over formulas knows: every formula it met, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from search.formulas.grammar import Node, from_record
from symbolic.drift import Drift
from symbolic.errors import ConfigError


@dataclass
class Entry:
    """One formula."""

    node: Node
    gains: list[float] = field(default_factory=list)
    """What whole trainings gained on PPO, one number a generation that trained it so."""

    @property
    def drift(self) -> Drift:
        """To train with."""
        return Drift(formula=self.node.formula())

    @property
    def merit(self) -> float:
        """The mean gain, drawn towards 0 as if there were one more training that gained nothing.

        So that one lucky training does not make the best formula.
        """
        return sum(self.gains) / (len(self.gains) + 1)


class Archive:
    """All formulas by their canonical text; those that were not proved stay out of races."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._unproved: set[str] = set()

    def knows(self, node: Node) -> bool:
        """Whether a canonical expression was met before."""
        text = str(node.formula())
        return text in self._entries or text in self._unproved

    def add(self, node: Node, *, proved: bool) -> None:
        """Keep an expression in mind."""
        text = str(node.formula())
        if proved:
            self._entries[text] = Entry(node)
        else:
            self._unproved.add(text)

    def gained(self, node: Node, gain: float) -> None:
        """Note what a whole training gained."""
        self._entries[str(node.formula())].gains.append(gain)

    def best(self, count: int) -> list[Entry]:
        """Those with the most merit among those that were ever trained whole."""
        tried = [entry for entry in self._entries.values() if entry.gains]
        return sorted(tried, key=lambda entry: (-entry.merit, entry.node.size))[:count]

    def record(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "formulas": [[entry.node.record(), entry.gains] for entry in self._entries.values()],
            "unproved": sorted(self._unproved),
        }

    @classmethod
    def from_record(cls, record: Any) -> Archive:
        """What `record` gave; raises ConfigError for anything else."""
        found = cls()
        try:
            for expression, gains in record["formulas"]:
                node = from_record(expression)
                found._entries[str(node.formula())] = Entry(node, [float(gain) for gain in gains])
            found._unproved = set(map(str, record["unproved"]))
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, ConfigError):
                raise
            raise ConfigError(f"no archive of formulas ({error!s:.80})") from None
        return found
