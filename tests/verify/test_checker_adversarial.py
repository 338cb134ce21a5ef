"""Certificates that must not replay: one deliberate fault each, and moved or mutated proofs."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.checker import check_certificate

_SPEC = importlib.util.spec_from_file_location(
    "by_hand", Path(__file__).with_name("test_checker.py")
)
by_hand = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(by_hand)

INFER, ZERO, FLAT, BY_INFER = by_hand.INFER, by_hand.ZERO, by_hand.FLAT, by_hand.BY_INFER
KL, KL_PROOF, KL_RISES = by_hand.KL, by_hand.KL_PROOF, by_hand.KL_RISES
proved, replay, refuses, certificate = (
    by_hand.proved, by_hand.replay, by_hand.refuses, by_hand.certificate,
)  # fmt: skip
NINE, SIX, THREE = by_hand.NINE, by_hand.SIX, by_hand.THREE


def attack(formula, proof, because="", domains=None):
    """A false claim, f >= 0 where r > 1, under a proof that looks plausible."""
    whole, conditions = by_hand.on_the_right(formula, {"conclude": proof})
    keys = by_hand.everywhere(by_hand.ONE_SIDED, ("A<0", "A=0", "A>0")) if "A" in formula else None
    if keys:
        nodes = {key: {"conclude": proof} if key.startswith("r>1") else BY_INFER for key in keys}
        conditions = {"nonnegative": proved(nodes)}
    refuses(whole, conditions, domains, because=because)


def monotone(name="_s", direction="up", start=INFER, of="1", times="1", proof=INFER):
    return {
        "rule": "monotone", "in": name, "direction": direction, "start": start,
        "slope": {"of": of, "times": times, "proof": proof},
    }  # fmt: skip


@pytest.mark.parametrize(("formula", "proof", "because"), [
    # log r − 1 is negative on 1 < r < e.
    ("log(r) - 1", INFER, "inferred"),
    ("log(r) - 1", {"rule": "zero"}, "not identically 0"),
    ("log(r) - 1", monotone(of="1"), "inferred"),  # the start value is −1
    ("log(r) - 1", monotone(start={"rule": "zero"}), "not identically 0"),
    ("log(r) - 1", monotone(direction="down"), "no such end"),
    ("log(r) - 1", monotone(of="2"), "derivative"),
    ("log(r) - 1", monotone(name="_q"), "no variable"),
    ("log(r) - 1", monotone(name="r"), "no variable"),
    ("1 - r", monotone(start={"rule": "zero"}, of="exp(_s)"), "derivative"),
    ("1 - r", monotone(start={"rule": "zero"}, of="exp(_s)", times="-1"), "multiplier"),
    ("1 - r", monotone(start={"rule": "zero"}, of="0", times="1"), "derivative"),
    ("1 - r", monotone(start={"rule": "zero"}, of="-exp(_s)", proof={"rule": "zero"}), "0"),
    ("1 - r", monotone(start={"rule": "zero"}, of="-exp(_s)"), "inferred"),
    # The multiplier changes sign.
    ("log(r)*(log(r)-2)", monotone(start={"rule": "zero"}, of="2", times="_s - 1"), "multiplier"),
    # Continuous at the start? 1/s is not there.
    ("-1/log(r)", monotone(of="1", times="1/_s**2"), "denominator"),
    ("-1/log(r)", {"rule": "restate", "claim": "-1", "times": "1/_s", "proof": INFER}, "inferred"),
    ("log(log(r))", monotone(of="1/_s"), "log"),
    # restate
    ("1 - r", {"rule": "restate", "claim": "exp(_s)-1", "times": "-1", "proof": INFER}, "multiplier"),
    ("1 - r", {"rule": "restate", "claim": "0", "times": "0", "proof": INFER}, "multiplier"),
    ("1 - r", {"rule": "restate", "claim": "exp(_s)-1", "times": "1", "proof": INFER}, "differs"),
    ("1 - r", {"rule": "restate", "claim": "1", "times": "1 - exp(_s)", "proof": INFER}, "multiplier"),
    # combine
    ("1 - r", {"rule": "combine", "terms": []}, "add up"),
    ("1 - r", {"rule": "combine", "terms": [
        {"factor": "-1", "of": "exp(_s)-1", "relation": ">=", "proof": INFER}]}, "negative"),
    ("1 - r", {"rule": "combine", "terms": [
        {"factor": "1", "of": "1-exp(_s)", "relation": ">=", "proof": INFER}]}, "inferred"),
    ("1 - r", {"rule": "combine", "terms": [
        {"factor": "1", "of": "1-exp(_s)", "relation": "<=", "proof": INFER}]}, "adds up"),
    ("1 - r", {"rule": "combine", "terms": [
        {"factor": "1", "of": "1", "relation": ">=", "proof": INFER}]}, "add up"),
    ("1 - r", {"rule": "combine", "terms": [{"factor": "1", "of": "1", "relation": ">="}]}, "proof"),
    ("1 - r", {"rule": "combine"}, "terms"),
    # bisect
    ("log(r) - 1", {"rule": "bisect", "in": "_s", "at": "0", "low": INFER, "high": INFER}, "inside"),
    ("log(r) - 1", {"rule": "bisect", "in": "_s", "at": "-1", "low": INFER, "high": INFER}, "inside"),
    ("log(r) - 1", {"rule": "bisect", "in": "_s", "at": "2", "high": INFER}, "missing"),
    ("log(r) - 1", {"rule": "bisect", "in": "_s", "at": "_s", "low": INFER, "high": INFER}, "rational"),
    ("log(r) - 1", {"rule": "bisect", "in": "_s", "at": "2", "low": INFER, "high": INFER}, "inferred"),
    # ball
    ("log(r) - 1", {"rule": "ball"}, "bounded"),
    ("log(r) - 1", {"rule": "bisect", "in": "_s", "at": "2",
                    "low": {"rule": "ball"}, "high": INFER}, "enclosure"),
    ("1/log(r) - 1", {"rule": "bisect", "in": "_s", "at": "2",
                      "low": {"rule": "ball"}, "high": INFER}, ""),
    # shift
    ("log(r) - 1", {"rule": "shift", "in": "_s", "by": "1", "proof": INFER}, "at least"),
    ("log(r) - 1", {"rule": "shift", "in": "_s", "by": "_s", "proof": INFER}, "depends"),
    ("log(r) - 1", {"rule": "shift", "in": "_s", "by": "0", "proof": INFER}, "inferred"),
    # abstract
    ("log(r) - 1", {"rule": "abstract", "tree": "_s", "as": "_s", "claim": "_s", "proof": INFER}, "fresh"),
    ("log(r) - 1", {"rule": "abstract", "tree": "_s", "as": "w", "claim": "w", "proof": INFER}, "fresh"),
    ("log(r) - 1", {"rule": "abstract", "tree": "_s-1", "as": "_w1", "claim": "_w1", "proof": INFER}, "positive"),
    ("log(r) - 1", {"rule": "abstract", "tree": "_s", "as": "_w1", "claim": "_w1", "proof": INFER}, "replaces"),
    ("log(r) - 1", {"rule": "abstract", "tree": "_s", "as": "_w1", "claim": "_w1-1", "proof": INFER}, "inferred"),
    # split and lemma
    ("log(r) - 1", {"rule": "split", "on": "_s-1", ">": INFER}, "both"),
    ("log(r) - 1", {"rule": "split", "on": "_s-1", ">": INFER, "<": INFER}, "both"),
    ("log(r) - 1", {"rule": "split", "on": "_s-1", ">": INFER, "<=": INFER}, "inferred"),
    ("log(r) - 1", {"rule": "split", "on": "1/(_s-1)", ">": INFER, "<=": INFER}, "denominator"),
    ("log(r) - 1", {"rule": "split", "on": "log(-_s)", ">": INFER, "<=": INFER}, "log"),
    ("log(r) - 1", {"rule": "split", "on": "relu(_s)", ">": INFER, "<=": INFER}, "smooth"),
    ("log(r) - 1", {"rule": "lemma", "of": "_s-1", "relation": ">=", "proof": INFER, "then": INFER}, "inferred"),
    ("log(r) - 1", {"rule": "lemma", "of": "_s-1", "relation": "!=", "proof": INFER, "then": INFER}, "relation"),
    ("log(r) - 1", {"rule": "lemma", "of": "_s-1", "relation": "=", "proof": monotone(), "then": INFER}, "equality"),
    ("log(r) - 1", {"rule": "lemma", "of": "_s", "relation": ">", "proof": INFER}, "missing"),
    # exponentiate
    ("log(r) - 1", {"rule": "exponentiate", "by": "-1", "proof": INFER}, "positive"),
    ("log(r) - 1", {"rule": "exponentiate", "by": "0", "proof": INFER}, "positive"),
    ("log(r) - 1", {"rule": "exponentiate", "by": "1", "proof": INFER}, "inferred"),
    # no rule at all
    ("log(r) - 1", {"rule": "trust me"}, "unknown rule"),
    ("log(r) - 1", {"rule": ["infer"]}, "unknown rule"),
    ("log(r) - 1", {}, "unknown rule"),
    ("log(r) - 1", {"rule": "defined"}, "unknown rule"),
    ("log(r) - 1", {"rule": "flat"}, "unknown rule"),
    ("log(r) - 1", {"rule": "undefined"}, "unknown rule"),
    ("log(r) - 1", [], "no object"),
    ("log(r) - 1", None, "no object"),
])  # fmt: skip
def test_false_claims(formula, proof, because):
    attack(formula, proof, because)


def test_strictness_needs_a_strict_step():
    """s² − s² + 0 > 0 is false; so is s·(1 − t) > 0 with t = 1 in reach."""
    zero = {
        "rule": "combine",
        "terms": [{"factor": "0", "of": "1", "relation": ">", "proof": INFER}],
    }
    flat_start = monotone(start={"rule": "zero"}, of="0", proof={"rule": "zero"})
    for strict in (zero, flat_start, {"rule": "zero"}, {"rule": "combine", "terms": []}):
        lemma = {"rule": "lemma", "of": "_s - _s", "relation": ">", "proof": strict, "then": INFER}
        attack("1 - r", lemma)


def test_strictness_at_closed_ends():
    """On [1, 2], s − 1 >= 0 rises strictly but is not > 0 at the closed end."""
    rising = monotone(start={"rule": "zero"}, of="1")
    lemma = {"rule": "lemma", "of": "_s - 1", "relation": ">", "proof": rising, "then": INFER}
    low = {"rule": "restate", "claim": "1 - _s", "times": "1", "proof": INFER}
    attack("1 - log(r)", {"rule": "bisect", "in": "_s", "at": "1", "low": INFER, "high": lemma})
    attack("1 - log(r)", {"rule": "bisect", "in": "_s", "at": "1", "low": low, "high": lemma})
    strict = {"rule": "lemma", "of": "2 - _s", "relation": ">", "proof": INFER, "then": INFER}
    nested = {
        "rule": "bisect", "in": "_s", "at": "1", "low": INFER,
        "high": {"rule": "bisect", "in": "_s", "at": "2", "low": strict, "high": INFER},
    }  # fmt: skip
    attack("1 - log(r)", nested)


def test_a_single_bad_point_at_a_closed_end():
    """f(e) = −1 and 0 elsewhere: neither half may claim to be strictly beside s = 1."""
    formula = "where(log(r) >= 1, where(log(r) <= 1, -1, 0), 0)"

    def half(claim, direction, slope):
        proof = monotone(direction=direction, start={"rule": "zero"}, of=slope)
        return {"lemma": claim, "relation": ">", "proof": proof, "then": BY_INFER}

    node = {
        "bisect": "_s", "at": "1",
        "low": half("1 - _s", "down", "-1"), "high": half("_s - 1", "up", "1"),
    }  # fmt: skip
    refuses(formula, {"nonnegative": proved({"r<1": BY_INFER, "": BY_INFER, "r>1": node})})
    node["high"]["then"] = node["low"]["then"] = {"conclude": INFER}
    for proof in (INFER, {"rule": "ball"}, {"rule": "zero"}):
        node["low"]["proof"] = node["high"]["proof"] = proof
        refuses(formula, {"nonnegative": proved({"r<1": BY_INFER, "": BY_INFER, "r>1": node})})


@pytest.mark.parametrize("term", [
    {"factor": "1", "of": "(_s-1)**2", "relation": ">=", "proof": INFER},
    {"factor": "1", "of": "(_s-1)**2", "relation": ">", "proof": INFER},
    {"factor": "(_s-1)**2", "of": "1", "relation": ">", "proof": INFER},
    {"factor": "(_s-1)**2", "of": "1", "relation": ">=", "proof": INFER},
])  # fmt: skip
def test_a_sum_is_strict_only_by_a_strict_term(term):
    formula = "where(log(r) >= 1, where(log(r) <= 1, -1, 0), 0)"
    node = {
        "lemma": "(_s-1)**2", "relation": ">", "proof": {"rule": "combine", "terms": [term]},
        "then": {"split": "_s - 1", ">": BY_INFER, "<=": BY_INFER},
    }  # fmt: skip
    refuses(formula, {"nonnegative": proved({"r<1": BY_INFER, "": BY_INFER, "r>1": node})})


def test_fresh_names_are_fresh():
    """Facts about the outer _w1 must not speak of an inner one."""

    def again(tree, claim):
        return {"rule": "abstract", "tree": tree, "as": "_w1", "claim": claim, "proof": INFER}

    split = {
        "rule": "split",
        "on": "_w1 - 5",
        ">": again("1", "_w1 - 5"),
        "<=": again("9", "5 - _w1"),
    }
    attack(
        "-4",
        {"rule": "abstract", "tree": "_s", "as": "_w1", "claim": "-4", "proof": split},
        "fresh",
    )


def test_facts_with_the_variable_do_not_reach_the_start():
    """Where A > r: the start of a path in a lies where the fact fails."""
    formula = "where(A > r, where(r > 1, log(r) - A + 1000, 0), 0)"
    nodes = dict.fromkeys(NINE, BY_INFER)
    for bad in (
        monotone("_a", "up", INFER, "-1"),
        monotone("_a", "up", {"rule": "split", "on": "_a - exp(_s)", ">": INFER, "<=": INFER}, "1"),
        {"rule": "shift", "in": "_a", "by": "2*exp(_s)", "proof": INFER},
        {"rule": "shift", "in": "_s", "by": "_a", "proof": INFER},
    ):
        wrong = nodes | {
            "r>1,A>0": {"split": "_a - exp(_s)", ">": {"conclude": bad}, "<=": BY_INFER}
        }
        refuses(formula, {"nonnegative": proved(wrong)})


def test_facts_lost_along_the_path_are_dropped():
    """f = a − 1 − 10·(…) is not monotone before the fact a > 1 holds, where the path begins."""
    # g = (a−1)·(a−3)+1/2 on a > 3: true; from a = 0 upwards its slope 2a − 4 is negative at first,
    # and the fact a > 3, an up-set, says nothing on the way.
    formula = "where(A > 3, (A-1)*(A-3) - 1e-9 + 0*r, 0)"
    nodes = dict.fromkeys(NINE, BY_INFER)
    path = monotone("_a", "up", INFER, "2*_a - 4")
    for key in ("r<1,A>0", "A>0", "r>1,A>0"):
        nodes[key] = {"split": "_a - 3", ">": {"conclude": path}, "<=": BY_INFER}
    refuses(formula, {"nonnegative": proved(nodes)}, because="inferred")


def test_slopes_do_not_borrow_the_fact():
    """(A − 3)² − 9 is 0 at A = 0 and rises where A > 3, yet it is −8 at A = 4."""
    formula = "where(A > 3, (A-3)**2 - 9 + 0*r, 0)"
    nodes = dict.fromkeys(NINE, BY_INFER)
    for path in (
        monotone("_a", "up", {"rule": "zero"}, "_a - 3", "2"),
        monotone("_a", "up", {"rule": "zero"}, "1", "2*(_a - 3)"),
        monotone("_a", "up", INFER, "(_a - 3)**2", "2/(_a - 3)"),
    ):
        for key in ("r<1,A>0", "A>0", "r>1,A>0"):
            nodes[key] = {"split": "_a - 3", ">": {"conclude": path}, "<=": BY_INFER}
        refuses(formula, {"nonnegative": proved(nodes)})


def test_pins_need_all_their_premises():
    formula = "where(r > 1, where(r <= 2, where(r >= 2, (r-2)*A - 1 + 1*r/2, 0), 0), 0)"

    def cut(**pin):
        pinned = {"pin": "_s", "at": "log(2)", "by": "exp(_s) - 2", "then": BY_INFER} | pin
        return {
            "split": "exp(_s) - 2", ">": BY_INFER,
            "<=": {"split": "exp(_s) - 2", ">=": pinned, "<": BY_INFER},
        }  # fmt: skip

    def conditions(node):
        return {"nonnegative": proved({key: node if "r>1" in key else BY_INFER for key in NINE})}

    assert replay(formula, conditions(cut())).ok
    for pin, because in (
        ({"at": "log(3)"}, "zero"),
        ({"at": "_s"}, "depends"),
        ({"by": "exp(_s) - 3"}, "0"),
        ({"by": "0"}, "monotone"),
        ({"by": "(exp(_s) - 2)**2"}, "monotone"),
        ({"by": "(_s - log(2))*(_s - log(3))"}, ""),
        ({"at": "-log(2)"}, "range"),
        ({"pin": "_a"}, ""),
        ({"pin": "_z"}, "variable"),
    ):
        refuses(formula, conditions(cut(**pin)), because=because)


def test_pins_fix_only_what_the_facts_fix():
    pin = {"pin": "_s", "at": "log(2)", "by": "exp(_s) - 2", "then": BY_INFER}
    right = {"r<1": BY_INFER, "": BY_INFER, "r>1": pin}
    refuses("where(r > 1, -(r-2)**2, 0)", {"nonnegative": proved(right)}, because="0")


def test_pins_are_monotone_between_their_zeros():
    """h = (s − 1)·(s − 3) rises where the fact s > 2 holds, but its zero 1 lies elsewhere."""
    h = "(log(r)-1)*(log(r)-3)"
    formula = f"where(log(r) > 2, where({h} >= 0, where({h} <= 0, 2 - log(r), 0), 0), 0)"
    inner = "(_s-1)*(_s-3)"
    pin = {"pin": "_s", "at": "1", "by": inner, "then": BY_INFER}
    node = {
        "split": "_s - 2", "<=": BY_INFER, ">": {
            "split": inner, "<": BY_INFER, ">=": {"split": inner, ">": BY_INFER, "<=": pin},
        },
    }  # fmt: skip
    right = {"r<1": BY_INFER, "": BY_INFER, "r>1": node}
    refuses(formula, {"nonnegative": proved(right)}, because="monotone")


def test_contradictions_contradict():
    empty = {"contradiction": "exp(_s) - 1", "relation": ">", "proof": INFER}
    node = {"split": "exp(_s) - 1", ">": empty, "<=": empty}
    right = {"r<1": BY_INFER, "": BY_INFER, "r>1": node}
    refuses("where(r > 1, -1, 0)", {"nonnegative": proved(right)}, because="contradicts")


def test_contradictions_need_a_fact():
    def right(node):
        return {"nonnegative": proved({"r<1": BY_INFER, "": BY_INFER, "r>1": node})}

    formula = "where(r > 1, 1 - r, 0)"
    for node in (
        {"contradiction": "exp(_s) - 1", "relation": ">", "proof": INFER},
        {"contradiction": "1", "relation": "<", "proof": INFER},
        {"split": "exp(_s) - 2", ">": {"contradiction": "exp(_s)-2", "relation": ">", "proof": INFER},
         "<=": BY_INFER},
        {"split": "exp(_s) - 2", ">": {"contradiction": "exp(_s)-2", "relation": "<=", "proof": INFER},
         "<=": {"contradiction": "exp(_s)-2", "relation": ">", "proof": INFER}},
    ):  # fmt: skip
        refuses(formula, right(node))


def test_rescaling_needs_a_free_positive_scale():
    formula = "(r-1)**2*(A - 1)"
    for by in ("0", "-1", "_a", "1 - exp(_s)", "exp(_s) - 2", "1/0", "log(_s)"):
        node = {"rescale": "_a", "by": by, "then": BY_INFER}
        nodes = {key: node if "A>0" in key and key != "A>0" else BY_INFER for key in NINE}
        refuses(formula, {"nonnegative": proved(nodes)})
    formula = "(r-1)**2*(1 - A)"  # a := 0, 1 or −a would make it true
    for by in ("0", "-1", "1/_a", "-_s", "_a*0"):
        node = {"rescale": "_a", "by": by, "then": BY_INFER}
        nodes = {key: node if key.endswith("A>0") else BY_INFER for key in NINE}
        refuses(formula, {"nonnegative": proved(nodes)})
    keys = by_hand.everywhere(by_hand.ONE_SIDED)
    node = {"rescale": "k", "by": "2", "then": BY_INFER}
    refuses("(r-1)**2*(k-1)", {"nonnegative": proved(dict.fromkeys(keys, node))}, {"k": "(0, 2)"},
            because="rescaled")  # fmt: skip


@pytest.mark.parametrize("key", list(KL_PROOF["nonnegative"]["regions"]))
def test_every_region_is_needed(key):
    wrong = copy.deepcopy(KL_PROOF)
    del wrong["nonnegative"]["regions"][key]
    refuses(KL, wrong, because="missing")


@pytest.mark.parametrize("moved", [
    "r - 1 - 2*log(r)", "1 - r - log(r)", "-(r - 1 - log(r))", "r - log(r)", "2*(r-1) - log(r)",
    "log(r) + 1 - r", "r - 1 - log(r) - 1e-9", "(r - 1 - log(r))*A", "r - 1 - log(abs(r))*sign(A)",
    "r - 1 - log(r - 1)", "(r-1-log(r))/A", "r - 1 - log(r) + 0*log(A)",
])  # fmt: skip
def test_moved_to_another_formula(moved):
    whole = certificate(moved, copy.deepcopy(KL_PROOF))
    for name in ("nonnegative", "flat_at_identity", "zero_at_identity"):
        for key, node in list(whole["conditions"][name]["regions"].items()):
            for side in ("A<0", "A=0", "A>0"):
                whole["conditions"][name]["regions"][",".join(x for x in (key, side) if x)] = node
    assert not check_certificate(whole).ok


@pytest.mark.parametrize(("formula", "domains", "wider"), [
    ("(r-1)**2*k", {"k": "(0, 1)"}, {"k": "(-1, 1)"}),
    ("(r-1)**2*k", {"k": "(0, 1)"}, {"k": "(-inf, 1)"}),
    ("(r-1)**2*(1-k)", {"k": "(0, 1)"}, {"k": "(0, 2)"}),
    ("(r-1)**2/k", {"k": "(0, 1)"}, {"k": "[0, 1)"}),
    ("(r-1)**2*log(k)", {"k": "(1, inf)"}, {"k": "(1/2, inf)"}),
    ("(r-1)**2*k", {"k": "3/5"}, {"k": "-3/5"}),
    ("(r-1)**2*t", {"t": "[0, 1]"}, {"t": "[-1, 1]"}),
])  # fmt: skip
def test_moved_to_a_wider_domain(formula, domains, wider):
    keys = by_hand.everywhere(by_hand.ONE_SIDED, ("", "k=0", "t=0", "t=1", "t=-1"))
    conditions = {"nonnegative": proved(dict.fromkeys(keys, BY_INFER))}
    assert replay(formula, conditions, domains).ok
    assert not replay(formula, conditions, wider).ok


@pytest.mark.parametrize("formula", [
    "0*log(A) + (r-1)**2", "(r-1)**2/A", "relu(log(A))*(r-1)**2", "min(0, log(A))*0 + 1", "log(A)**0",
    "max(1, 1/A)", "where(log(A) > 0, 1, 1)", "abs(sqrt(A))", "sign(1/A)**2", "A**0.5", "(-1)**(1/3)",
    "A**k", "clip(1/A, 0, 1)", "inv(A)**2", "sqrt(A)**2", "tanh(1/A)**2", "exp(log(A))", "relu(-1/abs(A))",
    "(1/A)/(1/A)", "1 - A/A + 1",
])  # fmt: skip
def test_undefined_formulas(formula):
    split = {"split": "_a - 1", ">": BY_INFER, "<=": BY_INFER}
    for node in (BY_INFER, split, ZERO):
        conditions = {"nonnegative": proved(dict.fromkeys(NINE + THREE, node))}
        assert not replay(formula, conditions, {"k": "(0, inf)"}).ok
    node = {"conclude": {"rule": "defined"}}
    conditions = {"defined": proved(dict.fromkeys(NINE + THREE, node))}
    assert not replay(formula, conditions, {"k": "(0, inf)"}).ok


def test_an_integer_end_of_an_exponent_makes_no_product():
    """(A)**p is undefined for A < 0 also at p = 2, the end of p's interval."""
    node = {"conclude": {"rule": "defined"}}
    keys = [*THREE, *(f"{key},p=2" for key in THREE)]
    found = replay("A**p", {"defined": proved(dict.fromkeys(keys, node))}, {"p": "[2, 3)"})
    assert not found.ok
    assert replay("A**p", {"defined": proved(dict.fromkeys(THREE, node))}, {"p": "2"}).ok


@pytest.mark.parametrize("formula", [
    "A**sign(A)", "A**abs(sign(A))", "A**max(1, 2)", "A**where(A > 0, 2, 3)", "A**clip(2, 0, 3)",
    "A**relu(0 - 1)", "(A*r)**sign(A)",
])  # fmt: skip
def test_an_exponent_with_kinks_makes_no_product(formula):
    """Only an exponent written as a constant integer does: sign(-1) = -1, but (-1)**sign(-1) is undefined."""
    node = {"conclude": {"rule": "defined"}}
    keys = dict.fromkeys((*THREE, *NINE), node)
    assert not replay(formula, {"defined": proved(keys)}).ok
    keys = dict.fromkeys((*THREE, *NINE), BY_INFER)
    assert not replay(formula + " + 1e9", {"nonnegative": proved(keys)}).ok
    witness = {"point": {"r": "1", "A": "-1"}, "evidence": "value", "text": "undefined", "side": None}  # fmt: skip
    found = replay(formula, {"defined": {"verdict": "refuted", "witness": witness}})
    assert found.ok, found.error


@pytest.mark.parametrize(("formula", "keys"), [
    ("r - 1", [""]), ("(r-1)*A", THREE), ("abs(r-1)", [""]), ("where(r > 1, 0.1, 0) + (r-1)**2", [""]),
    ("relu(r - 1 + 1e-30)", [""]), ("sqrt((r-1)**2)", [""]), ("(r-1)**2/(r-1)", [""]),
    ("tanh((r-1)*A)", THREE), ("relu((r-1)*A)", THREE), ("abs(log(r))**1", [""]), ("1/(r-1)", [""]),
    ("sqrt(abs(r-1))*sqrt(abs(log(r)))", [""]), ("where(r >= 1, 0, (r-1)**2 + 1e-300)", [""]),
    ("abs(r-1)**0.5*abs(log(r))**0.25*abs(r**2-1)**0.25", [""]), ("sign(r-1)", [""]),
    ("where(r > 1, (r-1)**2/log(r), 0)", [""]), ("where(r < 1, (r-1)**3/log(r)**2, 0)", [""]),
    ("sqrt(abs(r-1)*sqrt(abs(r-1)))", [""]), ("tanh(sqrt(abs(r-1)))", [""]),
])  # fmt: skip
def test_not_flat(formula, keys):
    regions = {
        ",".join(part for part in (side, key) if part): FLAT
        for side in ("r->1-", "r->1+")
        for key in keys
    }
    refuses(formula, {"flat_at_identity": proved(regions)})


def test_eventual_signs_start_with_the_first_coefficient():
    """k + s is negative near s = 0 where k is, although its slope is 1."""
    flat = {"flat_at_identity": proved(dict.fromkeys(("r->1-", "r->1+"), FLAT))}
    for guard in ("k + r - 1 > 0", "k**3 + (r-1)*(1+k**2) > 0", "k*(k-1) + log(r) >= 0"):
        formula = f"where(r > 1, where({guard}, 0, r - 1), 0)"
        refuses(formula, flat, {"k": "(-1, 1)"}, because="guard")


def test_near_identity_nothing_moves_with_r():
    """Guards and proofs of a flat region speak of A and parameters only."""
    formula = "where(r > 1, (r-1)*A, 0)"
    nodes = dict.fromkeys(SIX, FLAT)
    for node in (
        {"split": "_s - 1", ">": FLAT, "<=": FLAT},
        {"split": "_a - _s", ">": FLAT, "<=": FLAT},
        {"lemma": "_a - _s", "relation": ">", "proof": INFER, "then": FLAT},
        {"rescale": "_s", "by": "_a", "then": FLAT},
        {"rescale": "_a", "by": "_s", "then": FLAT},
        {"bisect": "_s", "at": "1", "low": FLAT, "high": FLAT},
        {"pin": "_s", "at": "1", "by": "0", "then": FLAT},
        # 1 − exp(−a/s) -> 1 at each a, but not uniformly: no proof may run while s -> 0.
        {"lemma": "_a - 5", "relation": ">=", "then": FLAT,
         "proof": monotone("_a", start=INFER, of="1")},
    ):  # fmt: skip
        refuses(formula, {"flat_at_identity": proved(nodes | {"r->1+,A>0": node})})


def test_no_proof_runs_while_s_tends_to_zero():
    """a − a/(a + s) starts at 0 and for each a rises once s is small; so a >= 1/2, says the attack."""
    rising = monotone("_a", start={"rule": "zero"}, of="1 - _s/(_a + _s)**2")
    attack_on_a = {"rule": "combine", "terms": [
        {"factor": "1", "of": "_a - _a/(_a + _s)", "relation": ">=", "proof": rising},
        {"factor": "1", "of": "_a/(_a + _s) - 1/2", "relation": ">=", "proof": INFER},
    ]}  # fmt: skip
    node = {"lemma": "_a - 1/2", "relation": ">=", "proof": attack_on_a, "then": FLAT}
    cut = {"split": "_a - 1/2", ">=": FLAT, "<": node}
    for bad in (node, cut):
        nodes = dict.fromkeys(SIX, FLAT) | {"r->1+,A>0": bad}
        formula = "where(A > 0, where(r > 1, where(A < 1/2, r - 1, 0), 0), 0)"
        refuses(formula, {"flat_at_identity": proved(nodes)})


def test_relations_below_zero_are_negated():
    for relation in ("<", "<="):
        proof = {
            "rule": "combine",
            "terms": [{"factor": "1", "of": "_s", "relation": ">", "proof": INFER}],
        }
        lemma = {"rule": "lemma", "of": "_s", "relation": relation, "proof": proof, "then": INFER}
        attack("-log(r)", lemma, "add up")
        right = {"rule": "lemma", "of": "-_s", "relation": relation, "proof": proof, "then": INFER}
        whole, conditions = by_hand.on_the_right("log(r)", {"conclude": right})
        by_hand.accepts(whole, conditions)


def test_nothing_is_strictly_above_itself():
    node = {
        "lemma": "_s - _s", "relation": ">", "proof": {"rule": "zero"},
        "then": {"contradiction": "_s - _s", "relation": "<=", "proof": {"rule": "zero"}},
    }  # fmt: skip
    conditions = {"nonnegative": proved({"r<1": BY_INFER, "": BY_INFER, "r>1": node})}
    refuses("where(r > 1, -1, 0)", conditions)


@pytest.mark.parametrize("formula", [
    "where(log(r) > 1, -1, 0)", "where(log(r) < 1, 0, -1)", "where(log(r) >= 1, -1, 0)", "where(log(r) <= 1, 0, -1)",
    "-relu(log(r) - 1)", "-relu(1 - log(r))", "abs(log(r) - 1) - 1", "-sign(log(r) - 1)", "sign(log(r) - 1)",
    "max(log(r), 1) - 2", "min(log(r), 1) - log(r)", "clip(log(r), 1, 2) - 2", "clip(log(r), 1, 2) - log(r)",
])  # fmt: skip
def test_open_guards(formula):
    right = {"r<1": BY_INFER, "": BY_INFER, "r>1": BY_INFER}
    refuses(f"where(r > 1, {formula}, 0)", {"nonnegative": proved(right)}, because="guard")


def test_only_the_formula_is_granted():
    """Where sqrt(s − 1) exists, s >= 1; but it is not the formula that needs it."""
    wish = {"rule": "lemma", "of": "sqrt(_s - 1)", "relation": ">=", "proof": INFER, "then": INFER}
    bare = {"lemma": "sqrt(_s - 1)", "relation": ">=", "proof": INFER, "then": BY_INFER}
    for node in ({"conclude": wish}, bare, {"split": "log(_s-1)", ">": BY_INFER, "<=": BY_INFER}):
        right = {"r<1": BY_INFER, "": BY_INFER, "r>1": node}
        refuses("where(r > 1, log(r) - 1, 0)", {"nonnegative": proved(right, where_defined=True)})
    right["r>1"] = BY_INFER
    by_hand.accepts("where(r > 1, log(r) - 1 + 0*sqrt(log(r) - 1), 0)",
                    {"nonnegative": proved(right, where_defined=True)})  # fmt: skip


def test_unused_branches_grant_nothing():
    right = {"r<1": BY_INFER, "": BY_INFER}
    right["r>1"] = {"split": "_s - 3", ">": BY_INFER, "<=": BY_INFER}
    formula = "where(log(r) > 3, sqrt(log(r) - 1), log(r) - 1)"
    refuses(f"where(r > 1, {formula}, 0)", {"nonnegative": proved(right, where_defined=True)})


def test_ball_keeps_to_one_formula():
    """A fact simplifies sqrt(s²) to s; the box reaches where it is −s."""
    formula = "where(r > 1, 0, where(k > 0, sqrt(k**2) - 1/10, 0))"
    proof = {"split": "k", ">": {"conclude": {"rule": "ball"}}, "<=": BY_INFER}
    keys = by_hand.everywhere(by_hand.ONE_SIDED)
    nodes = {key: proof if key != "r>1" else BY_INFER for key in keys}
    refuses(formula, {"nonnegative": proved(nodes)}, {"k": "(-1, 2)"})


def test_ball_sees_a_jump_whose_slope_cancels():
    """sqrt(k²)/k has slope 0 on either side of its jump; only the whole box shows both sides."""
    ball = {"rule": "ball", "centred": True}
    node = {"split": "k**2", ">": {"conclude": ball}, "<=": BY_INFER}
    refuses(
        "where(k**2 > 0, sqrt(k**2)/k, 0)", {"nonnegative": proved({"": node})}, {"k": "(-1, 3)"}
    )

    def scaled(times):
        proof = {"rule": "restate", "claim": "sqrt(k**2)/k + 1/2", "times": times, "proof": ball}
        return {"split": "k**2", ">": {"conclude": proof}, "<=": BY_INFER}

    nodes = {"r<1": scaled("(exp(-_s)-1)**2"), "": BY_INFER, "r>1": scaled("(exp(_s)-1)**2")}
    formula = "where(k**2 > 0, (sqrt(k**2)/k + 1/2)*(r-1)**2, 0)"
    refuses(formula, {"nonnegative": proved(nodes)}, {"k": "(-1, 2)"})


@pytest.mark.parametrize("conditions", [
    {"positive": proved({})}, {"nonnegative": 1}, {"nonnegative": {"verdict": "unknown"}},
    {"nonnegative": {"verdict": "proved"}}, {"nonnegative": proved([])}, {"nonnegative": {}},
    {"nonnegative": proved({key: {} for key in ("r<1", "", "r>1")})},
    {"nonnegative": proved({key: {"conclude": None} for key in ("r<1", "", "r>1")})},
    {"nonnegative": proved({key: {"then": ZERO} for key in ("r<1", "", "r>1")})},
    {"defined": {"verdict": "proved", "by": "nonnegative"}},
    {"zero_at_identity": {"verdict": "proved", "by": "nonnegative"}},
    {"nonnegative": {"verdict": "proved", "by": "nonnegative"}},
    {"flat_at_identity": proved({"r->1+": BY_INFER, "r->1-": BY_INFER})},
    {"zero_at_identity": proved({"": FLAT})}, {"defined": proved(dict.fromkeys(("r<1", "", "r>1"), FLAT))},
])  # fmt: skip
def test_malformed_conditions(conditions):
    refuses(KL, conditions)


# Mutations of good certificates ---------------------------------------------------------------

FALSE = [
    "log(r) - 1", "r - 1", "(r-1)**2 - 1e-9", "(r-1)*A", "r - 1 - 1.01*log(r)", "-(r-1)**2*A**2", "A",
    "relu((r-1)*A) - (r-1)*A/2 - 1e-6", "tanh(r) - r", "(r-1)**2*(A-1e9)",
]  # fmt: skip
FORMULAS = st.sampled_from([
    "1", "0", "-1", "_s", "_a", "exp(_s)", "exp(-_s)", "exp(_s) - 1", "1 - exp(-_s)", "_s - 1", "_a - 1",
    "_s*_a", "1/_s", "1/_a", "(exp(_s)-1)*_a", "-_s", "-_a", "log(1+_s)", "tanh(_a)", "_s**2", "sqrt(_s)",
    "_w1", "_w1 - 1", "1/(_s-1)", "log(_s)", "exp(_s) - 1 - _s", "-exp(_s)", "_a - _s",
])  # fmt: skip
RELATIONS = st.sampled_from([">", ">=", "<", "<=", "="])
VARIABLES = st.sampled_from(["_s", "_a", "_w1"])


def _grown(proof):
    pairs = st.sampled_from([(">", "<="), (">=", "<")])
    return st.one_of(
        st.builds(lambda h, p, a, b: {"rule": "split", "on": h, p[0]: a, p[1]: b}, FORMULAS, pairs, proof, proof),
        st.builds(lambda h, r, a, b: {"rule": "lemma", "of": h, "relation": r, "proof": a, "then": b},
                  FORMULAS, RELATIONS, proof, proof),
        st.builds(lambda h, m, a: {"rule": "restate", "claim": h, "times": m, "proof": a}, FORMULAS, FORMULAS, proof),
        st.builds(lambda v, d, a, h, m, b: monotone(v, d, a, h, m, b), VARIABLES,
                  st.sampled_from(["up", "down"]), proof, FORMULAS, FORMULAS, proof),
        st.builds(lambda v, c, a, b: {"rule": "bisect", "in": v, "at": c, "low": a, "high": b}, VARIABLES,
                  st.sampled_from(["1", "1/2", "-1", "0"]), proof, proof),
        st.builds(lambda v, h, a: {"rule": "shift", "in": v, "by": h, "proof": a}, VARIABLES, FORMULAS, proof),
        st.builds(lambda m, h, a: {"rule": "abstract", "tree": m, "as": "_w1", "claim": h, "proof": a},
                  FORMULAS, FORMULAS, proof),
        st.builds(lambda a, b: {"rule": "exponentiate", "by": b, "proof": a}, proof, st.sampled_from(["1", "-1"])),
        st.builds(lambda c, h, r, a: {"rule": "combine", "terms": [
            {"factor": c, "of": h, "relation": r, "proof": a}]}, FORMULAS, FORMULAS, RELATIONS, proof),
    )  # fmt: skip


PROOFS = st.recursive(
    st.sampled_from([INFER, {"rule": "zero"}, {"rule": "ball"}]),
    _grown,
    max_leaves=5,
)


@given(st.sampled_from(FALSE), PROOFS, PROOFS)
def test_no_proof_shows_what_is_false(formula, one, other):
    keys = NINE if "A" in formula else by_hand.ONE_SIDED
    if "r" not in formula.replace("relu", ""):
        keys = THREE
    nodes = {key: {"conclude": one if position % 2 else other} for position, key in enumerate(keys)}
    assert not replay(formula, {"nonnegative": proved(nodes)}).ok


@given(PROOFS, st.sampled_from(["_s - 1", "-_s", "_a - _s", "_s*(_s-1)", "1 - exp(_s)"]), RELATIONS)
def test_no_lemma_shows_what_is_false(proof, claim, relation):
    """A lemma that contradicts itself would prove anything."""
    truths = {("-_s", "<"), ("-_s", "<="), ("1 - exp(_s)", "<"), ("1 - exp(_s)", "<=")}
    if (claim, relation) in truths:
        return
    node = {"lemma": claim, "relation": relation, "proof": proof, "then": BY_INFER}
    nodes = dict.fromkeys(NINE, BY_INFER) | {"r>1,A>0": node}
    assert not replay("(r-1)**2*A**2", {"nonnegative": proved(nodes)}).ok
