"""Refutations: a formula at an exact point, and its germ at r = 1 there.

Kinks and the arguments of log and the like are judged at the point itself: by balls of growing
precision, and by exact algebra where a ball cannot tell a number from 0.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from fractions import Fraction

import flint

from symbolic.expression import Expression, integer_exponent, number, postorder, symbol
from verify.checker.algebra import Budget, Range, Unproved
from verify.checker.balls import enclose
from verify.checker.context import Context, Undefined
from verify.checker.germs import S
from verify.checker.proofs import as_node
from verify.checker.regions import HALF_LINE, REALS, placed
from verify.checker.resolve import resolve
from verify.checker.series import Germ
from verify.checker.signs import ANY, NEGATIVE, NONNEGATIVE, NONZERO, POSITIVE, ZERO

_RATIONAL = re.compile(r"-?[0-9]{1,4000}(/0*[1-9][0-9]{0,3999})?\Z")
_PRECISIONS = (64, 512, 4096)
LENGTHS = (3, 6, 12, 24)


class Point:
    """One exact point: every formula there is a number."""

    grants = False

    def __init__(self, budget: Budget) -> None:
        self.exact = Context({}, (), budget)
        self._defined: dict[int, Expression] = {}

    def mask(self, tree: Expression, goal: int = 0) -> int:
        """The sign of a number; ANY if it is not told from 0."""
        self.normal(tree)
        for precision in _PRECISIONS:
            self.exact.budget.spend(tree.nodes)
            with flint.ctx.workprec(precision):
                value = enclose(tree, {})
                if value > 0:
                    return POSITIVE
                if value < 0:
                    return NEGATIVE
            if precision == _PRECISIONS[0]:
                try:
                    found = self.exact.mask(tree)
                except Unproved:
                    continue
                if found in (NEGATIVE, ZERO, POSITIVE):
                    return found
        return ANY

    def normal(self, tree: Expression) -> object:
        """Shows that a number is defined. Raises Undefined where it is certainly not."""
        for node in postorder(tree):
            if id(node) not in self._defined:
                for arg, good in _demands(self, node):
                    mask = self.mask(arg)
                    if mask & ~good:
                        kind = Unproved if mask & good else Undefined
                        raise kind(f"an argument of {node.op} is bad")
                self._defined[id(node)] = node
        return None


def _demands(point: Point, node: Expression) -> list[tuple[Expression, int]]:
    """Arguments with the signs that they must have."""
    match node.op:
        case "log":
            return [(node.args[0], POSITIVE)]
        case "sqrt":
            return [(node.args[0], NONNEGATIVE)]
        case "div" | "inv":
            return [(node.args[-1], NONZERO)]
        case "pow":
            n = integer_exponent(node)
            if n is not None:
                return [(node.args[0], NONZERO)] if n < 0 else []
            base, exponent = node.args
            if point.mask(base) == ZERO:
                return [(exponent, POSITIVE)]
            return [(base, POSITIVE)]
    return []


def check_witness(
    tree: Expression, domains: Mapping[str, Range], condition: str, item: object, budget: Budget
) -> None:
    """Insist that a witness refutes the condition. Raises Unproved."""
    witness = as_node(item, "a witness")
    point = coordinates(tree, domains, witness)
    flat = condition == "flat_at_identity"
    if witness.get("evidence") not in (("derivative", "limit") if flat else ("value",)):
        raise Unproved(f"{witness.get('evidence')!r:.40} is no evidence against '{condition}'")
    if condition in ("flat_at_identity", "zero_at_identity") and point.get("r", 1) != 1:
        raise Unproved("the witness is not at r = 1")
    values = {name: number(value) for name, value in point.items()}
    if flat:
        _not_flat(tree, values, witness.get("side"), budget)
        return
    here = Point(budget)
    try:
        sign = here.mask(resolve(here, placed(tree, values)))
    except Undefined:
        if condition == "defined":
            return
        raise Unproved("the formula is undefined at the witness") from None
    wanted = {"nonnegative": (NEGATIVE,), "zero_at_identity": (NEGATIVE, POSITIVE)}
    if sign not in wanted.get(condition, ()):
        raise Unproved(f"the witness does not refute '{condition}'")


def coordinates(
    tree: Expression, domains: Mapping[str, Range], witness: Mapping[str, object],
    free: Collection[str] = (),
) -> dict[str, Fraction]:  # fmt: skip
    """The witness's coordinates, each inside its domain; `free` symbols need none. Raises Unproved."""
    point: dict[str, Fraction] = {}
    ranges = domains if "x" in domains else {"r": HALF_LINE, "A": REALS, **domains}
    for name, text in as_node(witness.get("point"), "a point").items():
        if name not in ranges or not isinstance(text, str) or not _RATIONAL.match(text):
            raise Unproved(f"the witness's {name!r:.40} cannot be read")
        value, where = Fraction(text), ranges[name]
        above = (
            where.lower is None
            or value > where.lower
            or (value == where.lower and not where.lower_open)
        )
        below = (
            where.upper is None
            or value < where.upper
            or (value == where.upper and not where.upper_open)
        )
        if not (above and below):
            raise Unproved(f"the witness's {name} = {value} lies outside its domain")
        point[name] = value
    if missing := tree.symbols - set(point) - set(free):
        raise Unproved(f"the witness gives no value for '{min(missing)}'")
    return point


def _not_flat(
    tree: Expression, values: Mapping[str, Expression], side: object, budget: Budget
) -> None:
    """Insist that f(1 ± s) − f(1) is not o(s)."""
    if side not in ("left", "right"):
        raise Unproved("the side of the derivative is left or right")
    if "r" not in tree.symbols:
        raise Unproved("the formula does not depend on r")
    at_identity = resolve(Point(budget), placed(tree, {**values, "r": number(1)}))
    step = symbol(S) if side == "right" else -symbol(S)
    near = placed(tree, {**values, "r": number(1) + step})
    reason = ""
    for length in LENGTHS:
        germ = Germ(length, budget)
        try:
            order, sign = germ.leading(resolve(germ, near) - at_identity)
        except Undefined:
            raise Unproved("the formula is undefined beside r = 1") from None
        except Unproved as error:
            reason = str(error)
            continue
        if sign == ZERO or order > 1:
            raise Unproved("the formula is flat at the witness")
        return
    raise Unproved(reason)
