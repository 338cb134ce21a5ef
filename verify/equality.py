"""Are two formulas the same function on the whole domain?"""

from __future__ import annotations

import time

from symbolic.drift import Drift
from symbolic.errors import FormulaError
from symbolic.expression import call
from verify.balls.points import certify
from verify.certificate import certificate
from verify.checker import check_certificate
from verify.clock import OutOfTime, until
from verify.falsify import falsify
from verify.proof.cells import Attempt, prove_region
from verify.proof.prove import Budget
from verify.proof.regions import regions
from verify.report import Condition, Verdict, Witness

_STEPS = 2000


def decide_equal(f: Drift, g: Drift, *, timeout: float = 10.0) -> Condition:
    """Whether f and g have the same value everywhere; a witness where they do not.

    A point where only one of them is defined counts as a difference; where neither is,
    they are compared on the rest. Raises FormulaError if the formulas are of different
    kinds or declare a shared parameter differently.
    """
    difference = _difference(f, g)
    deadline = time.monotonic() + timeout
    try:
        with until(deadline):
            # f − g ≠ 0 exactly where −(f − g)² < 0, which the search for counterexamples finds.
            square = Drift(
                formula=-call("square", difference.formula), kind=f.kind, domains=difference.domains
            )
            for deep in (False, True):
                findings = falsify(square, deep=deep, deadline=deadline)
                if findings.nonnegative is not None:
                    witness = _shown(difference, findings.nonnegative)
                    return Condition("equal", Verdict.REFUTED, "exact counterexample", witness)
                if not deep and _proved(square):
                    return Condition(
                        "equal", Verdict.PROVED, "f - g is identically 0 on every region; replayed"
                    )
                if findings.defined is not None:
                    return Condition(
                        "equal", Verdict.UNKNOWN, "none", findings.defined,
                        "one of the formulas is undefined at the witness",
                    )  # fmt: skip
    except OutOfTime:
        return Condition("equal", Verdict.UNKNOWN, "none", detail="time ran out: raise --timeout")
    return Condition(
        "equal", Verdict.UNKNOWN, "none", detail="no rule applies within the step budget"
    )


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


def _proved(square: Drift) -> bool:
    """Whether −(f − g)² >= 0 has a proof that the checker replays."""
    budget = Budget(_STEPS)
    nodes = {}
    for region in regions(square, ("r<1", "r=1", "r>1")):
        node = prove_region(Attempt(region, "nonnegative", budget))
        if node is None:
            return False
        nodes[region.key] = node
    return check_certificate(certificate(square, {
        "nonnegative": {"verdict": "proved", "regions": nodes},
    })).ok  # fmt: skip
