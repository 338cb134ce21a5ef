"""Refutations of what is asked of mirror maps: germs at exact points, growth at the ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from symbolic.expression import Expression, call, number, symbol
from verify.checker.algebra import Budget, Range, Unproved
from verify.checker.context import Context, Undefined
from verify.checker.germs import S
from verify.checker.pieces import X, with_lemmas
from verify.checker.proofs import as_node, prove, value
from verify.checker.regions import placed
from verify.checker.resolve import resolve
from verify.checker.series import Germ
from verify.checker.signs import NONNEGATIVE, POSITIVE, ZERO, flip
from verify.checker.witness import LENGTHS, Point, check_witness, coordinates

_S = symbol(S)
_SIDES = {"left": -1, "right": 1}


def check_potential_witness(
    tree: Expression, ranges: Mapping[str, Range], condition: str, item: object, budget: Budget
) -> None:
    """Insist that a witness refutes the condition. Raises Unproved."""
    if condition == "defined":
        check_witness(tree, ranges, condition, item, budget)
        return
    witness = as_node(item, "a witness")
    if condition in ("lower_limit", "integrable"):
        _at_end(tree, ranges, condition, witness, budget)
        return
    point = coordinates(tree, ranges, witness)
    if X not in point:
        raise Unproved("the witness has no x")
    sign = _SIDES.get(str(witness.get("side")))
    if sign is None or witness.get("evidence") not in ("derivative", "limit"):
        raise Unproved("a derivative or a limit has a side, left or right")
    germs = _Germs(tree, point, ranges[X], budget)
    if condition == "increasing":
        if germs.change(sign)[1] == POSITIVE:  # NEGATIVE falls, ZERO is constant beside the point
            raise Unproved("the formula climbs at the witness")
    elif not germs.rough(sign):
        raise Unproved("the formula has a derivative > 0 at the witness")


class _Germs:
    """f(x ± s) near an exact point, for small s > 0."""

    def __init__(
        self, tree: Expression, point: Mapping[str, Fraction], where: Range, budget: Budget
    ) -> None:
        self.tree = tree
        self.at = point[X]
        self.values = {name: number(at) for name, at in point.items()}
        self.where = where
        self.budget = budget
        self.middle = resolve(Point(budget), placed(tree, self.values))

    def beside(self, germ: Germ, sign: int) -> Expression:
        """The smooth formula on one side of the point, in s."""
        end = self.where.upper if sign > 0 else self.where.lower
        if end is not None and self.at == end:
            raise Unproved("the side of the witness lies outside the range of x")
        step = _S if sign > 0 else -_S
        return resolve(germ, placed(self.tree, {**self.values, X: number(self.at) + step}))

    def change(self, sign: int) -> tuple[Fraction, int]:
        """Order in s and direction, for growing x, of the change on one side; ZERO if there is none."""
        order, found = self._leading(lambda germ: self.beside(germ, sign) - self.middle)
        return order, found if sign > 0 else flip(found)

    def rough(self, sign: int) -> bool:
        """Whether the formula has no derivative > 0 at the point, seen from one side or from both."""
        order, direction = self.change(sign)
        if direction != POSITIVE or order != 1:
            return True
        # A kink: the slopes of the two sides do not cancel.
        order, found = self._leading(
            lambda germ: self.beside(germ, 1) + self.beside(germ, -1) - number(2) * self.middle
        )
        return found != ZERO and order <= 1

    def _leading(self, change: Callable[[Germ], Expression]) -> tuple[Fraction, int]:
        reason = ""
        for length in LENGTHS:
            germ = Germ(length, self.budget)
            try:
                return germ.leading(change(germ))
            except Undefined:
                raise Unproved("the formula is undefined beside the witness") from None
            except Unproved as error:
                reason = str(error)
        raise Unproved(reason)


def _at_end(
    tree: Expression, ranges: Mapping[str, Range], condition: str, witness: Mapping[str, Any],
    budget: Budget,
) -> None:  # fmt: skip
    """Growth as x tends to 0 or 1, at exact values of t and the parameters.

    x, or 1 − x, is e·exp(−s). A formula that stays above a number for all s > 0 does not tend to −∞;
    one with ±f·w >= c·exp(s) for w = 1 or 1 + s is not integrable.
    """
    given = as_node(witness.get("point"), "a point")
    end = {"0": 0, "1": 1}.get(str(given.get(X)))
    if end is None or (end == 1 and condition == "lower_limit"):
        raise Unproved("the witness is at no end of the range of x")
    others = {name: at for name, at in given.items() if name != X}
    point = coordinates(tree, ranges, {**witness, "point": others}, free=(X,))
    growth = as_node(witness.get("growth"), "the growth at an end")
    below, bound = value(growth, "from"), value(growth, "bound")
    upper = ranges[X].upper
    if not 0 < below <= 1 or (upper is not None and below > upper):
        raise Unproved("'from' lies outside the range of x")
    distance = number(below) * call("exp", -_S)
    x = distance if end == 0 else number(1) - distance
    context = with_lemmas(Context({S: Range(Fraction(0), None)}, (), budget), growth, "lemmas")
    values = {name: number(at) for name, at in point.items()}
    claim = resolve(context, placed(tree, {**values, X: x}))
    if condition == "lower_limit":
        claim = claim + number(bound)
    else:
        if bound <= 0 or growth.get("sign") not in ("+", "-"):
            raise Unproved("a bound > 0 and a sign + or - are needed")
        claim = claim if growth["sign"] == "+" else -claim
        claim = claim * (number(1) + _S) if growth.get("weight") == "slow" else claim
        claim = claim - number(bound) * call("exp", _S)
    prove(context, claim, NONNEGATIVE, growth.get("proof"))
