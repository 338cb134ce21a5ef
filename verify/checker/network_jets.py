"""The checker's own evaluation: a value and its one-sided movement, in balls at an exact point.

A jet is (f, d/dh f(r + side·h) at h = 0+). A movement that is not certain is nan, with which
every comparison fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from flint import arb, fmpq

from symbolic.expression import Expression, Number, Symbol, constant_value, fold

Jet = tuple[arb, arb]
_Outcome = Jet | str
_NAN = arb("nan")


def ball(value: Fraction | int) -> arb:
    """A rational as a ball."""
    value = Fraction(value)
    return arb(fmpq(value.numerator, value.denominator))


def jet_of(root: Expression, point: Mapping[str, Fraction], side: int) -> _Outcome:
    """The jet at a point; "undefined" where that is certain, "open" where balls do not tell."""

    def visit(node: Expression, args: tuple[_Outcome, ...]) -> _Outcome:
        if isinstance(node, Number):
            return ball(node.value), arb(0)
        if isinstance(node, Symbol):
            return ball(point[node.name]), arb(side if node.name == "r" else 0)
        if node.op.startswith("where"):
            return _where(node.op[5:], args)
        if "undefined" in [arg for arg in args if isinstance(arg, str)]:
            return "undefined"
        jets = [arg for arg in args if not isinstance(arg, str)]
        if len(jets) < len(args):
            return "open"
        made = _apply(node, jets)
        return made if isinstance(made, str) or made[0].is_finite() else "open"

    return fold(root, visit)


def relu(jet: Jet) -> Jet:
    """max(x, 0); at 0 the movement that leads up wins."""
    return _larger(jet, (arb(0), arb(0)))


def _larger(a: Jet, b: Jet) -> Jet:
    gap = a[0] - b[0]
    if gap > 0:
        return a
    if gap < 0:
        return b
    move = a[1].max(b[1]) if gap.is_zero() else _NAN
    return a[0].max(b[0]), move


def _minus(a: Jet) -> Jet:
    return -a[0], -a[1]


def _times(a: Jet, b: Jet) -> Jet:
    return a[0] * b[0], a[1] * b[0] + a[0] * b[1]


def _inverse(a: Jet) -> _Outcome:
    if a[0].is_zero():
        return "undefined"
    return (1 / a[0], -a[1] / (a[0] * a[0])) if a[0] != 0 else "open"


def _log(a: Jet) -> _Outcome:
    if a[0] <= 0:
        return "undefined"
    return (a[0].log(), a[1] / a[0]) if a[0] > 0 else "open"


def _exp(a: Jet) -> Jet:
    value = a[0].exp()
    return value, value * a[1]


def _power(node: Expression, base: Jet, exponent: Jet) -> _Outcome:
    constant = constant_value(node.args[1])
    if constant is not None and constant.denominator == 1:
        n = abs(int(constant))
        value = base[0] ** n if n else arb(1)
        move = n * (base[0] ** (n - 1) if n > 1 else arb(1)) * base[1]
        return (value, move) if constant >= 0 else _inverse((value, move))
    if base[0].is_zero():
        if exponent[0] > 0:
            return arb(0), _NAN
        return "undefined" if exponent[0] <= 0 else "open"
    logarithm = _log(base)
    if logarithm == "undefined" and not base[0] < 0:
        return "open"  # a base of 0 has a power with a positive exponent
    return logarithm if isinstance(logarithm, str) else _exp(_times(exponent, logarithm))


def _sqrt(a: Jet) -> _Outcome:
    if a[0] < 0:
        return "undefined"
    if not a[0] >= 0:
        return "open"
    root = a[0].sqrt()
    return root, a[1] / (2 * root) if root > 0 else _NAN


def _where(relation: str, args: tuple[_Outcome, ...]) -> _Outcome:
    left, right, true, false = args
    if "undefined" in [side for side in (left, right) if isinstance(side, str)]:
        return "undefined"
    if isinstance(left, str) or isinstance(right, str):
        return "open"
    gap = left[0] - right[0]
    strict = {"<": gap < 0, "<=": gap < 0, ">": gap > 0, ">=": gap > 0}[relation]
    opposite = {"<": gap > 0, "<=": gap > 0, ">": gap < 0, ">=": gap < 0}[relation]
    if strict or opposite:
        return true if strict else false
    if gap.is_zero():
        chosen = true if "=" in relation else false
        return chosen if isinstance(chosen, str) else (chosen[0], _NAN)
    return "open"


def _apply(node: Expression, jets: list[Jet]) -> _Outcome:
    a = jets[0]
    match node.op:
        case "add":
            return a[0] + jets[1][0], a[1] + jets[1][1]
        case "sub":
            return a[0] - jets[1][0], a[1] - jets[1][1]
        case "mul":
            return _times(a, jets[1])
        case "div":
            inverse = _inverse(jets[1])
            return inverse if isinstance(inverse, str) else _times(a, inverse)
        case "neg":
            return _minus(a)
        case "pow":
            return _power(node, a, jets[1])
        case "exp":
            return _exp(a)
        case "log":
            return _log(a)
        case "sqrt":
            return _sqrt(a)
        case "inv":
            return _inverse(a)
        case "tanh":
            value = a[0].tanh()
            return value, (1 - value * value) * a[1]
        case "sigmoid":
            value = (1 + (a[0] / 2).tanh()) / 2
            return value, value * (1 - value) * a[1]
        case "softplus":
            return a[0].exp().log1p(), (1 + (a[0] / 2).tanh()) / 2 * a[1]
        case "square":
            return _times(a, a)
        case "abs":
            return _larger(a, _minus(a))
        case "relu":
            return relu(a)
        case "sign":
            if a[0].is_zero():
                return arb(0), _NAN
            return (arb(1 if a[0] > 0 else -1), arb(0)) if a[0] != 0 else "open"
        case "max":
            for other in jets[1:]:
                a = _larger(a, other)
            return a
        case "min":
            for other in jets[1:]:
                a = _minus(_larger(_minus(a), _minus(other)))
            return a
        case "clip":
            low, high = jets[1], jets[2]
            return _minus(_larger(_minus(_larger(a, low)), _minus(high)))
    return "open"
