"""Refutations: witnesses that do refute, and those that do not."""

from __future__ import annotations

import pytest

from verify.checker import check_certificate


def witness(formula, condition, point, domains=None, *, evidence="value", side=None):
    entry = {"point": point, "evidence": evidence, "text": "", "side": side}
    return check_certificate({
        "schema": "mirrordrift/certificate/1", "kind": "drift", "formula": formula,
        "domains": domains or {}, "conditions": {condition: {"verdict": "refuted", "witness": entry}},
    })  # fmt: skip


@pytest.mark.parametrize(("formula", "point", "domains"), [
    ("log(r)", {"r": "1/2", "A": "0"}, {}),
    ("-(r-1)**2", {"r": "3/2"}, {}),
    ("relu((r-1)*A) - 1", {"r": "1", "A": "5"}, {}),
    ("where(r > 3/2, 1, -1)", {"r": "3/2"}, {}),
    ("sign(r - 1/3) - 1/2", {"r": "1/3"}, {}),
    ("exp(r) - exp(1/3)*exp(1/3)*exp(1/3) - 1e-200", {"r": "1"}, {}),
    ("(log(8) - 3*log(2))*A - relu(log(4) - 2*log(2)) - 1e-50", {"r": "1", "A": "7"}, {}),
    ("1 - r**k", {"r": "2", "k": "1/1000"}, {"k": "(0, inf)"}),
    ("-exp(-A**2)", {"r": "1", "A": "30"}, {}),
    ("-exp(A)", {"r": "1", "A": "1000000"}, {}),
    ("t - 1", {"r": "1", "t": "1/2"}, {}),
    ("k", {"r": "1", "A": "1"}, {"k": "-2"}),
    ("tanh(A) - 1", {"r": "1", "A": "100"}, {}),
    ("where(A > 0, -1, log(A))", {"r": "1", "A": "1"}, {}),
])  # fmt: skip
def test_negative(formula, point, domains):
    found = witness(formula, "nonnegative", point, domains)
    assert found.ok, found.error
    assert found.conditions == {"nonnegative": "refuted"}


@pytest.mark.parametrize(("formula", "point", "domains"), [
    ("(r-1)**2", {"r": "1"}, {}),
    ("(r-1)**2", {"r": "3"}, {}),
    ("log(r)", {"r": "0"}, {}),
    ("log(r)", {"r": "-1"}, {}),
    ("log(r)", {}, {}),
    ("log(r)", {"r": "1/2", "q": "1"}, {}),
    ("log(r)", {"r": "0.5"}, {}),
    ("log(r)", {"r": "1/0"}, {}),
    ("log(r)", {"r": 0.5}, {}),
    ("k", {"r": "1", "k": "-1"}, {"k": "(0, 1)"}),
    ("k", {"r": "1", "k": "0"}, {"k": "(0, 1)"}),
    ("-k", {"r": "1", "k": "1"}, {"k": "(0, 1)"}),
    ("-k", {"r": "1", "k": "3"}, {"k": "2"}),
    ("-t", {"r": "1", "t": "2"}, {}),
    ("log(A)", {"r": "1", "A": "-1"}, {}),
    ("-1 + 0*log(A)", {"r": "1", "A": "-1"}, {}),
    ("-1 + 0/A", {"r": "1", "A": "0"}, {}),
    ("log(8) - 3*log(2)", {"r": "1"}, {}),
    ("sqrt(2)*sqrt(3) - sqrt(6)", {"r": "1"}, {}),
    ("exp(1/3)**3 - exp(1)", {"r": "1"}, {}),
    ("-0*A", {"r": "1", "A": "3"}, {}),
])  # fmt: skip
def test_not_negative(formula, point, domains):
    assert not witness(formula, "nonnegative", point, domains).ok


@pytest.mark.parametrize(("formula", "point", "undefined"), [
    ("log(A)", {"r": "1", "A": "-1"}, True), ("log(A)", {"r": "1", "A": "0"}, True),
    ("log(A)", {"r": "1", "A": "1/9"}, False), ("1/A", {"r": "1", "A": "0"}, True),
    ("A**0", {"r": "1", "A": "0"}, False), ("A**-1", {"r": "1", "A": "0"}, True),
    ("A**0.5", {"r": "1", "A": "-1"}, True), ("A**0.5", {"r": "1", "A": "0"}, False),
    ("A**-0.5", {"r": "1", "A": "0"}, True), ("A**2", {"r": "1", "A": "-1"}, False),
    ("A**A", {"r": "1", "A": "-2"}, True), ("A**A", {"r": "1", "A": "0"}, True),
    ("A**r", {"r": "2", "A": "-2"}, True), ("A**k", {"r": "2", "A": "-2", "k": "2"}, True),
    ("where(A > 0, 1, log(A))", {"r": "1", "A": "1"}, False),
    ("where(A > 0, 1, log(A))", {"r": "1", "A": "-1"}, True),
    ("where(log(A) > 0, 1, 1)", {"r": "1", "A": "-1"}, True),
    ("1/(r**2 - 2)", {"r": "7/5", "A": "1"}, False), ("0*log(A)", {"r": "1", "A": "0"}, True),
    ("1/(log(8) - 3*log(2))", {"r": "1", "A": "0"}, True), ("log(A)**0", {"r": "1", "A": "0"}, True),
    ("sqrt(1/3 - r)", {"r": "1/3", "A": "0"}, False), ("inv(r - 1/3)", {"r": "1/3", "A": "0"}, True),
])  # fmt: skip
def test_undefined(formula, point, undefined):
    assert witness(formula, "defined", point, {"k": "(0, 9)"}).ok is undefined


@pytest.mark.parametrize(("formula", "point", "refuted"), [
    ("r", {"r": "1"}, True), ("r - 1", {"r": "1"}, False), ("r", {"r": "2"}, False),
    ("where(r > 1, 0, A)", {"r": "1", "A": "1"}, True), ("where(r > 1, 0, A)", {"r": "1", "A": "0"}, False),
    ("log(A) - 1", {"r": "1", "A": "-1"}, False), ("log(A) - 1", {"r": "1", "A": "3"}, True),
])  # fmt: skip
def test_value_at_identity(formula, point, refuted):
    assert witness(formula, "zero_at_identity", point).ok is refuted


FLAT = [
    ("(r-1)**2", "1"), ("r - 1 - log(r)", "1"), ("abs(r-1)**1.5", "1"), ("relu(r-1-0.1)", "1"), ("3", "1"),
    ("where(r > 1, (r-1)**2, 0) + 5", "1"), ("log(A)*(r-1)", "-1"), ("tanh((r-1)*A)-(r-1)*A", "2"), ("A*(r-1)", "0"),
    ("(r-1)**3/(r-1)", "1"), ("log(r-1)", "1"), ("(log(8)-3*log(2))*(r-1)", "1"), ("abs(r-1)**(1+A)", "1/2"),
    ("r - exp(log(r))", "1"), ("sqrt((r-1)**6)", "1"), ("(r**2 - 1)**2/(r + 1)", "1"),
]  # fmt: skip
NOT_FLAT = [
    ("r - 1", "1", "derivative"), ("abs(r-1)", "1", "derivative"), ("sqrt(abs(r-1))", "1", "derivative"),
    ("abs(r-1)**(1/7)", "1", "derivative"), ("sign(r-1)", "1", "limit"), ("where(r == 1, 1, 0)".replace("==", ">="), "1", "limit"),
    ("A*(r-1)", "1/1000000", "derivative"), ("tanh((r-1)*A)", "-3", "derivative"), ("sqrt((r-1)**2 + log(r)**2)", "1", "derivative"),
    ("relu((r-1)*A) + relu((1-r)*A)", "2", "derivative"), ("1/abs(r-1) + where(r > 1, 0, 0)", "1", ""),
    ("where(r > 1, 1/(r-1), where(r < 1, 1/(r-1), 0))", "1", "limit"), ("1 - sign(r-1)**2", "1", "limit"),
    ("abs(log(r))**1 * sqrt(2)", "1", "derivative"), ("(log(9)-3*log(2))*(r-1)", "1", "derivative"),
    ("max(r, 1/r) - 1", "1", "derivative"), ("clip(r, 0.9, 1.1) - 1", "1", "derivative"),
    ("softplus(r-1) - log(2)", "1", "derivative"), ("sigmoid(A*log(r)) - 1/2", "5", "derivative"),
    ("abs(r-1)**(1+A)", "-1/2", "derivative"), ("(r**2-1)/(r+1)", "1", "derivative"), ("r**A - 1", "1/3", "derivative"),
    ("2**r - 2", "1", "derivative"), ("sqrt(abs(r-1))*sqrt(abs(r**2-1))", "1", "derivative"),
]  # fmt: skip


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(("formula", "advantage"), FLAT)
def test_flat_formulas_are_not_refuted(formula, advantage, side):
    for evidence in ("derivative", "limit"):
        point = {"r": "1", "A": advantage}
        assert not witness(formula, "flat_at_identity", point, evidence=evidence, side=side).ok


@pytest.mark.parametrize(("formula", "advantage", "evidence"), NOT_FLAT)
def test_slopes_and_jumps(formula, advantage, evidence):
    point = {"r": "1", "A": advantage}
    shown = [
        witness(formula, "flat_at_identity", point, evidence=kind, side=side).ok
        for kind in ("derivative", "limit") for side in ("left", "right")
    ]  # fmt: skip
    assert any(shown) is bool(evidence)


def test_evidence_fits_the_condition():
    point = {"r": "1", "A": "1"}
    assert witness("r - 1", "flat_at_identity", point, evidence="derivative", side="right").ok
    assert not witness("r - 1", "flat_at_identity", point, evidence="value", side="right").ok
    assert not witness("r - 1", "flat_at_identity", point, evidence="derivative").ok
    assert not witness(
        "r - 1", "flat_at_identity", {"r": "2", "A": "1"}, evidence="derivative", side="right"
    ).ok
    assert not witness("A", "flat_at_identity", point, evidence="derivative", side="right").ok
    assert not witness("-r", "nonnegative", point, evidence="limit").ok
    assert not witness("-r", "positive", point).ok
