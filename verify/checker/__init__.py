"""The independent checker of certificates: replays proofs and witnesses, searches for nothing.

It shares the formula tree, its parser and flint with the prover, and nothing else. What a
certificate may hold stands in docs/certificates.md. An order to read it in: `reading`; formulas as
exact quotients and their signs, `algebra`, `elementary`, `sturm`, `signs`, `context`; kinks,
`resolve`; the rules, `balls`, `proofs`, and for covers `jets`, `taylor`, `growth`, `tails`; the
domain and r -> 1, `germs`, `regions`; what the form alone shows, `structure`; refutations, `series`
and `witness`; mirror maps, `pieces`, `potential`, `potential_witness`; networks, `network`,
`network_features`, `network_jets`, `mirror_network`, which share no step with the rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any

from symbolic.errors import FormulaError
from symbolic.expression import Expression
from symbolic.parser import parse
from verify.checker.algebra import Budget, OverBudget, TooLarge, Unproved
from verify.checker.potential import CONDITIONS as POTENTIAL
from verify.checker.potential import Potential
from verify.checker.potential_witness import check_potential_witness
from verify.checker.reading import SCHEMA, Frame, Oversized, UnreadableCertificate, bound_size, read
from verify.checker.regions import HALF_LINE, REALS, check_region, regions
from verify.checker.structure import Form
from verify.checker.witness import check_witness

CONDITIONS = {
    "drift": ("defined", "nonnegative", "zero_at_identity", "flat_at_identity"),
    **POTENTIAL,
}
_STEPS = 3_000_000


@dataclass(frozen=True)
class Replay:
    """What a certificate proves, if it replays: these conditions, of this formula, on these domains."""

    ok: bool
    kind: str
    formula: str
    domains: dict[str, str] = field(default_factory=dict)
    conditions: dict[str, str] = field(default_factory=dict)
    """Condition -> "proved", "proved where defined" or "refuted"; those that replayed."""
    error: str = ""
    """Empty if all replayed, else the first step that did not."""
    out_of_budget: bool = False
    """Whether it is the checker's steps or time that did not suffice."""
    too_large: bool = False
    """Whether a formula grew beyond the checker's limits: bits, terms, atoms."""


def check_certificate(data: object, *, deadline: float = math.inf) -> Replay:
    """Replay every verdict of a certificate, until `deadline` (of `time.monotonic`).

    Raises UnreadableCertificate for data that is no certificate; a step that does not hold, or
    needs more work than the budget, gives a Replay that is not ok.
    """
    bound_size(data)
    if not isinstance(data, dict):
        raise UnreadableCertificate("a certificate is an object")
    if data.get("schema") != SCHEMA:
        raise UnreadableCertificate(f"unknown schema {data.get('schema')!r:.60}; known: {SCHEMA}")
    if data.get("kind") == "network":
        return _network(data)
    if data.get("kind") == "mirror-network":
        return _mirror_network(data)
    frame = read(data)
    budget = Budget(_STEPS, deadline)
    shown: dict[str, str] = {}
    at = ""
    try:
        for name in sorted(frame.conditions, key=lambda name: _turn(frame, name)):
            at = name
            shown[name] = _condition(frame, name, budget, shown)
    except Unproved as error:
        failed = _failed(frame, shown, f"{at}: {error}")
        return replace(failed, too_large=isinstance(error, TooLarge))
    except OverBudget as error:
        return replace(_failed(frame, shown, f"{at}: {error}"), out_of_budget=True)
    except RecursionError:
        return _failed(frame, shown, f"{at}: a proof is nested too deep")
    except (ArithmeticError, ValueError, MemoryError) as error:
        return _failed(frame, shown, f"{at}: {type(error).__name__}: {error}")
    return Replay(True, frame.kind, frame.formula, frame.domains, _ordered(shown))


def _turn(frame: Frame, name: str) -> int:
    """When a condition is replayed: `defined` after what it rests on, before what may rest on it."""
    if name == "increasing":  # which may rest on the derivative
        return 3
    entry = frame.conditions.get("defined")
    derived = isinstance(entry, dict) and "by" in entry
    if name == "defined":
        return 1 if derived else 0
    return 0 if name == "nonnegative" and derived else 2


def _condition(frame: Frame, name: str, budget: Budget, shown: Mapping[str, str]) -> str:
    """The verdict of one condition. Raises Unproved if it does not replay."""
    entry = frame.conditions[name]
    if name not in CONDITIONS[frame.kind] or not isinstance(entry, dict):
        raise Unproved(f"no condition of a {frame.kind}")
    if frame.kind != "drift":
        return _of_potential(frame, name, entry, budget, shown)
    if entry.get("verdict") == "refuted":
        check_witness(frame.tree, frame.ranges, name, entry.get("witness"), budget)
        return "refuted"
    if entry.get("verdict") != "proved":
        raise Unproved(f"unknown verdict {entry.get('verdict')!r:.40}")
    if "by" in entry:
        if (
            name != "defined"
            or entry["by"] != "nonnegative"
            or shown.get("nonnegative") != "proved"
        ):
            raise Unproved(f"does not follow from {entry['by']!r:.40}")
        return "proved"
    granted = entry.get("where_defined", False)
    if not isinstance(granted, bool) or (granted and name == "defined"):
        raise Unproved("'where_defined' has no place here")
    if "structure" in entry:
        _structure(frame, name, entry["structure"], budget, granted)
        if not granted and name != "defined" and not _is_defined(frame, shown):
            raise Unproved(
                "the form shows f >= 0 where f is defined; that it is everywhere is not shown"
            )
        return "proved where defined" if granted else "proved"
    proofs = entry.get("regions")
    if name == "flat_at_identity" and "r" not in frame.tree.symbols:
        if not granted and not _is_defined(frame, shown):
            raise Unproved("a formula without r is flat where it is defined, which is not shown")
        return "proved where defined" if granted else "proved"
    _regions(frame, frame.tree, name, proofs, budget, granted)
    return "proved where defined" if granted else "proved"


def _of_potential(
    frame: Frame, name: str, entry: dict[str, Any], budget: Budget, shown: Mapping[str, str]
) -> str:
    """The verdict of one condition of a mirror map or of ψ. Raises Unproved."""
    if entry.get("verdict") == "refuted":
        check_potential_witness(frame.tree, frame.ranges, name, entry.get("witness"), budget)
        return "refuted"
    if entry.get("verdict") != "proved":
        raise Unproved(f"unknown verdict {entry.get('verdict')!r:.40}")
    formula = Potential(frame.tree, frame.ranges, budget)
    if name == "increasing" and "by" in entry:
        by = entry["by"]
        if by != "continuously_differentiable" or shown.get(by) != "proved":
            raise Unproved(f"does not follow from {by!r:.40}")
    elif name == "defined" and "structure" in entry:
        if not Form(frame.tree, frame.ranges).defined:
            raise Unproved("the form of the formula does not show that it is defined")
    elif name == "defined":
        formula.defined(entry)
    elif name == "lower_limit":
        formula.falls_to_minus_infinity(entry)
    elif name == "integrable":
        formula.integrable(entry)
    else:
        formula.everywhere(entry, smoothly=name == "continuously_differentiable")
    return "proved"


def _regions(
    frame: Frame, tree: Expression, condition: str, proofs: object, budget: Budget, granted: bool
) -> None:
    """Replay the proof of a condition on every region of a formula. Raises Unproved."""
    if not isinstance(proofs, dict):
        raise Unproved("'regions' is missing")
    for region in regions(tree, frame.ranges, condition):
        if region.key not in proofs:
            raise Unproved(f"the region '{region.key}' is missing")
        try:
            check_region(region, condition, proofs[region.key], budget, granted)
        except Unproved as error:
            raise type(error)(f"region '{region.key}': {error}") from None


def _structure(frame: Frame, name: str, parts: object, budget: Budget, granted: bool) -> None:
    """Replay what the form of the formula shows from parts proved >= 0. Raises Unproved."""
    if not isinstance(parts, dict) or (parts and name == "defined"):
        raise Unproved("'structure' gives proofs of parts")
    if name == "defined":
        if not _form(frame).defined:
            raise Unproved("the form of the formula does not show that it is defined")
        return
    if name != "nonnegative":
        raise Unproved("the form of a formula does not show this")
    shown: set[Expression] = set()
    for text, proofs in parts.items():
        try:
            part = parse(text, names=["r", "A", *frame.ranges])
        except FormulaError as error:
            raise Unproved(f"a part cannot be read: {error.message}") from None
        _regions(frame, part, "nonnegative", proofs, budget, granted)
        shown.add(part)
    if not _form(frame, shown).nonnegative:
        raise Unproved("the form of the formula does not show f >= 0 from these parts")


def _form(frame: Frame, shown: Set[Expression] = frozenset()) -> Form:
    return Form(frame.tree, {"r": HALF_LINE, "A": REALS, **frame.ranges}, shown)


def _is_defined(frame: Frame, shown: Mapping[str, str]) -> bool:
    return shown.get("defined") == "proved" or _form(frame).defined


def _network(data: dict[str, Any]) -> Replay:
    from verify.checker.network import check_network_certificate

    # What the certificate calls its formula is text for people: the network is what is checked.
    try:
        shown = check_network_certificate(data)
    except ValueError as error:
        return Replay(False, "network", "", error=str(error))
    return Replay(True, "network", "", conditions=dict(shown))


def _mirror_network(data: dict[str, Any]) -> Replay:
    from verify.checker.mirror_network import check_mirror_network

    try:
        kind, shown = check_mirror_network(data)
    except ValueError as error:
        return Replay(False, "mirror-network", "", error=str(error))
    return Replay(True, kind, "", conditions=shown)


def _failed(frame: Frame, shown: Mapping[str, str], error: str) -> Replay:
    return Replay(False, frame.kind, frame.formula, frame.domains, _ordered(shown), error)


def _ordered(shown: Mapping[str, str]) -> dict[str, str]:
    every = dict.fromkeys(name for names in CONDITIONS.values() for name in names)
    return {name: shown[name] for name in every if name in shown}


__all__ = ["Oversized", "Replay", "UnreadableCertificate", "check_certificate"]
