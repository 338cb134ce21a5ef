"""Networks for mirror maps: decided from their weights, as their formulas are, and checked again."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from symbolic.drift import Drift
from symbolic.mirror_network import (
    UNITS,
    MirrorNetwork,
    evaluate_mirror_network,
)
from verify.checker import check_certificate
from verify.decide import decide
from verify.maps.network import decide_mirror_network
from verify.report import Report, Verdict

_PROVED, _REFUTED, _UNKNOWN = "proved", "refuted", "unknown"


def network(
    w=1.0, k=1.0, *, w_t=None, skip=0.0, kind="mirror-map", mode="paper", **changes
) -> MirrorNetwork:
    """One unit of each group; `changes` are (w, k) or (w, w′, k) by the unit's name."""
    first = [[float(w)] * 9] + ([[float(w_t)] * 9] if w_t is not None else [])
    second = [[float(k)]] * 9
    first, second = np.array(first), np.array(second)
    for name, values in changes.items():
        j = [unit.name for unit in UNITS].index(name.replace("_", "-"))
        first[:, j], second[j, 0] = values[:-1], values[-1]
    return MirrorNetwork(kind=kind, layers=(first, second), skip=skip, mode=mode)


def verdicts(report: Report) -> dict[str, str]:
    return {c.id: c.verdict.value for c in report.conditions}


def as_formula(of: MirrorNetwork) -> Drift:
    """The network as a formula, weights as exact decimals."""
    terms = []
    for j, group in enumerate(of.groups):
        factor = f"({_exact(of.layers[0][0, j])}"
        factor += f" + {_exact(of.layers[0][1, j])}*t)" if of.uses_progress else ")"
        inside = UNITS[group].formula.replace("y", f"({factor}*x)")
        terms.append(f"{_exact(of.layers[1][j, 0])}*({inside})")
    rest = "(log(x) - log(1 - x))" if of.kind == "mirror-map" else "log(x)"
    return Drift.from_text(" + ".join([*terms, f"{_exact(of.skip)}*{rest}"]), kind=of.kind)


def _exact(value) -> str:
    top, bottom = float(value).as_integer_ratio()
    return f"({top}/{bottom})"


CASES = [
    (network(), [_PROVED] * 5),
    (network(w=0.5, w_t=0.25), [_PROVED] * 5),
    (network(w=0.5, w_t=-0.25, skip=2.0), [_PROVED] * 5),
    (network(w=0.5, mode="potential"), [_PROVED] * 5),
    (network(k=0.0, skip=1.0), [_PROVED] * 5),
    (network(k=0.0, skip=0.0), [_PROVED, _REFUTED, _REFUTED, _REFUTED, _PROVED]),
    (network(log_odds=(2.0, 1.0)), [_REFUTED] + [_UNKNOWN] * 4),
    (network(log_odds=(2.0, 0.0)), [_REFUTED] + [_UNKNOWN] * 4),
    (network(logarithm=(0.0, 1.0)), [_REFUTED] + [_UNKNOWN] * 4),
    (network(logarithm=(0.0, 0.0)), [_REFUTED] + [_UNKNOWN] * 4),
    (network(w=0.5, w_t=0.0, log_odds=(0.5, 0.75, 1.0)), [_REFUTED] + [_UNKNOWN] * 4),
    (network(w=0.5, w_t=-0.5, skip=1.0), [_REFUTED] + [_UNKNOWN] * 4),
    (network(logarithm=(1.0, 0.0), log_odds=(1.0, 0.0)), [_PROVED] * 3 + [_REFUTED, _PROVED]),
    (network(kind="psi"), [_PROVED] * 3),
    (network(kind="psi", k=0.0), [_PROVED, _REFUTED, _REFUTED]),
    (network(kind="psi", log_odds=(1.5, 1.0)), [_REFUTED, _UNKNOWN, _UNKNOWN]),
    # constant in x at t = 1 alone
    (network(w=0.0, w_t=0.0, k=0.0, logarithm=(1.0, 0.0, 0.0), log_odds=(0.5, 0.0, 0.0),
             identity=(0.5, -0.5, 1.0)), [_PROVED, _REFUTED, _REFUTED, _REFUTED, _PROVED]),
]  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), CASES)
def test_verdicts(given, expected):
    report = decide_mirror_network(given)
    assert list(verdicts(report).values()) == expected
    assert report.kind == given.kind
    replay = check_certificate(json.loads(json.dumps(report.certificate)))
    assert replay.ok, replay.error
    assert replay.kind == given.kind
    assert replay.conditions == {k: v for k, v in verdicts(report).items() if v != _UNKNOWN}


@pytest.mark.parametrize(("given", "expected"), CASES)
def test_the_formula_of_a_network_is_not_decided_otherwise(given, expected):
    found = verdicts(decide(as_formula(given), timeout=0.6))
    for (name, own), wanted in zip(found.items(), expected, strict=True):
        assert {own, wanted} != {_PROVED, _REFUTED}, name


def test_a_witness_is_where_the_network_is_undefined():
    given = network(w=0.5, w_t=0.25, log_odds=(0.5, 1.0, 1.0))
    witness = decide_mirror_network(given)["defined"].witness
    assert (witness.t, witness.x * 3) == (1, 2)
    assert not np.isfinite(evaluate_mirror_network(given, float(witness.x) + 1e-9, 1.0))
    assert np.isfinite(evaluate_mirror_network(given, float(witness.x) - 1e-9, 1.0))


def test_factors_are_added_exactly():
    tiny = 2.0**-60
    given = network(w=0.5, w_t=0.0, log_odds=(1.0, tiny, 1.0))
    assert 1.0 + tiny == 1.0
    assert decide_mirror_network(given)["defined"].verdict is Verdict.REFUTED


def test_a_forged_claim_is_refused():
    data = decide_mirror_network(network()).certificate
    spoiled = []
    for path, value in (
        (("network", "factors", 0, 8), (2.0).hex()),
        (("network", "factors", 0, 5), (0.0).hex()),
        (("network", "weights", 0), (-1.0).hex()),
        (("network", "skip"), "nan"),
        (("network", "kind"), "drift"),
        (("network", "factors"), []),
        (("conditions", "nonnegative"), {"verdict": "proved"}),
        (("conditions", "integrable"), {"verdict": "refuted", "witness": {"x": "0"}}),
        (("conditions", "increasing"), {"verdict": "refuted", "witness": {"x": "1/2"}}),
    ):
        changed = copy.deepcopy(data)
        inner = changed
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        spoiled.append(changed)
    for changed in spoiled:
        assert not check_certificate(changed).ok
    idle = decide_mirror_network(network(k=0.0, skip=0.0)).certificate
    claimed = {"verdict": "proved"}
    for name in ("increasing", "continuously_differentiable", "lower_limit"):
        assert not check_certificate({**idle, "conditions": {name: claimed}}).ok
