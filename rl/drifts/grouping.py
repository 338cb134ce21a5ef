"""Drifts of any kind sorted into groups that can share a compiled program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxtyping import Array

from rl.drifts.candidates import Candidates, network_form, of_formulas, of_function, of_networks
from symbolic.drift import Drift
from symbolic.network import DriftNetwork

AnyDrift = Drift | DriftNetwork | Callable[..., Array]


def grouped(drifts: Sequence[AnyDrift]) -> list[tuple[tuple[int, ...], Candidates]]:
    """(places in `drifts`, candidates) of each group, in the order of their first members.

    All formulas are one group, as are all networks of one form; a function is a group of its own.
    Raises ConfigError as the makers of candidates do.
    """
    groups: dict[Any, list[int]] = {}
    for place, drift in enumerate(drifts):
        groups.setdefault(_kind(drift, place), []).append(place)
    return [
        (tuple(places), _candidates([drifts[place] for place in places]))
        for places in groups.values()
    ]


def _kind(drift: AnyDrift, place: int) -> object:
    if isinstance(drift, Drift):
        return "formulas"
    return network_form(drift) if isinstance(drift, DriftNetwork) else place


def _candidates(drifts: list[Any]) -> Candidates:
    if isinstance(drifts[0], Drift):
        return of_formulas(drifts)
    return of_networks(drifts) if isinstance(drifts[0], DriftNetwork) else of_function(drifts[0])
