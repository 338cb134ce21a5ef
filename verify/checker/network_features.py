"""The checker's own argument about a feature: defined everywhere, 0 and continuous at r = 1.

Values at r = 1 are polynomials over A, t and opaque atoms (tanh(A), 1/(1 + A**2), …), so that
equal ones cancel. Ranges have ends (value, nudge): `(0, 1)` is just above 0, `(3, -1)` just
below 3, and ends compare as pairs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from flint import Ordering, fmpq, fmpq_mpoly, fmpq_mpoly_ctx

from symbolic.expression import Expression, Number, Symbol, constant_value, fold

_End = tuple[Fraction | float, int]
_Range = tuple[_End, _End]
_ATOMS = 64
_MAX_TERMS = 10_000
_MAX_BITS = 8192
_ALL: _Range = ((-math.inf, 0), (math.inf, 0))
_CTX = fmpq_mpoly_ctx.get([f"x{i}" for i in range(_ATOMS)], Ordering.lex)


@dataclass(frozen=True)
class Facts:
    """What holds of a feature; False means only `not shown`."""

    defined: bool
    continuous: bool
    """In r at r = 1, for every A and t."""
    at_one: fmpq_mpoly
    range: _Range
    fixed: bool
    """r does not occur."""

    @property
    def zero(self) -> bool:
        """Whether it is 0 at r = 1 for every A and t."""
        return bool(self.at_one.is_zero())


def facts_of(feature: Expression) -> Facts:
    """Facts about a formula in r > 0, A and t in [0, 1]."""
    atoms = _Atoms()
    domains: dict[str, _Range] = {
        "r": ((Fraction(0), 1), (math.inf, 0)),
        "A": _ALL,
        "t": ((Fraction(0), 0), (Fraction(1), 0)),
    }

    def visit(node: Expression, args: tuple[Facts, ...]) -> Facts:
        if isinstance(node, Number):
            return Facts(
                True, True, _constant(node.value), ((node.value, 0), (node.value, 0)), True
            )
        if isinstance(node, Symbol):
            at_one = _constant(1) if node.name == "r" else atoms.get(node.name)
            return Facts(True, True, at_one, domains[node.name], node.name != "r")
        ranges = [arg.range for arg in args]
        defined = all(arg.defined for arg in args) and _defined(node, ranges)
        return Facts(
            defined,
            _continuous(node, args),
            atoms.apply(node, [arg.at_one for arg in args]),
            _weakened(_range(node, ranges)) if defined else _ALL,
            all(arg.fixed for arg in args),
        )

    return fold(feature, visit)


class _Atoms:
    """What formulas in A and t are at r = 1: polynomials, anything else named by its arguments."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}

    def get(self, name: str) -> fmpq_mpoly:
        index = self.names.setdefault(name, len(self.names))
        if index >= _ATOMS:
            raise ValueError(f"a feature with more than {_ATOMS} different parts at r = 1")
        return _CTX.gen(index)

    def apply(self, node: Expression, args: list[fmpq_mpoly]) -> fmpq_mpoly:
        a = args[0]
        values = [_value(arg) for arg in args]
        short = len(a) * len(args[-1]) <= _MAX_TERMS
        if node.op == "neg":
            return -a
        if node.op in ("add", "sub"):
            return a + args[1] if node.op == "add" else a - args[1]
        if node.op == "mul" and short:
            return a * args[1]
        if node.op == "square" and short:
            return a * a
        if node.op == "div" and (values[1] or a.is_zero()):
            return a * _constant(1 / values[1]) if values[1] else a
        if node.op == "div" and a == args[1]:
            return _constant(1)
        if node.op == "pow":
            return self._power(node, args, values)
        if node.op in ("max", "min") and all(arg == a for arg in args):
            return a
        if node.op.startswith("where"):
            if args[2] == args[3]:
                return args[2]
            if values[0] is not None and values[1] is not None:
                return args[2] if _holds(node.op[5:], values[0], values[1]) else args[3]
        exact = (
            _exact(node.op, [v for v in values if v is not None]) if None not in values else None
        )
        return self._opaque(node.op, args) if exact is None else _constant(exact)

    def _power(
        self, node: Expression, args: list[fmpq_mpoly], values: list[Fraction | None]
    ) -> fmpq_mpoly:
        base, n = args[0], constant_value(node.args[1])
        if values[0] == 1 or n == 0:
            return _constant(1)
        if base.is_zero():  # defined there only for positive exponents
            return base
        if n is not None and n.denominator == 1 and abs(n) <= 300:
            if values[0] is not None:
                return _constant(values[0] ** int(n))
            if n > 0 and (len(base) == 1 or len(base) ** min(int(n), 99) <= _MAX_TERMS):
                return base ** int(n)
        return self._opaque("pow", args)

    def _opaque(self, op: str, args: list[fmpq_mpoly]) -> fmpq_mpoly:
        return self.get(f"{op}({'; '.join(map(str, args))})")


def _continuous(node: Expression, args: tuple[Facts, ...]) -> bool:
    """Every operation but sign and where is continuous where it is defined."""
    if all(arg.fixed for arg in args):
        return True
    if node.op == "sign":
        away = _value(args[0].at_one) not in (None, 0) and args[0].continuous
        return away or _positive(args[0].range) or _positive(_negated(args[0].range))
    if node.op.startswith("where"):
        left, right, true, false = args
        both = true.continuous and false.continuous
        if both and ((left.fixed and right.fixed) or true.at_one == false.at_one):
            return True
        a, b = _value(left.at_one), _value(right.at_one)
        if a is None or b is None or a == b or not (left.continuous and right.continuous):
            return False
        return true.continuous if _holds(node.op[5:], a, b) else false.continuous
    return all(arg.continuous for arg in args)


def _defined(node: Expression, ranges: list[_Range]) -> bool:
    a = ranges[0]
    match node.op:
        case "log":
            return _positive(a)
        case "sqrt":
            return a[0][0] >= 0
        case "inv" | "div":
            return _positive(ranges[-1]) or _positive(_negated(ranges[-1]))
        case "pow":
            n = constant_value(node.args[1])
            if n is not None and n.denominator == 1:
                return n >= 0 or _positive(a) or _positive(_negated(a))
            return _positive(a) or (a[0][0] >= 0 and _positive(ranges[1]))
    return True


def _range(node: Expression, ranges: list[_Range]) -> _Range:
    a, b = ranges[0], ranges[-1]
    (low, low_nudge), (high, high_nudge) = a
    match node.op:
        case "add" | "sub":
            if node.op == "sub":
                b = _negated(b)
            below, above = (
                (low + b[0][0], max(low_nudge, b[0][1])),
                (high + b[1][0], min(high_nudge, b[1][1])),
            )
            return below, above
        case "mul" if node.args[0] is node.args[1]:
            return _even(a, 2)
        case "mul":
            return _product(a, b)
        case "div":
            return _product(a, _inverse(b))
        case "inv":
            return _inverse(a)
        case "neg":
            return _negated(a)
        case "square":
            return _even(a, 2)
        case "pow":
            return _power_range(node, a)
        case "exp":
            below = (low + 1, max(low_nudge, low != 0)) if low > -1 else (Fraction(0), 1)
            if high < Fraction(1, 2):
                return below, (1 / (1 - high), min(high_nudge, -(high != 0)))
            return below, (Fraction(3) ** math.ceil(high) if high < 64 else math.inf, -1)
        case "log":
            below = (1 - 1 / low, max(low_nudge, low != 1)) if low > 0 else (-math.inf, 0)
            return below, (high - 1, min(high_nudge, -(high != 1)))
        case "sqrt":
            below = (min(low, Fraction(1)), max(low_nudge, low not in (0, 1)))
            return below, (max(high, Fraction(high > 0)), min(high_nudge, -(high not in (0, 1))))
        case "tanh":
            return _tanh(a)
        case "sigmoid":
            below, above = _tanh(_product(a, ((Fraction(1, 2), 0), (Fraction(1, 2), 0))))
            return ((below[0] + 1) / 2, below[1]), ((above[0] + 1) / 2, above[1])
        case "softplus":
            return (max(low, Fraction(0)), 1), (max(high, Fraction(0)) + Fraction(7, 10), -1)
        case "abs":
            return _even(a, 1)
        case "relu":
            return max(a[0], (Fraction(0), 0)), max(a[1], (Fraction(0), 0))
        case "sign":
            least = Fraction(1 if _positive(a) else 0 if low >= 0 else -1)
            most = Fraction(-1 if _positive(_negated(a)) else 0 if high <= 0 else 1)
            return (least, 0), (most, 0)
        case "max":
            return max(x[0] for x in ranges), max(x[1] for x in ranges)
        case "min":
            return min(x[0] for x in ranges), min(x[1] for x in ranges)
        case "clip":
            lows, highs = ([x[end] for x in ranges] for end in (0, 1))
            return (
                min(max(lows[0], lows[1]), lows[2]),
                min(max(highs[0], highs[1]), highs[2]),
            )
    if node.op.startswith("where"):
        return min(ranges[2][0], ranges[3][0]), max(ranges[2][1], ranges[3][1])
    return _ALL


def _power_range(node: Expression, base: _Range) -> _Range:
    constant = constant_value(node.args[1])
    if constant is None or constant.denominator != 1:
        return (Fraction(0), int(_positive(base))), (math.inf, 0)
    n = abs(int(constant))
    powered = (
        _even(base, n)
        if n % 2 == 0
        else ((base[0][0] ** n, base[0][1]), (base[1][0] ** n, base[1][1]))
    )
    return powered if constant >= 0 else _inverse(powered)


def _even(a: _Range, n: int) -> _Range:
    """|x|**n."""
    if n == 0:
        return (Fraction(1), 0), (Fraction(1), 0)
    other = _negated(a)
    low, high = max(a[0], other[0], (Fraction(0), 0)), max(a[1], other[1])
    return (low[0] ** n, low[1]), (high[0] ** n, high[1])


def _tanh(a: _Range) -> _Range:
    def above(end: _End) -> _End:
        x, nudge = end
        return (
            min(x, Fraction(1)) if x >= 0 else x / (1 - x) if x > -math.inf else -1,
            min(nudge, -(x != 0)),
        )

    low, nudge = above(_negated(a)[1])
    return (-low, -nudge), above(a[1])


def _product(a: _Range, b: _Range) -> _Range:
    corners: list[tuple[Fraction | float, int]] = []
    for x, x_nudge in a:
        for y, y_nudge in b:
            if x == 0 or y == 0:
                attained = (x == 0 and not x_nudge) or (y == 0 and not y_nudge)
                corners.append((Fraction(0), 0 if attained else 1))
            else:
                corners.append((x * y, 1 if x_nudge or y_nudge else 0))
    return min(corners), max((value, -nudge) for value, nudge in corners)


def _inverse(a: _Range) -> _Range:
    """1/x of a range on one side of 0."""
    if not _positive(a):
        return _negated(_inverse(_negated(a)))
    (low, low_nudge), (high, high_nudge) = a
    below: _End = (Fraction(0), 1) if high == math.inf else (1 / high, -high_nudge)
    return below, ((1 / low, -low_nudge) if low else (math.inf, 0))


def _negated(a: _Range) -> _Range:
    return (-a[1][0], -a[1][1]), (-a[0][0], -a[0][1])


def _positive(a: _Range) -> bool:
    return a[0] > (0, 0)


def _weakened(a: _Range) -> _Range:
    """Ends of thousands of digits moved outwards to 0, ±1 or infinity."""
    low, high = _outwards(_negated(a)[1]), _outwards(a[1])
    return (-low[0], -low[1]), high


def _outwards(end: _End) -> _End:
    value, _ = end
    if (
        isinstance(value, float)
        or value.numerator.bit_length() + value.denominator.bit_length() <= _MAX_BITS
    ):
        return end
    return (math.inf if value > 0 else Fraction(0) if value > -1 else Fraction(-1)), 0


def _constant(value: Fraction | int) -> fmpq_mpoly:
    return _CTX.constant(fmpq(Fraction(value).numerator, Fraction(value).denominator))


def _value(poly: fmpq_mpoly) -> Fraction | None:
    if not poly.is_constant():
        return None
    found = poly.leading_coefficient() if not poly.is_zero() else fmpq(0)
    return Fraction(int(found.p), int(found.q))


def _holds(relation: str, a: Fraction, b: Fraction) -> bool:
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[relation]


def _exact(op: str, x: list[Fraction]) -> Fraction | int | None:
    """Values that are rational."""
    a = x[0]
    at_zero: dict[str, Fraction | int] = {"exp": 1, "tanh": 0, "sqrt": 0, "sigmoid": Fraction(1, 2)}
    at_one: dict[str, Fraction | int] = {"log": 0, "sqrt": 1}
    if (a == 0 and op in at_zero) or (a == 1 and op in at_one):
        return at_zero[op] if a == 0 else at_one[op]
    known = {
        "abs": abs(a),
        "relu": max(a, Fraction(0)),
        "sign": (a > 0) - (a < 0),
        "max": max(x),
        "min": min(x),
        "inv": 1 / a if a else None,
        "clip": min(max(a, x[1]), x[2]) if len(x) == 3 else None,
    }
    return known.get(op)
