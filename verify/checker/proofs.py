"""The rules of proof: each shows that a smooth formula has one sign at every point of a context.

No rule searches: what it needs to know stands in the certificate.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import flint

from symbolic.errors import FormulaError
from symbolic.expression import Expression, call, constant_value, number, substitute, symbol
from symbolic.parser import parse
from verify.checker.algebra import Range, Unproved, short
from verify.checker.balls import enclosure
from verify.checker.context import Context
from verify.checker.signs import NEGATIVE, NONNEGATIVE, NONPOSITIVE, POSITIVE, ZERO, flip
from verify.checker.taylor import cover

RELATIONS = {">": POSITIVE, ">=": NONNEGATIVE, "<": NEGATIVE, "<=": NONPOSITIVE, "=": ZERO}
_FRESH = re.compile(r"_w[0-9]{1,6}\Z")
_PRECISIONS = (53, 128)
_HALVINGS = 4

Proof = Mapping[str, Any]


def prove(context: Context, claim: Expression, goal: int, proof: object) -> None:
    """Replay a proof that `claim` has a sign within `goal` at every point of the context.

    Raises Unproved.
    """
    node = as_node(proof, "a proof")
    rule = node.get("rule")
    context.budget.spend(5)
    if rule == "infer":
        if context.mask(claim, goal) & ~goal:
            raise Unproved(f"the sign cannot be inferred: {short(claim)}")
        return
    if rule == "zero":
        if not goal & ZERO or not context.vanishes(claim):
            raise Unproved(f"not identically 0: {short(claim)}")
        return
    if goal == ZERO:
        raise Unproved(f"the rule {rule!r:.40} does not show an equality")
    if goal in (NEGATIVE, NONPOSITIVE):
        claim, goal = -claim, flip(goal)
    step = _RULES.get(rule) if isinstance(rule, str) else None
    if step is None:
        raise Unproved(f"unknown rule {rule!r:.40}")
    context.normal(claim)  # the claim speaks of a formula that is defined throughout
    step(context, claim, goal == POSITIVE, node)


def _combine(context: Context, claim: Expression, strict: bool, node: Proof) -> None:
    """claim = sum of c·h with c >= 0 and h >= 0."""
    terms = node.get("terms")
    if not isinstance(terms, list):
        raise Unproved("'combine' needs a list of terms")
    rest, shown_strict = claim, False
    for entry in terms:
        term = as_node(entry, "a term")
        factor, part = formula(context, term, "factor"), formula(context, term, "of")
        relation = relation_of(term)
        if relation not in (POSITIVE, NONNEGATIVE):
            raise Unproved("'combine' adds up formulas that are > 0 or >= 0")
        weight = context.mask(factor)
        if weight & NEGATIVE:
            raise Unproved(f"a factor may be negative: {short(factor)}")
        prove(context, part, relation, term.get("proof"))
        shown_strict |= relation == POSITIVE and not weight & ~POSITIVE
        rest = rest - factor * part
    if not context.vanishes(rest):
        raise Unproved(f"the terms do not add up to {short(claim)}")
    if strict and not shown_strict:
        raise Unproved("no term of 'combine' is > 0")


def _monotone(context: Context, claim: Expression, strict: bool, node: Proof) -> None:
    """From an end of a variable's range along its derivative."""
    name, direction = variable(context, node), node.get("direction")
    if direction not in ("up", "down"):
        raise Unproved("'direction' is up or down")
    up, where = direction == "up", context.domains[name]
    end, end_open = (where.lower, where.lower_open) if up else (where.upper, where.upper_open)
    if end is None:
        raise Unproved(f"the range of {name} has no such end")
    claim = context.simplified(claim)
    beside = context.without(name)
    at_end = substitute(claim, {name: number(end)})
    beside.normal(at_end)  # defined there, so continuous: operations are, on their domains
    path = along(context, beside, name, up)
    slope = as_node(node.get("slope"), "a slope")
    rate, scale = formula(path, slope, "of"), formula(path, slope, "times")
    if path.mask(scale, POSITIVE) & ~POSITIVE:
        raise Unproved(f"the multiplier may not be positive: {short(scale)}")
    if not path.vanishes(path.slope(claim, name) - scale * rate):
        raise Unproved(f"not the derivative by {name}: {short(rate)}")
    wanted = POSITIVE if up else NEGATIVE
    start = node.get("start")
    if not strict:
        prove(beside, at_end, NONNEGATIVE, start)
        prove(path, rate, wanted | ZERO, slope.get("proof"))
        return
    # A start >= 0 followed strictly upwards will do, as will a start > 0.
    if end_open and beside.mask(at_end, POSITIVE) & ~POSITIVE:
        try:
            prove(beside, at_end, NONNEGATIVE, start)
            prove(path, rate, wanted, slope.get("proof"))
            return
        except Unproved:
            pass
    prove(beside, at_end, POSITIVE, start)
    prove(path, rate, wanted | ZERO, slope.get("proof"))


def along(context: Context, beside: Context, name: str, up: bool) -> Context:
    """Facts that hold on the whole way from the end of the range to any point of the context.

    Those without `name` do; one with `name` does if it can only be lost in the direction of
    the way (shown by the facts kept so far).
    """
    path = beside
    waiting = [fact for fact in context.facts if name in fact[0].symbols]
    for _ in range(2):
        again = []
        for tree, mask in waiting:
            good = {POSITIVE: True, NONNEGATIVE: True, NEGATIVE: False, NONPOSITIVE: False}.get(
                mask
            )
            try:
                slope = path.mask(path.slope(tree, name)) if good is not None else 0
                kept = good is not None and not slope & (POSITIVE if good == up else NEGATIVE)
            except Unproved:
                kept = False
            if kept:
                path = path.under(tree, mask)
            else:
                again.append((tree, mask))
        waiting = again
    return path


def _bisect(context: Context, claim: Expression, strict: bool, node: Proof) -> None:
    """Two parts of a variable's range."""
    goal = POSITIVE if strict else NONNEGATIVE
    for part, half in halves(context, variable(context, node), node):
        prove(half, claim, goal, node.get(part))


def halves(
    context: Context, name: str, node: Mapping[str, Any]
) -> tuple[tuple[str, Context], tuple[str, Context]]:
    """The context up to and from a point inside a variable's range."""
    where, at = context.domains[name], value(node, "at")
    if (where.lower is not None and at <= where.lower) or (
        where.upper is not None and at >= where.upper
    ):
        raise Unproved(f"{at} is not inside the range of {name}")
    low = {**context.domains, name: replace(where, upper=at, upper_open=False)}
    high = {**context.domains, name: replace(where, lower=at, lower_open=False)}
    return ("low", context.moved({}, low)), ("high", context.moved({}, high))


def _ball(context: Context, claim: Expression, strict: bool, node: Proof) -> None:
    """An enclosure over the box, or over the halves of it."""
    _enclosed(context, claim, strict, _HALVINGS)


def _enclosed(context: Context, claim: Expression, strict: bool, halvings: int) -> None:
    for tree in dict.fromkeys((claim, context.simplified(claim))):
        for precision in _PRECISIONS:
            with flint.ctx.workprec(precision):
                found = enclosure(context, tree)
                if found.is_finite() and bool(found > 0 if strict else found >= 0):
                    return
    ranges = {name: context.domains[name] for name in sorted(claim.symbols)}
    if not halvings or len(ranges) != 1:
        raise Unproved(f"the enclosure does not show the sign: {short(claim)}")
    # The searcher's normal form may enclose a little more tightly than the one used here.
    (name, where), *_ = ranges.items()
    assert where.lower is not None
    assert where.upper is not None
    for _, half in halves(context, name, {"at": str((where.lower + where.upper) / 2)}):
        _enclosed(half, claim, strict, halvings - 1)


def _cover(context: Context, claim: Expression, strict: bool, node: Proof) -> None:
    """Taylor models on the pieces of a range, an expansion beyond the last cut."""
    cuts = node.get("cuts")
    if not isinstance(cuts, list):
        raise Unproved("'cuts' is missing")
    numbers = [value({"cut": cut}, "cut") for cut in cuts]
    cover(context, claim, strict, variable(context, node), numbers, node)


def _shift(context: Context, claim: Expression, strict: bool, node: Proof) -> None:
    """A variable counted from a lower bound."""
    name, bound = variable(context, node), formula(context, node, "by")
    if name in bound.symbols:
        raise Unproved(f"the bound of {name} depends on {name}")
    context.normal(bound)
    shown = (symbol(name) - bound, call("exp", symbol(name)) - call("exp", bound))
    if all(context.mask(form, NONNEGATIVE) & NEGATIVE for form in shown):
        raise Unproved(f"{name} is not shown to be at least {short(bound)}")
    values = {name: bound + symbol(name)}
    domains = {**context.domains, name: Range(Fraction(0), None, False)}
    goal = POSITIVE if strict else NONNEGATIVE
    prove(context.moved(values, domains), substitute(claim, values), goal, node.get("proof"))


def _abstract(context: Context, claim: Expression, strict: bool, node: Proof) -> None:
    """A positive formula replaced by a fresh variable."""
    name = node.get("as")
    if not isinstance(name, str) or not _FRESH.match(name) or name in context.domains:
        raise Unproved(f"{name!r:.40} is not a fresh name such as '_w1'")
    tree = formula(context, node, "tree")
    if context.mask(tree, POSITIVE) & ~POSITIVE:
        raise Unproved(f"not shown to be positive: {short(tree)}")
    domains = {**context.domains, name: Range(Fraction(0), None)}
    wider = context.moved({}, domains)
    instead = formula(wider, node, "claim")
    if not context.vanishes(substitute(instead, {name: tree}) - claim):
        raise Unproved(f"the claim in {name} is not the claim that it replaces")
    prove(wider, instead, POSITIVE if strict else NONNEGATIVE, node.get("proof"))


def _split(context: Context, claim: Expression, strict: bool, node: Proof) -> None:
    """Two cases by the sign of a formula."""
    guard, goal = formula(context, node, "on"), POSITIVE if strict else NONNEGATIVE
    for relation in cases(node):
        prove(context.under(guard, RELATIONS[relation]), claim, goal, node[relation])


def _lemma(context: Context, claim: Expression, strict: bool, node: Proof) -> None:
    """A fact shown on the way."""
    tree, mask = formula(context, node, "of"), relation_of(node)
    prove(context, tree, mask, node.get("proof"))
    goal = POSITIVE if strict else NONNEGATIVE
    prove(context.under(tree, mask), claim, goal, node.get("then"))


def _restate(context: Context, claim: Expression, strict: bool, node: Proof) -> None:
    """claim = m·h with m > 0."""
    instead, scale = formula(context, node, "claim"), formula(context, node, "times")
    if context.mask(scale, POSITIVE) & ~POSITIVE:
        raise Unproved(f"the multiplier may not be positive: {short(scale)}")
    if not context.vanishes(claim - scale * instead):
        raise Unproved(f"the restated claim differs from {short(claim)}")
    prove(context, instead, POSITIVE if strict else NONNEGATIVE, node.get("proof"))


def _exponentiate(context: Context, claim: Expression, strict: bool, node: Proof) -> None:
    """exp(claim/b) − 1 has the sign of the claim, for a number b > 0."""
    by = value(node, "by")
    if by <= 0:
        raise Unproved("'by' is a positive number")
    instead = call("exp", claim / number(by)) - number(1)
    prove(context, instead, POSITIVE if strict else NONNEGATIVE, node.get("proof"))


_RULES: dict[str, Callable[[Context, Expression, bool, Proof], None]] = {
    "combine": _combine,
    "monotone": _monotone,
    "bisect": _bisect,
    "ball": _ball,
    "cover": _cover,
    "shift": _shift,
    "abstract": _abstract,
    "split": _split,
    "lemma": _lemma,
    "restate": _restate,
    "exponentiate": _exponentiate,
}


# Reading ----------------------------------------------------------------------------------


def as_node(item: object, what: str) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise Unproved(f"{what} is missing or no object")
    return item


def formula(context: Context, node: Mapping[str, Any], key: str) -> Expression:
    """The formula under `key`, in the variables of the context."""
    text = node.get(key)
    if not isinstance(text, str):
        raise Unproved(f"'{key}' is missing")
    try:
        return parse(text, names=context.domains)
    except FormulaError as error:
        raise Unproved(f"'{key}' cannot be read: {error.message}") from None


def value(node: Mapping[str, Any], key: str) -> Fraction:
    """The rational under `key`."""
    text = node.get(key)
    found = None
    if isinstance(text, str):
        try:
            found = constant_value(parse(text, names=()))
        except FormulaError:
            pass
    if found is None:
        raise Unproved(f"'{key}' is no rational number")
    return found


def variable(context: Context, node: Mapping[str, Any]) -> str:
    name = node.get("in")
    if not isinstance(name, str) or name not in context.domains:
        raise Unproved(f"{name!r:.40} is no variable of the context")
    return name


def relation_of(node: Mapping[str, Any]) -> int:
    relation = node.get("relation")
    if not isinstance(relation, str) or relation not in RELATIONS:
        raise Unproved(f"{relation!r:.40} is no relation")
    return RELATIONS[relation]


def cases(node: Mapping[str, Any]) -> tuple[str, str]:
    """The two relations of a split: one and its complement."""
    for pair in ((">", "<="), (">=", "<")):
        if all(relation in node for relation in pair):
            return pair
    raise Unproved("a split needs both cases")


__all__ = ["RELATIONS", "prove"]
