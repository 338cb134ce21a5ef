"""Certificates of what was found, each replayed by the checker before it counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from symbolic.drift import Drift
from verify.case import Case
from verify.checker import Oversized, UnreadableCertificate, check_certificate
from verify.report import CONDITIONS

CERTIFICATE_SCHEMA = "mirrordrift/certificate/1"
_SMALLER = "write the formula with smaller exponents or fewer terms"


def certificate(drift: Drift, conditions: dict[str, Any]) -> dict[str, Any]:
    """The object that the checker reads."""
    return {
        "schema": CERTIFICATE_SCHEMA,
        "kind": drift.kind,
        "formula": drift.text,
        "domains": {name: str(interval) for name, interval in drift.domains.items()},
        "conditions": conditions,
    }


def replayed(
    case: Case, deadline: float, prove_defined_alone: Callable[[Case], None] = lambda case: None
) -> tuple[dict[str, Any], dict[str, str]]:
    """The certificate, and for each proof that the checker did not replay, why."""
    entries = {name: _entry(case, name) for name in CONDITIONS[case.drift.kind]}
    whole = certificate(case.drift, {name: entry for name, entry in entries.items() if entry})
    if not _replay_error(whole, deadline):
        return whole, {}
    refused: dict[str, str] = {}
    whole["conditions"] = {}
    by = case.proofs.get("defined", {}).get("by")
    # What `defined` rests on comes before it, what may rest on it after; `increasing` may rest on
    # the derivative.
    for name in sorted(
        entries, key=lambda name: (name != by, name != "defined", name == "increasing")
    ):
        if name == "defined" and by in refused:
            prove_defined_alone(case)
        elif (on := case.proofs.get(name, {}).get("by")) in refused:
            refused[name] = refused[on]
            continue
        entry = _entry(case, name, refused)
        if entry is None:
            continue
        tried = {**whole, "conditions": {**whole["conditions"], name: entry}}
        error = _replay_error(tried, deadline)
        if error:
            refused[name] = error
        else:
            whole["conditions"][name] = entry
    return whole, refused


def stands(case: Case, name: str) -> bool:
    """Whether the checker confirms what is known of one condition."""
    entry = _entry(case, name)
    return entry is not None and not _replay_error(
        certificate(case.drift, {name: entry}), case.deadline
    )


def _replay_error(data: dict[str, Any], deadline: float) -> str:
    """Empty if the checker replays the certificate, else what stopped it and what that means."""
    try:
        replay = check_certificate(data, deadline=deadline)
    except Oversized as error:
        return f"what was found is too long for a certificate ({error}); {_SMALLER}"
    except UnreadableCertificate as error:
        return f"what was found cannot be read ({error}); this is a bug, please report it"
    if replay.ok:
        return ""
    if replay.out_of_budget:
        return f"what was found is not replayed ({replay.error}); raise --timeout"
    if replay.too_large:
        return f"what was found is beyond the checker's limits ({replay.error}); {_SMALLER}"
    return f"what was found does not replay ({replay.error}); this is a bug, please report it"


def _entry(
    case: Case, name: str, refused: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any] | None:
    if name in case.witnesses:
        witness = case.witnesses[name]
        shown: dict[str, Any] = {
            "point": {k: str(v) for k, v in witness.point.items()},
            "evidence": witness.evidence, "text": witness.text, "side": witness.side,
        }  # fmt: skip
        if case.growth.get(name):
            shown["growth"] = case.growth[name]
        return {"verdict": "refuted", "witness": shown}
    if name not in case.proofs:
        return None
    entry: dict[str, Any] = {"verdict": "proved", **case.proofs[name]}
    if only_where_defined(case, name, refused):
        entry["where_defined"] = True
    return entry


def only_where_defined(case: Case, name: str, refused: Mapping[str, str]) -> bool:
    """Whether a proof speaks of the points alone where f is defined."""
    if name == "defined" or case.drift.kind != "drift":
        return False
    if case.proofs[name].get("regions"):
        return "defined" in case.witnesses  # a proof by regions shows that f is defined there
    return "defined" not in case.proofs or "defined" in refused
