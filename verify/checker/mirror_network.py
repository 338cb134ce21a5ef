"""Re-checks a certificate of a network for mirror maps, in exact rationals.

    g(x, t) = Σ_j k_j·unit_j(c_j·x) + skip·s(x),   c_j = w_j [+ w′_j·t],   0 < x < 1, 0 <= t <= 1

s(x) = log x − log(1 − x) for a mirror map, log x for ψ; the units come in nine equal groups. Each unit
climbs in y = c·x, with a continuous derivative > 0 where y > 0; k, c and skip are >= 0. So:

- `defined`: in the group of logarithms c > 0, in that of log-odds also c <= 1, for every t. A unit of
  weight 0 counts: 0·log(0) is undefined.
- `increasing`, `continuously_differentiable`: besides, at every t skip > 0 or some k_j·c_j > 0. c is
  linear in t and >= 0, so t = 0 and t = 1 decide: between them k_j·c_j > 0 if it is at one of them.
- `lower_limit`: besides, skip > 0 or some k_j > 0 in the groups of logarithms and log-odds; all other
  units are bounded near x = 0.
- `integrable`: defined is enough, for logarithms and powers are integrable on (0, 1).

A refutation is a point where a unit is undefined, or a t at which g is constant in x, or bounded near 0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

_PSI = ("defined", "increasing", "continuously_differentiable")
_CONDITIONS = {"psi": _PSI, "mirror-map": (*_PSI, "lower_limit", "integrable")}
_GROUPS, _LOGARITHM, _LOG_ODDS = 9, 5, 8
_ENDS = (Fraction(0), Fraction(1))
_MAX_UNITS = 1_000_000
_RATIONAL = re.compile(r"-?[0-9]{1,4000}(/0*[1-9][0-9]{0,3999})?\Z")


@dataclass(frozen=True)
class _Unit:
    group: int
    k: Fraction
    w: Fraction
    w_t: Fraction

    def c(self, t: Fraction) -> Fraction:
        return self.w + self.w_t * t

    def bad(self, y: Fraction) -> bool:
        """Whether the unit is undefined at y = c·x."""
        if self.group == _LOG_ODDS:
            return y <= 0 or y >= 1
        return self.group == _LOGARITHM and y <= 0

    def bad_somewhere(self, t: Fraction) -> bool:
        """Whether it is undefined for some x in (0, 1)."""
        if self.group == _LOG_ODDS:
            return self.c(t) <= 0 or self.c(t) > 1
        return self.group == _LOGARITHM and self.c(t) <= 0


@dataclass(frozen=True)
class _Network:
    kind: str
    units: tuple[_Unit, ...]
    skip: Fraction
    uses_t: bool

    def defined_at(self, t: Fraction) -> bool:
        return not any(unit.bad_somewhere(t) for unit in self.units)

    def climbs_at(self, t: Fraction) -> bool:
        return self.skip > 0 or any(unit.k * unit.c(t) > 0 for unit in self.units)

    @property
    def sinks(self) -> bool:
        return self.skip > 0 or any(
            unit.k > 0 and unit.group in (_LOGARITHM, _LOG_ODDS) for unit in self.units
        )


def check_mirror_network(data: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """(kind, verdict of each condition), after redoing the argument behind it.

    Raises ValueError where the certificate is malformed or a claim does not replay.
    """
    try:
        network = _read(data["network"])
        claims = data["conditions"]
        names = _CONDITIONS[network.kind]
        if not set(claims) <= set(names):
            raise ValueError(f"it claims other conditions than those of a {network.kind}")
        shown = {}
        for name in names:
            if name in claims:
                _check(network, name, claims[name])
                shown[name] = str(claims[name]["verdict"])
        return network.kind, shown
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"the certificate is malformed: {type(error).__name__}: {error}") from None


def _check(network: _Network, name: str, claim: Mapping[str, Any]) -> None:
    if claim["verdict"] == "refuted":
        _check_witness(network, name, claim["witness"])
        return
    if claim["verdict"] != "proved":
        raise ValueError(f"{name} has no verdict but {claim['verdict']!r:.40}")
    if not all(network.defined_at(t) for t in _ENDS):
        raise ValueError(f"{name} is not proved: a unit may be undefined")
    slopes = name in ("increasing", "continuously_differentiable")
    if slopes and not all(network.climbs_at(t) for t in _ENDS):
        raise ValueError(f"{name} is not proved: nothing climbs at some t")
    if name == "lower_limit" and not network.sinks:
        raise ValueError(f"{name} is not proved: every unit with weight is bounded near 0")


def _check_witness(network: _Network, name: str, witness: Mapping[str, Any]) -> None:
    x, t = _rational(witness["x"]), _rational(witness["t"]) if network.uses_t else Fraction(0)
    if not 0 <= t <= 1:
        raise ValueError(f"the witness of {name} lies outside the domain")
    if name == "defined":
        if not 0 < x < 1 or not any(unit.bad(unit.c(t) * x) for unit in network.units):
            raise ValueError("every unit has a value at the witness")
        return
    if not network.defined_at(t):
        raise ValueError("the network is undefined at the witness's t for some x")
    if name in ("increasing", "continuously_differentiable"):
        if not 0 < x < 1 or network.climbs_at(t):
            raise ValueError(f"the network climbs at the witness of {name}")
    elif name != "lower_limit" or x != 0 or network.sinks:
        raise ValueError(f"the witness does not refute {name}")


def _read(item: Mapping[str, Any]) -> _Network:
    kind, rows, weights = item["kind"], item["factors"], item["weights"]
    if kind not in _CONDITIONS or len(rows) not in (1, 2):
        raise ValueError("it is no network of a mirror map or of ψ")
    count = len(weights)
    if count % _GROUPS or count > _MAX_UNITS or any(len(row) != count for row in rows):
        raise ValueError("the units do not come in nine equal groups")
    second = rows[1] if len(rows) == 2 else [(0.0).hex()] * count
    units = tuple(
        _Unit(i * _GROUPS // count, _weight(k), _weight(w), _weight(w_t))
        for i, (k, w, w_t) in enumerate(zip(weights, rows[0], second, strict=True))
    )
    network = _Network(kind, units, _weight(item["skip"]), len(rows) == 2)
    if network.skip < 0 or any(u.k < 0 or u.c(t) < 0 for u in units for t in _ENDS):
        raise ValueError("k, c and skip are not all >= 0")
    return network


def _weight(text: str) -> Fraction:
    """The exact value of a double in hexadecimal."""
    value = float.fromhex(text)
    if not math.isfinite(value):
        raise ValueError("a weight is not finite")
    return Fraction(value)


def _rational(text: Any) -> Fraction:
    if not isinstance(text, str) or not _RATIONAL.match(text):
        raise ValueError(f"{text!r:.40} is no rational number")
    return Fraction(text)
