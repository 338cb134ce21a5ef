"""Rigorous values at exact points: rationals while they last, then balls of growing precision.

Only what this module calls certain may refute a condition. Every comparison is a proof in
one direction (`x > 0` on a ball), never the failure of a comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from flint import arb, ctx, fmpq, fmpz

from symbolic.expression import (
    Expression,
    Number,
    Symbol,
    integer_exponent,
    postorder,
)
from symbolic.operations import OPERATIONS

_FIRST_PRECISION = 64
_ACCURATE_BITS = 20
_MAX_HEIGHT = 1 << 15
"""Rationals of more bits go on as balls."""
_MAX_TEXT = 40


class Kind(StrEnum):
    """What came of evaluating a formula at a point."""

    VALUE = "a number"
    UNDEFINED = "certainly undefined"
    UNDECIDED = "not decided at the greatest precision"


@dataclass(frozen=True)
class Evaluation:
    """A formula at one exact point."""

    kind: Kind
    value: fmpq | arb | None = None
    """The exact rational, or a ball that holds the value."""
    sign: int | None = None
    """-1, 0 or 1 where certain."""
    reason: str = ""
    """Why the formula is undefined."""

    @property
    def text(self) -> str:
        """For reports: a short rational, a ball of few digits, or `undefined`."""
        if isinstance(self.value, fmpq):
            exact = str(self.value) if self.value.height_bits() < 3 * _MAX_TEXT else ""
            if exact and len(exact) <= _MAX_TEXT:
                return exact
            return str(arb(self.value).str(6))
        if self.value is None:
            return "undefined" if self.kind is Kind.UNDEFINED else "unknown"
        return str(self.value.str(6))


@dataclass(frozen=True, slots=True)
class _Value:
    """An intermediate result: a number, a reason why there is none, or neither (not known)."""

    number: fmpq | arb | None = None
    key: int = -1
    """Equal non-negative keys mean the same real number."""
    reason: str = ""

    @property
    def sign(self) -> int | None:
        return _sign(self.number)


_UNKNOWN = _Value()


def certify(
    expr: Expression, point: Mapping[str, Fraction], *, max_precision: int = 4096
) -> Evaluation:
    """The value of `expr` at `point` with its certain sign, or certainly undefined, or undecided.

    `point` has every symbol that occurs. The precision doubles from 64 bits until the sign is
    certain; memory and time are bounded whatever the formula (a tower of exponentials ends as
    UNDECIDED).
    """
    program = _program(expr)
    exact = {name: fmpq(at.numerator, at.denominator) for name, at in point.items()}
    best = Evaluation(Kind.UNDECIDED)
    precision = _FIRST_PRECISION
    while precision <= max_precision:
        with ctx.workprec(precision):
            result = _Run(exact).evaluate(program)
            if result.reason:
                return Evaluation(Kind.UNDEFINED, reason=result.reason)
            number = result.number
            if number is not None:
                best = Evaluation(Kind.VALUE, number, result.sign)
                if isinstance(number, fmpq) or number.is_zero():
                    return best
                if best.sign is not None and number.rel_accuracy_bits() >= _ACCURATE_BITS:
                    return best
        precision *= 2
    return best


def enclose(expr: Expression, box: Mapping[str, arb]) -> arb:
    """A ball that holds every value of `expr` over a box; not finite where nothing is known.

    Works at the precision of flint's context. `box` has every symbol that occurs.
    """
    values: list[arb] = []
    for node, places, exponent in _program(expr):
        args = [values[place] for place in places]
        if isinstance(node, Number):
            made = arb(fmpq(node.value.numerator, node.value.denominator))
        elif isinstance(node, Symbol):
            made = box[node.name]
        elif exponent is not None:
            made = _ball_power(args[0], exponent)
        elif node.op == "square":
            made = _ball_power(args[0], 2)
        else:
            made = OPERATIONS[node.op].ball(*args)
        values.append(made)
    return values[-1]


_Step = tuple[Expression, tuple[int, ...], int | None]


@lru_cache(maxsize=64)
def _program(expr: Expression) -> tuple[_Step, ...]:
    """Distinct nodes in order of evaluation, the places of their arguments, integer exponents."""
    places: dict[int, int] = {}
    steps: list[_Step] = []
    for node in postorder(expr):
        exponent = integer_exponent(node) if node.op == "pow" else None
        steps.append((node, tuple(places[id(arg)] for arg in node.args), exponent))
        places[id(node)] = len(steps) - 1
    return tuple(steps)


class _Run:
    """One evaluation at one precision.

    Results are numbered by what they are computed from, so that the log(r) and the log(3/2)
    of a formula at r = 3/2 are known to be the same number.
    """

    def __init__(self, point: Mapping[str, fmpq]) -> None:
        self.point = point
        self.keys: dict[object, int] = {}

    def key(self, *origin: object) -> int:
        return self.keys.setdefault(origin, len(self.keys))

    def exact(self, value: fmpq) -> _Value:
        if value.height_bits() > _MAX_HEIGHT:
            return _Value(arb(value), self.key(value))
        return _Value(value, self.key(value))

    def ball(self, made: arb, *origin: object) -> _Value:
        return _Value(made, self.key(*origin)) if made.is_finite() else _UNKNOWN

    def evaluate(self, program: Sequence[_Step]) -> _Value:
        values: list[_Value] = []
        for node, places, exponent in program:
            args = [values[place] for place in places]
            values.append(self.step(node, args, exponent))
        return values[-1]

    def step(self, node: Expression, args: list[_Value], exponent: int | None) -> _Value:
        if isinstance(node, Number):
            return self.exact(fmpq(node.value.numerator, node.value.denominator))
        if isinstance(node, Symbol):
            return self.exact(self.point[node.name])
        if node.op.startswith("where"):
            return self.where(node.op[5:], *args)
        for arg in args:
            if arg.reason:
                return arg
        if any(arg.number is None for arg in args):
            return _UNKNOWN
        if exponent is not None:
            return self.power(args[0], exponent)
        rule = _RULES.get(node.op)
        return rule(self, *args) if rule else self.smooth(node.op, args)

    def smooth(self, op: str, args: Sequence[_Value]) -> _Value:
        """An operation without special cases."""
        numbers = [arg.number for arg in args]
        if op in _RATIONAL and all(isinstance(n, fmpq) for n in numbers):
            return self.exact(OPERATIONS[op].ball(*numbers))
        keys = [arg.key for arg in args]
        if op in ("add", "mul"):
            keys.sort()
        return self.ball(OPERATIONS[op].ball(*map(_as_ball, numbers)), op, *keys)

    def difference_sign(self, a: _Value, b: _Value) -> int | None:
        """Sign of a − b where certain."""
        if a.number is None or b.number is None:
            return None
        return 0 if a.key == b.key else _sign(a.number - b.number)

    def where(self, relation: str, a: _Value, b: _Value, u: _Value, v: _Value) -> _Value:
        for side in (a, b):
            if side.reason:
                return side
        if a.number is None or b.number is None:
            return _UNKNOWN  # the comparison itself may be undefined
        order = self.difference_sign(a, b)
        if order is not None:
            return u if _HOLDS[relation](order) else v
        if u.reason and v.reason:
            return u
        if u.number is None or v.number is None:
            return _UNKNOWN
        hull = _as_ball(u.number).union(_as_ball(v.number))
        return self.ball(hull, "where", relation, a.key, b.key, u.key, v.key)

    def add(self, a: _Value, b: _Value) -> _Value:
        for one, other in ((a, b), (b, a)):
            if one.sign == 0:
                return other
        return self.smooth("add", (a, b))

    def sub(self, a: _Value, b: _Value) -> _Value:
        if a.key == b.key:
            return self.exact(fmpq(0))
        return a if b.sign == 0 else self.smooth("sub", (a, b))

    def mul(self, a: _Value, b: _Value) -> _Value:
        if a.sign == 0 or b.sign == 0:
            return self.exact(fmpq(0))
        for one, other in ((a, b), (b, a)):
            if one.number == 1:
                return other
        return self.smooth("mul", (a, b))

    def div(self, a: _Value, b: _Value) -> _Value:
        if b.sign is None:
            return _UNKNOWN
        if b.sign == 0:
            return _Value(reason="a denominator is 0")
        if a.key == b.key:
            return self.exact(fmpq(1))
        return self.exact(fmpq(0)) if a.sign == 0 else self.smooth("div", (a, b))

    def neg(self, a: _Value) -> _Value:
        return self.smooth("neg", (a,))

    def inv(self, a: _Value) -> _Value:
        return self.div(self.exact(fmpq(1)), a)

    def square(self, a: _Value) -> _Value:
        return self.power(a, 2)

    def power(self, a: _Value, n: int) -> _Value:
        """a**n for a constant integer n: a product, or its reciprocal."""
        if n == 0:
            return self.exact(fmpq(1))
        if n < 0:
            return self.inv(self.power(a, -n))
        if n == 1:
            return a
        if isinstance(a.number, fmpq) and a.number.height_bits() * n <= _MAX_HEIGHT:
            return self.exact(a.number**n)
        return self.ball(_ball_power(_as_ball(a.number), n), "power", n, a.key)

    def pow(self, a: _Value, b: _Value) -> _Value:
        base, exponent = a.sign, b.sign
        if base is None:
            return _UNKNOWN
        if base < 0:
            return _Value(reason="a negative base has an exponent that is no constant integer")
        if base == 0:
            if exponent is None:
                return _UNKNOWN
            if exponent > 0:
                return self.exact(fmpq(0))
            return _Value(reason="0 has an exponent that is not positive")
        if exponent == 0 or a.number == 1:
            return self.exact(fmpq(1))
        if isinstance(a.number, fmpq) and isinstance(b.number, fmpq):
            root = _exact_power(a.number, b.number)
            if root is not None:
                return self.exact(root)
        made = (_as_ball(b.number) * _as_ball(a.number).log()).exp()
        return self.ball(made, "pow", a.key, b.key)

    def exp(self, a: _Value) -> _Value:
        return self.exact(fmpq(1)) if a.sign == 0 else self.smooth("exp", (a,))

    def log(self, a: _Value) -> _Value:
        if a.sign is None:
            nowhere = isinstance(a.number, arb) and bool(a.number <= 0)
            return _Value(reason="the argument of log is not positive") if nowhere else _UNKNOWN
        if a.sign <= 0:
            return _Value(reason="the argument of log is not positive")
        return self.exact(fmpq(0)) if a.number == 1 else self.smooth("log", (a,))

    def sqrt(self, a: _Value) -> _Value:
        if a.sign is None:
            certain = isinstance(a.number, arb) and bool(a.number >= 0)
            return self.smooth("sqrt", (a,)) if certain else _UNKNOWN
        if a.sign < 0:
            return _Value(reason="the argument of sqrt is negative")
        if isinstance(a.number, fmpq):
            root = _exact_power(a.number, fmpq(1, 2))
            if root is not None:
                return self.exact(root)
        return self.exact(fmpq(0)) if a.sign == 0 else self.smooth("sqrt", (a,))

    def tanh(self, a: _Value) -> _Value:
        return a if a.sign == 0 else self.smooth("tanh", (a,))

    def softplus(self, a: _Value) -> _Value:
        x = _as_ball(a.number)
        made = x + (-x).exp().log1p() if x > 0 else x.exp().log1p()  # neither overflows
        return self.ball(made, "softplus", a.key)

    def sigmoid(self, a: _Value) -> _Value:
        if a.sign == 0:
            return self.exact(fmpq(1, 2))
        x = _as_ball(a.number)
        made = x.exp() / (1 + x.exp()) if x < 0 else 1 / (1 + (-x).exp())
        return self.ball(made, "sigmoid", a.key)

    def abs(self, a: _Value) -> _Value:
        if a.sign is None:
            return self.smooth("abs", (a,))
        return a if a.sign >= 0 else self.neg(a)

    def sign_of(self, a: _Value) -> _Value:
        if a.sign is None:
            return self.ball(arb(0, 1), "sign", a.key)
        return self.exact(fmpq(a.sign))

    def relu(self, a: _Value) -> _Value:
        return self.max(a, self.exact(fmpq(0)))

    def clip(self, x: _Value, low: _Value, high: _Value) -> _Value:
        return self.min(self.max(x, low), high)

    def max(self, *args: _Value) -> _Value:
        return self.extreme("max", 1, args)

    def min(self, *args: _Value) -> _Value:
        return self.extreme("min", -1, args)

    def extreme(self, op: str, direction: int, args: Sequence[_Value]) -> _Value:
        found = args[0]
        for other in args[1:]:
            order = self.difference_sign(found, other)
            if order is None:
                found = self.smooth(op, (found, other))
                if found.number is None:
                    return found
            elif order * direction < 0:
                found = other
        return found


_Rule = Callable[..., _Value]
_RULES: dict[str, _Rule] = {
    "add": _Run.add, "sub": _Run.sub, "mul": _Run.mul, "div": _Run.div, "inv": _Run.inv,
    "pow": _Run.pow, "square": _Run.square, "exp": _Run.exp, "log": _Run.log, "sqrt": _Run.sqrt,
    "tanh": _Run.tanh, "softplus": _Run.softplus, "sigmoid": _Run.sigmoid, "abs": _Run.abs,
    "sign": _Run.sign_of, "relu": _Run.relu, "clip": _Run.clip, "max": _Run.max, "min": _Run.min,
}  # fmt: skip
"""Operations with special cases; `neg` has none, and `where` chooses before it is strict."""

_RATIONAL = frozenset(("add", "sub", "mul", "div", "neg"))
_HOLDS: dict[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def _sign(number: fmpq | arb | None) -> int | None:
    if number is None:
        return None
    if number > 0:
        return 1
    if number < 0:
        return -1
    return 0 if number == 0 else None


def _as_ball(number: fmpq | arb | None) -> arb:
    return number if isinstance(number, arb) else arb(number)


def _ball_power(x: arb, n: int) -> arb:
    """x**n by squaring; flint's own power is nan for balls around 0."""
    if n < 0:
        return 1 / _ball_power(x, -n)
    if n % 2 == 0:
        x = abs(x)
    made = arb(1)
    while n:
        if n & 1:
            made *= x
        n >>= 1
        if n:
            x *= x
    return made


def _exact_power(base: fmpq, exponent: fmpq) -> fmpq | None:
    """base**exponent for base > 0 if it is a rational of moderate size."""
    times, root = int(exponent.p), int(exponent.q)
    if root > 64 or abs(times) * base.height_bits() > _MAX_HEIGHT * root:
        return None
    parts = [fmpz(int(part)).root(root) for part in (base.p, base.q)]
    if parts[0] ** root != base.p or parts[1] ** root != base.q:
        return None
    return fmpq(*parts) ** times
