"""Witnesses against the conditions of a mirror map; one counts once the checker confirms it."""

from __future__ import annotations

from verify.case import Case
from verify.certificate import stands
from verify.clock import look
from verify.maps.search import choices, rough_places
from verify.maps.witnesses import Found, bounded_below, not_integrable
from verify.report import CONDITIONS

_CONFIRMED = 6
"""Candidates for a witness that the checker is asked about, for one condition."""


def refute_slopes(case: Case) -> None:
    """Points where the derivative is not > 0, or is none."""
    asked = {n: 0 for n in ("increasing", "continuously_differentiable") if case.open(n)}
    if not asked:
        return
    for sides in rough_places(case.drift):
        for name in list(asked):
            found = _against(name, sides)
            if found is None:
                continue
            asked[name] += 1
            if _confirm(case, name, found) or asked[name] >= _CONFIRMED:
                del asked[name]
        if not asked:
            return


def _against(name: str, sides: dict[str, Found]) -> Found | None:
    """The side of a point that speaks against a condition, if one seems to."""
    for found in sides.values():
        witness = found.witness
        falls = witness.text[0] == "-" or witness.text[:2] == "[-" or witness.text == "0"
        infinite = witness.text[-3:] == "inf"
        if falls or (name == "continuously_differentiable" and infinite):
            return found
    told = {found.witness.text for found in sides.values()}
    if name == "continuously_differentiable" and len(told) > 1:
        return sides["right"]
    return None


def refute_ends(case: Case) -> None:
    """Values of t and the parameters for which the limit or the integral is not as wanted."""
    names = [
        name for name in ("lower_limit", "integrable")
        if name in CONDITIONS[case.drift.kind] and case.open(name)
    ]  # fmt: skip
    where = case.drift.domain("x")
    open_one = where.upper == 1 and where.upper_open
    for name in names:
        asked = 0
        for values in choices(case.drift):
            if name == "lower_limit":
                found = bounded_below(case.drift, values)
            else:
                found = not_integrable(case.drift, values, at_zero=True)
                if found is None and open_one:
                    found = not_integrable(case.drift, values, at_zero=False)
            if found is not None:
                asked += 1
                if _confirm(case, name, found) or asked >= _CONFIRMED:
                    break


def _confirm(case: Case, name: str, found: Found) -> bool:
    """Keep a witness if the checker confirms it."""
    look()
    case.growth[name] = found.growth
    case.witnesses[name] = found.witness
    if stands(case, name):
        return True
    del case.growth[name], case.witnesses[name]
    return False
