"""Are two formulas the same function on the whole domain?"""

from __future__ import annotations

import time

from symbolic.drift import Drift
from symbolic.errors import FormulaError
from symbolic.expression import Expression, call, postorder
from verify.balls.points import Kind, certify
from verify.certificate import certificate
from verify.checker import check_certificate
from verify.clock import OutOfTime, until
from verify.falsify import falsify
from verify.proof.cells import Attempt, prove_region
from verify.proof.points import simple
from verify.proof.prove import Budget
from verify.proof.regions import regions
from verify.proof.structure import Structure
from verify.report import Condition, Verdict, Witness

_STEPS = 2000


def decide_equal(f: Drift, g: Drift, *, timeout: float = 10.0) -> Condition:
    """Whether f and g have the same value everywhere; a witness where they do not.

    A point where only one of them is defined is a difference; where neither is, they are compared
    on the rest, if the same partial operations make both undefined there. Raises FormulaError if
    the formulas are of different kinds or declare a shared parameter differently.
    """
    difference = _difference(f, g)
    if f.bound_formula() is g.bound_formula():
        return Condition("equal", Verdict.PROVED, "one formula, written twice")
    try:
        return _decide(f, g, difference, time.monotonic() + timeout)
    except OutOfTime:
        return Condition("equal", Verdict.UNKNOWN, "none", detail="time ran out: raise --timeout")


def _decide(f: Drift, g: Drift, difference: Drift, deadline: float) -> Condition:
    # f − g ≠ 0 exactly where −(f − g)² < 0, which the search for counterexamples finds.
    square = Drift(
        formula=-call("square", difference.formula), kind=f.kind, domains=difference.domains
    )
    demands = _demands(f)
    alike = demands is not None and demands == _demands(g)
    for deep in (False, True):
        with until(deadline):
            findings = falsify(square, deep=deep, deadline=deadline)
            if findings.nonnegative is not None:
                witness = _shown(difference, findings.nonnegative)
                return Condition("equal", Verdict.REFUTED, "exact counterexample", witness)
            if not alike:
                lopsided = _defined_once(f, g, deep, deadline)
                if lopsided is not None:
                    return Condition(
                        "equal", Verdict.REFUTED, "exact counterexample", lopsided,
                        "only one of the formulas is defined there",
                    )  # fmt: skip
            granted = findings.defined is not None
            if not deep and (alike or not granted) and _proved(square, granted, deadline):
                method = "f - g is identically 0 on every region; replayed"
                same = "where they are defined, which is at the same points"
                return Condition("equal", Verdict.PROVED, method, detail=same if granted else "")
    detail = (
        "one of the formulas is undefined at some points; are both at the same?"
        if granted and not alike
        else "no rule applies within the step budget"
    )
    return Condition("equal", Verdict.UNKNOWN, "none", detail=detail)


def _demands(drift: Drift) -> frozenset[Expression] | None:
    """Partial operations that may be undefined: equal sets mean an equal domain.

    None where a branch of `where` holds such an operation, for it need not be visited.
    """
    formula, structure = drift.bound_formula(), Structure(drift.domain)
    found = {node for node in postorder(formula) if not structure.good(node)}
    branches = [
        arg for node in postorder(formula) if node.op.startswith("where") for arg in node.args[2:]
    ]
    hidden = bool(branches) and any(node in found for node in postorder(*branches))
    return None if hidden else frozenset(_demand(node) for node in found)


def _demand(node: Expression) -> Expression:
    """The operation without what does not matter for where it is defined."""
    return call("inv", node.args[1]) if node.op == "div" else node


def _defined_once(f: Drift, g: Drift, deep: bool, deadline: float) -> Witness | None:
    """A point where one formula is certainly undefined and the other certainly defined."""
    for one, other in ((f, g), (g, f)):
        found = falsify(one, deep=deep, deadline=deadline).defined
        if found is None:
            continue
        names = one.bound_formula().symbols | other.bound_formula().symbols
        point = {name: found.point.get(name, next(simple(other.domain(name)))) for name in names}
        if certify(other.bound_formula(), point).kind is Kind.VALUE:
            return Witness({**found.point, **point}, "value", "undefined")
    return None


def _difference(f: Drift, g: Drift) -> Drift:
    if f.kind != g.kind:
        raise FormulaError(
            f"a {f.kind} and a {g.kind} cannot be compared", remedy="compare like with like"
        )
    for name in set(f.domains) & set(g.domains):
        if f.domains[name] != g.domains[name]:
            raise FormulaError(
                f"'{name}' ranges over {f.domains[name]} in one formula and {g.domains[name]} in the other",
                remedy=f'bind or declare it alike: --param "{name} in {f.domains[name]}"',
            )
    return Drift(formula=f.formula - g.formula, kind=f.kind, domains={**f.domains, **g.domains})


def _shown(difference: Drift, witness: Witness) -> Witness:
    """The witness with f − g there."""
    return Witness(witness.point, "value", certify(difference.bound_formula(), witness.point).text)


def _proved(square: Drift, granted: bool, deadline: float) -> bool:
    """Whether −(f − g)² >= 0 has a proof that the checker replays; `granted`: where it is defined."""
    budget = Budget(_STEPS)
    nodes = {}
    for region in regions(square, ("r<1", "r=1", "r>1")):
        node = prove_region(Attempt(region, "nonnegative", budget, granted))
        if node is None:
            return False
        nodes[region.key] = node
    entry = {"verdict": "proved", "regions": nodes} | ({"where_defined": True} if granted else {})
    data = certificate(square, {"nonnegative": entry})
    return check_certificate(data, deadline=deadline).ok
