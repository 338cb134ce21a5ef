"""A decision as mathematics: the derivation a referee would do by hand, with SymPy.

It follows appendix D of the Discovered Policy Optimisation paper: the smooth pieces with
their guards, the value and both slopes at r = 1, and why each piece is non-negative. SymPy
explains and contradicts; it never proves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from symbolic.drift import Drift
from verify.explain.crosscheck import GIVES_UP, Clock, OutOfReach, contradictions
from verify.explain.maps import MapDerivation
from verify.explain.pieces import TooManyPieces
from verify.explain.prose import Prose
from verify.explain.sections import MAX_PIECES, Derivation
from verify.report import Condition, Report, Verdict

_SECONDS = 4.0
"""For the points, and again for the derivation."""


@dataclass(frozen=True)
class Explanation:
    """The derivation as text and as LaTeX."""

    text: str
    latex: str
    disagreements: Mapping[str, str]
    """Condition → what SymPy found that excludes the kernel's verdict: a bug in one of them."""


def explain(drift: Drift, report: Report) -> Explanation:
    """The derivation behind a drift's report, and where SymPy contradicts it.

    Takes a few seconds at most; what SymPy does not manage is said in its place. Of a mirror map the
    derivation is that of the certificate, and SymPy has no part in it.
    """
    if drift.kind != "drift":
        prose = Prose()
        MapDerivation(drift, report, prose).write()
        return Explanation(prose.text, prose.latex, {})
    found = contradictions(drift, report, Clock(_SECONDS))
    prose = Prose()
    derivation = Derivation(drift, report, Clock(_SECONDS), prose)
    derivation.opening()
    try:
        derivation.pieces()
        derivation.identity()
        derivation.slopes()
        derivation.signs()
    except TooManyPieces:
        prose.say(f"The formula has more than {MAX_PIECES} smooth pieces on one region; "
                  "they are not written out.")  # fmt: skip
    except OutOfReach as error:
        prose.say(f"The formula is not written out further: {error}.")
    except GIVES_UP as error:
        prose.say(f"SymPy gives up ({type(error).__name__}); the rest is not written out.")
    derivation.closing(found)
    return Explanation(prose.text, prose.latex, found)


def apply_disagreements(report: Report, explanation: Explanation) -> Report:
    """The report with every verdict that SymPy contradicts turned into `unknown`.

    The certificate keeps no claim that is disputed, nor one whose proof rests on it.
    """
    claims = dict(report.certificate.get("conditions", {}))
    disputed = dict(explanation.disagreements)
    resting = {name for name, claim in claims.items() if claim.get("by") in disputed}

    def settle(condition: Condition) -> Condition:
        if condition.id in disputed:
            detail = (
                f"the kernel's verdict was {condition.verdict.value}, but SymPy finds "
                f"{disputed[condition.id]}; this is a bug, please report it"
            )
        elif condition.id in resting:
            by = claims[condition.id]["by"]
            detail = f"its proof is that of {by}, which SymPy contradicts; this is a bug, please report it"
        else:
            return condition
        return replace(
            condition, verdict=Verdict.UNKNOWN, method="none", witness=None, detail=detail
        )

    kept = {name: claim for name, claim in claims.items() if name not in {*disputed, *resting}}
    return replace(
        report,
        conditions=tuple(map(settle, report.conditions)),
        certificate={**report.certificate, "conditions": kept} if claims else report.certificate,
    )
