"""Decides a network for mirror maps from its weights, in exact rationals.

g(x, t) = Σ k·unit(c·x) + skip·s(x) with k, c, skip >= 0. Every unit climbs in y = c·x and is smooth
where y > 0, so only three things can go wrong: a logarithm of 0 (or of log-odds from 1 on), a t at
which nothing climbs, and nothing that sinks to −∞ at x = 0. c is linear in t, so t = 0 and t = 1
decide. The checker redoes this from the weights.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symbolic.mirror_network import UNITS, MirrorNetwork
from verify.certificate import CERTIFICATE_SCHEMA
from verify.checker.mirror_network import check_mirror_network
from verify.report import CONDITIONS, Condition, Report, Verdict, Witness

_STRUCTURE = "structure of the network"
_NAMES = [unit.name for unit in UNITS]
_LOGARITHM, _LOG_ODDS, _EXPONENTIAL = map(_NAMES.index, ("logarithm", "log-odds", "exponential"))
_SINKING = (_LOGARITHM, _LOG_ODDS)
_ENDS = (Fraction(0), Fraction(1))
_HALF = Fraction(1, 2)


@dataclass(frozen=True)
class _Exact:
    """The weights as rationals: of each unit its group, k, and c at t = 0 and t = 1."""

    units: tuple[tuple[int, Fraction, tuple[Fraction, Fraction]], ...]
    skip: Fraction


def decide_mirror_network(network: MirrorNetwork) -> Report:
    """Decide the conditions of a network for mirror maps or ψ, from its weights alone.

    Where it is undefined for some x the other conditions are `unknown`.
    """
    begun = time.monotonic()
    exact = _exact(network)
    found = {"defined": _defined(network, exact)}
    for name in CONDITIONS[network.kind][1:]:
        found[name] = (
            _rest(network, exact, name)
            if found["defined"].verdict is Verdict.PROVED
            else Condition(
                name, Verdict.UNKNOWN, "none", detail="the network is not defined everywhere"
            )
        )
    conditions = tuple(found.values())
    certificate = mirror_network_certificate(network, conditions)
    try:
        check_mirror_network(certificate)
    except ValueError as error:
        note = f"what was found does not replay ({error}); this is a bug, please report it"
        conditions = tuple(
            Condition(c.id, Verdict.UNKNOWN, "none", detail=note) for c in conditions
        )
        certificate = {**certificate, "conditions": {}}
    return Report(
        formula=describe(network),
        kind=network.kind,
        parameters={},
        conditions=conditions,
        notes=_notes(network, conditions),
        seconds=time.monotonic() - begun,
        certificate=certificate,
    )


def describe(network: MirrorNetwork) -> str:
    """The network as one line of text."""
    hidden = network.layers[0].shape[1]
    rest = "log(x) - log(1 - x)" if network.kind == "mirror-map" else "log(x)"
    return f"network[{hidden} units]({', '.join(network.features)}) + {network.skip!r}*({rest})"


def mirror_network_certificate(
    network: MirrorNetwork, conditions: tuple[Condition, ...]
) -> dict[str, Any]:
    """What the checker needs: the whole network with exact weights, and the claims."""
    return {
        "schema": CERTIFICATE_SCHEMA,
        "kind": "mirror-network",
        "network": {
            "hash": network.content_hash,
            "kind": network.kind,
            "factors": [[float(w).hex() for w in row] for row in network.layers[0]],
            "weights": [float(k).hex() for k in network.layers[1][:, 0]],
            "skip": float(network.skip).hex(),
        },
        "conditions": {
            c.id: {"verdict": c.verdict.value}
            | ({"witness": c.witness.to_json()} if c.witness else {})
            for c in conditions
            if c.verdict is not Verdict.UNKNOWN
        },
    }


def _exact(network: MirrorNetwork) -> _Exact:
    first = network.layers[0]
    units = []
    for j, group in enumerate(network.groups):
        start = Fraction(float(first[0, j]))
        end = start + (Fraction(float(first[1, j])) if network.uses_progress else 0)
        units.append((int(group), Fraction(float(network.layers[1][j, 0])), (start, end)))
    return _Exact(tuple(units), Fraction(network.skip))


def _point(network: MirrorNetwork, x: Fraction, t: Fraction) -> dict[str, Fraction]:
    return {"x": x, "t": t} if network.uses_progress else {"x": x}


def _defined(network: MirrorNetwork, exact: _Exact) -> Condition:
    for x, t, why in _undefined(exact):
        witness = Witness(_point(network, x, t), "value", "undefined")
        return Condition("defined", Verdict.REFUTED, _STRUCTURE, witness, why)
    detail = "every logarithm has c > 0, and every log-odds unit c <= 1, for all t"
    return Condition("defined", Verdict.PROVED, _STRUCTURE, detail=detail)


def _undefined(exact: _Exact) -> Iterator[tuple[Fraction, Fraction, str]]:
    """Points where a unit is undefined, and why."""
    for t, end in zip(_ENDS, (0, 1), strict=True):
        for group, _, factors in exact.units:
            c = factors[end]
            if group in _SINKING and c <= 0:
                yield _HALF, t, f"the factor of a unit of kind {_NAMES[group]} is 0 there"
            elif group == _LOG_ODDS and c > 1:
                yield 1 / c, t, "a log-odds unit is infinite from there on: its factor is above 1"


def _rest(network: MirrorNetwork, exact: _Exact, name: str) -> Condition:
    """A condition of a network that is defined everywhere."""
    if name == "integrable":
        detail = "powers, logarithms and log-odds are integrable over (0, 1)"
        return Condition(name, Verdict.PROVED, _STRUCTURE, detail=detail)
    if name == "lower_limit":
        return _lower_limit(network, exact)
    for t, end in zip(_ENDS, (0, 1), strict=True):
        if exact.skip == 0 and not any(k * factors[end] > 0 for _, k, factors in exact.units):
            witness = Witness(_point(network, _HALF, t), "derivative", "0", "right")
            detail = "no unit with weight depends on x there, and skip = 0"
            return Condition(name, Verdict.REFUTED, _STRUCTURE, witness, detail)
    detail = (
        "every unit climbs smoothly where its factor is > 0, and at every t one with weight does"
    )
    return Condition(name, Verdict.PROVED, _STRUCTURE, detail=detail)


def _lower_limit(network: MirrorNetwork, exact: _Exact) -> Condition:
    sinks = exact.skip > 0 or any(k > 0 and group in _SINKING for group, k, _ in exact.units)
    if sinks:
        detail = (
            "the limit as x -> 0+ is -inf, from skip > 0 or a unit with a logarithm; ω = 0, as Theorem "
            "3.1 needs; Definition 2.1 also allows ω < 0"
        )
        return Condition("lower_limit", Verdict.PROVED, _STRUCTURE, detail=detail)
    limit = sum((k for group, k, _ in exact.units if group == _EXPONENTIAL), Fraction(0))
    witness = Witness(_point(network, Fraction(0), Fraction(0)), "limit", str(limit), "right")
    detail = (
        f"the limit as x -> 0+ is {limit}, not -inf: skip = 0 and no unit with a logarithm has weight; "
        "Definition 2.1 also allows ω < 0"
    )
    return Condition("lower_limit", Verdict.REFUTED, _STRUCTURE, witness, detail)


def _notes(network: MirrorNetwork, conditions: tuple[Condition, ...]) -> tuple[str, ...]:
    if network.kind != "mirror-map" or any(c.verdict is not Verdict.PROVED for c in conditions):
        return ()
    return (
        "φ⁻¹ is not defined on all x > 0, as Definition 2.1 asks (φ → +inf): its log-odds end it",
        "the Bregman divergence D(x, y) is the sum over actions of the integral from y to x of "
        "φ⁻¹(s) - φ⁻¹(y) ds; it is >= 0, and 0 only at x = y, since φ⁻¹ increases",
    )
