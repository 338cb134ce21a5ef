"""Deliberate faults in prover, checker and falsifier: each is noticed, and none proves a falsehood.

The faults stand in tests/mutation; `pytest tests/verify/test_mutations.py` shows the table.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import pytest
from mutation import certificates, forms, laws, rules, verdicts
from mutation.checker_faults import CHECKER
from mutation.faults import Mutant
from mutation.prover_faults import FALSIFIER, PROVER

MUTANTS = [*PROVER, *FALSIFIER, *CHECKER]
VERDICTS = {"; ".join(formula): formula for formula in verdicts.VERDICTS}
LAWS = {**laws.LAWS, **rules.LAWS, **forms.LAWS, **certificates.LAWS}
SUITE = LAWS | {name: partial(verdicts.verdict, formula, 1.0) for name, formula in VERDICTS.items()}
"""What faults are judged by: each check takes a fraction of a second."""

# False formulas with their truths; without the search for counterexamples only the checker
# stands between a faulty prover and the word "proved".
LIES = {
    ("log(r)**2*A",): "PRPP",
    ("(r-1)**2*where(t < 1, 1, -1)",): "PRPP",
    ("where(A > 0, 1, where(A < 0, 1, -1))*log(r)**2",): "PRPP",
    ("(r-1)**2*(A**2-3*A*r+2*r**2)",): "PRPP",
    ("(r-1)**2*(r*log(r)+1/3)",): "PRPP",
    ("log(r)-(r-1)/2",): "PRPR",
    ("where(A > 3, (A-1)*(A-3)-1, 0)",): "PRRP",
    ("where(r > 1, 1/10, 0)+(r-1)**2",): "PPPR",
    ("(r-1)**2/(A-1)",): "RRPP",
}
SHORT_LIES = [
    ("(r-1)**2*(r*log(r)+1/3)",),
    ("where(A > 3, (A-1)*(A-3)-1, 0)",),
    ("where(r > 1, 1/10, 0)+(r-1)**2",),
]


def notices(check, *arguments) -> bool:
    try:
        check(*arguments)
    except Exception:
        return True
    return False


def test_there_are_many_faults_of_every_layer():
    assert len(MUTANTS) == len({mutant.id for mutant in MUTANTS}) >= 32
    assert min(len(PROVER), len(CHECKER)) >= 32
    assert len(FALSIFIER) >= 8


@pytest.mark.parametrize("name", LAWS)
def test_laws_hold(name):
    LAWS[name]()


@pytest.mark.parametrize("name", VERDICTS)
def test_verdicts_are_right(name):
    verdicts.verdict(VERDICTS[name])


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_fault_is_noticed(mutant: Mutant, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        mutant.apply(patch)
        noticed = notices(SUITE[mutant.caught_by])
    assert noticed, f"'{mutant.caught_by}' does not notice that {mutant.fault}"


def test_most_faults_break_a_law():
    """Verdicts alone would leave a fault's place to be guessed."""
    assert sum(mutant.caught_by in LAWS for mutant in MUTANTS) >= 0.95 * len(MUTANTS)


def stopped_by_replay(monkeypatch: pytest.MonkeyPatch, lies: Iterable[tuple[str, ...]]) -> set[str]:
    """Faults that "prove" a false formula but for the replay; fails if one gets through."""
    stopped = set()
    for mutant in PROVER:
        with monkeypatch.context() as patch:
            mutant.apply(patch)
            for formula in lies:
                try:
                    report = verdicts.blind(formula)
                except Exception:
                    continue
                truth = LIES[formula]
                assert not verdicts.wrong(report, truth), (mutant.id, formula, report.to_json())
                if any(
                    true == "R" and "does not replay" in condition.detail
                    for condition, true in zip(report.conditions, truth, strict=True)
                ):
                    stopped.add(mutant.id)
    return stopped


def test_faulty_provers_prove_nothing_false(monkeypatch: pytest.MonkeyPatch):
    """Whatever is wrong with the prover, the replay stops it; often nothing else would."""
    stopped = stopped_by_replay(monkeypatch, SHORT_LIES)
    assert len(stopped) >= 10, sorted(stopped)


@pytest.mark.slow
def test_faulty_provers_prove_nothing_of_much_that_is_false(monkeypatch: pytest.MonkeyPatch):
    stopped = stopped_by_replay(monkeypatch, LIES)
    assert len(stopped) >= 15, sorted(stopped)


def test_faulty_searches_refute_nothing_true(monkeypatch: pytest.MonkeyPatch):
    for mutant in FALSIFIER:
        with monkeypatch.context() as patch:
            mutant.apply(patch)
            for formula in list(verdicts.VERDICTS)[:4]:
                report = verdicts.decide(formula)
                assert not verdicts.wrong(report, verdicts.VERDICTS[formula]), (mutant.id, formula)
