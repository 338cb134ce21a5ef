"""Are two formulas the same function on the whole domain?"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import count, islice, product

from symbolic.domains import Interval
from symbolic.drift import Drift
from symbolic.errors import FormulaError
from symbolic.expression import Expression, call, number, postorder, substitute, symbol
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
_COMPLETIONS = 100


def decide_equal(f: Drift, g: Drift, *, timeout: float = 10.0) -> Condition:
    """Whether f and g have the same value everywhere; a witness where they do not.

    A point where only one of them is defined is a difference; where neither is, they are compared
    on the rest, if the same partial operations make both undefined there. Raises FormulaError if
    the formulas are of different kinds or declare a shared parameter differently.
    """
    _check_comparable(f, g)
    if f.kind != "drift":
        return _of_maps(f, g, timeout)
    if f.bound_formula() is g.bound_formula():
        return Condition("equal", Verdict.PROVED, "one formula, written twice")
    try:
        return _decide(f, g, _difference(f, g), time.monotonic() + timeout)
    except OutOfTime:
        return Condition("equal", Verdict.UNKNOWN, "none", detail="time ran out: raise --timeout")


def _of_maps(f: Drift, g: Drift, timeout: float) -> Condition:
    """Maps in x as drifts that do not depend on r and A, with x a parameter."""
    name = next(n for i in count() if (n := f"x{i}") not in {*f.domains, *g.domains})

    def as_drift(one: Drift) -> Drift:
        domains = {key: domain for key, domain in one.domains.items() if key != "x"}
        formula = substitute(one.formula, {"x": symbol(name)})
        return Drift(formula=formula, domains={**domains, name: one.domain("x")})

    found = decide_equal(as_drift(f), as_drift(g), timeout=timeout)
    if found.witness is None:
        return found
    point = {"x" if key == name else key: at for key, at in found.witness.point.items()}
    shown = {key: at for key, at in point.items() if key not in ("r", "A")}
    return replace(found, witness=replace(found.witness, point=shown))


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
            found = findings.nonnegative and _shown(f, g, difference, findings.nonnegative)
            if found:
                return Condition(
                    "equal", Verdict.REFUTED, "exact counterexample", found, "the value is f - g"
                )
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
                partial = demands and falsify(f, deadline=deadline).defined is not None
                same = "where they are defined, which is at the same points"
                return Condition(
                    "equal", Verdict.PROVED, method, detail=same if granted or partial else ""
                )
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
        for point in _completions(found.point, one.bound_formula(), f, g):
            if certify(other.bound_formula(), point).kind is Kind.VALUE:
                return Witness(point, "value", "undefined")
    if not deep:
        start = {name: Fraction(1) for name in ("r", "A")} if f.kind == "drift" else {}
        for point in _completions(start, number(0), f, g):
            kinds = [certify(drift.bound_formula(), point).kind for drift in (f, g)]
            if set(kinds) == {Kind.VALUE, Kind.UNDEFINED}:
                return Witness(point, "value", "undefined")
    return None


def _completions(
    point: Mapping[str, Fraction], found_in: Expression, f: Drift, g: Drift
) -> Iterator[dict[str, Fraction]]:
    """A point found in one formula with simple values for what else f and g depend on."""
    symbols = f.bound_formula().symbols | g.bound_formula().symbols
    missing = sorted(symbols - found_in.symbols)
    choices = [_everyday(_domain(f, g, name)) for name in missing]
    for values in islice(product(*choices), _COMPLETIONS):
        yield {**point, **dict(zip(missing, values))}


def _everyday(domain: Interval) -> list[Fraction]:
    """Simple members of an interval, 0 among them: roots and logarithms end there."""
    zero = [Fraction(0)] if Fraction(0) in domain else []
    return [*islice(simple(domain), 2), *zero, *islice(simple(domain), 2, None)]


def _domain(f: Drift, g: Drift, name: str) -> Interval:
    return (f if name in f.formula.symbols else g).domain(name)


def _check_comparable(f: Drift, g: Drift) -> None:
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


def _difference(f: Drift, g: Drift) -> Drift:
    """f − g without the terms that both have, which may be too large for any digit to be left."""
    left, right = Counter(_terms(f.bound_formula())), Counter(_terms(g.bound_formula()))
    formula = f.bound_formula() - g.bound_formula()
    if left & right:
        formula = _sum(left - right) - _sum(right - left)
    return Drift(formula=formula, kind=f.kind, domains={**f.domains, **g.domains})


def _terms(root: Expression) -> Iterator[Expression]:
    """What is added up, each term with its sign."""
    stack = [(root, False)]
    while stack:
        node, negative = stack.pop()
        if node.op in ("add", "sub"):
            stack.append((node.args[1], negative != (node.op == "sub")))
            stack.append((node.args[0], negative))
        elif node.op == "neg":
            stack.append((node.args[0], not negative))
        else:
            yield -node if negative else node


def _sum(terms: Counter[Expression]) -> Expression:
    total = None
    for term in terms.elements():
        total = term if total is None else total + term
    return number(0) if total is None else total


def _shown(f: Drift, g: Drift, difference: Drift, witness: Witness) -> Witness | None:
    """The witness with f − g there; None unless both are certainly defined."""
    partial = [
        drift.bound_formula()
        for drift in (f, g)
        if not Structure(drift.domain).defined(drift.bound_formula())
    ]
    for point in _completions(witness.point, difference.formula, f, g):
        if all(certify(formula, point).kind is Kind.VALUE for formula in partial):
            return Witness(point, "value", certify(difference.bound_formula(), point).text)
    return None


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
