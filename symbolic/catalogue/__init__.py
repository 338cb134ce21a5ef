"""The known penalties and mirror maps, by name: `catalogue["dpo"]` is a `Drift`.

Reading the catalogue costs nothing until an entry is asked for.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from functools import cache

from symbolic.catalogue.broken import BROKEN
from symbolic.catalogue.divergences import DIVERGENCES
from symbolic.catalogue.entry import Entry
from symbolic.catalogue.maps import MAPS
from symbolic.catalogue.policy import POLICY
from symbolic.drift import Drift
from symbolic.errors import ConfigError

_DRIFTS: dict[str, Entry] = {entry.name: entry for entry in (*POLICY, *DIVERGENCES, *BROKEN)}
_MAPS: dict[str, Entry] = {entry.name: entry for entry in MAPS}
_ENTRIES = _DRIFTS | _MAPS


class UnknownName(ConfigError, KeyError):
    """A name that the catalogue does not have, with the nearest ones."""

    def __str__(self) -> str:
        return str(self.args[0])  # a KeyError would quote it


class _Catalogue(Mapping[str, Drift]):
    """Names in order, each entry parsed when first asked for."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = entries

    def __getitem__(self, name: str) -> Drift:
        if name in self._entries:
            return _drift(name)
        near = suggest(str(name))
        hint = f"did you mean {' or '.join(near[:3])}? " if near else ""
        raise UnknownName(
            f"'{name!s:.60}' is no name of the catalogue; {hint}`drift catalogue` lists the names"
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __repr__(self) -> str:
        return f"<catalogue of {len(self)}: {', '.join(self)}>"


catalogue: Mapping[str, Drift] = _Catalogue(_DRIFTS)
"""Every known penalty; read-only."""

mirror_maps: Mapping[str, Drift] = _Catalogue(_MAPS)
"""Every known mirror map, as φ⁻¹; read-only."""

entries: Mapping[str, Drift] = _Catalogue(_ENTRIES)
"""Both; no two have one name."""


def expected_verdicts(name: str) -> dict[str, str]:
    """What is true of an entry, derived by hand: condition → "proved" or "refuted".

    Where `defined` is refuted the others are meant where the formula is defined.
    Raises KeyError.
    """
    return _ENTRIES[name].verdicts()


def suggest(name: str) -> list[str]:
    """Names of the catalogue near `name`, the nearest first; for error messages."""
    wanted = name.strip().lower().replace("_", "-").replace(" ", "-")
    near = difflib.get_close_matches(wanted, _ENTRIES, n=3)
    inside = [known for known in _ENTRIES if len(wanted) > 1 and wanted in known]
    return list(dict.fromkeys([*near, *inside]))[:5]


@cache
def _drift(name: str) -> Drift:
    return _ENTRIES[name].drift()
