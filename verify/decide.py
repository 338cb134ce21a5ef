"""Decides the four conditions of a drift: refute, prove, replay, report; mirror maps elsewhere.

Order: a quick search for counterexamples; the germ at r = 1; proofs region by region; a
deeper search for counterexamples where proofs failed; proofs again with more steps. What
is called proved has been replayed by the checker.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction

from flint import ctx

from symbolic.drift import Drift
from symbolic.expression import Expression, number, symbol
from verify.algebra.polynomials import as_fraction
from verify.case import Case
from verify.certificate import only_where_defined, replayed
from verify.clock import OutOfTime, until
from verify.falsify import Findings, falsify
from verify.proof.cells import Attempt, Node, prove_region
from verify.proof.flat import prove_flat
from verify.proof.prove import Budget
from verify.proof.regions import Region, regions
from verify.proof.structure import Structure
from verify.proof.witnesses import slope_witness, value_witness
from verify.report import CONDITIONS, Condition, Report, Verdict

_QUICK_STEPS, _LONG_STEPS = 200, 4000
_PRECISION = 128
_SHARE = 0.85
"""Of the time is for the search; the rest is for the replay of what it found."""
_EVERYWHERE = ("r<1", "r=1", "r>1")


def decide(drift: Drift, *, timeout: float = 10.0) -> Report:
    """Verdict, evidence and certificate for every condition of a drift, a mirror map or a ψ.

    `timeout` (seconds) can only turn a decision into `unknown`; step budgets decide, so the
    same formula gives the same verdict and witness everywhere. Raises FormulaError for a
    range of x, or a parameter's name, that a mirror map has no use for.
    """
    if drift.kind != "drift":
        from verify.maps.decide import decide_map

        return decide_map(drift, timeout=timeout)
    start = time.monotonic()
    case = Case(drift, start + _SHARE * timeout)
    precision, ctx.prec = ctx.prec, _PRECISION
    try:
        with until(case.deadline):
            _run(case)
    except OutOfTime:
        case.timed_out = True
    finally:
        ctx.prec = precision
    shown, refused = replayed(case, start + timeout, _prove_defined_alone)
    conditions = tuple(_condition(case, name, refused) for name in CONDITIONS[drift.kind])
    notes = _notes(case, start + timeout)
    return Report(
        formula=drift.text,
        kind=drift.kind,
        parameters={name: str(interval) for name, interval in drift.domains.items()},
        conditions=conditions,
        notes=notes,
        seconds=time.monotonic() - start,
        certificate=shown,
    )


def _run(case: Case) -> None:
    structure = Structure(case.drift.domain)
    _prove_by_structure(case, structure, steps=0)
    if case.open("nonnegative") or case.open("defined"):
        _note_findings(case, falsify(case.drift, deadline=case.deadline))
        _prove_by_structure(case, structure, _QUICK_STEPS)
    _decide_identity(case)
    if case.open("zero_at_identity"):
        _note_findings(case, falsify(case.drift, deadline=case.deadline))
    _decide_flatness(case)
    _prove_everywhere(case, _QUICK_STEPS)
    if case.open("nonnegative") or case.open("defined"):
        findings = falsify(case.drift, deep=True, deadline=case.deadline, suspects=case.suspects)
        _note_findings(case, findings)
        if "defined" in case.witnesses:
            _decide_identity(case)
            _decide_flatness(case)
        _prove_everywhere(case, _LONG_STEPS)


def _note_findings(case: Case, findings: Findings) -> None:
    for condition in ("defined", "nonnegative", "zero_at_identity"):
        witness = getattr(findings, condition)
        if witness is not None and case.open(condition):
            case.witnesses[condition] = witness


def _prove_by_structure(case: Case, structure: Structure, steps: int) -> None:
    """Conditions that the form of the formula shows, with proofs of parts if there are steps."""
    formula = case.drift.bound_formula()
    if case.open("defined") and structure.defined(formula):
        case.proofs["defined"] = {"structure": {}}
    parts = structure.parts(formula)
    if parts is None or not case.open("nonnegative") or (parts and not steps):
        return
    proofs: dict[str, dict[str, Node]] = {}
    for part in parts:
        alone = Case(replace(case.drift, formula=part), case.deadline)
        nodes = _all_regions(alone, "nonnegative", _EVERYWHERE, steps, "defined" in case.witnesses)
        if nodes is None:
            return
        proofs[str(part)] = nodes
    case.proofs["nonnegative"] = {"structure": proofs}


def _prove_everywhere(case: Case, steps: int) -> None:
    """`nonnegative` on every region (which shows `defined` too), or `defined` alone."""
    granted = "defined" in case.witnesses
    if case.open("nonnegative"):
        nodes = _all_regions(case, "nonnegative", _EVERYWHERE, steps, granted)
        if nodes is not None:
            case.proofs["nonnegative"] = {"regions": nodes}
            if not granted and case.open("defined"):
                case.proofs["defined"] = {"by": "nonnegative"}
    if case.open("defined"):
        nodes = _all_regions(case, "defined", _EVERYWHERE, steps, False)
        if nodes is not None:
            case.proofs["defined"] = {"regions": nodes}


def _all_regions(
    case: Case, goal: str, ratios: tuple[str, ...], steps: int, granted: bool
) -> dict[str, Node] | None:
    nodes: dict[str, Node] = {}
    for region in regions(case.drift, ratios):
        attempt = Attempt(region, goal, Budget(steps), granted)
        node = prove_region(attempt)
        if node is None:
            name = "zero_at_identity" if goal == "zero" else goal
            case.left[name] = _left(region, attempt)
            case.suspects += attempt.suspects
            if goal == "zero" and name not in case.witnesses:
                witness = value_witness(attempt)
                if witness is not None:
                    case.witnesses[name] = witness
            return None
        nodes[region.key] = node
    return nodes


def _decide_identity(case: Case) -> None:
    if case.open("zero_at_identity"):
        granted = "defined" in case.witnesses
        nodes = _all_regions(case, "zero", ("r=1",), _QUICK_STEPS, granted)
        if nodes is not None:
            case.proofs["zero_at_identity"] = {"regions": nodes}


def _decide_flatness(case: Case) -> None:
    if not case.open("flat_at_identity"):
        return
    if "r" not in case.drift.formula.symbols:
        case.proofs["flat_at_identity"] = {"regions": {}}
        return
    granted = "defined" in case.witnesses
    nodes: dict[str, Node] = {}
    complete = True
    for region in regions(case.drift, ("r->1-", "r->1+")):
        attempt = Attempt(region, "flat", Budget(_QUICK_STEPS), granted)
        node, failures = prove_flat(attempt)
        case.slopes += failures
        if node is not None:
            nodes[region.key] = node
            continue
        complete = False
        case.left.setdefault("flat_at_identity", _left(region, attempt))
        for failure in failures:
            witness = slope_witness(failure)
            if witness is not None:
                case.witnesses.setdefault("flat_at_identity", witness)
                break
    if complete:
        case.proofs["flat_at_identity"] = {"regions": nodes}


def _prove_defined_alone(case: Case) -> None:
    """`defined` without the proof of `nonnegative`, which did not replay."""
    if case.proofs.get("defined") != {"by": "nonnegative"}:
        return
    del case.proofs["defined"]
    with suppress(OutOfTime), until(case.deadline):
        nodes = _all_regions(case, "defined", _EVERYWHERE, _QUICK_STEPS, False)
        if nodes is not None:
            case.proofs["defined"] = {"regions": nodes}


def _condition(case: Case, name: str, refused: Mapping[str, str]) -> Condition:
    if name in refused:
        return Condition(name, Verdict.UNKNOWN, "none", detail=refused[name])
    if name in case.witnesses:
        return Condition(name, Verdict.REFUTED, "exact counterexample", case.witnesses[name])
    if name in case.proofs:
        method = _method(case, name)
        granted = only_where_defined(case, name, refused)
        return Condition(
            name, Verdict.PROVED, method, detail="where f is defined" if granted else ""
        )
    left, reason = case.left.get(name, ("not reached", ""))
    if case.timed_out:
        reason = "time ran out: raise --timeout"
    return Condition(name, Verdict.UNKNOWN, "none", detail=f"{left}; {reason}")


def _left(region: Region, attempt: Attempt) -> tuple[str, str]:
    """Where a proof is missing, and why."""
    limit = attempt.budget.limit
    reason = (
        f"{limit} is beyond exact algebra: use smaller numbers and powers, or fewer operations"
        if limit
        else "no rule applies within the step budget"
    )
    return f"region {region.key or 'everywhere'}", reason


def _method(case: Case, name: str) -> str:
    proof = case.proofs[name]
    if "by" in proof:
        proof = case.proofs[proof["by"]]
    if "structure" in proof:
        count = len(proof["structure"])
        parts = f", and proof of {count} part{'s' if count != 1 else ''}"
        return "by the form of the formula" + (parts if count else "")
    count = len(proof["regions"])
    if not count:
        return "does not depend on r"
    return f"proof on {count} region{'s' if count != 1 else ''}"


def _notes(case: Case, end: float) -> tuple[str, ...]:
    """That f + c(r − 1) is a drift although f is not, which is the same drift under E[r] = 1."""
    c = _tilt(case)
    if c is None:
        return ()
    tilted = _tilted(case.drift.formula, c)
    domains = case.drift.domains
    inner = Case(Drift(formula=tilted, domains=domains), case.deadline)
    try:
        with until(case.deadline):
            _run(inner)
    except OutOfTime:
        return ()
    _, refused = replayed(inner, end, _prove_defined_alone)
    if all(name in inner.proofs and name not in refused for name in CONDITIONS["drift"]):
        return (
            f"f + c(r - 1) with c = {c} is proved, and is the same drift: E[r - 1] = 0 under the "
            f"old policy ({inner.drift.text})",
        )
    return ()


def _tilted(formula: Expression, c: Fraction) -> Expression:
    """f + c(r − 1), as a hand writes it."""
    step = symbol("r") - number(1)
    step = step if abs(c) == 1 else number(abs(c)) * step
    return formula - step if c < 0 else formula + step


def _tilt(case: Case) -> Fraction | None:
    """−f′(1) when it is one rational number for every A and parameter."""
    if "nonnegative" not in case.witnesses or "flat_at_identity" not in case.witnesses:
        return None
    values: set[Fraction] = set()
    for failure in case.slopes:
        if failure.slope is None or not failure.jump.is_zero or not failure.slope.num.is_constant():
            return None
        slope = failure.slope
        if not slope.den.is_constant():
            return None
        value = as_fraction(slope.num.leading_coefficient()) if not slope.is_zero else Fraction(0)
        values.add(value if failure.cell.region.ratio == "r->1+" else -value)
    return -values.pop() if len(values) == 1 and 0 not in values else None
