"""One evaluation of a formula at one point and one precision: rationals while they last.

Every comparison is a proof in one direction (`x > 0` on a ball), never the failure of one.
Operations that flint's balls lack, round badly or overflow in are made here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flint import arb, fmpq, fmpz

from symbolic.expression import Expression, Number, Symbol
from symbolic.operations import OPERATIONS

_MAX_HEIGHT = 1 << 15
"""Rationals of more bits go on as balls."""

Step = tuple[Expression, tuple[int, ...], int | None]
"""A node, the places of its arguments in the program, its constant integer exponent if any."""


@dataclass(frozen=True, slots=True)
class Value:
    """An intermediate result: a number, a reason why there is none, or neither (not known)."""

    number: fmpq | arb | None = None
    key: int = -1
    """Equal non-negative keys mean the same real number."""
    reason: str = ""

    @property
    def sign(self) -> int | None:
        """-1, 0 or 1 where certain."""
        return _sign(self.number)


UNKNOWN = Value()


class Run:
    """One evaluation at one precision.

    Results are numbered by what they are computed from, so that the log(r) and the log(3/2)
    of a formula at r = 3/2 are known to be the same number.
    """

    def __init__(self, point: Mapping[str, fmpq]) -> None:
        self.point = point
        self.keys: dict[object, int] = {}

    def key(self, *origin: object) -> int:
        """The number of what was computed from `origin`."""
        return self.keys.setdefault(origin, len(self.keys))

    def exact(self, value: fmpq) -> Value:
        """A rational, as a ball if it is too long."""
        key = self.key(value.p, value.q)
        return Value(value if value.height_bits() <= _MAX_HEIGHT else arb(value), key)

    def ball(self, made: arb, *origin: object) -> Value:
        """A ball, or nothing known if it is not finite."""
        return Value(made, self.key(*origin)) if made.is_finite() else UNKNOWN

    def evaluate(self, program: Sequence[Step]) -> Value:
        """The value of the program's last node."""
        values: list[Value] = []
        for node, places, exponent in program:
            args = [values[place] for place in places]
            values.append(self.step(node, args, exponent))
        return values[-1]

    def step(self, node: Expression, args: list[Value], exponent: int | None) -> Value:
        """One node from its arguments; an undefined argument makes it undefined."""
        if isinstance(node, Number):
            return self.exact(fmpq(node.value.numerator, node.value.denominator))
        if isinstance(node, Symbol):
            return self.exact(self.point[node.name])
        if node.op.startswith("where"):
            return _where(self, node.op[5:], *args)
        for arg in args:
            if arg.reason:
                return arg
        if any(arg.number is None for arg in args):
            return UNKNOWN
        if exponent is not None:
            return _power(self, args[0], exponent)
        rule = _RULES.get(node.op)
        return rule(self, *args) if rule else self.smooth(node.op, args)

    def smooth(self, op: str, args: Sequence[Value]) -> Value:
        """An operation without special cases."""
        numbers = [arg.number for arg in args]
        if op in _RATIONAL and all(isinstance(n, fmpq) for n in numbers):
            return self.exact(OPERATIONS[op].ball(*numbers))
        keys = [arg.key for arg in args]
        if op in ("add", "mul"):
            keys.sort()
        return self.ball(OPERATIONS[op].ball(*map(_as_ball, numbers)), op, *keys)

    def difference_sign(self, a: Value, b: Value) -> int | None:
        """Sign of a − b where certain."""
        if a.number is None or b.number is None:
            return None
        return 0 if a.key == b.key else _sign(a.number - b.number)


def _where(run: Run, relation: str, a: Value, b: Value, u: Value, v: Value) -> Value:
    for side in (a, b):
        if side.reason:
            return side
    if a.number is None or b.number is None:
        return UNKNOWN  # the comparison itself may be undefined
    order = run.difference_sign(a, b)
    if order is not None:
        return u if _HOLDS[relation](order) else v
    if u.reason and v.reason:
        return u
    if u.number is None or v.number is None:
        return UNKNOWN
    hull = _as_ball(u.number).union(_as_ball(v.number))
    return run.ball(hull, "where", relation, a.key, b.key, u.key, v.key)


def _add(run: Run, a: Value, b: Value) -> Value:
    for one, other in ((a, b), (b, a)):
        if one.sign == 0:
            return other
    return run.smooth("add", (a, b))


def _sub(run: Run, a: Value, b: Value) -> Value:
    if a.key == b.key:
        return run.exact(fmpq(0))
    return a if b.sign == 0 else run.smooth("sub", (a, b))


def _mul(run: Run, a: Value, b: Value) -> Value:
    if a.sign == 0 or b.sign == 0:
        return run.exact(fmpq(0))
    for one, other in ((a, b), (b, a)):
        if one.number == 1:
            return other
    return run.smooth("mul", (a, b))


def _div(run: Run, a: Value, b: Value) -> Value:
    if b.sign is None:
        return UNKNOWN
    if b.sign == 0:
        return Value(reason="a denominator is 0")
    if a.key == b.key:
        return run.exact(fmpq(1))
    return run.exact(fmpq(0)) if a.sign == 0 else run.smooth("div", (a, b))


def _neg(run: Run, a: Value) -> Value:
    return run.smooth("neg", (a,))


def _inv(run: Run, a: Value) -> Value:
    return _div(run, run.exact(fmpq(1)), a)


def _square(run: Run, a: Value) -> Value:
    return _power(run, a, 2)


def _power(run: Run, a: Value, n: int) -> Value:
    """a**n for a constant integer n: a product, or its reciprocal."""
    if n == 0:
        return run.exact(fmpq(1))
    if n < 0:
        return _inv(run, _power(run, a, -n))
    if n == 1:
        return a
    if isinstance(a.number, fmpq) and a.number.height_bits() * n <= _MAX_HEIGHT:
        return run.exact(a.number**n)
    return run.ball(ball_power(_as_ball(a.number), n), "power", n, a.key)


def _pow(run: Run, a: Value, b: Value) -> Value:
    base, exponent = a.sign, b.sign
    if base is None:
        return UNKNOWN
    if base < 0:
        return Value(reason="a negative base has an exponent that is no constant integer")
    if base == 0:
        if exponent is None:
            return UNKNOWN
        if exponent > 0:
            return run.exact(fmpq(0))
        return Value(reason="0 has an exponent that is not positive")
    if exponent == 0 or a.number == 1:
        return run.exact(fmpq(1))
    if isinstance(a.number, fmpq) and isinstance(b.number, fmpq):
        root = _exact_power(a.number, b.number)
        if root is not None:
            return run.exact(root)
    made = (_as_ball(b.number) * _as_ball(a.number).log()).exp()
    return run.ball(made, "pow", a.key, b.key)


def _exp(run: Run, a: Value) -> Value:
    return run.exact(fmpq(1)) if a.sign == 0 else run.smooth("exp", (a,))


def _log(run: Run, a: Value) -> Value:
    if a.sign is None:
        nowhere = isinstance(a.number, arb) and bool(a.number <= 0)
        return Value(reason="the argument of log is not positive") if nowhere else UNKNOWN
    if a.sign <= 0:
        return Value(reason="the argument of log is not positive")
    return run.exact(fmpq(0)) if a.number == 1 else run.smooth("log", (a,))


def _sqrt(run: Run, a: Value) -> Value:
    if a.sign is None:
        certain = isinstance(a.number, arb) and bool(a.number >= 0)
        return run.smooth("sqrt", (a,)) if certain else UNKNOWN
    if a.sign < 0:
        return Value(reason="the argument of sqrt is negative")
    if isinstance(a.number, fmpq):
        root = _exact_power(a.number, fmpq(1, 2))
        if root is not None:
            return run.exact(root)
    return run.exact(fmpq(0)) if a.sign == 0 else run.smooth("sqrt", (a,))


def _tanh(run: Run, a: Value) -> Value:
    return a if a.sign == 0 else run.smooth("tanh", (a,))


def _softplus(run: Run, a: Value) -> Value:
    x = _as_ball(a.number)
    made = x + (-x).exp().log1p() if x > 0 else x.exp().log1p()  # neither overflows
    return run.ball(made, "softplus", a.key)


def _sigmoid(run: Run, a: Value) -> Value:
    if a.sign == 0:
        return run.exact(fmpq(1, 2))
    x = _as_ball(a.number)
    made = x.exp() / (1 + x.exp()) if x < 0 else 1 / (1 + (-x).exp())
    return run.ball(made, "sigmoid", a.key)


def _abs(run: Run, a: Value) -> Value:
    if a.sign is None:
        return run.smooth("abs", (a,))
    return a if a.sign >= 0 else _neg(run, a)


def _sign_op(run: Run, a: Value) -> Value:
    if a.sign is None:
        return run.ball(arb(0, 1), "sign", a.key)
    return run.exact(fmpq(a.sign))


def _relu(run: Run, a: Value) -> Value:
    return _max(run, a, run.exact(fmpq(0)))


def _clip(run: Run, x: Value, low: Value, high: Value) -> Value:
    return _min(run, _max(run, x, low), high)


def _max(run: Run, *args: Value) -> Value:
    return _extreme(run, "max", 1, args)


def _min(run: Run, *args: Value) -> Value:
    return _extreme(run, "min", -1, args)


def _extreme(run: Run, op: str, direction: int, args: Sequence[Value]) -> Value:
    found = args[0]
    for other in args[1:]:
        order = run.difference_sign(found, other)
        if order is None:
            found = run.smooth(op, (found, other))
            if found.number is None:
                return found
        elif order * direction < 0:
            found = other
    return found


_Rule = Callable[..., Value]
_RULES: dict[str, _Rule] = {
    "add": _add, "sub": _sub, "mul": _mul, "div": _div, "inv": _inv,
    "pow": _pow, "square": _square, "exp": _exp, "log": _log, "sqrt": _sqrt,
    "tanh": _tanh, "softplus": _softplus, "sigmoid": _sigmoid, "abs": _abs,
    "sign": _sign_op, "relu": _relu, "clip": _clip, "max": _max, "min": _min,
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


def ball_power(x: arb, n: int) -> arb:
    """x**n by squaring; flint's own power is nan for balls around 0."""
    if n < 0:
        return 1 / ball_power(x, -n)
    if n > 0 and n % 2 == 0 and x.contains(0):
        return arb(0).union(_product(x.abs_upper(), n))
    return _product(x, n)


def _product(x: arb, n: int) -> arb:
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
