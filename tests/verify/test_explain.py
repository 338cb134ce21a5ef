"""Derivations say what the hand-made ones say, and a wrong verdict is contradicted."""

from __future__ import annotations

import re
import time
from fractions import Fraction

import pytest

from symbolic.catalogue import catalogue
from symbolic.drift import Drift
from verify.decide import decide
from verify.explain.crosscheck import Clock, OutOfReach, bounded, one_sided, value_at
from verify.explain.document import apply_disagreements, explain
from verify.explain.pieces import TooManyPieces, sign_on, smooth_pieces
from verify.report import CONDITIONS, Condition, Report, Verdict, Witness

PROVED, REFUTED, UNKNOWN = Verdict.PROVED, Verdict.REFUTED, Verdict.UNKNOWN


def report(drift: Drift, **verdicts: Verdict | Witness) -> Report:
    """A report by hand: proved, but for what is given."""

    def condition(name: str) -> Condition:
        given = verdicts.get(name, PROVED)
        if isinstance(given, Witness):
            return Condition(name, REFUTED, "exact counterexample", given)
        return Condition(name, given, "proof on some regions")

    return Report(drift.text, "drift", {}, tuple(map(condition, CONDITIONS["drift"])))


def explained(text: str, *parameters: str, **verdicts: Verdict | Witness):
    drift = Drift.from_text(text, parameters)
    return explain(drift, report(drift, **verdicts))


def test_dpo_as_in_the_paper():
    drift = catalogue["dpo"]
    found = explain(drift, report(drift))
    assert not found.disagreements
    assert "f1 = (r - 1)*A - alpha*tanh((r - 1)*A/alpha)\n        where A > 0, f1 > 0" in found.text
    assert "f2 = log(r)*A - beta*tanh(log(r)*A/beta)\n        where A < 0, f2 > 0" in found.text
    assert "f(1, A) = 0\n" in found.text
    assert "df1/dr = A*tanh(A*(r - 1)/alpha)**2" in found.text
    assert "df2/dr = A*tanh(A*log(r)/beta)**2/r" in found.text
    assert re.search(r"df/dr\(1, A\) = 0 +for A > 0, r -> 1\+, f = f1 near 1", found.text)
    assert "flat_at_identity: proved" in found.text
    assert found.text.count("SymPy derives the same") == 2
    assert len(found.text.splitlines()) < 45
    assert max(map(len, found.text.splitlines())) <= 96


def test_latex_is_balanced():
    for name in ("dpo", "ppo", "kl", "spo"):
        latex = explain(catalogue[name], report(catalogue[name])).latex
        assert latex.count(r"\begin{align*}") == latex.count(r"\end{align*}") >= 3
        assert latex.count("{") == latex.count("}")
        assert latex.count(r"\left") == latex.count(r"\right")
        assert latex.count("$") % 2 == 0
        assert not re.search(r"(?<!\\)_[a-z]", latex)


def test_a_piece_away_from_one_does_not_spoil_the_slope():
    found = explain(catalogue["ppo"], report(catalogue["ppo"]))
    assert "df1/dr = A" in found.text
    assert re.search(r"df/dr\(1, A\) = 0 +for f = 0 near 1", found.text)
    assert not found.disagreements


def test_where_the_formula_is_defined():
    drift = Drift.from_text("log(A)**2*(r-1)**2")
    found = " ".join(explain(drift, decide(drift)).text.split())
    assert "defined: refuted at r = 1, A = -1: value undefined." in found
    assert "What follows is said where f is defined, and only there." in found
    for name in ("zero_at_identity", "flat_at_identity", "nonnegative"):
        assert re.search(rf"{name}: proved by the kernel, [^.;]*, where f is defined[.;]", found)
    assert "where f is defined" not in explained("(r-1)**2").text


@pytest.mark.parametrize("text", ["abs(r-1)", "max(r-1, 1-r)", "where(r > 1, r-1, 1-r)"])
def test_slopes_at_kinks_are_one_sided(text):
    """SymPy alone gives 0, 1/2 or 0 for the derivatives of Abs, Max and Piecewise here."""
    witness = Witness({"r": Fraction(1), "A": Fraction(1)}, "derivative", "1", "right")
    found = explained(text, flat_at_identity=witness)
    assert re.search(r"df/dr\(1, A\) = -1 +for r -> 1-", found.text)
    assert re.search(r"df/dr\(1, A\) = 1 +for r -> 1\+", found.text)
    assert not found.disagreements
    assert set(explained(text).disagreements) == {"flat_at_identity"}


def test_roots_are_one_sided():
    assert one_sided(Drift.from_text("sqrt((r-1)**2)").formula, {}, -1, Clock(5)) == (0, -1)
    jump, _ = one_sided(Drift.from_text("sign(r-1)**2").formula, {}, 1, Clock(5))
    assert jump == 1


WRONG = [
    ("(r-1)**2 + A**2*exp(-10)", {}, {"zero_at_identity"}),
    ("(r-1)*A + relu((1-r)*A)/2", {}, {"nonnegative", "flat_at_identity"}),
    ("sign(r-1)**2", {}, {"flat_at_identity"}),
    (
        "(r-1)**2",
        {"zero_at_identity": Witness({"r": Fraction(1), "A": Fraction(1)}, "value", "1")},
        {"zero_at_identity"},
    ),
    (
        "(r-1)**2",
        {"nonnegative": Witness({"r": Fraction(3), "A": Fraction(1)}, "value", "-4")},
        {"nonnegative"},
    ),
    (
        "(r-1)**2*A",
        {
            "nonnegative": Witness({"r": Fraction(2), "A": Fraction(-1)}, "value", "-1"),
            "flat_at_identity": Witness(
                {"r": Fraction(1), "A": Fraction(2)}, "derivative", "2", "left"
            ),
        },
        {"flat_at_identity"},
    ),
]


@pytest.mark.parametrize(("text", "verdicts", "denied"), WRONG)
def test_wrong_verdicts_are_contradicted(text, verdicts, denied):
    drift = Drift.from_text(text)
    wrong = report(drift, **verdicts)
    found = explain(drift, wrong)
    assert set(found.disagreements) == denied
    assert "DISAGREEMENT" in found.text
    mended = apply_disagreements(wrong, found)
    for condition in mended.conditions:
        if condition.id in denied:
            assert condition.verdict is UNKNOWN
            assert condition.witness is None
            assert "bug" in condition.detail
        else:
            assert condition == wrong[condition.id]


def test_unknown_is_never_contradicted():
    found = explained(
        "1 - r", nonnegative=UNKNOWN, zero_at_identity=UNKNOWN, flat_at_identity=UNKNOWN
    )
    assert not found.disagreements
    assert "not shown" in found.text


def test_the_kernels_proof_is_told():
    drift = catalogue["kl"]
    found = report(drift)
    steps = {"rule": "monotone", "in": "_s", "slope": {"proof": {"rule": "infer"}}}
    certificate = {"conditions": {"nonnegative": {"regions": {"r<1": {"conclude": steps}}}}}
    text = explain(drift, Report(**{**vars(found), "certificate": certificate})).text
    assert "by the kernel in 2 steps: calculus" in text
    assert "in |log r|" in text


def test_undefined_parts_are_left_out():
    found = explained("log(A)*(r-1)**2", defined=UNKNOWN, nonnegative=UNKNOWN)
    assert "Nothing is written out for A = 0" in found.text
    assert not found.disagreements


@pytest.mark.parametrize("text", ["A**A*(r-1)**2", "exp(log(A))*(r-1)**2"])
def test_sympys_wider_domains_deny_nothing(text):
    """Both are proved where they are defined (A > 0); SymPy finds negative values at A = -1."""
    assert not explained(text, defined=UNKNOWN).disagreements


@pytest.mark.parametrize(
    "text",
    [
        "+".join(f"relu((r-1)*A-{i})" for i in range(40)),
        "+".join(["(r-1)**2*exp(A)"] * 200),
        "((r-1)**300)**300",
        "9**300**1 - 9**300 + (((r + 7)**100)**2 - ((r + 7)**100)**2)",
        "(r+A+exp(r)+log(r))**60 - (r+A+exp(r)+log(r))**60",
        "(r-1)**2*exp(exp(exp(exp(exp(r*A)))))",
        "0*tanh(exp(100*A**60*r**60))",
    ],
)
def test_what_is_too_much_for_sympy_is_said_soon(text, monkeypatch):
    monkeypatch.setattr("verify.explain.document._SECONDS", 1.0)
    start = time.monotonic()
    found = explained(text)
    assert time.monotonic() - start < 6
    assert found.text


def test_limits():
    with pytest.raises(OutOfReach):
        bounded(Drift.from_text("(r**300)**300").formula)
    with pytest.raises(OutOfReach):
        value_at(Drift.from_text("exp(exp(r))").formula, {"r": Fraction(1000)}, Clock(5))
    formula = Drift.from_text("relu(r - 2) + relu(r - 3) + relu(r - 4)").formula
    with pytest.raises(TooManyPieces):
        smooth_pieces(formula, lambda guard, guards: 7, 4)


def test_pieces_of_every_kink():
    names = {"c": Drift.from_text("c", ["c in (0, 1)"]).domain("c")}
    cases = {
        "sign(c)": ["1"],
        "sign(c - 1/2)": ["1", "-1", "0"],
        "clip(c, 0, 1)": ["c"],
        "max(c, 2, 3)": ["3"],
        "min(c, 2, 3)": ["c"],
        "where(c <= 0, sqrt(c - 5), c)": ["c"],
        "abs(c - 1/2)": ["c - 1/2", "-(c - 1/2)"],
    }
    for text, expected in cases.items():
        formula = Drift.from_text(text, ["c in (0, 1)"]).formula
        found = smooth_pieces(formula, sign_on(names, {}), 10)
        assert [str(piece.tree) for piece in found] == expected


def test_a_mirror_map_is_explained_from_its_certificate():
    drift = Drift.from_text("log(x)", kind="mirror-map")
    found = explain(drift, decide(drift))
    assert "g' > 0" in found.text
    assert not found.disagreements
