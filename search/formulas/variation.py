"""New expressions of the grammar: at random, by mutation, and from two parents."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from search.formulas.grammar import RULES, Node, Sort, canonical

_MANTISSAS = ("1", "1.2", "1.5", "2", "2.5", "3", "4", "5", "6", "8")
CONSTANTS = tuple(
    Fraction(mantissa) * Fraction(10) ** exponent
    for exponent in (-2, -1, 0, 1)
    for mantissa in _MANTISSAS
)
"""Constants that people write, in steps of about a quarter."""
_FIRST = (Fraction("0.1"), Fraction(5))
"""Bounds of those that are drawn at random."""
_DEEP = 3
_ATTEMPTS = 50


def random_expression(random: np.random.Generator, sort: Sort = "drift", depth: int = 0) -> Node:
    """One of a sort; the deeper, the likelier it ends."""
    rules = [name for name, rule in RULES.items() if rule.sort == sort]
    closing = [name for name in rules if sort not in RULES[name].children]
    if depth >= _DEEP or random.random() < 0.25 * depth:
        rules = closing
    name = str(random.choice(rules))
    rule = RULES[name]
    children = tuple(random_expression(random, child, depth + 1) for child in rule.children)
    return Node(name, children, _random_constant(random) if rule.has_constant else None)


def mutated(random: np.random.Generator, parent: Node) -> Node:
    """A copy with one place changed: its constant, its rule, or all below it."""
    places = list(parent.places())
    constants = [(way, node) for way, node in places if node.constant is not None]
    if constants and random.random() < 0.4:
        way, node = constants[random.integers(len(constants))]
        return parent.replaced(way, Node(node.rule, node.children, _near(random, node.constant)))
    way, node = places[random.integers(len(places))]
    alike = [
        name
        for name, rule in RULES.items()
        if name != node.rule
        and (rule.sort, rule.children) == (node.sort, RULES[node.rule].children)
    ]
    if alike and random.random() < 0.5:
        name = str(random.choice(alike))
        constant = (node.constant or _random_constant(random)) if RULES[name].has_constant else None
        return parent.replaced(way, Node(name, node.children, constant))
    return parent.replaced(way, random_expression(random, node.sort, len(way)))


def crossed(random: np.random.Generator, one: Node, other: Node) -> Node:
    """`one` with a part of `other` in the place of a part of the same sort."""
    places = list(one.places())
    way, node = places[random.integers(len(places))]
    parts = [part for _, part in other.places() if part.sort == node.sort]
    return one.replaced(way, parts[random.integers(len(parts))]) if parts else one


def offspring(random: np.random.Generator, parents: list[Node], largest: int) -> Node | None:
    """A canonical child of some of the parents, or a newcomer; None where chance finds none.

    `largest` bounds the nodes of its formula.
    """
    for _ in range(_ATTEMPTS):
        if not parents or random.random() < 0.15:
            found = random_expression(random)
        else:
            found = parents[random.integers(len(parents))]
            if random.random() < 0.3:
                found = crossed(random, found, parents[random.integers(len(parents))])
            found = mutated(random, found)
        child = canonical(found)
        if child is not None and child.formula().nodes <= largest:
            return child
    return None


def _random_constant(random: np.random.Generator) -> Fraction:
    usual = [value for value in CONSTANTS if _FIRST[0] <= value <= _FIRST[1]]
    return usual[random.integers(len(usual))]


def _near(random: np.random.Generator, constant: Fraction | None) -> Fraction:
    """A neighbour, one to three steps away; what is no such constant goes to the nearest first."""
    assert constant is not None
    place = min(range(len(CONSTANTS)), key=lambda i: abs(CONSTANTS[i] - constant))
    step = int(random.integers(1, 4)) * (1 if random.random() < 0.5 else -1)
    return CONSTANTS[min(max(place + step, 0), len(CONSTANTS) - 1)]
