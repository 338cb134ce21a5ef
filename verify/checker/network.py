"""Re-checks a network's certificate: its own reading, its own argument, its own arithmetic.

Shares the formula tree, its parser and flint with what it checks, nothing else. The certificate
holds the whole network, so what is checked is what is printed. The claims:

- `defined`: every feature is defined for all r > 0, A and t in [0, 1] (then so is f).
- `nonnegative`: nothing to show, the outermost operation is relu.
- `zero_at_identity`: every feature is 0 at r = 1, ξ >= 0, ε none or in [0, 1); no layer has a
  bias and act(0) = 0, so f(1, A) = relu(−ξ) = 0.
- `flat_at_identity`: besides, ξ > 0 and every feature is continuous in r at r = 1; so the
  argument of the outer relu stays negative near r = 1, where f = 0.

A refutation is a point: there a feature is undefined, or f(1, A) > 0, or a one-sided derivative
of f in r is not 0, in balls that exclude the opposite.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import arb, ctx

from symbolic.expression import Expression, postorder
from symbolic.parser import parse
from verify.checker.network_features import Facts, facts_of
from verify.checker.network_jets import Jet, ball, jet_of, relu

_CONDITIONS = ("defined", "nonnegative", "zero_at_identity", "flat_at_identity")
_PRECISION = 192
_MAX_WEIGHTS = 4_000_000


@dataclass(frozen=True)
class _Network:
    features: tuple[Expression, ...]
    activation: str
    xi: Fraction
    epsilon: Fraction | None
    layers: tuple[tuple[tuple[float, ...], ...], ...]


def check_network_certificate(data: Mapping[str, Any]) -> dict[str, str]:
    """The verdict of each condition, after redoing the argument behind it.

    Raises ValueError where the certificate is malformed or a claim does not replay.
    """
    try:
        network = _read(data["network"])
        claims = data["conditions"]
        if data.get("kind") != "network" or sorted(claims) != sorted(_CONDITIONS):
            raise ValueError("it is no network certificate with the four drift conditions")
        facts = [facts_of(feature) for feature in network.features]
        with ctx.workprec(_PRECISION):
            shown = {name: _check(network, facts, name, claims[name]) for name in _CONDITIONS}
        if shown["nonnegative"] == "proved" and shown["defined"] != "proved":
            shown["nonnegative"] = "proved where defined"
        return shown
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"the certificate is malformed: {type(error).__name__}: {error}") from None


def _check(network: _Network, facts: list[Facts], name: str, claim: Mapping[str, Any]) -> str:
    verdict = claim["verdict"]
    if verdict == "proved":
        missing = _missing(network, facts, name)
        if missing:
            raise ValueError(f"{name} is not proved: {missing}")
    elif verdict == "refuted":
        _check_witness(network, name, claim["witness"])
    elif verdict != "unknown":
        raise ValueError(f"{name} has no verdict but {verdict!r:.40}")
    return str(verdict)


def _missing(network: _Network, facts: list[Facts], name: str) -> str:
    """What the proof of a condition lacks; empty if nothing."""
    if name == "nonnegative":
        return ""
    for text, fact in zip(network.features, facts, strict=True):
        if not fact.defined:
            return f"{text} may be undefined"
        if name != "defined" and not fact.zero:
            return f"{text} may differ from 0 at r = 1"
        if name == "flat_at_identity" and not fact.continuous:
            return f"{text} may jump at r = 1"
    if name == "defined":
        return ""
    if network.epsilon is not None and not 0 <= network.epsilon < 1:
        return f"epsilon {network.epsilon} is outside [0, 1)"
    if network.xi < 0 or (name == "flat_at_identity" and network.xi == 0):
        return f"xi {network.xi} is too small"
    return ""


def _check_witness(network: _Network, name: str, witness: Mapping[str, str]) -> None:
    point = {key: _rational(witness[key]) for key in ("r", "A", "t") if key in witness}
    if point["r"] <= 0 or not 0 <= point.get("t", Fraction(0)) <= 1:
        raise ValueError(f"the witness of {name} lies outside the domain")
    if name == "defined":
        if all(jet_of(feature, point, 1) != "undefined" for feature in network.features):
            raise ValueError("no feature is certainly undefined at the witness")
        return
    if point["r"] != 1 or name not in ("zero_at_identity", "flat_at_identity"):
        raise ValueError(f"a witness at r = {point['r']} refutes no {name}")
    side = {"left": -1, "right": 1}[witness["side"]] if name == "flat_at_identity" else 1
    if name == "flat_at_identity" and any(
        n.op == "sign" or "where" in n.op for n in postorder(*network.features)
    ):
        raise ValueError("derivatives of features that may jump are not checked")
    value, move = _network_jet(network, point, side)
    certain = value > 0 if name == "zero_at_identity" else move != 0
    if not certain:
        raise ValueError(f"the witness of {name} is not certain")


def _network_jet(network: _Network, point: Mapping[str, Fraction], side: int) -> Jet:
    """f at the point, and how f moves as r moves one unit to that side."""
    jets: list[Jet] = []
    for feature in network.features:
        jet = jet_of(feature, point, side)
        if isinstance(jet, str):
            raise ValueError(f"{feature} has no certain value at the witness")
        jets.append(jet)
    for depth, layer in enumerate(network.layers):
        columns = range(len(layer[0]))
        jets = [
            (
                sum((arb(row[j]) * jet[0] for row, jet in zip(layer, jets, strict=True)), arb(0)),
                sum((arb(row[j]) * jet[1] for row, jet in zip(layer, jets, strict=True)), arb(0)),
            )
            for j in columns
        ]
        if depth < len(network.layers) - 1:
            jets = [relu(jet) if network.activation == "relu" else _tanh(jet) for jet in jets]
    value, move = jets[0]
    value = value - ball(network.xi)
    if network.epsilon is not None:
        epsilon, advantage = network.epsilon, point["A"]
        # At r = 1 the excess r - clip(r, 1 - e, 1 + e) is -e below e = 0 and moves with r up to e = 0.
        excess = (
            ball(min(epsilon, Fraction(0)) * -advantage),
            ball(side * advantage if epsilon <= 0 else 0),
        )
        value, move = value + relu(excess)[0], move + relu(excess)[1]
    return relu((value, move))


def _tanh(jet: Jet) -> Jet:
    squashed = jet[0].tanh()
    return squashed, (1 - squashed * squashed) * jet[1]


def _read(data: Mapping[str, Any]) -> _Network:
    features = tuple(parse(text) for text in data["features"])
    shapes, flat = data["shapes"], data["layers"]
    if (
        data["activation"] not in ("tanh", "relu")
        or not features
        or not shapes
        or len(shapes) != len(flat)
    ):
        raise ValueError("the network is malformed")
    width, layers = len(features), []
    for (rows, columns), weights in zip(shapes, flat, strict=True):
        if rows != width or not columns >= 1 or not rows * columns == len(weights) <= _MAX_WEIGHTS:
            raise ValueError(f"a layer of shape {rows} x {columns} does not fit")
        numbers = [float.fromhex(weight) for weight in weights]
        if not all(map(math.isfinite, numbers)):
            raise ValueError("a weight is not finite")
        layers.append(tuple(tuple(numbers[i * columns : (i + 1) * columns]) for i in range(rows)))
        width = columns
    if width != 1:
        raise ValueError(f"the network has {width} outputs")
    epsilon = None if data["ppo_epsilon"] is None else _rational(data["ppo_epsilon"])
    return _Network(features, data["activation"], _rational(data["xi"]), epsilon, tuple(layers))


def _rational(text: str) -> Fraction:
    if not re.fullmatch(r"-?\d{1,800}(/0*[1-9]\d{0,799})?", text, re.ASCII):
        raise ValueError(f"{text!r:.40} is no rational")
    return Fraction(text)
