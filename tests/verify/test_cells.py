"""Cells: kinks split regions, facts pin variables, and what is concluded replays."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st
from mutation.laws import arb_value, close

from symbolic.domains import parse_declarations
from symbolic.drift import Drift
from symbolic.expression import Expression, number, substitute, symbol
from symbolic.parser import parse
from verify.algebra.masks import NEGATIVE, POSITIVE, ZERO
from verify.certificate import certificate
from verify.checker import check_certificate
from verify.proof.cells import Attempt, Cell, prove_region
from verify.proof.prove import Budget
from verify.proof.regions import regions

EVERYWHERE = ("r<1", "r=1", "r>1")
Node = dict[str, Any]


def attempts(formula: str, goal: str, *parameters: str, steps: int = 200) -> dict[str, Attempt]:
    drift = Drift.from_text(formula, parameters)
    ratios = ("r=1",) if goal == "zero" else EVERYWHERE
    return {region.key: Attempt(region, goal, Budget(steps)) for region in regions(drift, ratios)}


def replays(formula: str, condition: str, nodes: dict[str, Node], *parameters: str) -> bool:
    drift = Drift.from_text(formula, parameters)
    entry = {condition: {"verdict": "proved", "regions": nodes}}
    return check_certificate(certificate(drift, entry)).ok


def inside(node: Any) -> Iterator[Node]:
    """A node and every node in it."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from inside(value)


PROVED = [
    # formula, parameters, keys that some node must have
    ("relu(r-2)", (), ()), ("where(r > 2, r-2, 0)", (), ("split",)), ("abs(A)*relu((r-1)*A)", (), ()),
    ("where(A > r, (A-r)*(r-1)**2, 0)", (), ("split",)), ("max(r-3, 1-r, 0)", (), ("split",)),
    ("relu((r-1)*A-alpha*tanh((r-1)*A/alpha))", ("alpha in (0, inf)",), ("rescale",)),
    ("(r-1)**2*k**2", ("k in (-1, 1)",), ("bisect",)), ("(r-1)**2*abs(k)", ("k in (-inf, inf)",), ("bisect",)),
    ("where(A <= 2, where(A >= 2, A-2, 1), 1)", (), ("split", "pin")), ("r*log(r)-r+1", (), ()),
    ("sqrt(relu(A-1))+relu(1-A)", (), ("split",)), ("where(r > 2, log(r-1), 0)", (), ("split",)),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "parameters", "keys"), PROVED)
def test_regions_are_proved_and_replay(formula, parameters, keys):
    nodes = {}
    for key, attempt in attempts(formula, "nonnegative", *parameters).items():
        nodes[key] = prove_region(attempt)
        assert nodes[key] is not None, key
        assert attempt.failures == []
    assert replays(formula, "nonnegative", nodes, *parameters)
    assert set(keys) <= {key for node in inside(nodes) for key in node}
    for key in nodes:
        others = {other: node for other, node in nodes.items() if other != key}
        assert not replays(formula, "nonnegative", others, *parameters)


@pytest.mark.parametrize(("formula", "goal", "condition"), [
    ("log(1+A**2)/r+sqrt(r)", "defined", "defined"), ("where(A > 1, log(A), 0)", "defined", "defined"),
    ("log(r)*A+relu(r-1)", "zero", "zero_at_identity"), ("exp(r*A-A)-1", "zero", "zero_at_identity"),
])  # fmt: skip
def test_the_other_goals(formula, goal, condition):
    nodes = {key: prove_region(attempt) for key, attempt in attempts(formula, goal).items()}
    assert replays(formula, condition, nodes)


@pytest.mark.parametrize(("formula", "goal"), [
    ("log(A)", "defined"), ("1/(A-1)", "defined"), ("r-A", "zero"), ("sign(A)+1", "zero"), ("r-2", "nonnegative"),
    ("where(A > 1, -1, 1)", "nonnegative"), ("where((r-2)**2 <= 0, -1, 1)", "nonnegative"),
])  # fmt: skip
def test_no_node_for_what_is_false(formula, goal):
    found = [prove_region(attempt) for attempt in attempts(formula, goal).values()]
    assert None in found


def holds_at(cell: Cell, s: Fraction, a: Fraction, k: Fraction) -> bool:
    """Insist that the cell's quotient is the formula at a point; False if it is not in the cell."""
    signs, point = cell.prover.signs, {"_s": s, "_a": a, "k": k} | cell.pins
    tree = cell.region.tree
    if cell.chart:
        tree = substitute(tree, {"_a": symbol("_a") * parse(cell.chart, names=["_s"])})

    def value(formula: Expression) -> arb:
        return arb_value(substitute(formula, {n: number(v) for n, v in point.items()}))

    with ctx.workprec(200):
        for fact, mask in signs.stated:
            at = value(signs.tree(fact))
            sign = POSITIVE if at > 0 else NEGATIVE if at < 0 else ZERO
            if not mask & sign or (sign == ZERO and not at.is_zero()):
                return False
        assert close(value(signs.tree(cell.value)), value(tree)), str(signs.tree(cell.value))
    return True


PIECES = ("relu(r-2)", "-abs(A-1)", "min(r, A)", "sign(A-k)", "where(A > 2, -1, r)", "clip(r*A, -1, k)", "-max(A, 1/r)")  # fmt: skip
SIZE = st.fractions(Fraction(1, 8), 4, max_denominator=8)


def test_what_is_left_is_the_formula_there():
    """Where a proof fails, the cell says what f is, and a point of the cell agrees."""
    compared = 0

    @settings(max_examples=20)
    @given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=2, unique=True), SIZE, SIZE, SIZE)
    def law(pieces, s, a, k):
        nonlocal compared
        formula = "+".join(f"({piece})" for piece in pieces)
        for attempt in attempts(formula, "nonnegative", "k in (0, inf)", steps=20).values():
            if prove_region(attempt) is None:
                compared += sum(holds_at(cell, s, a, k) for cell in attempt.failures)

    law()
    assert compared > 40


def test_many_kinks_are_given_up_in_time():
    formula = "+".join(f"relu(A*(r-{i})-{i + 1})*(A-{i})" for i in range(2, 30))
    tried = attempts(formula, "nonnegative", steps=30)
    assert any(prove_region(attempt) is None for attempt in tried.values())
    assert all(attempt.budget.steps > -400 for attempt in tried.values())


def test_a_pinned_exponent_stays_an_exponent():
    """A**p needs A >= 0 also at p = 2, where a product would not."""
    formula, parameters = "where(p <= 2, where(p >= 2, relu(A)**p, 0), 0)", ("p in (1, 3)",)
    nodes = {k: prove_region(a) for k, a in attempts(formula, "nonnegative", *parameters).items()}
    assert replays(formula, "nonnegative", nodes, *parameters)
    assert not any(node.get("pin") == "p" for node in inside(nodes))


def test_the_chart_with_the_fewest_atoms_comes_first():
    """DPO's formulas depend on (r − 1)·A alone, which one variable can stand for."""
    found = {k: prove_region(a) for k, a in attempts("softplus((r-1)*A)-(r-1)*A/2-log(2)", "nonnegative").items()}  # fmt: skip
    assert found["r>1,A>0"]["rescale"] == "_a"
    assert found["r>1,A>0"]["by"] == "1/(exp(_s) - 1)"
    logs = {k: prove_region(a) for k, a in attempts("exp(log(r)*A)-1-log(r)*A", "nonnegative").items()}  # fmt: skip
    assert logs["r>1,A>0"]["by"] == "1/_s"
    plain = {k: prove_region(a) for k, a in attempts("A**2+r", "nonnegative").items()}
    assert "rescale" not in plain["r>1,A>0"]


def test_ranges_with_both_signs_are_halved_once():
    (node,) = [prove_region(a) for k, a in attempts("k**2", "nonnegative", "k in (-1, 1)").items()]
    assert node["bisect"] == "k"
    assert node["at"] == "0"
    domain = parse_declarations(["k in (-1, 1)"], "drift")["k"]
    assert Fraction(0) in domain
    (node,) = [prove_region(a) for a in attempts("k**2+k", "nonnegative", "k in (0, 1)").values()]
    assert "bisect" not in node
