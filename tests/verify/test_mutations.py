"""Deliberate faults in prover, checker and falsifier: each is noticed, and none proves a falsehood.

The faults stand in tests/mutation; `pytest tests/verify/test_mutations.py` shows the table.
"""

from __future__ import annotations

import pytest
from mutation import certificates, laws, rules, verdicts
from mutation.checker_faults import CHECKER
from mutation.faults import Mutant
from mutation.prover_faults import FALSIFIER, PROVER

MUTANTS = [*PROVER, *FALSIFIER, *CHECKER]
OF_PROVER = {**laws.LAWS, **rules.LAWS}
OF_CHECKER = certificates.LAWS
VERDICTS = {"; ".join(formula): formula for formula in verdicts.VERDICTS}

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


@pytest.mark.parametrize("name", [*OF_PROVER, *OF_CHECKER])
def test_laws_hold(name):
    (OF_PROVER | OF_CHECKER)[name]()


@pytest.mark.parametrize("name", VERDICTS)
def test_verdicts_are_right(name):
    verdicts.verdict(VERDICTS[name])


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_fault_is_noticed(mutant: Mutant, monkeypatch: pytest.MonkeyPatch):
    suite = OF_CHECKER if mutant.layer == "checker" else OF_PROVER
    first = [VERDICTS[mutant.caught_by]] if mutant.caught_by else []
    with monkeypatch.context() as patch:
        mutant.apply(patch)
        assert (
            any(notices(verdicts.verdict, formula) for formula in first)
            or any(notices(check) for check in suite.values())
            or any(notices(verdicts.verdict, formula) for formula in VERDICTS.values())
        ), f"nothing notices that {mutant.fault}"


def test_faulty_provers_prove_nothing_false(monkeypatch: pytest.MonkeyPatch):
    """Whatever is wrong with the prover, the replay stops it; often nothing else would."""
    stopped = set()
    for mutant in PROVER:
        with monkeypatch.context() as patch:
            mutant.apply(patch)
            for formula, truth in LIES.items():
                try:
                    report = verdicts.blind(formula)
                except Exception:
                    continue
                assert not verdicts.wrong(report, truth), (mutant.id, formula, report.to_json())
                if any(
                    true == "R" and "does not replay" in condition.detail
                    for condition, true in zip(report.conditions, truth, strict=True)
                ):
                    stopped.add(mutant.id)
    assert len(stopped) >= 15, sorted(stopped)


def test_faulty_searches_refute_nothing_true(monkeypatch: pytest.MonkeyPatch):
    for mutant in FALSIFIER:
        with monkeypatch.context() as patch:
            mutant.apply(patch)
            for formula in list(verdicts.VERDICTS)[:8]:
                report = verdicts.decide(formula)
                assert not verdicts.wrong(report, verdicts.VERDICTS[formula]), (mutant.id, formula)
