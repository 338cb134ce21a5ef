"""A grammar whose every tree is a drift: expressions grow by rules that keep the conditions.

Three sorts of expressions. An *input* is 0 at r = 1 for every A and has slopes there. A *penalty* is
non-negative, and 0 and flat at r = 1: each rule that makes one turns an input x into something of
order x² or higher near 0, or weighs another penalty. A *drift* is a sum of penalties, or one for
A ≥ 0 and one for A < 0. All the same nothing is trained that was not proved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal

from symbolic.errors import ConfigError
from symbolic.expression import Expression, call, fold, number, substitute
from symbolic.parser import parse

Sort = Literal["drift", "penalty", "input"]


@dataclass(frozen=True)
class Rule:
    """How an expression of a sort is made of others."""

    sort: Sort
    children: tuple[Sort, ...]
    template: str
    """The formula, of children x and y and a constant c > 0."""

    @property
    def has_constant(self) -> bool:
        """Whether c occurs."""
        return "c" in self.formula.symbols

    @property
    def formula(self) -> Expression:
        """The template as a tree."""
        return _template(self.template)


RULES: Mapping[str, Rule] = {
    "one": Rule("drift", ("penalty",), "x"),
    "more": Rule("drift", ("penalty", "drift"), "x + y"),
    "by-sign": Rule("drift", ("drift", "drift"), "where(A >= 0, x, y)"),
    "weighed": Rule("penalty", ("penalty",), "c*x"),
    "by-advantage": Rule("penalty", ("penalty",), "abs(A)*x"),
    "square": Rule("penalty", ("input",), "c*x**2"),
    "excess": Rule("penalty", ("input",), "relu(x - c*tanh(x/c))"),
    "hinge": Rule("penalty", ("input",), "relu(x - c)"),
    "beyond": Rule("penalty", ("input",), "relu(abs(x) - c)"),
    "smooth": Rule("penalty", ("input",), "x*tanh(x/c)"),
    "logarithm": Rule("penalty", ("input",), "log(1 + x**2/c)"),
    "saturated": Rule("penalty", ("input",), "x**2/(c + x**2)"),
    "forward": Rule("penalty", (), "c*(r - 1 - log(r))"),
    "backward": Rule("penalty", (), "c*(r*log(r) - r + 1)"),
    "step": Rule("input", (), "r - 1"),
    "log-step": Rule("input", (), "log(r)"),
    "gain": Rule("input", (), "(r - 1)*A"),
    "log-gain": Rule("input", (), "log(r)*A"),
    "rise": Rule("input", ("input",), "relu(x)"),
    "minus": Rule("input", ("input",), "-x"),
}
EVEN = frozenset({"square", "beyond", "smooth", "logarithm", "saturated"})
"""Penalties that are the same of x and of −x."""
ONE_SIDED = frozenset({"excess", "hinge"})
"""Penalties that are the same of x and of relu(x)."""


@dataclass(frozen=True)
class Node:
    """An expression of the grammar."""

    rule: str
    children: tuple[Node, ...] = ()
    constant: Fraction | None = None

    def __post_init__(self) -> None:
        rule = RULES[self.rule]
        if tuple(child.sort for child in self.children) != rule.children:
            raise AssertionError(f"{self.rule} is made of {rule.children}")
        missing = (self.constant is None) is rule.has_constant
        if missing or (self.constant is not None and self.constant <= 0):
            raise AssertionError(f"{self.rule} takes a constant: {rule.has_constant}")

    @property
    def sort(self) -> Sort:
        """Of the whole."""
        return RULES[self.rule].sort

    @property
    def size(self) -> int:
        """Rules used."""
        return 1 + sum(child.size for child in self.children)

    def formula(self) -> Expression:
        """As a formula in r and A."""
        values = dict(zip("xy", (child.formula() for child in self.children)))
        if self.constant is not None:
            values["c"] = number(self.constant)
        return _without_ones(substitute(RULES[self.rule].formula, values))

    def places(self) -> Iterator[tuple[tuple[int, ...], Node]]:
        """Every node with the way to it, the whole first."""
        yield (), self
        for i, child in enumerate(self.children):
            for way, node in child.places():
                yield (i, *way), node

    def replaced(self, way: tuple[int, ...], new: Node) -> Node:
        """With another node at the end of `way`."""
        if not way:
            return new
        children = list(self.children)
        children[way[0]] = children[way[0]].replaced(way[1:], new)
        return Node(self.rule, tuple(children), self.constant)

    def record(self) -> list[Any]:
        """As JSON has it."""
        constant = None if self.constant is None else str(self.constant)
        return [self.rule, constant, *(child.record() for child in self.children)]


def from_record(record: Any) -> Node:
    """What `record` gave; raises ConfigError for anything else."""
    try:
        rule, constant, *children = record
        parts = tuple(from_record(child) for child in children)
        return Node(rule, parts, None if constant is None else Fraction(constant))
    except (AssertionError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ConfigError(f"{record!r:.80} is no expression of the grammar ({error})") from None


def canonical(node: Node) -> Node | None:
    """The one of its equals that stands for them, by exact identities; None where it is 0 for a sign of A.

    Drifts that differ in nothing but the order of a sum, weights that multiply, signs that an even
    penalty does not see, or branches that are alike have the same.
    """
    if node.sort == "drift":
        return _canonical_drift(node)
    return _canonical_penalty(node) if node.sort == "penalty" else _canonical_input(node)


def _canonical_drift(node: Node) -> Node | None:
    if node.rule == "by-sign":
        branches = [canonical(_branch(child, i)) for i, child in enumerate(node.children)]
        if branches[0] == branches[1] or None in branches:
            return branches[0] and branches[1]
        return Node("by-sign", tuple(branch for branch in branches if branch))
    terms: dict[Node, Fraction] = {}
    split: Node | None = None
    rest: Node = node
    while True:
        penalty = canonical(rest.children[0]) if rest.rule != "by-sign" else None
        if penalty is not None:
            weight, bare = _unweighed(penalty)
            terms[bare] = terms.get(bare, Fraction(0)) + weight
        if rest.rule != "more":
            split = canonical(rest) if rest.rule == "by-sign" else None
            break
        rest = rest.children[1]
    ordered = sorted((_weighed(weight, bare) for bare, weight in terms.items()), key=_order)
    whole = split
    for term in reversed(ordered):
        whole = Node("one", (term,)) if whole is None else Node("more", (term, whole))
    return whole


def _branch(node: Node, index: int) -> Node:
    """A branch for one sign of A alone: what it says of the other one never counts."""
    if node.rule == "by-sign":
        return _branch(node.children[index], index)
    if node.rule == "more":
        return Node("more", (node.children[0], _branch(node.children[1], index)))
    return node


def _canonical_penalty(node: Node) -> Node | None:
    if not node.children:
        return node
    child = canonical(node.children[0])
    if child is None:
        return None
    if node.rule == "weighed":
        assert node.constant is not None
        weight, bare = _unweighed(child)
        return _weighed(weight * node.constant, bare)
    if node.rule == "by-advantage":
        weight, bare = _unweighed(child)
        return _weighed(weight, Node("by-advantage", (bare,)))
    if node.rule in EVEN and child.rule == "minus":
        child = child.children[0]
    if node.rule in ONE_SIDED and child.rule == "minus" and child.children[0].rule == "rise":
        return None
    if node.rule in ONE_SIDED and child.rule == "rise":
        child = child.children[0]
    return Node(node.rule, (child,), node.constant)


def _canonical_input(node: Node) -> Node | None:
    if not node.children:
        return node
    child = canonical(node.children[0])
    if child is None:
        return None
    if node.rule == child.rule:
        return child.children[0] if node.rule == "minus" else child
    if node.rule == "rise" and child.rule == "minus" and child.children[0].rule == "rise":
        return None  # relu(-relu(x))
    return Node(node.rule, (child,))


_LINEAR = frozenset({"square", "forward", "backward"})
"""Penalties whose constant is a weight."""


def _unweighed(penalty: Node) -> tuple[Fraction, Node]:
    """Its weight, and it without."""
    if penalty.rule == "weighed":
        assert penalty.constant is not None
        return penalty.constant, penalty.children[0]
    if penalty.rule in _LINEAR:
        assert penalty.constant is not None
        return penalty.constant, Node(penalty.rule, penalty.children, Fraction(1))
    if penalty.rule == "by-advantage":
        weight, bare = _unweighed(penalty.children[0])
        return weight, Node("by-advantage", (bare,))
    return Fraction(1), penalty


def _weighed(weight: Fraction, bare: Node) -> Node:
    if bare.rule in _LINEAR:
        return Node(bare.rule, bare.children, weight)
    return bare if weight == 1 else Node("weighed", (bare,), weight)


def _order(node: Node) -> tuple[int, str]:
    return node.size, str(node.formula())


def _without_ones(root: Expression) -> Expression:
    """1*x and x/1 as x."""
    one = number(1)

    def visit(node: Expression, args: tuple[Expression, ...]) -> Expression:
        if node.op == "mul" and args[0] is one:
            return args[1]
        if node.op == "div" and args[1] is one:
            return args[0]
        return call(node.op, *args) if args else node

    return fold(root, visit)


@lru_cache(maxsize=64)
def _template(text: str) -> Expression:
    return parse(text, names=("r", "A", "x", "y", "c"))
