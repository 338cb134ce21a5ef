"""Formulas with known verdicts, which a faulty prover or search loses or gets wrong."""

from __future__ import annotations

import pytest

from symbolic.drift import Drift
from verify import decide as decider
from verify.algebra.masks import POSITIVE
from verify.falsify import Findings
from verify.proof.scatter import Scatter
from verify.report import CONDITIONS, Report

VERDICTS: dict[tuple[str, ...], str] = {
    # defined, nonnegative, zero_at_identity, flat_at_identity
    ("r-1-log(r)",): "PPPP",
    ("r*log(r)-r+1",): "PPPP",
    ("(r-1)**2/r",): "PPPP",
    ("(sqrt(r)-1)**2",): "PPPP",
    ("relu((r-clip(r,1-eps,1+eps))*A)", "eps in (0, 1)"): "PPPP",
    ("relu((r-1)*A-alpha*tanh((r-1)*A/alpha))", "alpha in (0, inf)"): "PPPP",
    ("softplus((r-1)*A)-(r-1)*A/2-log(2)",): "PPPP",
    ("sigmoid(A)*log(r)**2/2",): "PPPP",
    ("(r-1)*log(r)",): "PPPP",
    ("exp(r-1)-r",): "PPPP",
    ("sqrt(1+(r-1)**2)-1",): "PPPP",
    ("abs(A)*sqrt((r-1)**4)",): "PPPP",
    ("where(r > 1, (r-1)**2, 0)",): "PPPP",
    ("where(A >= 0, (r-1)**2*A, log(r)**2*-A)",): "PPPP",
    ("max(r, 1/r) - 1 - log(max(r, 1/r))",): "PPPP",
    ("min((r-1)**2, A**2*(r-1)**2)",): "PPPP",
    ("(r-1)**2*(A**2-A*r+r**2)",): "PPPP",
    ("(r-1)**2*(r*log(r)+2/5)",): "PPPP",
    ("(r-1)**2*(r**2-2)**2",): "PPPP",
    ("(r-1)**2*(r**4-3*r**2+r+3)",): "PPPP",
    ("(r-1)**2*(exp(A)-exp(1)*A)",): "PPPP",
    ("(r-1)**2*(t**2-t+1)",): "PPPP",
    ("(r-1)**2*(3-t)/(2-t)",): "PPPP",
    ("r**alpha-alpha*r+alpha-1", "alpha in (1, inf)"): "PPPP",
    ("(r-1)**2*log(2+r)",): "PPPP",
    ("where(A > r, (A-r)*(r-1)**2, 0)",): "PPPP",
    ("where(A > 1, log(A), 0)*(r-1)**2",): "PPPP",
    ("(r-1)**2*k**2", "k in (-1, 1)"): "PPPP",
    ("r-log(r)",): "PPRP",
    ("-log(r)",): "PRPR",
    ("abs(r-1)",): "PPPR",
    ("sqrt((r-1)**2)",): "PPPR",
    ("abs(A)*sqrt(r-1-log(r))",): "PPPR",
    ("sign(r-1)**2",): "PPPR",
    ("relu((r-1)*A)",): "PPPR",
    ("where(r >= 1, (r-1)**2+1/10, (r-1)**2)",): "PPRR",
    ("where(r <= 1, (r-1)**2, (r-1)**2+1/10)",): "PPPR",
    ("(r-1)**2*(80-log(1+(r-1)**2))",): "PRPP",
    ("(r-1)**2*((r-3)**2-1e-12)",): "PRPP",
    ("(t-1/2)*(r-1)**2",): "PRPP",
    ("relu((r-clip(r,1-eps,1+eps))*A)", "eps in [0, 1/2)"): "PPPR",
    ("abs(r-1)*(1-t)",): "PPPR",
    ("abs(r-1)*relu(A-2)",): "PPPR",
    ("abs(r-1)*relu(-2-A)",): "PPPR",
    ("0*log(A)+(r-1)**2",): "RPPP",
    ("(r-1)**2/A",): "RRPP",
    ("(r-1)**2*(1-eps)", "eps in (0, 1)"): "PPPP",
    ("(r-1)**2/(k-1)", "k in (1, 2)"): "PPPP",
}  # fmt: skip


def decide(formula: tuple[str, ...], timeout: float = 5.0) -> Report:
    return decider.decide(Drift.from_text(formula[0], formula[1:]), timeout=timeout)


def letters(report: Report) -> str:
    return "".join(condition.verdict.value[0].upper() for condition in report.conditions)


def verdict(formula: tuple[str, ...], timeout: float = 5.0) -> None:
    found = letters(decide(formula, timeout))
    assert found == VERDICTS[formula], (formula[0], found, VERDICTS[formula])


def wrong(report: Report, truth: str) -> list[str]:
    """Conditions whose verdict is the opposite of the truth ("P" true, "R" false)."""
    return [
        name for name, letter, true in zip(CONDITIONS["drift"], letters(report), truth, strict=True)
        if letter != "U" and letter != true
    ]  # fmt: skip


def blind(formula: tuple[str, ...]) -> Report:
    """The verdict with nothing but proofs, right or wrong: no search, and samples that like all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decider, "falsify", lambda *_, **__: Findings())
        patch.setattr(decider, "_LONG_STEPS", 1)
        patch.setattr(Scatter, "seen", lambda *_: POSITIVE)
        return decide(formula, 2.0)
