"""Generated formulas: no crash, no wrong verdict, certificates that replay, and few left open.

Truth comes from how a formula was made, and from an oracle that shares nothing with the verifier.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

import pytest
from generators import Generated, random_formula, stream
from judge import judge

from symbolic.drift import Drift
from verify.checker import check_certificate
from verify.decide import decide
from verify.report import Verdict, Witness

QUICK, LONG = 5.0, 20.0
"""Seconds a formula may take in the normal tier and in the slow one."""


@dataclass
class Tally:
    """What a batch of formulas came to."""

    formulas: int = 0
    decided: int = 0
    looked: int = 0
    doubtful: int = 0
    wrong: list[str] = field(default_factory=list)
    unreplayed: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def add(self, made: Generated, timeout: float) -> None:
        drift = made.drift
        report = decide(drift, timeout=timeout)
        self.formulas += 1
        opens = [c for c in report.conditions if c.verdict is Verdict.UNKNOWN]
        self.decided += not opens
        self.open += [made.formula] * bool(opens)
        self.unreplayed += [f"{made}: {c.detail}" for c in opens if "this is a bug" in c.detail]
        for condition in report.conditions:
            truth = made.truth.get(condition.id)
            if truth is not None and condition.verdict is (Verdict.PROVED, Verdict.REFUTED)[truth]:
                self.wrong.append(f"{made}: {condition.id} is {condition.verdict}")
        found = judge(drift, report, seed=self.formulas)
        self.wrong += [f"{made}: {wrong}" for wrong in found.wrong]
        self.looked += found.looked
        self.doubtful += found.doubtful
        replay = check_certificate(json.loads(json.dumps(report.certificate)))
        claims = {c.id: c.verdict for c in report.conditions if c not in opens}
        shown = {name: text.partition(" ")[0] for name, text in replay.conditions.items()}
        if not replay.ok or shown != claims:
            self.wrong.append(f"{made}: the certificate shows {shown}, {replay.error}")


def tally(formulas: Iterable[Generated], timeout: float = QUICK) -> Tally:
    total = Tally()
    for made in formulas:
        total.add(made, timeout)
    assert total.wrong == []
    return total


def small(seed: int, count: int) -> Iterator[Generated]:
    """Random trees of at most eight nodes, which take some hundredths of a second each."""
    rng = random.Random(f"fuzz/{seed}")
    return (random_formula(rng, 3, 8) for _ in range(count))


def first(family: str, seed: int, count: int) -> Iterator[Generated]:
    return itertools.islice(stream(family, seed), count)


@pytest.mark.parametrize("seed", range(10))
def test_small_random_formulas(seed):
    total = tally(small(seed, 50))
    assert total.formulas == 50
    assert total.decided >= 46, total.open
    assert len(total.unreplayed) <= 2, total.unreplayed
    assert total.doubtful <= 0.1 * total.looked


@pytest.mark.parametrize("seed", range(4))
def test_formulas_as_researchers_write_them(seed):
    total = tally(first("realistic", seed, 25))
    assert total.decided >= 20, total.open
    assert total.unreplayed == []


@pytest.mark.parametrize("seed", range(4))
def test_formulas_within_one_percent_of_their_critical_constant(seed):
    total = tally(first("near-1e-2", seed, 10))
    assert total.decided >= 5, total.open
    assert len(total.unreplayed) <= 2, total.unreplayed


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_ten_thousand_random_formulas(seed):
    total = tally(first("random", seed, 250), LONG)
    assert total.decided >= 0.85 * 250, total.open
    assert len(total.unreplayed) <= 0.02 * 250, total.unreplayed


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
@pytest.mark.parametrize(
    ("family", "share"), [("realistic", 0.9), ("near-1e-2", 0.5), ("near-1e-4", 0.4)]
)
def test_many_formulas_of_known_truth(family, share, seed):
    total = tally(first(family, seed, 50), LONG)
    assert total.decided >= share * 50, total.open


@pytest.mark.parametrize(("formula", "condition"), [
    ("r-1-log(r)", "nonnegative"),
    ("log(r)", "nonnegative"),
    ("(r-1)**2+A", "zero_at_identity"),
    ("abs(r-1)", "flat_at_identity"),
    ("(r-1)**2", "flat_at_identity"),
    ("sqrt(A)", "defined"),
    ("(r-1)**2*A", "defined"),
])  # fmt: skip
def test_the_oracle_notices_a_wrong_verdict(formula, condition):
    drift = Drift.from_text(formula)
    report = decide(drift)
    assert judge(drift, report).wrong == []
    right = report[condition]
    point = {"r": Fraction(1 if "identity" in condition else 2), "A": Fraction(1)}
    wrong = (
        replace(right, verdict=Verdict.PROVED, witness=None)
        if right.verdict is Verdict.REFUTED
        else replace(right, verdict=Verdict.REFUTED, witness=Witness(point, "value", "-1"))
    )
    conditions = tuple(wrong if c is right else c for c in report.conditions)
    assert judge(drift, replace(report, conditions=conditions)).wrong
