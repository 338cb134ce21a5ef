"""Bounds that a fact puts on a variable, solved in closed form."""

from __future__ import annotations

from symbolic.expression import Expression, call, number
from verify.algebra.masks import NEGATIVE, POSITIVE
from verify.algebra.polynomials import Quotient, coefficients, used
from verify.algebra.signs import Signs


def lower_bound(signs: Signs, fact: Quotient, mask: int, name: str) -> Expression | None:
    """e, free of `name`, with name >= e, from `fact` having a sign of `mask`; None if not of that form.

    Handles facts linear in the variable, or linear in exp(rate·variable).
    """
    if signs.strict(fact.den) != 1 or (mask & NEGATIVE and mask & POSITIVE):
        return None
    h = fact.num if mask & NEGATIVE == 0 else -fact.num
    moving = [i for i in used(h) if signs.atom_depends(i, name)]
    if len(moving) != 1:
        return None
    index = moving[0]
    atom, parts = signs.atoms[index], coefficients(h, index)
    if set(parts) - {0, 1} or 1 not in parts or signs.strict(parts[1]) != 1:
        return None
    threshold = signs.div(signs.quotient(-parts.get(0, h * 0)), signs.quotient(parts[1]))
    if atom.kind == "variable":
        return signs.tree(threshold)
    inside = atom.inside
    if atom.kind != "exp" or inside is None or signs.infer(threshold) != POSITIVE:
        return None
    domain = signs.domains[name]
    if domain.lower != 0 or not inside.den.is_one() or str(signs.tree(inside)) != name:
        return None
    return call("log", signs.tree(threshold)) / number(atom.rate)
