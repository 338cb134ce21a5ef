"""The order of decisions, what a verdict rests on, and what the clock may change."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from flint import ctx
from hypothesis import given, settings
from hypothesis import strategies as st
from mutation.verdicts import VERDICTS, letters
from oracle import sign_at

from symbolic.drift import Drift
from verify import certificate as certificates
from verify import decide as decider
from verify.checker import check_certificate
from verify.decide import decide
from verify.falsify import Findings
from verify.report import CONDITIONS, Report, Verdict

KL = "r-1-log(r)"


def verdicts(formula: str, *parameters: str, timeout: float = 10.0) -> Report:
    return decide(Drift.from_text(formula, parameters), timeout=timeout)


class Watched:
    """Searches as they are asked for, and what they find (nothing, if `blind`)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, blind: bool = False) -> None:
        self.asked: list[bool] = []
        real = decider.falsify

        def watched(drift, *, deep=False, deadline=None, suspects=()):
            self.asked.append(deep)
            return (
                Findings()
                if blind
                else real(drift, deep=deep, deadline=deadline, suspects=suspects)
            )

        monkeypatch.setattr(decider, "falsify", watched)


# Order ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("formula", "searches", "expected"), [
    ("relu((r-1)*A)**2", [], "PPPP"),  # the form says it
    (KL, [False], "PPPP"),
    ("-((r-1)**2)", [False], "PRPP"),  # refuted before any proof of it is tried
    ("log(A-1)*0", [False], "RPPP"),
])  # fmt: skip
def test_searches_stop_where_all_is_decided(formula, searches, expected, monkeypatch):
    watched = Watched(monkeypatch)
    assert letters(verdicts(formula)) == expected
    assert watched.asked == searches


def test_a_failed_proof_is_followed_by_a_deeper_search(monkeypatch):
    watched = Watched(monkeypatch, blind=True)
    found = verdicts("r-1-log(r)*11/10")
    assert watched.asked == [False, True]
    assert found["nonnegative"].verdict is Verdict.UNKNOWN
    assert found["nonnegative"].detail.startswith("region r")


def test_more_steps_come_after_the_deeper_search(monkeypatch):
    steps: list[int] = []
    real = decider._all_regions

    def watched(case, goal, ratios, allowed, granted):
        if goal == "nonnegative":
            steps.append(allowed)
        return real(case, goal, ratios, allowed, granted)

    monkeypatch.setattr(decider, "_all_regions", watched)
    Watched(monkeypatch, blind=True)
    verdicts("r-1-log(r)*11/10")
    assert steps == sorted(steps)
    assert steps[0] < steps[-1]


def test_what_is_refuted_is_not_proved(monkeypatch):
    goals: list[str] = []
    real = decider._all_regions
    monkeypatch.setattr(
        decider, "_all_regions", lambda case, goal, *rest: goals.append(goal) or real(case, goal, *rest)
    )  # fmt: skip
    verdicts("log(r)")
    assert "nonnegative" not in goals


# What a verdict rests on ---------------------------------------------------------------------


@pytest.mark.parametrize("formula", [
    (KL,), ("abs(A)*(r-1)**2",), ("relu((r-clip(r,1-eps,1+eps))*A)", "eps in (0, 1)"), ("log(A)*(r-1)",), ("-log(r)",),
    ("(r-1)**2*k**2", "k in (-1, 1)"), ("A**2+1",),
])  # fmt: skip
def test_the_certificate_says_what_the_report_says(formula):
    found = verdicts(*formula)
    entries = json.loads(json.dumps(found.certificate))["conditions"]
    assert check_certificate(found.certificate).ok
    assert {name: entry["verdict"] for name, entry in entries.items()} == {
        c.id: c.verdict.value for c in found.conditions if c.verdict is not Verdict.UNKNOWN
    }


def test_nothing_is_proved_that_is_not_replayed(monkeypatch):
    class Refusal:
        ok, error, out_of_budget, too_large = False, "no", False, False

    monkeypatch.setattr(certificates, "check_certificate", lambda *_, **__: Refusal())
    found = verdicts(KL)
    assert {c.verdict for c in found.conditions} == {Verdict.UNKNOWN}
    assert all("does not replay (no)" in c.detail for c in found.conditions)
    assert found.certificate["conditions"] == {}


@pytest.mark.parametrize("refused", CONDITIONS["drift"])
def test_one_refusal_takes_only_what_rests_on_it(refused, monkeypatch):
    real = certificates.check_certificate

    def check(data, **options):
        replay = real(data, **options)
        if refused in data["conditions"]:
            object.__setattr__(replay, "ok", False)
            object.__setattr__(replay, "error", "no")
        return replay

    monkeypatch.setattr(certificates, "check_certificate", check)
    found = verdicts("r*log(r)-r+1")
    lost = {c.id for c in found.conditions if c.verdict is Verdict.UNKNOWN}
    assert lost == {refused}
    monkeypatch.undo()
    assert check_certificate(found.certificate).ok


def test_proofs_on_a_part_of_the_domain_say_so():
    found = verdicts("(r-1)**2/A")
    assert found["defined"].verdict is Verdict.REFUTED
    assert found["zero_at_identity"].detail == "where f is defined"
    assert found["flat_at_identity"].detail == "where f is defined"
    assert verdicts(KL)["zero_at_identity"].detail == ""


@pytest.mark.parametrize("formula", [f for f, expected in VERDICTS.items() if "R" in expected][::2])
def test_witnesses_are_violations(formula):
    drift = Drift.from_text(formula[0], formula[1:])
    found = decide(drift)
    for name in ("nonnegative", "zero_at_identity"):
        witness = found[name].witness
        if witness is not None:
            sign = sign_at(drift.formula, witness.point)
            assert sign < 0 if name == "nonnegative" else sign != 0 and witness.r == 1


# The clock -----------------------------------------------------------------------------------

FULL: dict[str, str] = {}
TIMED = ("r*log(r)-r+1", "log(r)**2*A", "relu((r-1)*A)", "softplus((r-1)*A)-(r-1)*A/2-log(2)", "(r-1)**2/A", "(r-1)**2*(exp(A)-exp(1)*A)")  # fmt: skip


@settings(max_examples=25)
@given(st.sampled_from(TIMED), st.sampled_from([0.0, 0.002, 0.01, 0.03, 0.08]))
def test_a_timeout_turns_decisions_into_unknown_alone(formula, timeout):
    if formula not in FULL:
        FULL[formula] = letters(verdicts(formula))
    precision = ctx.prec
    found = verdicts(formula, timeout=timeout)
    assert ctx.prec == precision
    for short, full in zip(letters(found), FULL[formula], strict=True):
        assert short in (full, "U")
    assert check_certificate(found.certificate).ok or not found.certificate["conditions"]
    if timeout == 0.0:
        unknown = [c for c in found.conditions if c.verdict is Verdict.UNKNOWN]
        assert unknown
        assert all("raise --timeout" in c.detail for c in unknown)


def test_the_same_again():
    formula = ("relu((r-clip(r,1-eps,1+eps))*A)-k*(r-1)**2", "eps in (0, 1)", "k in [0, 1]")
    one, two = (verdicts(*formula).to_json() | {"seconds": 0} for _ in range(2))
    assert one == two


# Notes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("formula", "c"), [
    ("-log(r)", 1), ("r*log(r)", -1), ("-2*log(r)", 2), ("r**2-1", -2), ("1/r-1", 1), ("(r-1)**2*A**2-log(r)/3", Fraction(1, 3)),
    ("exp(r-1)-1", -1),
])  # fmt: skip
def test_a_tilted_drift_is_named(formula, c):
    (note,) = verdicts(formula).notes
    assert f"with c = {c} is proved" in note
    tilted = note[note.rindex("(", 0, note.index("policy (") + 8) + 1 : -1]
    assert letters(verdicts(tilted)) == "PPPP"


@pytest.mark.parametrize("formula", [
    KL, "A*(r-1)", "relu(1-r)-relu(r-1)*2", "log(r)", "-(r-1)**2", "-log(r)*A**2", "-log(r)*k", "(r-1)*sign(A)",
    "sign(r-1)", "-log(r)+1", "log(A)*0-log(r)", "-log(r)*where(A > 3, 2, 1)",
])  # fmt: skip
def test_nothing_else_is_called_a_tilted_drift(formula):
    """Valid already; slope not the same everywhere or on both sides; not valid with any c."""
    assert verdicts(formula, "k in (1, 2)").notes == ()


@pytest.mark.parametrize(("text", "parameters", "condition"), [
    ("(r-1)**al", ["al in [-2, 2]"], "zero_at_identity"),
    ("square(log(r)**al)", ["al in [-2, 2]"], "zero_at_identity"),
    ("log(min(A/A, A)*max(A, tanh(r)) - exp(2))", [], "flat_at_identity"),
])  # fmt: skip
def test_cells_where_the_formula_is_nowhere_defined_replay(text, parameters, condition):
    report = decide(Drift.from_text(text, parameters))
    assert report[condition].verdict is not Verdict.UNKNOWN, report[condition].detail


def test_what_is_beyond_the_limits_of_the_checker_is_no_bug():
    report = decide(
        Drift.from_text("1e-300**softplus(0.37 - sigmoid(relu(-log(tanh(60)))))*(r-1)**2")
    )
    assert "beyond the checker's limits" in report["zero_at_identity"].detail
