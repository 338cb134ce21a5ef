"""The regions of a formula: r and A by sign, parameters by their closed ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from symbolic.domains import POSITIVE, Interval
from symbolic.drift import Drift
from symbolic.expression import (
    Expression,
    Symbol,
    call,
    constant_value,
    fold,
    number,
    symbol,
)

S, A = symbol("_s"), symbol("_a")
RATIO = {
    "r<1": call("exp", -S),
    "r=1": number(1),
    "r>1": call("exp", S),
    "r->1-": number(1) - S,
    "r->1+": number(1) + S,
}
_BELOW = Interval(Fraction(0), Fraction(1), True, True)
ADVANTAGE = {"A<0": -A, "A=0": number(0), "A>0": A}


@dataclass(frozen=True)
class Region:
    """One cell of the domain: the formula written in positive variables, and their ranges."""

    key: str
    tree: Expression
    domains: dict[str, Interval]
    ratio: str
    point: dict[str, Fraction]
    """Values of the symbols that the region fixes."""


def regions(drift: Drift, ratios: tuple[str, ...]) -> Iterator[Region]:
    """Every region, in a fixed order; `ratios` are keys of RATIO to use where r occurs."""
    formula = drift.bound_formula()
    names = formula.symbols
    axes: list[list[str]] = []
    if "r" in names:
        axes.append(list(ratios))
    if "A" in names:
        axes.append(list(ADVANTAGE))
    others = sorted(names - {"r", "A"})
    for name in others:
        axes.append([name, *closed_ends(name, drift.domain(name))])
    for choice in product(*axes):
        yield _region(drift, formula, others, choice)


def closed_ends(name: str, domain: Interval) -> list[str]:
    """`name=end` for the ends that belong to an interval."""
    ends = []
    if not domain.lower_open:
        ends.append(f"{name}={domain.lower}")
    if not domain.upper_open:
        ends.append(f"{name}={domain.upper}")
    return ends


def _region(
    drift: Drift, formula: Expression, others: list[str], choice: tuple[str, ...]
) -> Region:
    values: dict[str, Expression] = {}
    domains: dict[str, Interval] = {}
    point: dict[str, Fraction] = {}
    ratio, parts = "", []
    for part in choice:
        if part in RATIO:
            ratio, values["r"] = part, RATIO[part]
            if ratio == "r=1":
                point["r"] = Fraction(1)
                continue
            domains["_s"] = _BELOW if ratio == "r->1-" else POSITIVE
            parts.append(part)
        elif part in ADVANTAGE:
            values["A"] = ADVANTAGE[part]
            parts.append(part)
            if part == "A=0":
                point["A"] = Fraction(0)
            else:
                domains["_a"] = POSITIVE
        elif part in others:
            domain = drift.domain(part)
            domains[part] = Interval(domain.lower, domain.upper, True, True)
        else:
            name, _, text = part.partition("=")
            point[name] = Fraction(text)
            values[name] = number(point[name])
            parts.append(part)
    return Region(",".join(parts), placed(formula, values), domains, ratio, point)


def placed(formula: Expression, values: dict[str, Expression]) -> Expression:
    """The formula with symbols replaced; a power whose exponent becomes an integer stays a power.

    x**p needs x >= 0 (x > 0 for p <= 0) however p is bound. The factor sqrt(x)**0, or log(x)**0,
    which is 1, keeps that demand.
    """

    def visit(node: Expression, args: tuple[Expression, ...]) -> Expression:
        if isinstance(node, Symbol):
            return values.get(node.name, node)
        made = call(node.op, *args) if args else node
        if node.op != "pow" or constant_value(node.args[1]) is not None:
            return made
        bound = constant_value(args[1])
        if bound is None or bound.denominator != 1:
            return made
        return made * call("sqrt" if bound > 0 else "log", args[0]) ** number(0)

    return fold(formula, visit)
