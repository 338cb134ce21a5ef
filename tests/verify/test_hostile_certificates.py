"""Certificates made to hurt: nothing crashes, nothing hangs, nothing shows more than it should."""

from __future__ import annotations

import copy
import json
import random
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from mirrordrift.cli import main
from symbolic.drift import Drift
from symbolic.errors import FormulaError
from symbolic.network import DriftNetwork
from symbolic.parser import parse
from verify.certificate import CERTIFICATE_SCHEMA as SCHEMA
from verify.checker import UnreadableCertificate, check_certificate
from verify.decide import decide
from verify.network.structure import decide_network

PROVED, FAILED, UNREADABLE = 0, 1, 2
FORMULAS = {
    "smooth": "r-1-log(r)",
    "kinks": "abs((r-1)*A)-2*tanh(abs((r-1)*A)/2)",
    "structure": "relu((r-1)*A-tanh((r-1)*A))+(r-1-log(r))*t",
    "parameter": "alpha*(r*log(r)-r+1)",
    "refuted": "(r-1)**2-abs(A)*log(r)**2-0.1",
    "undefined": "(r-1)**2/A",
}
PARAMETERS = {"parameter": ["alpha in (0, 3]"]}
JUNK: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**18, 1.5, float("nan"), float("-inf"), "", "proved", "r", "0",
    "1/0", "((((", "exp(exp(exp(exp(_s))))", "\0", "\ud800", "9**9**9**9", [], {}, [[]], [None, {}],
    {"rule": "infer"}, {"rule": "zero"}, {"verdict": "proved", "by": "nonnegative"}, {"verdict": []},
)  # fmt: skip
"""What a node of a certificate is replaced by."""


@pytest.fixture(scope="module")
def decided() -> str:
    made = {}
    for name, text in FORMULAS.items():
        made[name] = dict(decide(Drift.from_text(text, PARAMETERS.get(name, ()))).certificate)
        assert check_certificate(made[name]).ok
    return json.dumps(made)


@pytest.fixture
def certificates(decided) -> dict[str, dict[str, Any]]:
    """A valid certificate for each formula; every test has its own to spoil."""
    return json.loads(decided)


@pytest.fixture
def check(tmp_path, capsys):
    """`drift check` on a file with the given content: its exit code, without a traceback."""

    def run(content: str | bytes, *flags: str) -> int:
        path = tmp_path / "certificate.json"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        code = main(["check", str(path), *flags])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        assert len(out + err) < 20_000
        return code

    return run


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every node of a JSON value but the root."""
    inner = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for key, value in inner:
        yield (*path, key)
        yield from places(value, (*path, key))


def replaced(whole: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    out = copy.deepcopy(whole)
    node: Any = out
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return out


def replay(data: Any) -> dict[str, str]:
    """What a certificate shows: nothing if it cannot be read or does not replay."""
    try:
        found = check_certificate(data)
    except UnreadableCertificate:
        return {}
    return found.conditions if found.ok else {}


TRUTH = {
    "smooth": {"defined", "nonnegative", "zero_at_identity", "flat_at_identity"},
    "kinks": {"defined", "nonnegative", "zero_at_identity", "flat_at_identity"},
    "structure": {"defined", "nonnegative", "zero_at_identity", "flat_at_identity"},
    "parameter": {"defined", "nonnegative", "zero_at_identity", "flat_at_identity"},
    "refuted": {"defined", "flat_at_identity"},
    "undefined": {"zero_at_identity", "flat_at_identity"},
}
"""The conditions that hold (where the formula is defined)."""


def assert_true_claims(name: str, data: Any) -> None:
    """Whatever replays about the same formula on the same domains is true."""
    shown = replay(data)
    if not shown or any(data[key] != data[key] for key in ("formula", "domains")):
        return
    for condition, verdict in shown.items():
        if condition in TRUTH[name]:
            assert verdict != "refuted", (condition, data)
            assert verdict == "proved where defined" or name != "undefined", (condition, data)
        else:
            assert verdict == "refuted", (condition, data)


@pytest.mark.parametrize("name", FORMULAS)
def test_any_node_replaced_by_junk_shows_nothing_false(certificates, name):
    whole = certificates[name]
    rng = random.Random(name)
    paths = [path for path in places(whole) if path not in (("formula",), ("domains",))]
    pairs = [(path, junk) for path in paths for junk in JUNK if path[0] != "domains"]
    for path, junk in rng.sample(pairs, min(120, len(pairs))):
        assert_true_claims(name, replaced(whole, path, junk))


@pytest.mark.parametrize("name", FORMULAS)
def test_a_node_replaced_by_another_of_the_same_certificate_shows_nothing_false(certificates, name):
    whole = certificates[name]["conditions"]
    rng = random.Random(name)
    paths = list(places(whole))
    for _ in range(60):
        target, source = rng.choice(paths), rng.choice(paths)
        value: Any = whole
        for key in source:
            value = value[key]
        conditions = replaced(whole, target, copy.deepcopy(value))
        assert_true_claims(name, {**certificates[name], "conditions": conditions})


@pytest.mark.parametrize("name", FORMULAS)
def test_any_node_left_out_shows_nothing_false(certificates, name):
    paths = list(places(certificates[name]))
    for path in random.Random(name).sample(paths, min(60, len(paths))):
        data = copy.deepcopy(certificates[name])
        node: Any = data
        for key in path[:-1]:
            node = node[key]
        del node[path[-1]]
        if path[0] not in ("formula", "domains"):
            assert_true_claims(name, data)
        else:
            replay(data)


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_a_certificate_or_a_field_that_is_junk(certificates, junk):
    assert replay(junk) == {}
    for key in ("schema", "kind", "formula", "domains", "conditions"):
        shown = replay({**certificates["kinks"], key: junk})
        assert not shown or key in ("domains", "formula")  # no domains are needed; "0" is a drift


@pytest.mark.parametrize("other", [
    "r-1-log(r)-1e-9*(r-1)**2*r", "log(r)-r+1", "r-1-log(r)+A", "abs(r-1)", "1/A", "2*(r-1)-log(r)",
])  # fmt: skip
@pytest.mark.parametrize("name", ["smooth", "kinks", "parameter"])
def test_a_certificate_moved_to_another_formula(certificates, check, name, other):
    moved = {**certificates[name], "formula": other}
    assert set(replay(moved)) < set(TRUTH["smooth"])
    assert check(json.dumps(moved)) == FAILED


@pytest.mark.parametrize("domain", ["[0, 3]", "(-1, 3]", "(-inf, inf)", "[-1, -1/2]", "-2"])
def test_a_certificate_moved_to_a_wider_domain(certificates, domain):
    moved = {**certificates["parameter"], "domains": {"alpha": domain}}
    # At alpha = 0 the drift is 0, which is valid; the rest is false.
    assert "nonnegative" not in replay(moved) or domain == "[0, 3]"


def test_swapped_regions_do_not_replay(certificates, check):
    whole = certificates["kinks"]
    regions = whole["conditions"]["nonnegative"]["regions"]
    names = list(regions)
    for other in names[1:]:
        if regions[other] == regions[names[0]]:
            continue
        swapped = {**regions, names[0]: regions[other], other: regions[names[0]]}
        data = copy.deepcopy(whole)
        data["conditions"]["nonnegative"]["regions"] = swapped
        assert_true_claims("kinks", data)
    del regions[names[0]]
    assert check(json.dumps(whole)) == FAILED


@pytest.mark.parametrize("name", FORMULAS)
def test_a_condition_renamed_shows_nothing_false(certificates, name):
    conditions = certificates[name]["conditions"]
    for old in conditions:
        for new in ("defined", "nonnegative", "zero_at_identity", "flat_at_identity", "valid", ""):
            renamed = {new if key == old else key: value for key, value in conditions.items()}
            assert_true_claims(name, {**certificates[name], "conditions": renamed})


@pytest.mark.parametrize("point", [
    {}, {"r": "1"}, {"r": "0", "A": "1"}, {"r": "-1", "A": "1"}, {"r": "inf", "A": "1"},
    {"r": "1e400", "A": "1"}, {"r": "1/0", "A": "1"}, {"r": 2, "A": 1}, {"r": "2" * 5000, "A": "1"},
    {"r": "2", "A": "1", "t": "5"}, [], "2", {"r": "1.5", "A": "nan"}, {"r": "٣", "A": "1"},
])  # fmt: skip
def test_a_witness_outside_the_domain_or_unreadable(certificates, point):
    data = copy.deepcopy(certificates["smooth"])
    entry = {
        "verdict": "refuted",
        "witness": {"point": point, "evidence": "value", "text": "-1", "side": None},
    }
    for condition in TRUTH["smooth"]:
        data["conditions"] = {condition: entry}
        assert replay(data) == {}


TEXTS = {
    "empty": "",
    "blank": " \n\n ",
    "not JSON": "proved",
    "truncated": '{"schema": "mirrordrift/certificate/1", "kind": "drift"',
    "NaN": '{"schema": NaN}',
    "Infinity": '{"schema": "mirrordrift/certificate/1", "x": -Infinity}',
    "deep list": "[" * 100_000 + "]" * 100_000,
    "deep object": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "unclosed": "[" * 100_000,
    "huge integer": '{"schema": ' + "9" * 100_000 + "}",
    "long text": '{"schema": "' + "a" * 1_000_000 + '"}',
    "long key": '{"' + "a" * 1_000_000 + '": 1}',
    "many items": "[" + "0," * 300_000 + "0]",
    "wrong type": '"certificate"',
    "number": "1e999",
    "list": "[]",
    "repeated": '{"schema": "mirrordrift/certificate/1", "schema": 1}',
    "NUL": "\0" * 1000,
    "no UTF-8": b"\xff\xfe\x00{",
    "surrogate": '{"schema": "\\ud800"}',
}


@pytest.mark.parametrize("content", TEXTS.values(), ids=TEXTS)
def test_files_that_are_no_certificate(check, content):
    start = time.process_time()
    assert check(content) == UNREADABLE
    assert check(content, "--json") == UNREADABLE
    assert time.process_time() - start < 2


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.999])
def test_truncated_files(certificates, check, cut):
    text = json.dumps(certificates["kinks"])
    assert check(text[: int(cut * len(text))]) == UNREADABLE


def test_exit_codes_of_good_false_and_mixed_files(certificates, check):
    good = json.dumps(certificates["kinks"])
    false = json.dumps({**certificates["smooth"], "formula": "log(r)"})
    assert check(good) == check(f"{good}\n{good}\n") == PROVED
    assert check(false) == check(f"{good}\n{false}\n") == FAILED
    assert check(f"{good}\n{{}}\n{false}\n") == UNREADABLE
    assert check(f"{good}\n{good[:100]}\n") == UNREADABLE
    assert main(["check", "no/such/file.json"]) == UNREADABLE


@pytest.mark.parametrize("formula", [
    "(1+r+A)**300", "exp(" * 90 + "r" + ")" * 90, "(" * 90 + "r" + "**9)" * 90, "1e300**300*r",
    "+".join(f"exp({n}*r)*log({n}+r)" for n in range(2, 300)),
])  # fmt: skip
def test_work_is_bounded_by_the_budget(certificates, formula):
    start = time.process_time()
    assert replay({**certificates["kinks"], "formula": formula}) == {}
    assert time.process_time() - start < 10


def test_a_value_does_not_make_an_exponent_that_cannot_be_computed():
    """Too large to compute it is not known whether the power is a product, defined for any base."""
    formula = "A**(3*(p**300*p**300)/(p**300*p**300))"
    value = "9" * 100
    with pytest.raises(FormulaError, match="constant exponent beyond 300"):
        decide(Drift.from_text(formula, {"p": value}))
    witness = {"r": "1", "A": "-1", "p": value, "value": "undefined"}
    conditions = {"defined": {"verdict": "refuted", "witness": witness}}
    with pytest.raises(UnreadableCertificate, match="exponent"):
        check_certificate({
            "schema": SCHEMA, "kind": "drift", "formula": formula,
            "domains": {"p": value}, "conditions": conditions,
        })  # fmt: skip


def test_control_characters_of_a_formula_are_not_shown():
    shown = check_certificate({
        "schema": SCHEMA, "kind": "drift", "formula": "0*\r\v  (r-1)", "domains": {},
        "conditions": {},
    })  # fmt: skip
    assert shown.formula == "0* (r-1)"


def test_a_huge_claim_is_not_written_out():
    """Nested shifts make a tree of shared parts that doubles with each level."""
    proof = {"rule": "infer"}
    for level in range(60):
        of, to = ("p", "q") if level % 2 else ("q", "p")
        proof = {"rule": "shift", "in": to, "by": f"{of} + {of}", "proof": proof}
    node = {"conclude": proof}
    begun = time.perf_counter()
    shown = check_certificate({
        "schema": SCHEMA, "kind": "drift", "formula": "-p - q - r", "domains": {"p": "(0, inf)", "q": "(0, inf)"},
        "conditions": {"nonnegative": {"verdict": "proved", "regions": {"r<1": node, "": node, "r>1": node}}},
    })  # fmt: skip
    assert not shown.ok
    assert time.perf_counter() - begun < 5


def test_what_a_network_certificate_calls_its_formula_is_not_taken_over():
    network = DriftNetwork(layers=(np.ones((1, 1)),), features=(parse("r-1"),), xi=Fraction(1))
    certificate = decide_network(network).certificate | {"formula": "-(r-1)**2 is proved"}
    assert "-(r-1)" not in check_certificate(certificate).formula
    with pytest.raises(UnreadableCertificate, match="schema"):
        check_certificate(certificate | {"schema": "another"})
    broken = certificate | {"network": certificate["network"] | {"xi": "1/0"}}
    assert "no rational" in check_certificate(broken).error


def test_a_network_is_nonnegative_only_where_it_is_defined():
    network = DriftNetwork(
        layers=(np.ones((1, 1)),), features=(parse("log(A)*(r-1)"),), xi=Fraction(1)
    )
    shown = check_certificate(decide_network(network).certificate)
    assert shown.conditions["defined"] == "refuted"
    assert shown.conditions["nonnegative"] == "proved where defined"
