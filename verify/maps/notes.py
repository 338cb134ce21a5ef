"""What is said of a mirror map beside its verdict: where it lives, and its Bregman divergence."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction

from flint import ctx

from symbolic.domains import Interval
from symbolic.drift import Drift
from verify.case import Case
from verify.certificate import replayed
from verify.clock import OutOfTime, until
from verify.falsify import falsify
from verify.maps.bregman import divergence
from verify.maps.slopes import prove_slopes
from verify.report import Report, Verdict, Witness

_HALF_LINE = Interval(Fraction(0), None, True, True)
_ASKED = ("defined", "increasing", "continuously_differentiable")
_PRECISION = 128
_ALL = "on all x > 0, as Definition 2.1 asks (φ → +inf)"


def notes_of(drift: Drift, report: Report, end: float) -> tuple[str, ...]:
    """Notes on a decided mirror map, found until `end` (of `time.monotonic`)."""
    if any(report[name].verdict is not Verdict.PROVED for name in ("defined", "increasing")):
        return ()
    precision, ctx.prec = ctx.prec, _PRECISION
    try:
        with until((time.monotonic() + 3 * end) / 4):
            lives = _where_it_lives(drift, report, end)
            return (lives, *divergence(drift, report))
    except OutOfTime:
        return ()
    finally:
        ctx.prec = precision


def _where_it_lives(drift: Drift, report: Report, end: float) -> str:
    """Whether the formula gives the φ⁻¹ of Definition 2.1, which lives on all x > 0."""
    here = drift.domain("x")
    inside = "0 < x < 1" if here == Interval(Fraction(0), Fraction(1)) else f"x in {here}"
    left = f"decided for {inside} alone; that φ⁻¹ is defined and climbs {_ALL}, is not shown"
    if here == _HALF_LINE:
        proved = all(report[name].verdict is Verdict.PROVED for name in _ASKED)
        return f"φ⁻¹ is defined and climbs {_ALL}" if proved else left
    case = Case(replace(drift, domains={**drift.domains, "x": _HALF_LINE}), end)
    undefined = falsify(case.drift, deadline=end).defined
    if undefined is not None:
        return f"φ⁻¹ is not defined {_ALL}: it is undefined at {_point(undefined)}"
    prove_slopes(case)
    _, refused = replayed(case, end)
    if all(name in case.proofs and name not in refused for name in _ASKED):
        return f"φ⁻¹ is defined and climbs {_ALL}"
    return left


def _point(witness: Witness) -> str:
    return ", ".join(f"{name} = {at}" for name, at in witness.point.items())
