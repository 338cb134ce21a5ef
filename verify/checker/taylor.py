"""The rule 'cover': a range cut into pieces, each with a Taylor polynomial and its remainder.

On an inner piece f(m + h) = c_0(m) + … + c_{n−1}(m)·h**(n−1) + c_n(x)·h**n for some x of the piece.
On a piece at an end where f vanishes, the first n coefficients are exactly 0 and c_n(x) has one sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

import flint
from flint import arb, arb_series

from symbolic.expression import Expression, Number, Symbol, fold, integer_exponent
from verify.checker.algebra import UNIT, Unproved
from verify.checker.balls import ball, hull
from verify.checker.context import Context
from verify.checker.jets import expansion
from verify.checker.tails import tail

_MAX_ORDER = 16
_MAX_CUTS = 4000
_PRECISION = 128
_HALVINGS = 6


def cover(
    context: Context, claim: Expression, strict: bool, name: str, cuts: list[Fraction],
    node: Mapping[str, Any],
) -> None:  # fmt: skip
    """Replay a cover of the range of `name`. Raises Unproved."""
    where = context.domains[name]
    points = [end for end in (where.lower, *cuts, where.upper) if end is not None]
    if where.lower is None or len(points) < 2:
        raise Unproved("a cover needs a lower end, and a cut where there is no upper one")
    if len(cuts) > _MAX_CUTS or any(a >= b for a, b in pairwise(points)):
        raise Unproved("the cuts do not grow from one end of the range to the other")
    order, ends = _order(node.get("order")), node.get("ends")
    if not isinstance(ends, list) or len(ends) != 2:
        raise Unproved("'ends' needs two orders")
    pieces = list(pairwise(points))
    forms = list(dict.fromkeys((claim, context.simplified(claim))))
    models = [_Model(context, form, name) for form in forms if _bounded(context, form, name)]
    with flint.ctx.workprec(_PRECISION):
        if where.upper is None:
            if ends[1] != 0:
                raise Unproved("where there is no upper end, nothing vanishes at it")
            tail(context, claim, name, points[-1])
        for end, vanishing, is_open in (
            (where.lower, _order(ends[0]), where.lower_open),
            (points[-1], _order(ends[1]), where.upper_open),
        ):
            if not vanishing:
                continue
            if not pieces or (strict and not is_open):
                raise Unproved(f"the claim is 0 at {name} = {end}")
            piece = pieces.pop(0 if end == where.lower else -1)
            _insist_on_zero(context, claim, name, end, vanishing)
            inwards = 1 if end == where.lower else (-1) ** vanishing
            if not any(model.keeps_sign(piece, vanishing, inwards) for model in models):
                raise Unproved(f"the coefficient of order {vanishing} may change sign near {end}")
        for piece in pieces:
            if not _positive(models, piece, order, _HALVINGS):
                raise Unproved(f"{name} in [{piece[0]}, {piece[1]}]: f > 0 is not shown")


def _bounded(context: Context, form: Expression, name: str) -> bool:
    """Whether all variables but `name` have bounded ranges."""
    ranges = [context.domains[other] for other in form.symbols - {name}]
    return all(where.lower is not None and where.upper is not None for where in ranges)


def _order(item: object) -> int:
    if not isinstance(item, int) or isinstance(item, bool) or not 0 <= item <= _MAX_ORDER:
        raise Unproved(f"an order is an integer from 0 to {_MAX_ORDER}")
    return item


def _insist_on_zero(
    context: Context, claim: Expression, name: str, end: Fraction, order: int
) -> None:
    """The first `order` Taylor coefficients of the normal form are 0 at the end, exactly."""

    def vanishes() -> bool:
        value = context.normal(claim)
        bottom = expansion(context, value.den, name, end, 1)[0]
        return not (
            context.table.quotient(bottom.num, UNIT).is_zero
            or any(not c.is_zero for c in expansion(context, value.num, name, end, order))
        )

    if not context.work(vanishes):
        raise Unproved(f"the claim does not vanish to order {order} at {name} = {end}")


def _positive(
    models: list[_Model], piece: tuple[Fraction, Fraction], order: int, halvings: int
) -> bool:
    if any(model.positive(piece, order) for model in models):
        return True
    if not halvings:
        return False
    # The searcher's normal form may enclose a little more tightly than the ones used here.
    middle = (piece[0] + piece[1]) / 2
    halves = ((piece[0], middle), (middle, piece[1]))
    return all(_positive(models, half, order, halvings - 1) for half in halves)


class _Model:
    """Taylor coefficients of one formula in one variable, over the boxes of the others."""

    def __init__(self, context: Context, tree: Expression, name: str) -> None:
        self.context = context
        self.tree = tree
        self.name = name
        self.boxes = {
            other: hull(context.domains[other]) for other in sorted(tree.symbols - {name})
        }

    def keeps_sign(self, piece: tuple[Fraction, Fraction], order: int, sign: int) -> bool:
        """Whether sign·c_order > 0 on the whole piece."""
        found = self.coefficients(ball(piece[0]).union(ball(piece[1])), order + 1)
        return found is not None and bool(found[order] * sign > 0)

    def positive(self, piece: tuple[Fraction, Fraction], order: int) -> bool:
        """Whether the polynomial at the middle, with its remainder, is > 0 on the piece."""
        whole = ball(piece[0]).union(ball(piece[1]))
        middle = ball((piece[0] + piece[1]) / 2)
        at = self.coefficients(middle, order) if order else []
        rest = self.coefficients(whole, order + 1)
        if at is None or rest is None:
            return False
        far = (whole - middle).abs_upper()
        total, power = arb(0), arb(1)
        for n, coefficient in enumerate([*at, rest[order]]):
            # h**n runs over [−far**n, far**n], for even n over [0, far**n].
            low = -power if n % 2 else arb(0) if n else power
            total += coefficient * low.union(power)
            power *= far
        return bool(total.is_finite() and total > 0)

    def coefficients(self, centre: arb, length: int) -> list[arb] | None:
        """Enclosures for every expansion point in `centre`; None where one is not finite."""
        self.context.budget.spend(10 + self.tree.nodes // 4)
        cap, flint.ctx.cap = flint.ctx.cap, length
        try:
            series = fold(self.tree, lambda node, args: self._series(node, args, centre))
            found = [arb(series[n]) for n in range(length)]
        except (ZeroDivisionError, ValueError):
            return None
        finally:
            flint.ctx.cap = cap
        # A division by a series without constant term leaves fewer known coefficients.
        known = series.prec >= length
        return found if known and all(c.is_finite() for c in found) else None

    def _series(self, node: Expression, args: tuple[arb_series, ...], centre: arb) -> arb_series:
        if isinstance(node, Number):
            return arb_series([ball(node.value)])
        if isinstance(node, Symbol):
            if node.name == self.name:
                return arb_series([centre, 1])
            return arb_series([self.boxes[node.name]])
        x = args[0]
        match node.op:
            case "add":
                return x + args[1]
            case "sub":
                return x - args[1]
            case "neg":
                return -x
            case "mul":
                return x * args[1]
            case "square":
                return x * x
            case "div":
                return x / args[1]
            case "inv":
                return 1 / x
            case "exp":
                return x.exp()
            case "log":
                return x.log()
            case "sqrt":
                return x.sqrt()
            case "softplus":
                return (1 + x.exp()).log()
            case "sigmoid":
                return 1 / (1 + (-x).exp())
            case "tanh":
                return 1 - 2 / (1 + (2 * x).exp())
            case "pow":
                n = integer_exponent(node)
                if n is None:
                    return (x.log() * args[1]).exp()
                return _power(x, n) if n >= 0 else 1 / _power(x, -n)
        raise Unproved(f"'{node.op}' is not smooth")


def _power(x: arb_series, n: int) -> arb_series:
    result = arb_series([1])
    for bit in bin(n)[2:]:
        result = result * result
        if bit == "1":
            result = result * x
    return result
