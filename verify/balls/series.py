"""Taylor coefficients of smooth formulas over boxes, by python-flint's power series."""

from __future__ import annotations

from collections.abc import Mapping

from flint import arb, arb_series, ctx

from symbolic.expression import Expression, Number, Symbol, constant_value
from verify.balls.points import ball, compiled


def taylor(
    tree: Expression, name: str, centre: arb, others: Mapping[str, arb], length: int
) -> list[arb] | None:
    """Balls that hold the coefficients of h**0 … h**(length − 1) of f(v + h), for every v in `centre`.

    `name` is the variable that is expanded in; `others` gives balls for the rest. None where
    some coefficient is not finite. Works at the precision of flint's context.
    """
    cap, ctx.cap = ctx.cap, length
    try:
        made = _series(tree, name, centre, others)
        found = [arb(made[n]) for n in range(length)]
    except (ZeroDivisionError, ValueError):
        return None
    finally:
        ctx.cap = cap
    return found if all(coefficient.is_finite() for coefficient in found) else None


def _series(tree: Expression, name: str, centre: arb, others: Mapping[str, arb]) -> arb_series:
    values: list[arb_series] = []
    for node, places, exponent in compiled(tree):
        if isinstance(node, Number):
            made = arb_series([ball(node.value)])
        elif isinstance(node, Symbol):
            made = arb_series([centre, 1] if node.name == name else [others[node.name]])
        else:
            args = [values[place] for place in places]
            made = _power(args[0], exponent) if exponent is not None else _smooth(node, args)
        values.append(made)
    return values[-1]


def _smooth(node: Expression, args: list[arb_series]) -> arb_series:
    match node.op:
        case "add":
            return args[0] + args[1]
        case "sub":
            return args[0] - args[1]
        case "mul":
            return args[0] * args[1]
        case "div":
            return args[0] / args[1]
        case "neg":
            return -args[0]
        case "exp":
            return args[0].exp()
        case "log":
            return args[0].log()
        case "sqrt":
            return args[0].sqrt()
        case "pow" if constant_value(node.args[1]) is not None:
            return (args[0].log() * args[1]).exp()
    raise ValueError(f"'{node.op}' does not occur in smooth forms")


def _power(base: arb_series, n: int) -> arb_series:
    if n < 0:
        return 1 / _power(base, -n)
    made = arb_series([1])
    while n:
        if n & 1:
            made = made * base
        n >>= 1
        if n:
            base = base * base
    return made
