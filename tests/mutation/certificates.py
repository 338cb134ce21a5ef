"""Proofs and certificates of false statements, which the checker must refuse, and true ones."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from symbolic.parser import parse
from verify.checker import check_certificate
from verify.checker.algebra import Budget, OverBudget, Range, Unproved
from verify.checker.context import Context
from verify.checker.proofs import RELATIONS, prove

Proof = dict[str, Any]

HALF, UNIT = Range(Fraction(0), None), Range(Fraction(0), Fraction(1))
RANGES = {"x": HALF, "y": HALF, "v": UNIT, "z": Range(Fraction(1), Fraction(2), False, False)}
INFER, BY_ZERO, BALL = {"rule": "infer"}, {"rule": "zero"}, {"rule": "ball"}


def accepted(
    claim: str, relation: str, proof: Proof, facts: Iterable[tuple[str, str]] = ()
) -> bool:
    """Whether the checker takes a proof that the claim has the relation to 0."""
    known = tuple((parse(text, names=RANGES), RELATIONS[sign]) for text, sign in facts)
    try:
        context = Context(RANGES, known, Budget(300_000))
        prove(context, parse(claim, names=RANGES), RELATIONS[relation], proof)
    except (Unproved, OverBudget):
        return False
    return True


def path(
    name: str, direction: str, of: str, start: Proof = INFER, times: str = "1", proof: Proof = INFER
) -> Proof:
    return {
        "rule": "monotone", "in": name, "direction": direction, "start": start,
        "slope": {"of": of, "times": times, "proof": proof},
    }  # fmt: skip


def combine(*terms: tuple[str, str, str]) -> Proof:
    return {"rule": "combine", "terms": [
        {"factor": factor, "of": part, "relation": relation, "proof": INFER} for factor, part, relation in terms
    ]}  # fmt: skip


def lemma(claim: str, relation: str, proof: Proof = INFER) -> Proof:
    return {"rule": "lemma", "of": claim, "relation": relation, "proof": proof, "then": INFER}


def restate(claim: str, times: str) -> Proof:
    return {"rule": "restate", "claim": claim, "times": times, "proof": INFER}


def abstract(tree: str, name: str, claim: str) -> Proof:
    return {"rule": "abstract", "tree": tree, "as": name, "claim": claim, "proof": INFER}


NESTED_ROOTS = "sqrt(2)+sqrt(3)-sqrt(5+2*sqrt(6))"  # is 0, which no number of digits shows

FALSE_PROOFS: list[tuple[Any, ...]] = [
    ("x-1", ">=", BY_ZERO),
    ("x-1", ">=", INFER),
    ("log(x-1)**2", ">=", INFER),
    ("1/(x-1)**2", ">=", INFER),
    ("x-1", ">=", path("x", "up", "1")),
    ("1-x", ">=", path("x", "up", "1")),
    ("1-x", ">=", path("x", "up", "1", times="-1")),
    ("v-1/2", ">=", path("v", "down", "1")),
    ("x**2-4*x+2", ">=", path("x", "up", "2*x-4"), [("x-3", ">=")]),
    ("y*(x-2)**2-1+x-x", ">=", path("x", "up", "2*y*(x-2)"), [("x-2", ">="), ("4*y-1", ">=")]),
    ("x-x", ">", path("x", "up", "0", BY_ZERO, proof=BY_ZERO)),
    ("z-1", ">", path("z", "up", "1", BY_ZERO)),
    ("-x", ">=", restate("x", "-1")),
    ("-x", ">=", restate("x", "1")),
    ("-x", ">=", combine(("-1", "x", ">="))),
    ("-x", ">=", combine(("1", "x", ">="))),
    ("x-1", ">=", combine(("1", "x-1", ">="))),
    ("x-x", ">", combine()),
    ("x-1", ">=", lemma("x-1", ">=")),
    ("x-1", ">=", {"rule": "split", "on": "x-1", ">": INFER}),
    ("x-1", ">=", {"rule": "split", "on": "x-1", ">": INFER, "<=": INFER}),
    ("1/2-v", ">=", {"rule": "bisect", "in": "v", "at": "1/2", "low": INFER, "high": INFER}),
    ("v-1/4", ">=", BALL),
    ("v-1/4+sqrt(v)*0", ">=", BALL),
    ("log(v)+1", ">=", BALL),
    ("x-1", ">=", {"rule": "shift", "in": "x", "by": "1", "proof": INFER}),
    ("x-1", ">=", abstract("x-1", "_w1", "_w1")),
    ("x-1", ">=", abstract("x", "y", "y-1"), [("y-1", ">=")]),
    ("-x", ">=", {"rule": "exponentiate", "by": "-1", "proof": INFER}),
    ("x/(x-exp(x))", ">=", INFER),
    ("y-x", ">", INFER, [("(y-x)/(x-exp(x))", ">")]),
    ("log(x)", ">=", INFER),
    ("exp(x)-1-3*x/2", ">=", INFER),
    ("z-1", ">", INFER),
    ("2-z", ">", INFER),
    ("x-y", ">=", INFER),
    (NESTED_ROOTS, ">", INFER),
    (NESTED_ROOTS, "<", INFER),
    ("exp(x/2)-x-1", ">=", path("x", "up", "exp(x/2)-1", BY_ZERO)),
    ("log(1+x)-x", ">=", path("x", "up", "0", BY_ZERO, proof=BY_ZERO)),
    ("sqrt(1+v)-1-3*v/5", ">=",
     path("v", "up", "sqrt(1+v)/(1+v)-3/5", BY_ZERO, proof=BALL)),
    ("log((1-x)*(1-y))", "<=", INFER, [("(1-x)*(1-y)", ">")]),
    ("-sqrt((z-3)**2)", ">=", INFER),
]  # fmt: skip
TRUE_PROOFS: list[tuple[Any, ...]] = [
    ("x", ">", INFER), ("x-x", "=", BY_ZERO), ("exp(x)-1-x", ">=", path("x", "up", "exp(x)-1", BY_ZERO)),
    ("1-v", ">", path("v", "down", "-1", BY_ZERO)), ("x*y", ">=", combine(("x", "y", ">"))), ("z", ">", INFER),
    ("x/(exp(x)-x)", ">", INFER), ("x-y", ">", INFER, [("(y-x)/(x-exp(x))", ">")]), ("2-z", ">=", INFER),
    ("v+1/4", ">", BALL), ("x**2-x+1", ">", INFER), ("sqrt((z-3)**2)-3+z", "=", BY_ZERO),
    ("x-1/2", ">=", {"rule": "shift", "in": "x", "by": "1", "proof": INFER}, [("x-1", ">=")]),
    ("log(1+x)-x/(1+x)", ">=", path("x", "up", "x/(1+x)**2", BY_ZERO)), ("exp(-x/2)", "<", lemma("x", ">")),
][:-1]  # fmt: skip

# Whole certificates --------------------------------------------------------------------------

BY_INFER, FLAT, DEFINED = (
    {"conclude": INFER},
    {"conclude": {"rule": "flat"}},
    {"conclude": {"rule": "defined"}},
)
SIDES, SIGNS = ("r<1", "", "r>1"), ("A<0", "A=0", "A>0")
NINE = [",".join(p for p in (r, A) if p) for r in SIDES for A in SIGNS]
TWO = ("r->1-", "r->1+")


def replays(
    formula: str, conditions: dict[str, Any], domains: dict[str, str] | None = None
) -> bool:
    return check_certificate({
        "schema": "mirrordrift/certificate/1", "kind": "drift", "formula": formula, "domains": domains or {},
        "conditions": conditions,
    }).ok  # fmt: skip


def nonnegative(keys: Iterable[str], **special: Any) -> dict[str, Any]:
    """The proof by inference in every region; `right` where r > 1, `up` where A > 0, instead."""
    regions = {}
    for key in keys:
        node = BY_INFER
        if "right" in special and key.startswith("r>1"):
            node = special["right"]
        if "up" in special and key.endswith("A>0"):
            node = special["up"]
        if "everywhere" in special:
            node = special["everywhere"]
        regions[key] = node
    return {"nonnegative": {"verdict": "proved", "regions": regions}}


def flat(keys: Iterable[str] = TWO, node: Any = FLAT) -> dict[str, Any]:
    return {"flat_at_identity": {"verdict": "proved", "regions": dict.fromkeys(keys, node)}}


def refuted(
    condition: str, point: dict[str, str], evidence: str = "value", side: str | None = None
) -> dict[str, Any]:
    witness = {"point": point, "evidence": evidence, "text": "", "side": side}
    return {condition: {"verdict": "refuted", "witness": witness}}


def cut(guard: str, pin: dict[str, Any]) -> dict[str, Any]:
    """Cases that leave `guard` = 0, where `pin` goes on."""
    return {"split": guard, ">": BY_INFER, "<=": {"split": guard, ">=": pin, "<": BY_INFER}}


def where_equal(guard: str, value: str) -> str:
    return f"where(r > 1, where({guard} <= 0, where({guard} >= 0, {value}, 0), 0), 0)"


EMPTY = {"split": "exp(_s)-2", ">": {"contradiction": "exp(_s)-2", "relation": "<=", "proof": INFER},
         "<=": {"contradiction": "exp(_s)-2", "relation": ">", "proof": INFER}}  # fmt: skip
FALLING = "where(r > 1, 1-r, 0)"

FALSE_CERTIFICATES: list[tuple[Any, ...]] = [
    ("where(r < 1, r-1, 0)", nonnegative(SIDES[1:])),
    ("A*(r-1)**2", nonnegative(NINE)),
    ("(r-1)**2*where(k > 0, 1, -1)", nonnegative(SIDES), {"k": "[0, 1)"}),
    ("where(p > 2, 1, A**p)", {"defined": {"verdict": "proved", "regions": dict.fromkeys(
        [*SIGNS, *(f"{sign},p=2" for sign in SIGNS)], DEFINED)}}, {"p": "[2, 3)"}),
    (FALLING, nonnegative(SIDES, right=EMPTY)),
    ("-A*(r-1)**2", nonnegative(NINE, up={"rescale": "_a", "by": "-1", "then": BY_INFER})),
    ("(r-1)**2*(1/2-k)", nonnegative(SIDES, everywhere={"rescale": "k", "by": "1/2", "then": BY_INFER}),
     {"k": "(0, 1)"}),
    ("where(r > 1, 2-r, 0)",
     nonnegative(SIDES, right={"pin": "_s", "at": "log(2)", "by": "exp(_s)-2", "then": BY_INFER})),
    (where_equal("(r-2)", "3/2-r"),
     nonnegative(SIDES, right=cut("exp(_s)-2", {"pin": "_s", "at": "log(3/2)", "by": "exp(_s)-2", "then": BY_INFER}))),
    (where_equal("(r-2)*(r-3)", "2-r"), nonnegative(SIDES, right=cut("(exp(_s)-2)*(exp(_s)-3)", {
        "pin": "_s", "at": "log(2)", "by": "(exp(_s)-2)*(exp(_s)-3)", "then": BY_INFER}))),
    (FALLING, nonnegative(SIDES, right={"lemma": "1-exp(_s)", "relation": ">=", "proof": INFER, "then": BY_INFER})),
    ("where(r > 1, r-2, 0)", nonnegative(SIDES, right={"split": "exp(_s)-2", ">": BY_INFER, "<=": BY_INFER})),
    ("log(A)", {"defined": {"verdict": "proved", "where_defined": True, "regions": dict.fromkeys(SIGNS, DEFINED)}}),
    ("log(A)", {"defined": {"verdict": "proved", "by": "nonnegative"}}),
    ("-relu(r-1)", nonnegative(SIDES)),
    ("where(A >= 0, where(A > 0, 1, -1), 1)*(r-1)**2", nonnegative(NINE)),
    ("where(A >= 0, where(A > 0, 1, -1), 1)", nonnegative(SIGNS)),
    ("r-1", flat()),
    ("where(r > 1, 1/10, 0) + (r-1)**2", flat()),
    ("sqrt(abs(r-1))", flat()),
    ("where(r > 1, where(k + r - 1 > 0, 0, r-1), 0)", flat(), {"k": "(-1, 1)"}),
    ("where(3-r**2 > 0, relu(r-1), (r-1)**2)", flat()),
    ("where(r > 1, (r-1)*log(r-1), 0)", flat()),
    ("where(r > 1, where(log(r-1) > 0, 0, r-1), 0)", flat()),
    ("-exp(log(A))", {"nonnegative": {"verdict": "proved", "where_defined": True,
                                      "regions": {key: {"conclude": {"rule": "undefined"}} for key in SIGNS}}}),
    ("(1e-300)**300*(r-2)", nonnegative(SIDES)),
    ("(-1e300)**33*(r-1)**2", nonnegative(SIDES)),
    ("(r-1)**2*(1e300**33-1e300**34)", nonnegative(SIDES)),
    ("(r-1)**2*(1e300**20.5-1e300**21)", nonnegative(SIDES)),
    ("(r-1)**2*(1e-300**33-1e-300**32)", nonnegative(SIDES)),
    ("(r-1)**2*(1-eps)", refuted("nonnegative", {"r": "2", "eps": "2"}), {"eps": "(0, 1)"}),
    ("(r-1)**2", refuted("nonnegative", {"r": "2"})),
    ("(r-1)**2", refuted("zero_at_identity", {"r": "2"})),
    ("(r-1)**2", refuted("zero_at_identity", {"r": "1"})),
    ("(r-1)**2", refuted("flat_at_identity", {"r": "1"}, "derivative", "right")),
    (f"({NESTED_ROOTS})*r", refuted("nonnegative", {"r": "1"})),
    ("log(r)", refuted("defined", {"r": "1/2"})),
]  # fmt: skip
TRUE_CERTIFICATES: list[tuple[Any, ...]] = [
    ("abs(A)*(r-1)**2", nonnegative(NINE)),
    (where_equal("(r-2)", "2-r"),
     nonnegative(SIDES, right=cut("exp(_s)-2", {"pin": "_s", "at": "log(2)", "by": "exp(_s)-2", "then": BY_INFER}))),
    ("relu(r-1)**2+relu(1-r)**3", {**nonnegative(SIDES), **flat()}),
    ("r-1", refuted("nonnegative", {"r": "1/2"})),
    ("r-1", refuted("flat_at_identity", {"r": "1"}, "derivative", "left")),
    ("where(r >= 1, 1, 0)", refuted("flat_at_identity", {"r": "1"}, "limit", "left")),
    ("log(A)*r", refuted("defined", {"r": "1", "A": "-1"})),
    ("where(A > 0, 1, 2)+r", refuted("zero_at_identity", {"r": "1", "A": "0"})),
]  # fmt: skip


def law_false_proofs() -> None:
    """No proof of a false claim is taken."""
    for proof in FALSE_PROOFS:
        assert not accepted(*proof), proof


def law_true_proofs() -> None:
    """Simple proofs of true claims are taken."""
    for proof in TRUE_PROOFS:
        assert accepted(*proof), proof


def law_false_certificates() -> None:
    """No certificate of a false verdict replays."""
    for certificate in FALSE_CERTIFICATES:
        assert not replays(*certificate), certificate


def law_true_certificates() -> None:
    """Simple certificates of true verdicts replay."""
    for certificate in TRUE_CERTIFICATES:
        assert replays(*certificate), certificate


LAWS = {
    "false proofs": law_false_proofs, "true proofs": law_true_proofs, "false certificates": law_false_certificates,
    "true certificates": law_true_certificates,
}  # fmt: skip
