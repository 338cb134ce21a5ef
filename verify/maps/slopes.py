"""Proofs of the conditions that concern a formula inside its range: defined, increasing, C¹."""

from __future__ import annotations

from collections.abc import Callable

from verify.case import Case
from verify.maps.defined import Defined
from verify.maps.pieces import Goal, cut_up
from verify.maps.scopes import NO_RULE, Node, Scope, follow, scopes
from verify.proof.prove import Budget

QUICK_STEPS, LONG_STEPS = 200, 3000


def prove_slopes(case: Case) -> None:
    """Try all three with few steps."""
    Defined(case).quick(QUICK_STEPS)
    prove_pieces(case, "continuously_differentiable", QUICK_STEPS)


def prove_pieces(case: Case, name: str, steps: int) -> None:
    """Prove `increasing` or `continuously_differentiable`, which shows both, by pieces."""
    if not case.open(name):
        return
    smoothly = name == "continuously_differentiable"
    goal = Goal.SMOOTH if smoothly else Goal.CLIMBS
    where = case.drift.domain("x")

    def visit(scope: Scope) -> Node | None:
        found = cut_up(scope, where, goal)
        return found and found[0]

    prove_everywhere(case, name, steps, visit)
    if smoothly and name in case.proofs and case.open("increasing"):
        case.proofs["increasing"] = {"by": name}


def prove_everywhere(
    case: Case, name: str, steps: int, visit: Callable[[Scope], Node | None]
) -> None:
    """Prove a condition by what `visit` finds, at all values of t and the parameters."""
    nodes: dict[str, Node] = {}
    for key, scope in scopes(case.drift, lambda: Budget(steps)):
        node = follow(scope, visit)
        if node is None:
            limit = scope.budget.limit
            reason = f"{limit} is beyond exact algebra" if limit else NO_RULE
            case.left[name] = f"at {key}" if key else "inside the ranges", reason
            return
        nodes[key] = node
    case.proofs[name] = {"regions": nodes}
