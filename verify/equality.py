"""Are two formulas the same function on the whole domain?"""

from __future__ import annotations

import time

from symbolic.drift import Drift
from symbolic.errors import FormulaError
from symbolic.expression import call
from verify.cells import Attempt, prove_region
from verify.clock import OutOfTime, until
from verify.enclosure import certify
from verify.falsify import falsify
from verify.prove import Budget
from verify.regions import regions
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
                if not deep and _proved(difference):
                    return Condition(
                        "equal", Verdict.PROVED, "f - g is identically 0 on every region"
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


def _proved(difference: Drift) -> bool:
    budget = Budget(_STEPS)
    return all(
        prove_region(Attempt(region, "zero", budget)) is not None
        for region in regions(difference, ("r<1", "r=1", "r>1"))
    )
