"""The checker of mirror maps: no certificate, however made, shows what is false."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from symbolic.drift import Drift
from verify.checker import UnreadableCertificate, check_certificate
from verify.decide import decide
from verify.report import CONDITIONS

FILE = Path(__file__).parents[2] / "corpus" / "mirror_maps.jsonl"
ENTRIES = {
    entry["id"].partition("_")[0]: entry
    for entry in map(json.loads, FILE.read_text(encoding="utf-8").splitlines())
}
SAMPLE = (
    "M01",
    "M03",
    "M05",
    "M12",
    "M20",
    "M31",
    "M34",
    "M38",
    "M39",
    "M51",
    "M53",
    "M55",
    "M60",
    "M75",
    "M88",
    "M91",
)


@pytest.fixture(scope="module")
def certificates() -> dict[str, dict[str, Any]]:
    found = {}
    for name in SAMPLE:
        entry = ENTRIES[name]
        report = decide(Drift.from_text(entry["formula"], entry["parameters"], kind="mirror-map"))
        found[name] = json.loads(json.dumps(report.certificate))
    return found


def shown(data: dict[str, Any]) -> dict[str, str]:
    """What a certificate establishes; nothing if it cannot be read."""
    try:
        return check_certificate(data).conditions
    except UnreadableCertificate:
        return {}


def frame(entry: dict[str, Any]) -> dict[str, Any]:
    drift = Drift.from_text(entry["formula"], entry["parameters"], kind="mirror-map")
    domains = {name: str(interval) for name, interval in drift.domains.items()}
    return {"formula": drift.text, "domains": domains}


@pytest.mark.parametrize("name", SAMPLE)
def test_a_proof_of_one_map_shows_nothing_false_of_another(certificates, name):
    rng = random.Random(name)
    data = certificates[name]
    for condition, claim in data["conditions"].items():
        wrong = claim["verdict"] == "refuted"
        others = [entry for entry in ENTRIES.values() if entry[condition] is wrong]
        for entry in rng.sample(others, min(5, len(others))):
            conditions = {condition: claim}
            if claim.get("by"):
                conditions[claim["by"]] = data["conditions"][claim["by"]]
            replay = shown({**data, **frame(entry), "conditions": conditions})
            assert condition not in replay, (entry["id"], condition, claim)


def places(item: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(item, dict):
        for key in item:
            yield from places(item[key], (*path, key))
    elif isinstance(item, list):
        for i, part in enumerate(item):
            yield from places(part, (*path, i))


def changed(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    data = copy.deepcopy(data)
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return data


@pytest.mark.parametrize("name", SAMPLE)
def test_a_spoiled_certificate_shows_nothing_false_and_nothing_breaks(certificates, name):
    junk = (None, "x", "1/2", "0", "-1", [], {}, True, 3, "log(x)", "down", "top", "near", "inf")
    rng = random.Random(name)
    data = certificates[name]
    spots = list(places(data))
    for path in rng.sample(spots, min(20, len(spots))):
        spoiled = changed(data, path, rng.choice(junk))
        if spoiled.get("formula") != data["formula"] or spoiled.get("domains") != data["domains"]:
            shown(spoiled)  # it speaks of another map
            continue
        for condition, verdict in shown(spoiled).items():
            truth = ENTRIES[name].get(condition)
            assert truth is None or verdict == ("proved" if truth else "refuted"), (path, condition)


ZERO_END = {"from": "1", "sign": "+", "power": "0", "proofs": [{"rule": "infer"}] * 2}
CLOSED = {"closed": True, "chart": "x"}
LINE = {"cuts": [], "pieces": [{"chart": "x", "proof": {"rule": "infer"}}]}
FORGED = [
    # a cut hides a kink, a jump, a fall
    ("log(x) + relu(x - 1/2)", "continuously_differentiable",
     {"cuts": ["1/2"], "pieces": [{"chart": "x", "proof": {"rule": "infer"}}] * 2}),
    ("where(x < 1/2, log(x), log(x) + 1)", "continuously_differentiable",
     {"cuts": ["1/2"], "pieces": [{"chart": "x", "proof": {"rule": "infer"}}] * 2}),
    ("where(x < 1/2, log(x) + 1, log(x))", "increasing",
     {"cuts": ["1/2"], "pieces": [{"chart": "x", "proof": {"rule": "infer"}}] * 2}),
    # a dip at the very point of the cut
    ("log(x) - where(x < 1/2, 0, where(x > 1/2, 0, 1))", "increasing",
     {"cuts": ["1/2"], "pieces": [{"chart": "x", "proof": {"rule": "infer"}}] * 2}),
    # cuts that leave a part out, are out of order, or lie outside
    ("log(x) - 3*relu(x - 1/2)", "increasing",
     {"cuts": ["1/2"], "pieces": [{"chart": "x", "proof": {"rule": "infer"}}]}),
    ("log(x) - 3*relu(x - 1/2)", "increasing",
     {"cuts": ["3/4", "1/2"], "pieces": [{"chart": "x", "proof": {"rule": "infer"}}] * 3}),
    ("log(x) - 3*relu(x - 1/2)", "increasing",
     {"cuts": ["2"], "pieces": [{"chart": "x", "proof": {"rule": "infer"}}] * 2}),
    # a place that moves, is in no order, or is no place
    ("log(x) + relu(x - t/2)", "continuously_differentiable",
     {"cuts": ["t/2"], "pieces": [{"chart": "between", "proof": {"rule": "infer"}}] * 2}),
    ("log(x) - 3*relu(x - 1/2)", "increasing",
     {"cuts": ["1/4 + 1/4"], "pieces": [{"chart": "between", "proof": {"rule": "infer"}}] * 2}),
    ("log(x) - 3*relu(x - 1/2)", "increasing",
     {"cuts": ["sqrt(2)"], "pieces": [{"chart": "between", "proof": {"rule": "infer"}}] * 2}),
    ("log(x) - 3*relu(x - 1/2)", "increasing",
     {"cuts": ["log(0)"], "pieces": [{"chart": "between", "proof": {"rule": "infer"}}] * 2}),
    ("log(x) - 3*relu(x - 1/2)", "increasing",
     {"cuts": ["x"], "pieces": [{"chart": "between", "proof": {"rule": "infer"}}] * 2}),
    ("-log(x)", "increasing", {"cuts": [], "pieces": [{"chart": "beyond", "proof": {"rule": "infer"}}]}),
    # a chart that turns the direction, or that does not reach the whole piece
    ("-log(x)", "increasing", {"cuts": [], "pieces": [{"chart": "down", "proof": {"rule": "infer"}}]}),
    ("-log(x)", "increasing", {"cuts": [], "pieces": [{"chart": "up", "proof": {"rule": "infer"}}]}),
    ("-log(x)", "increasing", {"cuts": [], "pieces": [{"chart": "top", "proof": {"rule": "infer"}}]}),
    # a zero of the derivative at the cut is no derivative > 0
    ("(x - 1/2)**3", "continuously_differentiable",
     {"cuts": ["1/2"], "pieces": [{"chart": "x", "proof": {"rule": "infer"}}] * 2}),
    # the limit: a pace of 0, a rate that is not positive, a pace that may be summed
    ("x/2", "lower_limit", {"from": "1", "rate": "0", "weight": "constant", "proof": {"rule": "infer"}}),
    ("-log(x)", "lower_limit", {"from": "1", "rate": "-1", "weight": "constant", "proof": {"rule": "infer"}}),
    ("x/2", "lower_limit", {"near": True, "rate": "0"}),
    ("sqrt(x)", "lower_limit", {"near": True, "rate": "1/2"}),
    ("log(x)", "lower_limit", {"from": "2", "rate": "1", "weight": "constant", "proof": {"rule": "infer"}}),
    # the integral: a power of 1, a sign that is not that of the pace
    ("-1/x", "integrable", {**LINE, "zero": {**ZERO_END, "power": "1"}, "one": CLOSED}),
    ("-1/x", "integrable", {**LINE, "zero": {**ZERO_END, "sign": "-"}, "one": CLOSED}),
    ("-1/x", "integrable", {**LINE, "zero": {"near": True, "sign": "+", "power": "1"}, "one": CLOSED}),
    ("-1/x", "integrable", {**LINE, "zero": {"closed": True, "chart": "x"}, "one": CLOSED}),
    ("1/(1-x) + log(x)", "integrable", {**LINE, "zero": ZERO_END, "one": CLOSED}),
    ("1/(1-x) + log(x)", "integrable", {**LINE, "zero": ZERO_END, "one": {**ZERO_END, "sign": "-", "power": "1"}}),
    ("1/(1-x) + log(x)", "integrable", {**LINE, "zero": ZERO_END}),
    # a sum: a term left out, one too many, one that is not integrable, or that is no sum
    ("-1/x + log(x)", "integrable", {**LINE, "zero": {"terms": [ZERO_END]}, "one": CLOSED}),
    ("x + log(x)", "integrable", {**LINE, "zero": {"terms": [CLOSED, ZERO_END, ZERO_END]}, "one": CLOSED}),
    ("x - 1/x", "integrable", {**LINE, "zero": {"terms": [CLOSED, CLOSED]}, "one": CLOSED}),
    ("x - 1/x", "integrable", {**LINE, "zero": {"terms": [CLOSED, {**ZERO_END, "sign": "-"}]}, "one": CLOSED}),
    ("log(x)", "integrable", {**LINE, "zero": {"terms": [ZERO_END]}, "one": CLOSED}),
    ("x + log(x)", "integrable", {**LINE, "zero": {"terms": "all"}, "one": CLOSED}),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "condition", "node"), FORGED)
def test_forged_proofs_are_refused(formula, condition, node):
    data = {
        "schema": "mirrordrift/certificate/1", "kind": "mirror-map", "formula": formula, "domains": {},
        "conditions": {condition: {"verdict": "proved", "regions": {"": node}}},
    }  # fmt: skip
    replay = check_certificate(data)
    assert not replay.ok
    assert replay.error
    assert not replay.conditions


FORGED_WITNESSES = [
    ("log(x)", "increasing", {"point": {"x": "1/2"}, "evidence": "derivative", "text": "-1", "side": "right"}),
    ("log(x)", "continuously_differentiable",
     {"point": {"x": "1/2"}, "evidence": "derivative", "text": "0", "side": "left"}),
    ("log(x)", "increasing", {"point": {"x": "1"}, "evidence": "derivative", "text": "-1", "side": "right"}),
    ("log(x)", "increasing", {"point": {"x": "2"}, "evidence": "derivative", "text": "-1", "side": "right"}),
    ("log(x)", "increasing", {"point": {}, "evidence": "derivative", "text": "-1", "side": "right"}),
    ("log(x) + relu(x - 1/2)", "increasing",
     {"point": {"x": "1/2"}, "evidence": "derivative", "text": "-1", "side": "left"}),
    ("log(x) + relu(x - 1/2)**2", "continuously_differentiable",
     {"point": {"x": "1/2"}, "evidence": "derivative", "text": "2", "side": "right"}),
    ("log(x)", "lower_limit", {"point": {"x": "0"}, "evidence": "limit", "text": "0", "side": "right",
     "growth": {"from": "1", "bound": "1000000", "proof": {"rule": "infer"}}}),
    ("log(x)", "lower_limit", {"point": {"x": "1"}, "evidence": "limit", "text": "0", "side": "left",
     "growth": {"from": "1", "bound": "1", "proof": {"rule": "infer"}}}),
    ("log(x)", "integrable", {"point": {"x": "0"}, "evidence": "limit", "text": "-inf", "side": "right",
     "growth": {"from": "1", "sign": "-", "weight": "fast", "bound": "0", "proof": {"rule": "infer"}}}),
    ("log(x)", "integrable", {"point": {"x": "0"}, "evidence": "limit", "text": "-inf", "side": "right",
     "growth": {"from": "1", "sign": "-", "weight": "slow", "bound": "1/10", "proof": {"rule": "infer"}}}),
    ("-1/sqrt(x)", "integrable", {"point": {"x": "0"}, "evidence": "limit", "text": "-inf", "side": "right",
     "growth": {"from": "1", "sign": "-", "weight": "fast", "bound": "1/10", "proof": {"rule": "infer"}}}),
    ("log(x)", "defined", {"point": {"x": "0"}, "evidence": "value", "text": "undefined", "side": None}),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "condition", "witness"), FORGED_WITNESSES)
def test_forged_witnesses_are_refused(formula, condition, witness):
    data = {
        "schema": "mirrordrift/certificate/1", "kind": "mirror-map", "formula": formula, "domains": {},
        "conditions": {condition: {"verdict": "refuted", "witness": witness}},
    }  # fmt: skip
    assert not check_certificate(data).ok


def test_increasing_follows_from_a_derivative_that_is_shown_alone():
    data = {
        "schema": "mirrordrift/certificate/1", "kind": "psi", "formula": "-log(x)", "domains": {},
        "conditions": {"increasing": {"verdict": "proved", "by": "continuously_differentiable"}},
    }  # fmt: skip
    assert not check_certificate(data).ok


@pytest.mark.parametrize(
    ("kind", "domains"),
    [
        ("mirror-map", {"x": "(0, 1/2)"}),
        ("mirror-map", {"x": "(1/4, 1)"}),
        ("psi", {"x": "(-1, 1)"}),
        ("psi", {"x": "[0, 1)"}),
        ("mirror-map", {"r": "(0, 1)"}),
        ("banana", {}),
    ],
)
def test_frames_that_are_no_map(kind, domains):
    data = {
        "schema": "mirrordrift/certificate/1", "kind": kind, "formula": "log(x)", "domains": domains,
        "conditions": {},
    }  # fmt: skip
    with pytest.raises(UnreadableCertificate):
        check_certificate(data)


def test_conditions_belong_to_their_kind():
    assert set(CONDITIONS["psi"]) < set(CONDITIONS["mirror-map"])
    for kind, name in (
        ("psi", "integrable"),
        ("mirror-map", "nonnegative"),
        ("drift", "increasing"),
    ):
        data = {
            "schema": "mirrordrift/certificate/1", "kind": kind, "formula": "1", "domains": {},
            "conditions": {name: {"verdict": "proved", "regions": {}}},
        }  # fmt: skip
        assert not check_certificate(data).ok
