"""A front holds verdicts, certified distances and a knee; what is nearly a drift is made one."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from distilling import TRUTHS, samples_of

from search.distill.front import Member, _equal, _tame, add, as_json, build
from search.distill.repair import repaired
from symbolic.distill.loss import Objective
from symbolic.distill.samples import Samples
from symbolic.drift import Drift
from symbolic.numeric import evaluate
from symbolic.parser import parse
from verify.decide import decide
from verify.report import Condition, Verdict

BOX = {"r": (0.25, 2.0), "A": (-3.0, 3.0)}
DPO = parse(TRUTHS["dpo"])


def front(candidates: list[str], samples: Samples, **more):
    return build({"test": [parse(text) for text in candidates]}, samples, box=BOX, **more)


def test_the_truth_is_the_knee_and_its_distance_is_nothing() -> None:
    near = TRUTHS["dpo"].replace("2*tanh", "1.8*tanh").replace("A/2", "A/1.8")
    found = front(
        ["0.4*((r - 1)*A)**2", near, f"{near} + 0.01*(r - 1)**2"],
        samples_of(TRUTHS["dpo"]),
        reference=DPO,
    )
    assert found.knee is not None and found.knee.formula is DPO and found.knee.proved
    low, high = found.knee.sup_distance
    assert low == 0 and high < 0.01
    assert [m.complexity for m in found.members] == sorted(m.complexity for m in found.members)


def test_distances_are_bounds_of_what_points_show() -> None:
    formula = "0.4*((r - 1)*A)**2"
    found = front([formula], samples_of(TRUTHS["dpo"]), reference=DPO)
    (member,) = found.members
    r, A = np.meshgrid(np.linspace(0.25, 2, 80), np.linspace(-3, 3, 80))
    points = {"r": r, "A": A}
    seen = np.abs(evaluate(member.formula, points) - evaluate(DPO, points)).max()
    low, high = member.sup_distance
    assert low <= high <= 1.05 * low and seen <= high and low > 0.95 * seen


def test_a_refuted_formula_hides_no_drift() -> None:
    samples = samples_of("relu((r - 1)*A - 0.2*abs(A))", noise=0.02)
    found = front(["relu((r - 1)*A - 0.21*abs(A))", "0.5*(r - 1)*A + 0.02"], samples)
    verdicts = {str(m.formula): m.report.verdict for m in found.members}
    assert "refuted" in verdicts.values() and found.knee is not None and found.knee.proved
    assert all("A" in record["formula"] for record in as_json(found, BOX)["members"])


def test_equal_formulas_are_told_once() -> None:
    samples = samples_of(TRUTHS["spo"])
    found = build(
        {"one": [parse("2*abs(A)*(r - 1)**2")], "two": [parse("2*(abs(A)*(r - 1)*(r - 1))")]},
        samples,
        box=BOX,
    )
    assert len(found.members) == 1
    (told,) = found.duplicates
    assert told["by"] == "proof" and told["of"] == str(found.members[0].formula)


def test_a_proved_formula_is_kept_for_an_equal_one_that_is_not() -> None:
    objective = Objective(samples_of(TRUTHS["spo"]))
    short, long = "2.5*(abs(A)*(r - 1)**2)", "2.5*(abs(A)*(r - 1)**2) + 0"
    proved = decide(Drift.from_text(long))
    undecided = replace(proved, conditions=(Condition("defined", Verdict.UNKNOWN, "none"),))
    pair = [
        Member(parse(text), objective.errors(parse(text)), report, "test")
        for text, report in ((short, undecided), (long, proved))
    ]
    for order in (pair, pair[::-1]):
        members: list[Member] = []
        add(order, members, [], partial(_equal, timeout=10.0))
        assert [m.formula for m in members] == [parse(long)]


def test_an_interrupt_ends_a_step_and_the_rest_goes_on() -> None:
    samples = samples_of(TRUTHS["spo"])
    texts = ["2*abs(A)*(r - 1)**2", "3*(r - 1)**2", "((r - 1)*A)**2"]

    def cut_at(step: str, after: int):
        def tell(what: str, done: int, total: int) -> None:
            if what == step and done == after:
                raise KeyboardInterrupt

        return front(texts, samples, reference=parse(TRUTHS["spo"]), tell=tell)

    whole = front(texts, samples, reference=parse(TRUTHS["spo"]))
    assert not whole.interrupted and len(whole.members) > 1
    for step in ("fitting constants", "simplifying and deciding", "certifying distances"):
        found = cut_at(step, 1)
        assert found.interrupted and found.knee is not None
    known = [m.sup_distance is not None for m in found.members]
    assert known == [True, *[False] * (len(known) - 1)]
    for step in ("fitting constants", "simplifying and deciding"):
        with pytest.raises(KeyboardInterrupt):
            cut_at(step, 0)


def test_what_is_nearly_a_drift_is_repaired_if_that_costs_little() -> None:
    truth = parse("(r - 1)**2*abs(A)")
    off = parse("(r - 1)**2*abs(A) + 0.002*(r - 1) - 0.001")
    assert decide(Drift(formula=off)).verdict == "refuted"
    fixed = next(repaired(off))
    assert decide(Drift(formula=fixed)).verdict == "proved"
    assert Objective(samples_of(str(truth))).errors(fixed).loss < 1e-12


def test_a_jump_beside_r_1_is_no_repair() -> None:
    """What is damped away within 1e-4 of r = 1 fits every sample, and is a cliff for training."""
    objective = Objective(samples_of("0.3 + 0.1*(r - 1)**2"))
    cliff = parse("0.3*((r - 1)**2/((r - 1)**2 + 1e-8)) + 0.1*(r - 1)**2")
    assert decide(Drift(formula=cliff)).verdict == "proved" and objective.errors(cliff).value < 1e-2
    assert not _tame(cliff, objective)
    gentle = parse("abs(r - 1)*((r - 1)**2/((r - 1)**2 + 0.01))")
    assert _tame(gentle, Objective(samples_of("abs(r - 1)")))


def test_formulas_of_other_symbols_are_left_out() -> None:
    found = front(["t*(r - 1)**2", "(r - 1)**2"], samples_of(TRUTHS["kl"]))
    assert all("t" not in m.formula.symbols for m in found.members)


def test_progress_is_told() -> None:
    heard: list[str] = []
    front(["(r - 1)**2"], samples_of(TRUTHS["kl"]), reference=parse(TRUTHS["kl"]),
          tell=lambda what, done, total: heard.append(what))  # fmt: skip
    assert list(dict.fromkeys(heard)) == [
        "fitting constants",
        "simplifying and deciding",
        "certifying distances",
    ]


@pytest.mark.parametrize(
    "text",
    ["where(A >= 0, relu(A*(r - 1) + 0.1), 0)", "sqrt(abs(r - 1) + 0.01)", "(r - 1)*A + 0.1"],
)
def test_repairs_are_drifts(text: str) -> None:
    made = list(repaired(parse(text)))
    assert made
    assert all(decide(Drift(formula=candidate)).verdict == "proved" for candidate in made)
