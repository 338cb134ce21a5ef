"""Decides the conditions of a mirror map φ⁻¹ or of ψ: prove, refute, replay, report.

A derivative > 0 on every piece, and pieces that meet smoothly, prove two conditions at once; the
ends decide the others. What is called proved or refuted has been replayed by the checker.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from flint import ctx

from symbolic.drift import Drift
from symbolic.errors import FormulaError
from verify.case import Case
from verify.certificate import replayed
from verify.clock import OutOfTime, until
from verify.maps.defined import Defined
from verify.maps.ends import integrable, lower_limit
from verify.maps.notes import notes_of
from verify.maps.refute import refute_ends, refute_slopes
from verify.maps.scopes import Node
from verify.maps.slopes import LONG_STEPS, QUICK_STEPS, prove_everywhere, prove_pieces
from verify.report import CONDITIONS, Condition, Report, Verdict, Witness

_PRECISION = 128
_SHARE = 0.85
"""Of the time is for the search; the rest is for the replay of what it found."""
_PROVED = {
    "lower_limit": "the limit as x -> 0+ is -inf: ω = 0, as Theorem 3.1 needs; Definition 2.1 also "
    "allows ω < 0",
    "integrable": "the integral of |φ⁻¹| over (0, 1) is finite",
}
_REFUTED = {
    "continuously_differentiable": "asked is a derivative that is continuous and > 0 everywhere",
    "lower_limit": "the limit as x -> 0+ is {text}, not -inf: Theorem 3.1 needs ω = 0; Definition 2.1 "
    "also allows ω < 0, where φ⁻¹ goes on below x = 0",
    "integrable": "|φ⁻¹| grows too fast towards x = {x}: its integral over (0, 1) is infinite",
}


def decide_map(drift: Drift, *, timeout: float = 10.0) -> Report:
    """Verdict, evidence and certificate for every condition of a mirror map or of ψ.

    As for drifts, `timeout` (seconds) can only turn a decision into `unknown`. Raises FormulaError
    for a range of x, or a parameter's name, that these have no use for.
    """
    check_ranges(drift)
    start = time.monotonic()
    case = Case(drift, start + _SHARE * timeout)
    precision, ctx.prec = ctx.prec, _PRECISION
    try:
        with until(case.deadline):
            run(case)
    except OutOfTime:
        case.timed_out = True
    finally:
        ctx.prec = precision
    shown, refused = replayed(case, start + timeout)
    conditions = tuple(_condition(case, name, refused) for name in CONDITIONS[drift.kind])
    report = Report(
        formula=drift.text,
        kind=drift.kind,
        parameters={name: str(interval) for name, interval in drift.domains.items()},
        conditions=conditions,
        certificate=shown,
    )
    notes: tuple[str, ...] = ()
    if drift.kind == "mirror-map":
        notes = notes_of(drift, report, start + timeout)
    return replace(report, notes=notes, seconds=time.monotonic() - start)


def check_ranges(drift: Drift) -> None:
    """Raise FormulaError where a mirror map has no (0, 1) to live on, or a name is a drift's."""
    where = drift.domain("x")
    for name in ("r", "A"):
        if name in drift.domains:
            raise FormulaError(
                f"'{name}' is a variable of drifts and no parameter of a {drift.kind}",
                remedy="rename it",
                source="parameter",
            )
    if where.value is not None:
        raise FormulaError(
            f"x = {where.value} is one point, where nothing increases",
            remedy='leave it out, or declare "x in (0, inf)"',
            source="parameter",
        )
    if drift.kind == "mirror-map" and (where.lower or (where.upper and where.upper < 1)):
        raise FormulaError(
            f"x in {where} does not hold (0, 1), where a mirror map is asked for its limit and integral",
            remedy='leave it out, or declare "x in (0, inf)"',
            source="parameter",
        )


def run(case: Case) -> None:
    """Decide everything; what is found goes into the case."""
    defined = Defined(case)
    defined.quick(QUICK_STEPS)
    prove_pieces(case, "continuously_differentiable", QUICK_STEPS)
    _prove_ends(case, QUICK_STEPS)
    refute_slopes(case)
    prove_pieces(case, "increasing", QUICK_STEPS)
    refute_ends(case)
    defined.long(LONG_STEPS)
    for name in ("continuously_differentiable", "increasing"):
        prove_pieces(case, name, LONG_STEPS)
    _prove_ends(case, LONG_STEPS)


def _prove_ends(case: Case, steps: int) -> None:
    where = case.drift.domain("x")
    for name, prove in (("lower_limit", lower_limit), ("integrable", integrable)):
        if name in CONDITIONS[case.drift.kind] and case.open(name):
            prove_everywhere(case, name, steps, partial(prove, where=where))


def _condition(case: Case, name: str, refused: Mapping[str, str]) -> Condition:
    if name in refused:
        return Condition(name, Verdict.UNKNOWN, "none", detail=refused[name])
    if name in case.witnesses:
        witness = case.witnesses[name]
        detail = _REFUTED.get(name, "").format(text=witness.text, **_at(witness))
        if name == "lower_limit" and witness.text == "+inf":
            detail = detail.partition(";")[0]  # with ω < 0 neither
        return Condition(name, Verdict.REFUTED, "exact counterexample", witness, detail)
    if name in case.proofs:
        return Condition(
            name, Verdict.PROVED, _method(case.proofs[name]), detail=_PROVED.get(name, "")
        )
    left, reason = case.left.get(name, ("not reached", ""))
    if case.timed_out:
        reason = "time ran out: raise --timeout"
    return Condition(name, Verdict.UNKNOWN, "none", detail=f"{left}; {reason}")


def _at(witness: Witness) -> dict[str, str]:
    return {"x": str(witness.point["x"])}


def _method(proof: dict[str, Any]) -> str:
    if "by" in proof:
        return "from a derivative > 0"
    if "structure" in proof:
        return "by the form of the formula"
    pieces = sum(_count(node) for node in proof["regions"].values())
    return f"proof on {pieces} piece{'s' if pieces != 1 else ''}"


def _count(node: Node) -> int:
    """Pieces of a node, or 1 where it has none."""
    if "pieces" in node:
        return len(node["pieces"])
    inner = [part for key, part in node.items() if key in ("low", "high", ">", "<=", ">=", "<")]
    return sum(map(_count, inner)) if inner else 1
