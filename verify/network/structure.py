"""Decides the conditions of a drift network from its structure.

f = relu(out − ξ [+ relu((r − clip(r, 1−ε, 1+ε))·A)]) with no biases and act(0) = 0. If every
feature is defined everywhere, and 0 and continuous at r = 1 for each A and t, then at r = 1 the
argument of the outer relu is −ξ < 0, and it is continuous there: f vanishes on a neighbourhood
of r = 1 for each A and t, whatever the finite weights are. Where that does not apply, witnesses
are searched in floating point and certified with balls; what neither settles is `unknown`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from flint import ctx

from symbolic.expression import postorder
from symbolic.network import DriftNetwork, evaluate_network, load_network, signed_decimal
from symbolic.numeric import evaluate
from verify.balls.points import Kind, certify
from verify.certificate import CERTIFICATE_SCHEMA
from verify.checker.network import check_network_certificate
from verify.network.feature import Facts, analyse
from verify.network.jets import BallNetwork
from verify.network.notes import network_notes
from verify.report import CONDITIONS, Condition, Report, Verdict, Witness

_PRECISION = 128
_MAX_CERTIFIED = 40
"""Candidate witnesses that are tried with balls, of those that floating point proposes."""
_SIZES = tuple(map(Fraction, ("1", "2", "1/2", "10", "1/10", "100", "1/100", "1000", "1e6")))
_ADVANTAGES = (Fraction(0), *(sign * size for size in _SIZES for sign in (1, -1)))
_RATIOS = tuple(map(Fraction, ("1", "2", "1/2", "3", "1/3", "3/2", "10", "1/10", "1000", "1/1000")))
_PROGRESS = (Fraction(0), Fraction(1, 2), Fraction(1))

_STRUCTURE = "structure of the network"
_EVALUATION = "evaluation with balls"


def decide_network(source: str | Path | DriftNetwork, *, timeout: float = 10.0) -> Report:
    """Decide the four drift conditions of a network, or of the file that holds one.

    `timeout`, in seconds, bounds the certified numbers in the notes; the verdicts themselves take
    a bounded number of steps. Raises ConfigError for a file that cannot be read.
    """
    begun = time.monotonic()
    network = source if isinstance(source, DriftNetwork) else load_network(source)
    facts = [analyse(feature) for feature in network.features]
    with ctx.workprec(_PRECISION):
        conditions: tuple[Condition, ...] = (
            _defined(network, facts),
            Condition(
                "nonnegative", Verdict.PROVED, _STRUCTURE, detail="its outermost operation is relu"
            ),
            _zero_at_identity(network, facts),
            _flat_at_identity(network, facts),
        )
    certificate = network_certificate(network, conditions)
    conditions, complaints = _replayed(conditions, certificate)
    report = Report(describe(network), "drift", {}, conditions, complaints, certificate=certificate)
    notes = complaints
    if report.verdict is Verdict.PROVED:
        notes += network_notes(network, deadline=begun + timeout)
    seconds = time.monotonic() - begun
    return Report(report.formula, "drift", {}, conditions, notes, seconds, certificate)


def describe(network: DriftNetwork) -> str:
    """The network as one line of text."""
    widths = "-".join(str(layer.shape[0]) for layer in network.layers)
    inputs = ", ".join(map(str, network.features))
    inner = f"network[{widths}-1 {network.activation}]({inputs}) - {signed_decimal(network.xi)}"
    if network.ppo_epsilon is not None:
        low, high = (signed_decimal(1 + s * network.ppo_epsilon) for s in (-1, 1))
        inner += f" + relu((r - clip(r, {low}, {high}))*A)"
    return f"relu({inner})"


def network_certificate(network: DriftNetwork, conditions: tuple[Condition, ...]) -> dict[str, Any]:
    """What the independent checker needs: the whole network with exact weights, and the claims."""
    claims = {
        condition.id: {"verdict": condition.verdict.value}
        | ({"witness": condition.witness.to_json()} if condition.witness else {})
        for condition in conditions
    }
    return {
        "schema": CERTIFICATE_SCHEMA,
        "kind": "network",
        "network": {
            "hash": network.content_hash,
            "features": [str(feature) for feature in network.features],
            "activation": network.activation,
            "xi": str(network.xi),
            "ppo_epsilon": None if network.ppo_epsilon is None else str(network.ppo_epsilon),
            "shapes": [list(layer.shape) for layer in network.layers],
            "layers": [[float(w).hex() for w in layer.ravel()] for layer in network.layers],
        },
        "conditions": claims,
    }


def _replayed(
    conditions: tuple[Condition, ...], certificate: dict[str, Any]
) -> tuple[tuple[Condition, ...], tuple[str, ...]]:
    """The conditions, or `unknown` for all if the checker does not replay the certificate."""
    assert tuple(condition.id for condition in conditions) == CONDITIONS["drift"]
    try:
        check_network_certificate(certificate)
    except ValueError as error:
        note = (
            f"the checker did not replay the certificate ({error}); this is a bug, please report it"
        )
        doubtful = tuple(
            Condition(condition.id, Verdict.UNKNOWN, condition.method, detail=note)
            for condition in conditions
        )
        return doubtful, (note,)
    return conditions, ()


def _defined(network: DriftNetwork, facts: list[Facts]) -> Condition:
    doubtful = [i for i, fact in enumerate(facts) if fact.undefined]
    if not doubtful:
        detail = "every feature is finite on the whole domain; layers and relu are too"
        return Condition("defined", Verdict.PROVED, _STRUCTURE, detail=detail)
    names = ("r", "A", "t") if network.uses_progress else ("r", "A")
    grid = [dict(zip(names, values, strict=True)) for values in product(*map(_candidates, names))]
    floats = {name: np.array([float(point[name]) for point in grid]) for name in names}
    for i in doubtful:
        suspects = np.isnan(np.broadcast_to(evaluate(network.features[i], floats), len(grid)))
        for at in np.flatnonzero(suspects)[:_MAX_CERTIFIED]:
            if certify(network.features[i], grid[at]).kind is Kind.UNDEFINED:
                witness = Witness(grid[at], "value", "undefined")
                detail = f"feature {i}, {network.features[i]}, is undefined there"
                return Condition("defined", Verdict.REFUTED, _EVALUATION, witness, detail)
    left = "; ".join(f"feature {i}: {facts[i].undefined}" for i in doubtful)
    return Condition("defined", Verdict.UNKNOWN, _STRUCTURE, detail=f"left to prove: {left}")


def _zero_at_identity(network: DriftNetwork, facts: list[Facts]) -> Condition:
    obstacles = [*_epsilon_obstacle(network)]
    for i, fact in enumerate(facts):
        missing = fact.undefined or fact.nonzero
        obstacles += [f"feature {i}: {missing}"] if missing else []
    if network.xi < 0:
        obstacles.append(f"xi = {network.xi} is negative")
    if not obstacles:
        xi = signed_decimal(network.xi)
        detail = f"at r = 1 every input is 0, so f(1, A) = relu(-xi) = 0 for xi = {xi}"
        return Condition("zero_at_identity", Verdict.PROVED, _STRUCTURE, detail=detail)
    weights = BallNetwork(network)
    for point in _suspects_at_one(network):
        value = weights.value(point)
        if value is not None and value > 0:
            witness = Witness({"r": Fraction(1), **point}, "value", value.str(20))
            return Condition(
                "zero_at_identity", Verdict.REFUTED, _EVALUATION, witness, "; ".join(obstacles)
            )
    return Condition(
        "zero_at_identity",
        Verdict.UNKNOWN,
        _STRUCTURE,
        detail=f"left to prove: {'; '.join(obstacles)}",
    )


def _flat_at_identity(network: DriftNetwork, facts: list[Facts]) -> Condition:
    obstacles = [f"feature {i}: {fact.obstacle}" for i, fact in enumerate(facts) if fact.obstacle]
    obstacles += _epsilon_obstacle(network)
    if network.xi <= 0:
        obstacles.append(f"xi = {network.xi} is not positive, so f need not vanish near r = 1")
    if not obstacles:
        detail = "at r = 1 the outer relu's argument is -xi < 0, and continuous: f = 0 near r = 1 for each A"
        return Condition("flat_at_identity", Verdict.PROVED, _STRUCTURE, detail=detail)
    if not any(node.op == "sign" or "where" in node.op for node in postorder(*network.features)):
        weights = BallNetwork(network)
        for point, side in product(_points_at_one(network), (1, -1)):
            slope = weights.slope(point, side)
            if slope is not None and slope != 0:
                witness = Witness(
                    {"r": Fraction(1), **point},
                    "derivative",
                    slope.str(20),
                    "right" if side > 0 else "left",
                )
                return Condition(
                    "flat_at_identity", Verdict.REFUTED, _EVALUATION, witness, "; ".join(obstacles)
                )
    return Condition(
        "flat_at_identity",
        Verdict.UNKNOWN,
        _STRUCTURE,
        detail=f"left to prove: {'; '.join(obstacles)}",
    )


def _epsilon_obstacle(network: DriftNetwork) -> list[str]:
    epsilon = network.ppo_epsilon
    if epsilon is None or 0 <= epsilon < 1:
        return []
    return [f"ppo_epsilon = {epsilon} is outside [0, 1)"]


def _candidates(name: str) -> tuple[Fraction, ...]:
    return {"r": _RATIOS, "A": _ADVANTAGES, "t": _PROGRESS}[name]


def _points_at_one(network: DriftNetwork) -> Iterator[dict[str, Fraction]]:
    """Values for A, and for t where it occurs, the simplest first."""
    for A in _ADVANTAGES:
        for t in _PROGRESS if network.uses_progress else (None,):
            yield {"A": A} if t is None else {"A": A, "t": t}


def _suspects_at_one(network: DriftNetwork) -> list[dict[str, Fraction]]:
    """Points with r = 1 where floating point finds f > 0."""
    points = list(_points_at_one(network))
    A = np.array([float(point["A"]) for point in points])
    t = np.array([float(point["t"]) for point in points]) if network.uses_progress else None
    found = np.flatnonzero(evaluate_network(network, 1.0, A, t) > 0)
    return [points[i] for i in found[:_MAX_CERTIFIED]]
