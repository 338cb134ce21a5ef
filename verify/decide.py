"""Decides the four conditions of a drift: refute, prove, replay, report.

Order: a quick search for counterexamples; the germ at r = 1; proofs region by region; a
deeper search for counterexamples where proofs failed; proofs again with more steps. What
is called proved has been replayed by the checker.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import islice
from types import MappingProxyType
from typing import Any

from flint import ctx

from symbolic.drift import Drift
from symbolic.errors import FormulaError
from symbolic.expression import number, symbol
from verify.algebra.masks import NEGATIVE, POSITIVE
from verify.algebra.polynomials import as_fraction
from verify.checker import UnreadableCertificate, check_certificate
from verify.clock import OutOfTime, until
from verify.falsify import Findings, falsify
from verify.proof.cells import Attempt, Cell, Node, prove_region
from verify.proof.flat import Failure, prove_flat
from verify.proof.points import candidate_points, nonzero_point, simple, value_at
from verify.proof.prove import Budget
from verify.proof.regions import regions
from verify.proof.structure import Structure
from verify.report import CONDITIONS, Condition, Report, Verdict, Witness

CERTIFICATE_SCHEMA = "mirrordrift/certificate/1"
_QUICK_STEPS, _LONG_STEPS = 200, 4000
_PRECISION = 128
_SHARE = 0.85
"""Of the time is for the search; the rest is for the replay of what it found."""
_SMALL_STEP = Fraction(1, 10**12)
_EVERYWHERE = ("r<1", "r=1", "r>1")


@dataclass
class Case:
    """A formula being decided: what is known so far about each condition."""

    drift: Drift
    deadline: float
    proofs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the certificate says of each proved condition besides its verdict."""
    witnesses: dict[str, Witness] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    """What is left to prove, for conditions tried without success."""
    slopes: list[Failure] = field(default_factory=list)
    timed_out: bool = False

    def open(self, condition: str) -> bool:
        return condition not in self.proofs and condition not in self.witnesses


def decide(drift: Drift, *, timeout: float = 10.0) -> Report:
    """Verdict, evidence and certificate for every condition of a drift.

    `timeout` (seconds) can only turn a decision into `unknown`; step budgets decide, so the
    same formula gives the same verdict and witness everywhere. Raises FormulaError for a
    kind of formula that is not decided.
    """
    if drift.kind not in CONDITIONS:
        raise FormulaError(
            f"formulas of kind '{drift.kind}' are not decided yet", remedy="use kind 'drift'"
        )
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
    replayed, refused = _certificate(case)
    conditions = tuple(_condition(case, name, refused) for name in CONDITIONS[drift.kind])
    notes = _notes(case, timeout)
    return Report(
        formula=drift.text,
        kind=drift.kind,
        parameters={name: str(interval) for name, interval in drift.domains.items()},
        conditions=conditions,
        notes=notes,
        seconds=time.monotonic() - start,
        certificate=replayed,
    )


def _run(case: Case) -> None:
    structure = Structure(case.drift.domain)
    _prove_by_structure(case, structure, steps=0)
    if case.open("nonnegative") or case.open("defined"):
        _note_findings(case, falsify(case.drift, deadline=case.deadline))
        _prove_by_structure(case, structure, _QUICK_STEPS)
    _decide_identity(case)
    _decide_flatness(case)
    _prove_everywhere(case, _QUICK_STEPS)
    if case.open("nonnegative") or case.open("defined"):
        _note_findings(case, falsify(case.drift, deep=True, deadline=case.deadline))
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
            case.left[name] = f"region {region.key or 'everywhere'}"
            if goal == "zero" and name not in case.witnesses:
                _note_value_at_identity(case, attempt)
            return None
        nodes[region.key] = node
    return nodes


def _decide_identity(case: Case) -> None:
    if case.open("zero_at_identity"):
        granted = "defined" in case.witnesses
        nodes = _all_regions(case, "zero", ("r=1",), _QUICK_STEPS, granted)
        if nodes is not None:
            case.proofs["zero_at_identity"] = {"regions": nodes}


def _note_value_at_identity(case: Case, attempt: Attempt) -> None:
    for cell in attempt.failures:
        found = nonzero_point(cell.prover, cell.value)
        if found is not None:
            point, _, text = found
            case.witnesses["zero_at_identity"] = Witness(_original(cell, point), "value", text)
            return


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
        case.left.setdefault("flat_at_identity", f"region {region.key}")
        for failure in failures:
            witness = _slope_witness(failure)
            if witness is not None:
                case.witnesses.setdefault("flat_at_identity", witness)
                break
    if complete:
        case.proofs["flat_at_identity"] = {"regions": nodes}


def _slope_witness(failure: Failure) -> Witness | None:
    """An exact point where f jumps at r = 1, or where its one-sided slope is not 0."""
    region, prover = failure.cell.region, failure.cell.prover
    right = region.ratio == "r->1+"
    side = "right" if right else "left"
    jumped = None if failure.jump.is_zero else nonzero_point(prover, failure.jump)
    if jumped is not None:
        point, sign, _ = jumped
        rises = (sign == POSITIVE) == right
        return Witness(_original(failure.cell, point), "limit", "+inf" if rises else "-inf", side)
    if failure.slope is None:
        return _infinite_slope(failure, right, side)
    # dr/ds is +1 at r = exp(s), -1 at r = exp(-s).
    k = prover.signs
    slope = failure.slope if right else k.sub(k.rational(0), failure.slope)
    found = nonzero_point(prover, slope)
    if found is None:
        return None
    point, _, text = found
    return Witness(_original(failure.cell, point), "derivative", text, side)


def _infinite_slope(failure: Failure, right: bool, side: str) -> Witness | None:
    """The slope is infinite in the whole cell; its sign is that of a small step."""
    prover = failure.cell.prover
    for point in islice(candidate_points(prover, failure.change), 20):
        sign, _ = value_at(prover.signs, failure.change, {**point, "_s": _SMALL_STEP})
        if sign in (POSITIVE, NEGATIVE):
            rises = (sign == POSITIVE) == right
            return Witness(
                _original(failure.cell, point), "derivative", "+inf" if rises else "-inf", side
            )
    return None


def _original(cell: Cell, point: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """A point of a cell at r = 1 in the formula's own variables; r and A always present."""
    region, point = cell.region, {**point, **cell.pins}
    out = {"r": Fraction(1), "A": Fraction(1)} | region.point
    for name, value in point.items():
        if name == "_a":
            out["A"] = -value if "A<0" in region.key.split(",") else value
        elif name != "_s":
            out[name] = value
    if "_a" in region.domains and "_a" not in point and "A<0" in region.key.split(","):
        out["A"] = Fraction(-1)
    for name, domain in region.domains.items():
        if name not in ("_a", "_s") and name not in out:
            out[name] = next(simple(domain))
    return out


def certificate(drift: Drift, conditions: dict[str, Any]) -> dict[str, Any]:
    """The object that the checker reads."""
    return {
        "schema": CERTIFICATE_SCHEMA,
        "kind": drift.kind,
        "formula": drift.text,
        "domains": {name: str(interval) for name, interval in drift.domains.items()},
        "conditions": conditions,
    }


def _certificate(case: Case) -> tuple[dict[str, Any], dict[str, str]]:
    """The certificate, and for each proof that the checker did not replay, why."""
    entries = {name: _entry(case, name) for name in CONDITIONS[case.drift.kind]}
    whole = certificate(case.drift, {name: entry for name, entry in entries.items() if entry})
    if not _replay_error(whole):
        return whole, {}
    refused: dict[str, str] = {}
    whole["conditions"] = {}
    # What `defined` rests on comes before it, and else what rests on it after.
    by = case.proofs.get("defined", {}).get("by")
    for name in sorted(entries, key=lambda name: (name == "defined") == bool(by)):
        if name == "defined" and by in refused:
            _prove_defined_alone(case)
        entry = _entry(case, name, refused)
        if entry is None:
            continue
        error = _replay_error({**whole, "conditions": {**whole["conditions"], name: entry}})
        if error:
            refused[name] = error
        else:
            whole["conditions"][name] = entry
    return whole, refused


def _replay_error(data: dict[str, Any]) -> str:
    """Empty if the checker replays the certificate, else what stopped it."""
    try:
        return check_certificate(data).error
    except UnreadableCertificate as error:
        return str(error)


def _prove_defined_alone(case: Case) -> None:
    """`defined` without the proof of `nonnegative`, which did not replay."""
    if case.proofs.get("defined") != {"by": "nonnegative"}:
        return
    del case.proofs["defined"]
    with suppress(OutOfTime), until(case.deadline):
        nodes = _all_regions(case, "defined", _EVERYWHERE, _QUICK_STEPS, False)
        if nodes is not None:
            case.proofs["defined"] = {"regions": nodes}


def _entry(
    case: Case, name: str, refused: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any] | None:
    if name in case.witnesses:
        witness = case.witnesses[name]
        return {"verdict": "refuted", "witness": {
            "point": {k: str(v) for k, v in witness.point.items()},
            "evidence": witness.evidence, "text": witness.text, "side": witness.side,
        }}  # fmt: skip
    if name not in case.proofs:
        return None
    entry: dict[str, Any] = {"verdict": "proved", **case.proofs[name]}
    if _only_where_defined(case, name, refused):
        entry["where_defined"] = True
    return entry


def _only_where_defined(case: Case, name: str, refused: Mapping[str, str]) -> bool:
    """Whether a proof speaks of the points alone where f is defined."""
    if name == "defined" or "structure" not in case.proofs[name]:
        return name != "defined" and "defined" in case.witnesses
    return "defined" not in case.proofs or "defined" in refused


def _condition(case: Case, name: str, refused: Mapping[str, str]) -> Condition:
    if name in refused:
        return Condition(
            name, Verdict.UNKNOWN, "none",
            detail=f"what was found does not replay ({refused[name]}); this is a bug, please report it",
        )  # fmt: skip
    if name in case.witnesses:
        return Condition(name, Verdict.REFUTED, "exact counterexample", case.witnesses[name])
    if name in case.proofs:
        method = _method(case, name)
        granted = _only_where_defined(case, name, refused)
        return Condition(
            name, Verdict.PROVED, method, detail="where f is defined" if granted else ""
        )
    left = case.left.get(name, "not reached")
    reason = (
        "time ran out: raise --timeout"
        if case.timed_out
        else "no rule applies within the step budget"
    )
    return Condition(name, Verdict.UNKNOWN, "none", detail=f"{left}; {reason}")


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


def _notes(case: Case, timeout: float) -> tuple[str, ...]:
    """That f + c(r − 1) is a drift although f is not, which is the same drift under E[r] = 1."""
    c = _tilt(case)
    if c is None:
        return ()
    tilted = case.drift.formula + number(c) * (symbol("r") - number(1))
    domains = case.drift.domains
    inner = Case(Drift(formula=tilted, domains=domains), case.deadline)
    try:
        with until(case.deadline):
            _run(inner)
    except OutOfTime:
        return ()
    _, refused = _certificate(inner)
    if all(name in inner.proofs and name not in refused for name in CONDITIONS["drift"]):
        return (
            f"f + c(r - 1) with c = {c} is proved, and is the same drift: E[r - 1] = 0 under the "
            f"old policy ({inner.drift.text})",
        )
    return ()


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
