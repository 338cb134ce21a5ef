"""The regions of a formula's domain, and the cells a certificate cuts each of them into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

from symbolic.expression import (
    Expression,
    Symbol,
    call,
    fold,
    number,
    substitute,
    symbol,
)
from verify.checker.algebra import Budget, Range, Unproved, short
from verify.checker.context import Context, Undefined, zero_at
from verify.checker.germs import Eventual, S
from verify.checker.proofs import (
    RELATIONS,
    as_node,
    cases,
    formula,
    halves,
    prove,
    relation_of,
    variable,
)
from verify.checker.resolve import power, resolve
from verify.checker.signs import NEGATIVE, NONNEGATIVE, POSITIVE, ZERO

HALF_LINE = Range(Fraction(0), None)
REALS = Range(None, None)
RATIO = {
    "r<1": call("exp", -symbol(S)),
    "r=1": number(1),
    "r>1": call("exp", symbol(S)),
    "r->1-": number(1) - symbol(S),
    "r->1+": number(1) + symbol(S),
}
_BELOW = Range(Fraction(0), Fraction(1))
ADVANTAGE = {"A<0": -symbol("_a"), "A=0": number(0), "A>0": symbol("_a")}
SIDES = {
    "defined": ("r<1", "r=1", "r>1"),
    "nonnegative": ("r<1", "r=1", "r>1"),
    "zero_at_identity": ("r=1",),
    "flat_at_identity": ("r->1-", "r->1+"),
}

Choice = tuple[str, dict[str, Expression], dict[str, Range]]
"""What a part of a key stands for: symbols replaced, and the ranges of the variables."""


@dataclass(frozen=True)
class Region:
    """A cell of the domain, with the formula written in variables that range over open intervals."""

    key: str
    tree: Expression
    domains: Mapping[str, Range]


def regions(
    tree: Expression, domains: Mapping[str, Range], condition: str, sides: Sequence[str] = ()
) -> Iterator[Region]:
    """Every region that a proof of `condition` must treat; `sides` of r other than its own."""
    names = tree.symbols
    axes: list[list[Choice]] = []
    if "r" in names:
        axes.append([
            ("" if side == "r=1" else side, {"r": RATIO[side]},
             {} if side == "r=1" else {S: _BELOW if side == "r->1-" else HALF_LINE})
            for side in sides or SIDES[condition]
        ])  # fmt: skip
    if "A" in names:
        axes.append([
            (side, {"A": value}, {} if side == "A=0" else {"_a": HALF_LINE})
            for side, value in ADVANTAGE.items()
        ])  # fmt: skip
    for name in sorted(names - {"r", "A"}):
        where = domains[name]
        axis: list[Choice] = [("", {}, {name: Range(where.lower, where.upper)})]
        for end, is_open in ((where.lower, where.lower_open), (where.upper, where.upper_open)):
            if end is not None and not is_open:
                axis.append((f"{name}={end}", {name: number(end)}, {}))
        axes.append(axis)
    for choice in product(*axes):
        values: dict[str, Expression] = {}
        box: dict[str, Range] = {}
        for _, replaced, ranges in choice:
            values.update(replaced)
            box.update(ranges)
        key = ",".join(part for part, _, _ in choice if part)
        yield Region(key, placed(tree, values), box)


def placed(tree: Expression, values: Mapping[str, Expression]) -> Expression:
    """The formula with symbols replaced; a power whose exponent becomes a constant stays a power."""

    def visit(node: Expression, args: tuple[Expression, ...]) -> Expression:
        if isinstance(node, Symbol):
            return values.get(node.name, node)
        if not args:
            return node
        return power(node, *args) if node.op == "pow" else call(node.op, *args)

    return fold(tree, visit)


def check_region(
    region: Region, condition: str, node: object, budget: Budget, granted: bool
) -> None:
    """Replay a region's proof. `granted`: the formula's own domain is taken for granted.

    Raises Unproved.
    """
    kind = Eventual if condition == "flat_at_identity" else Context
    _cell(kind(region.domains, (), budget), region.tree, condition, node, granted)


def _cell(context: Context, tree: Expression, condition: str, item: object, granted: bool) -> None:
    """Follow a node down to its conclusions."""
    while True:
        node = as_node(item, "a node")
        context.budget.spend(5)
        if granted and "conclude" not in node:
            context = _with_grants(context, tree)
        if "conclude" in node:
            _conclude(context, tree, condition, node["conclude"], granted)
            return
        if "contradiction" in node:
            _contradiction(context, node)
            return
        if "split" in node:
            guard = _side_formula(context, node, "split")
            for relation in cases(node):
                child = context.under(guard, RELATIONS[relation])
                _cell(child, tree, condition, node[relation], granted)
            return
        if "bisect" in node:
            name = _name(context, node, "bisect")
            for part, half in halves(context, name, node):
                _cell(half, tree, condition, node.get(part), granted)
            return
        if "lemma" in node:
            claim, mask = _side_formula(context, node, "lemma"), relation_of(node)
            prove(_still(context), claim, mask, node.get("proof"))
            context = context.under(claim, mask)
        elif "rescale" in node:
            context, tree = _rescale(context, tree, node)
        elif "pin" in node:
            context, tree = _pin(context, tree, node)
        else:
            raise Unproved("a node without a known step")
        item = node.get("then")


def _name(context: Context, node: Mapping[str, Any], key: str) -> str:
    """A variable that a node treats; near r = 1 never the one that tends to 0."""
    name = variable(context, {"in": node[key]})
    if isinstance(context, Eventual) and name == S:
        raise Unproved(f"{S} tends to 0; '{key}' cannot treat it")
    return name


def _side_formula(context: Context, node: Mapping[str, Any], key: str) -> Expression:
    """A formula of the certificate; near r = 1 it must not move with r."""
    found = formula(context, node, key)
    if isinstance(context, Eventual) and S in found.symbols:
        raise Unproved(f"'{key}' depends on {S}, which tends to 0")
    return found


def _still(context: Context) -> Context:
    """Where side formulas are judged: near r = 1 they do not move, so s = 0 does.

    Proofs do not run while s tends to 0: how small s must be may vary along a path.
    """
    return context.limit if isinstance(context, Eventual) else context


def _rescale(
    context: Context, tree: Expression, node: Mapping[str, Any]
) -> tuple[Context, Expression]:
    """v := v·m with m > 0 and v over all positive numbers."""
    name, scale = _name(context, node, "rescale"), _side_formula(context, node, "by")
    if context.domains[name] != HALF_LINE:
        raise Unproved(f"{name} cannot be rescaled")
    if name in scale.symbols:
        raise Unproved(f"the scale of {name} depends on {name}")
    if _still(context).mask(scale, POSITIVE) & ~POSITIVE:
        raise Unproved(f"the scale may not be positive: {short(scale)}")
    values = {name: symbol(name) * scale}
    return context.moved(values, context.domains), substitute(tree, values)


def _pin(context: Context, tree: Expression, node: Mapping[str, Any]) -> tuple[Context, Expression]:
    """v = e, the only zero of a strictly monotone h that the facts make 0."""
    name = _name(context, node, "pin")
    at, relation = _side_formula(context, node, "at"), _side_formula(context, node, "by")
    if name in at.symbols:
        raise Unproved(f"the value of {name} depends on {name}")
    still = _still(context)
    if still.mask(relation) & ~ZERO:
        raise Unproved(f"not shown to be 0: {short(relation)}")
    anywhere = still.without(name)
    relation = anywhere.simplified(relation)
    if anywhere.mask(anywhere.slope(relation, name)) not in (0, POSITIVE, NEGATIVE):
        raise Unproved(f"not strictly monotone in {name}: {short(relation)}")
    where = context.domains[name]
    for end, sign in ((where.lower, 1), (where.upper, -1)):
        if end is not None:
            inside = (at - number(end)) * number(sign)
            if still.mask(inside, NONNEGATIVE) & NEGATIVE:
                raise Unproved(f"{short(at)} may lie outside the range of {name}")
    if not still.vanishes(substitute(relation, {name: at})):
        raise Unproved(f"{short(at)} is no zero of {short(relation)}")
    domains = {other: box for other, box in context.domains.items() if other != name}
    values = {name: at}
    return context.moved(values, domains), placed(tree, values)


def _contradiction(context: Context, node: Mapping[str, Any]) -> None:
    """The other facts give a formula a sign that a fact excludes: the cell is empty."""
    claim, mask = _side_formula(context, node, "contradiction"), relation_of(node)
    still = _still(context)
    still.normal(claim)
    for position, (tree, excluded) in enumerate(still.facts):
        if not mask & excluded and (tree is claim or still.vanishes(tree - claim)):
            others = still.facts[:position] + still.facts[position + 1 :]
            prove(still.with_facts(others), claim, mask, node.get("proof"))
            return
    raise Unproved(f"no fact contradicts this: {short(claim)}")


def _conclude(
    context: Context, tree: Expression, condition: str, proof: object, granted: bool
) -> None:
    node = as_node(proof, "a conclusion")
    if granted and node.get("rule") == "undefined":
        if _is_empty(_still(context)) or _is_empty(context):
            return  # what was granted leaves no point
    try:
        context, smooth = _resolved(context, tree, granted)
        if isinstance(context, Eventual):
            context.limit, at_identity = _resolved(context.limit, zero_at(tree, S), granted)
    except Undefined:
        if granted:
            return  # nothing is claimed where the formula is undefined
        raise
    if condition == "nonnegative":
        prove(context, smooth, NONNEGATIVE, node)
    elif condition == "zero_at_identity":
        prove(context, smooth, ZERO, node)
    elif node.get("rule") != {"defined": "defined", "flat_at_identity": "flat"}[condition]:
        raise Unproved(f"the rule {node.get('rule')!r:.40} does not conclude '{condition}'")
    elif isinstance(context, Eventual):
        context.flat(smooth, at_identity)


def _is_empty(context: Context) -> bool:
    """Whether the facts exclude every point: one of them what the others say."""
    for position, (tree, mask) in enumerate(context.facts):
        others = context.facts[:position] + context.facts[position + 1 :]
        with suppress(Unproved):
            if not context.mask(tree) or not context.with_facts(others).mask(tree) & mask:
                return True
    return False


def _resolved(context: Context, tree: Expression, granted: bool) -> tuple[Context, Expression]:
    """The smooth formula, and the context with what was granted to it."""
    if not granted:
        return context, resolve(context, tree)
    generous = context.granting()
    smooth = resolve(generous, tree)
    return generous.with_facts(generous.facts), smooth


def _with_grants(context: Context, tree: Expression) -> Context:
    """The context with what is granted to the parts of the formula that are evaluated on all of it."""
    generous = context.granting()
    with suppress(Unproved):
        resolve(generous, tree)
    return generous.with_facts(generous.facts)
