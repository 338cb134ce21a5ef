"""Certificates written by hand that must replay, and the rules one at a time."""

from __future__ import annotations

import copy
import json

import pytest

from verify.checker import UnreadableCertificate, check_certificate

INFER = {"rule": "infer"}
ZERO = {"conclude": {"rule": "zero"}}
FLAT = {"conclude": {"rule": "flat"}}
BY_INFER = {"conclude": INFER}
SIDES = ("r<1", "r>1")


def certificate(formula, conditions, domains=None):
    return {
        "schema": "mirrordrift/certificate/1", "kind": "drift", "formula": formula,
        "domains": domains or {}, "conditions": conditions,
    }  # fmt: skip


def proved(regions, **more):
    return {"verdict": "proved", "regions": regions, **more}


def replay(formula, conditions, domains=None):
    return check_certificate(certificate(formula, conditions, domains))


def accepts(formula, conditions, domains=None):
    found = replay(formula, conditions, domains)
    assert found.ok, found.error
    assert found.formula == formula
    assert found.conditions == {
        name: "refuted" if entry["verdict"] == "refuted"
        else "proved where defined" if entry.get("where_defined") else "proved"
        for name, entry in conditions.items()
    }  # fmt: skip
    return found


def refuses(formula, conditions, domains=None, *, because=""):
    found = replay(formula, conditions, domains)
    assert not found.ok
    assert found.error
    assert because in found.error
    return found


KL = "r - 1 - log(r)"
KL_RISES = {
    "rule": "monotone", "in": "_s", "direction": "up", "start": {"rule": "zero"},
    "slope": {"of": "exp(_s) - 1", "times": "1", "proof": INFER},
}  # fmt: skip
KL_FALLS = {
    "rule": "monotone", "in": "_s", "direction": "up", "start": {"rule": "zero"},
    "slope": {"of": "1 - exp(-_s)", "times": "1", "proof": INFER},
}  # fmt: skip
KL_PROOF = {
    "nonnegative": proved({"r<1": {"conclude": KL_FALLS}, "": ZERO, "r>1": {"conclude": KL_RISES}}),
    "defined": {"verdict": "proved", "by": "nonnegative"},
    "zero_at_identity": proved({"": ZERO}),
    "flat_at_identity": proved({"r->1-": FLAT, "r->1+": FLAT}),
}


def everywhere(*axes):
    """Every key of a product of axes."""
    keys = [""]
    for axis in axes:
        keys = [",".join(part for part in (key, side) if part) for key in keys for side in axis]
    return keys


NINE = everywhere(("r<1", "", "r>1"), ("A<0", "A=0", "A>0"))
SIX = everywhere(("r->1-", "r->1+"), ("A<0", "A=0", "A>0"))
THREE = everywhere(("A<0", "A=0", "A>0"))


def test_kl_replays():
    found = accepts(KL, KL_PROOF)
    assert found.domains == {}
    assert list(found.conditions) == [
        "defined",
        "nonnegative",
        "zero_at_identity",
        "flat_at_identity",
    ]


def test_order_of_conditions_does_not_matter():
    accepts(KL, dict(reversed(KL_PROOF.items())))


def test_json_round_trip_replays():
    text = json.dumps(certificate(KL, KL_PROOF))
    assert check_certificate(json.loads(text)).ok


def test_reverse_kl_by_calculus():
    falls = {
        "rule": "monotone", "in": "_s", "direction": "up", "start": {"rule": "zero"},
        "slope": {"of": "_s", "times": "exp(-_s)", "proof": INFER},
    }  # fmt: skip
    rises = {
        "rule": "monotone", "in": "_s", "direction": "up", "start": {"rule": "zero"},
        "slope": {"of": "_s", "times": "exp(_s)", "proof": INFER},
    }  # fmt: skip
    accepts("r*log(r) - r + 1", {
        "nonnegative": proved({"r<1": {"conclude": falls}, "": ZERO, "r>1": {"conclude": rises}}),
    })  # fmt: skip


@pytest.mark.parametrize("formula", [
    "(r-1)**2/r", "(sqrt(r)-1)**2", "(r-1)**2*tanh(A)**2", "r + inv(r) - 2",
    "abs(r-1)*(r-1)**2*sign(r-1)*sign(r-1)", "relu(r-1)**2 + relu(1-r)**2", "softplus(A**2)*(r-1)**2",
    "max(r, 1, A - A)**2 - 2*max(r, 1)+1", "square(r-1)*sigmoid(A)", "clip(r-1, 0, 1)**2",
    "where(A > 0, (r-1)**2, 0*A)", "where(r <= 1, 0, log(r)**2)", "(r-1)**2*A**0",
])  # fmt: skip
def test_shapes_that_need_no_calculus(formula):
    keys = (NINE, THREE, SIX) if "A" in formula else (["r<1", "", "r>1"], [""], ["r->1-", "r->1+"])
    clip = {"split": "exp(_s) - 2", ">": BY_INFER, "<=": BY_INFER}
    nodes = dict.fromkeys(keys[0], BY_INFER) | ({"r>1": clip} if "clip" in formula else {})
    accepts(formula, {
        "nonnegative": proved(nodes),
        "defined": {"verdict": "proved", "by": "nonnegative"},
        "zero_at_identity": proved(dict.fromkeys(keys[1], BY_INFER)),
        "flat_at_identity": proved(dict.fromkeys(keys[2], FLAT)),
    })  # fmt: skip


PPO = "relu((r - clip(r, 1-eps, 1+eps))*A)"
PPO_DOMAIN = {"eps": "(0, 1)"}


def ppo_nodes(conclusion):
    low = {
        "split": "1 - eps - exp(-_s)", ">": conclusion,
        "<=": {"lemma": "1 + eps - exp(-_s)", "relation": ">", "proof": INFER, "then": conclusion},
    }  # fmt: skip
    high = {"split": "exp(_s) - 1 - eps", ">": conclusion, "<=": conclusion}
    return {
        key: low if "r<1" in key else high if "r>1" in key else conclusion for key in NINE
    }  # fmt: skip


def test_ppo_with_symbolic_epsilon():
    accepts(PPO, {
        "nonnegative": proved(ppo_nodes(BY_INFER)),
        "defined": proved(ppo_nodes({"conclude": {"rule": "defined"}})),
        "zero_at_identity": proved(dict.fromkeys(THREE, ZERO)),
        "flat_at_identity": proved(dict.fromkeys(SIX, FLAT)),
    }, PPO_DOMAIN)  # fmt: skip


def test_ppo_with_closed_epsilon_has_more_regions():
    nodes = ppo_nodes(BY_INFER)
    found = refuses(PPO, {"nonnegative": proved(nodes)}, {"eps": "[0, 1)"}, because="eps=0")
    assert "missing" in found.error
    nodes |= {f"{key},eps=0": BY_INFER for key in NINE}
    accepts(PPO, {"nonnegative": proved(nodes)}, {"eps": "[0, 1)"})


DPO = "relu((r-1)*A - alpha*tanh((r-1)*A/alpha))"


def test_dpo_in_the_chart_of_its_product():
    """With a = (r − 1)·A / alpha: a − tanh a > 0 by the slope tanh² of its numerator."""
    above = {
        "lemma": "_a - tanh(_a)", "relation": ">", "proof": {
            "rule": "monotone", "in": "_a", "direction": "up", "start": {"rule": "zero"},
            "slope": {"of": "tanh(_a)**2", "times": "1", "proof": INFER},
        }, "then": BY_INFER,
    }  # fmt: skip

    def charted(by, sign):
        claim = above if sign > 0 else BY_INFER
        return {"rescale": "_a", "by": by, "then": claim}

    nodes = dict.fromkeys(NINE, BY_INFER)
    nodes["r>1,A>0"] = charted("alpha/(exp(_s) - 1)", 1)
    nodes["r<1,A<0"] = charted("alpha/(1 - exp(-_s))", 1)
    below = {
        "lemma": "_a - tanh(_a)", "relation": ">", "proof": above["proof"], "then": BY_INFER,
    }  # fmt: skip
    nodes["r>1,A<0"] = {"rescale": "_a", "by": "alpha/(exp(_s) - 1)", "then": below}
    nodes["r<1,A>0"] = {"rescale": "_a", "by": "alpha/(1 - exp(-_s))", "then": below}
    accepts(DPO, {
        "nonnegative": proved(nodes),
        "zero_at_identity": proved(dict.fromkeys(THREE, ZERO)),
    }, {"alpha": "(0, inf)"})  # fmt: skip


def test_conjugate_of_a_root():
    """sqrt(1 + u²) − 1 = u² / (sqrt(1 + u²) + 1)."""

    def node(u):
        times = f"1/(sqrt(1+({u})**2) + 1)"
        return {
            "conclude": {"rule": "restate", "claim": f"({u})**2", "times": times, "proof": INFER}
        }

    accepts("sqrt(1+(r-1)**2) - 1", {
        "nonnegative": proved({"r<1": node("exp(-_s)-1"), "": ZERO, "r>1": node("exp(_s)-1")}),
        "flat_at_identity": proved({"r->1+": FLAT, "r->1-": FLAT}),
    })  # fmt: skip


def test_power_with_symbolic_exponent():
    """r**alpha − alpha·r + alpha − 1 >= 0 for alpha > 1: the slope in s is a positive multiple."""

    def node(scale, slope):
        rule = {
            "rule": "monotone", "in": "_s", "direction": "up", "start": {"rule": "zero"},
            "slope": {"of": slope, "times": scale, "proof": INFER},
        }  # fmt: skip
        return {"conclude": rule}

    accepts("r**alpha - alpha*r + alpha - 1", {
        "nonnegative": proved({
            "r>1": node("alpha*exp(_s)", "exp((alpha-1)*_s) - 1"),
            "": ZERO,
            "r<1": node("alpha*exp(-_s)", "1 - exp(-(alpha-1)*_s)"),
        }),
        "zero_at_identity": proved({"": ZERO}),
        "flat_at_identity": proved({"r->1+": FLAT, "r->1-": FLAT}),
    }, {"alpha": "(1, inf)"})  # fmt: skip


def test_jensen_shannon():
    """r·log r − (1 + r)·log((1 + r)/2): twice differentiated with respect to s."""
    formula = "r*log(r) - (1+r)*log((1+r)/2)"

    def node(sign):
        r = "exp(_s)" if sign > 0 else "exp(-_s)"
        slope = (
            f"{r}*(log({r}) - log((1+{r})/2))" if sign > 0 else f"-{r}*(log({r}) - log((1+{r})/2))"
        )
        inner = f"log({r}) - log((1+{r})/2)"
        again = {
            "rule": "monotone", "in": "_s", "direction": "up", "start": {"rule": "zero"},
            "slope": {"of": "1", "times": f"1/(1+{r})", "proof": INFER},
        }  # fmt: skip
        if sign < 0:
            inner = f"-({inner})"
        return {"conclude": {
            "rule": "monotone", "in": "_s", "direction": "up", "start": {"rule": "zero"},
            "slope": {"of": inner, "times": r, "proof": again},
        }}, slope  # fmt: skip

    accepts(formula, {
        "nonnegative": proved({"r>1": node(1)[0], "": ZERO, "r<1": node(-1)[0]}),
        "flat_at_identity": proved({"r->1+": FLAT, "r->1-": FLAT}),
    })  # fmt: skip


# Rules, one at a time ---------------------------------------------------------------------

ONE_SIDED = ["r<1", "", "r>1"]


def on_the_right(formula, proof, **changes):
    """Nonnegativity of where(r > 1, g(r), 0), whose only interesting region is r > 1."""
    nodes = {"r<1": BY_INFER, "": BY_INFER, "r>1": proof}
    return f"where(r > 1, {formula}, 0)", {"nonnegative": proved(nodes | changes)}


@pytest.mark.parametrize(("formula", "proof"), [
    ("log(r)**2 - 2*log(r) + 1 + r*0", {"rule": "combine", "terms": [
        {"factor": "1", "of": "(_s-1)**2", "relation": ">=", "proof": INFER}]}),
    ("log(r)**2 - 2*log(r) + 2", {"rule": "combine", "terms": [
        {"factor": "1", "of": "(_s-1)**2", "relation": ">=", "proof": INFER},
        {"factor": "1/2", "of": "2", "relation": ">", "proof": INFER}]}),
    ("log(r)**2 - 2*log(r) + 4", {"rule": "bisect", "in": "_s", "at": "2",
        "low": {"rule": "ball"}, "high": INFER}),
    ("log(r)**2 - 2*log(r) + 4", {"rule": "bisect", "in": "_s", "at": "5/2",
        "low": {"rule": "bisect", "in": "_s", "at": "1",
                "low": {"rule": "ball"}, "high": {"rule": "ball"}},
        "high": {"rule": "shift", "in": "_s", "by": "5/2", "proof": INFER}}),
    ("1 - 1/r", {"rule": "restate", "claim": "exp(_s) - 1", "times": "exp(-_s)", "proof": INFER}),
    ("r**2 - r", {"rule": "abstract", "tree": "exp(_s) - 1", "as": "_w1",
                  "claim": "_w1*(_w1+1)", "proof": INFER}),
    ("log(r)", {"rule": "exponentiate", "by": "1/3", "proof": INFER}),
    ("(r-2)**2*(r-2)**2", {"rule": "split", "on": "exp(_s)-2", ">": INFER, "<=": INFER}),
    ("r**3-1", {"rule": "lemma", "of": "exp(_s)-1", "relation": ">", "proof": INFER, "then": INFER}),
])  # fmt: skip
def test_rules(formula, proof):
    proof = {"conclude": proof}
    accepts(*on_the_right(formula, proof))


def test_monotone_down_from_a_finite_end():
    proof = {
        "rule": "monotone", "in": "t", "direction": "down", "start": INFER,
        "slope": {"of": "-1", "times": "(exp(_s)-1)**2", "proof": INFER},
    }  # fmt: skip
    keys = everywhere(ONE_SIDED, ("", "t=0", "t=1"))
    nodes = dict.fromkeys(keys, BY_INFER)
    nodes["r>1"] = {"conclude": proof}
    found = accepts("(r-1)**2*(1-t)", {"nonnegative": proved(nodes)})
    assert found.domains == {"t": "[0, 1]"}


def test_facts_along_a_path_may_be_used():
    """On A > r: A − s >= 0 where A − exp(s) >= 0; the fact can only be lost upwards in s."""
    formula = "where(A > r, where(r > 1, A - log(r), 0), 0)"
    down_set = {
        "rule": "monotone", "in": "_a", "direction": "up", "start": INFER,
        "slope": {"of": "1", "times": "1", "proof": INFER},
    }  # fmt: skip
    inner = {"rule": "shift", "in": "_a", "by": "exp(_s)", "proof": INFER}
    split = {"split": "_a - exp(_s)", ">": {"conclude": inner}, "<=": BY_INFER}
    nodes = dict.fromkeys(NINE, BY_INFER)
    nodes["r>1,A>0"] = split
    nodes["r<1,A>0"] = {"split": "_a - exp(-_s)", ">": BY_INFER, "<=": BY_INFER}
    nodes["A>0"] = {"split": "_a - 1", ">": BY_INFER, "<=": BY_INFER}
    accepts(formula, {"nonnegative": proved(nodes)})
    wrong = copy.deepcopy(nodes)
    wrong["r>1,A>0"][">"] = {"conclude": down_set}  # at a = 0 the claim is -s < 0
    refuses(formula, {"nonnegative": proved(wrong)})


def test_pin_and_contradiction():
    """A formula that matters only where s = log 2."""
    formula = "where(r > 1, where(r <= 2, where(r >= 2, (r-2)*A, 0), 0), 0)"
    pinned = {
        "pin": "_s", "at": "log(2)", "by": "exp(_s) - 2", "then": BY_INFER,
    }  # fmt: skip
    cut = {
        "split": "exp(_s) - 2",
        ">": BY_INFER,
        "<=": {"split": "exp(_s) - 2", ">=": pinned, "<": BY_INFER},
    }
    nodes = {key: cut if key.startswith("r>1") else BY_INFER for key in NINE}
    accepts(formula, {"nonnegative": proved(nodes)})
    empty = {
        "split": "exp(_s) - 1", ">": BY_INFER,
        "<=": {"contradiction": "exp(_s) - 1", "relation": ">", "proof": INFER},
    }  # fmt: skip
    accepts("where(r > 1, r - 1, 0)", {
        "nonnegative": proved({"r<1": BY_INFER, "": BY_INFER, "r>1": empty}),
    })  # fmt: skip


def test_parameters_of_either_sign_are_bisected():
    node = {"bisect": "k", "at": "0", "low": BY_INFER, "high": BY_INFER}
    keys = ["r<1", "", "r>1"]
    accepts(
        "(r-1)**2*abs(k)", {"nonnegative": proved(dict.fromkeys(keys, node))}, {"k": "(-inf, inf)"}
    )
    refuses("(r-1)**2*abs(k)", {"nonnegative": proved(dict.fromkeys(keys, BY_INFER))},
            {"k": "(-inf, inf)"}, because="guard")  # fmt: skip


def test_where_defined():
    formula = "log(A)**2*(r-1)**2"
    witness = {
        "point": {"r": "2", "A": "-1"},
        "evidence": "value",
        "text": "undefined",
        "side": None,
    }
    undefined = {"conclude": {"rule": "undefined"}}
    nodes = {key: BY_INFER if "A>0" in key else undefined for key in NINE}
    conditions = {
        "defined": {"verdict": "refuted", "witness": witness},
        "nonnegative": proved(nodes, where_defined=True),
        "flat_at_identity": proved(dict.fromkeys(SIX, FLAT), where_defined=True),
    }
    accepts(formula, conditions)
    refuses(formula, {"nonnegative": proved(nodes)}, because="log")
    refuses(formula, {
        "nonnegative": proved(nodes, where_defined=True),
        "defined": {"verdict": "proved", "by": "nonnegative"},
    }, because="follow")  # fmt: skip
    refuses(formula, {"defined": proved(nodes, where_defined=True)}, because="where_defined")
    # What is granted may be used: A·sqrt(A) > 0 because sqrt(A) is taken to exist.
    taken = dict.fromkeys(everywhere(ONE_SIDED, [""]), BY_INFER)
    accepts(
        "(r-1)**2*k*sqrt(k)", {"nonnegative": proved(taken, where_defined=True)}, {"k": "(-1, 1)"}
    )
    refuses("(r-1)**2*k*sqrt(k)", {"nonnegative": proved(taken)}, {"k": "(-1, 1)"})


def test_roots_that_vanish_at_identity():
    """(r−1)·sqrt((r−1)² + log(r)²) has slope 0; the root alone has not."""
    flat = {"flat_at_identity": proved({"r->1-": FLAT, "r->1+": FLAT})}
    accepts("(r-1)*sqrt((r-1)**2 + log(r)**2)", flat)
    accepts("abs(r-1)**1.5", flat)
    refuses("sqrt((r-1)**2 + log(r)**2)", flat)
    refuses("abs(r-1)**0.5*sqrt(abs(log(r)))", flat)
    refuses("abs(r-1)**0.8", flat)


def test_eventual_guards():
    """2 − r is positive near r = 1 only; its logarithm is defined there."""
    flat = {"flat_at_identity": proved({"r->1-": FLAT, "r->1+": FLAT})}
    accepts("where(r < 2, log(2-r)**2, 5)", flat)
    accepts("relu(r - 1.5) + relu(log(r) - (r-1) - 1e-9)", flat)
    refuses("relu(r - 1)", flat)
    refuses("where(r < 1, 0, 1)", flat)
    refuses("sign(r-1)**2", flat)


def test_network_certificates_go_elsewhere():
    found = check_certificate(
        {"schema": "mirrordrift/certificate/1", "kind": "network", "network": 1}
    )
    assert not found.ok
    assert found.kind == "network"


# What is no certificate -----------------------------------------------------------------------


def deep(levels):
    item = {"rule": "infer"}
    for _ in range(levels):
        item = {"rule": "split", ">": item}
    return item


@pytest.mark.parametrize("data", [
    None, 3, "text", [], {}, {"schema": "mirrordrift/certificate/2", "kind": "drift"},
    certificate(KL, KL_PROOF) | {"kind": "psi"},
    certificate(KL, KL_PROOF) | {"formula": 7},
    certificate("r -", KL_PROOF),
    certificate("r*beta", KL_PROOF),
    certificate("r.__class__", KL_PROOF),
    certificate(KL, []),
    certificate(KL, KL_PROOF) | {"domains": []},
    certificate(KL, KL_PROOF, {"r": "(0, 1)"}),
    certificate(KL, KL_PROOF, {"A": "(0, 1)"}),
    certificate(KL, KL_PROOF, {"_s": "(0, 1)"}),
    certificate(KL, KL_PROOF, {"exp": "(0, 1)"}),
    certificate(KL, KL_PROOF, {"k": "(1, 0)"}),
    certificate(KL, KL_PROOF, {"k": "(1, 1)"}),
    certificate(KL, KL_PROOF, {"k": "[-inf, 1)"}),
    certificate(KL, KL_PROOF, {"k": "[0, inf]"}),
    certificate(KL, KL_PROOF, {"k": "(0, 1/0)"}),
    certificate(KL, KL_PROOF, {"k": "nan"}),
    certificate(KL, KL_PROOF, {"k": 3}),
    certificate(KL, {"nonnegative": deep(600)}),
    certificate(KL, {"nonnegative": 10**40}),
    certificate(KL, {"nonnegative": "x" * 30_000}),
    certificate(KL, {"nonnegative": [0] * 300_000}),
    certificate(KL, {"nonnegative": {1: 2}}),
    certificate(KL, {"nonnegative": {"verdict": object()}}),
])  # fmt: skip
def test_unreadable(data):
    with pytest.raises(UnreadableCertificate):
        check_certificate(data)


def test_deep_proofs_fail_gracefully():
    found = replay(KL, {"nonnegative": proved({"r<1": {"conclude": deep(480)}})})
    assert not found.ok
