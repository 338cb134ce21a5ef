"""What the structure of a formula alone proves: where it is defined, whether it vanishes at r = 1.

An abstract interpretation over the tree. For every node: an interval with exact ends that holds
its values over the whole domain, whether it is proved defined everywhere and continuous in r at
r = 1 for every A and t, and the formula it becomes at r = 1. It never guesses: what it cannot
prove it leaves open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from symbolic.domains import REALS, VARIABLES, Interval, point
from symbolic.expression import (
    Expression,
    Number,
    Symbol,
    call,
    constant_value,
    fold,
    integer_exponent,
    number,
)
from symbolic.operations import ONE, ZERO
from verify.network.ranges import (
    absolute,
    add,
    excludes_zero,
    exp,
    hull,
    integer_power,
    inverse,
    log,
    maximum,
    minimum,
    multiply,
    negate,
    nonnegative,
    positive,
    sign,
    softplus,
    sqrt,
    tanh,
)

_RELATION_HOLDS: Mapping[str, Callable[[Fraction, Fraction], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_UNIT = Interval(Fraction(0), Fraction(1))


@dataclass(frozen=True)
class Facts:
    """What is proved of a formula on the whole domain; `False` means only `not proved`."""

    range: Interval
    """Holds every value."""
    at_one: Expression
    """The formula in A and t that it equals at r = 1."""
    varies: bool = False
    """Whether r occurs."""
    undefined: str = ""
    """Why it is not proved defined everywhere; empty when it is."""
    jumps: str = ""
    """Why it is not proved continuous in r at r = 1 for every A and t; empty when it is."""

    @property
    def nonzero(self) -> str:
        """Why the value at r = 1 is not proved to be 0; empty when it is."""
        return (
            ""
            if self.at_one is ZERO
            else f"at r = 1 it is {_short(self.at_one)}, not proved to be 0"
        )

    @property
    def obstacle(self) -> str:
        """What is missing for a network's input; empty when the feature is admissible."""
        return self.undefined or self.jumps or self.nonzero


def analyse(feature: Expression, domains: Mapping[str, Interval] | None = None) -> Facts:
    """Facts about a formula in r, A, t and the declared symbols of `domains`."""
    where = {**VARIABLES["drift"], **(domains or {})}

    def visit(node: Expression, args: tuple[Facts, ...]) -> Facts:
        if isinstance(node, Number):
            return Facts(point(node.value), node)
        if isinstance(node, Symbol):
            at_one = ONE if node.name == "r" else node
            return Facts(where[node.name], at_one, varies=node.name == "r")
        missing = next((arg.undefined for arg in args if arg.undefined), "") or _requirement(
            node, args
        )
        return Facts(
            REALS if missing else _range(node, args),
            _simplified(node, tuple(arg.at_one for arg in args)),
            any(arg.varies for arg in args),
            missing,
            _jump(node, args),
        )

    return fold(feature, visit)


def _short(node: Expression) -> str:
    text = str(node)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _requirement(node: Expression, args: tuple[Facts, ...]) -> str:
    """Empty if the operation is defined for all values of its arguments, else what is missing."""
    ranges = [arg.range for arg in args]
    if node.op == "log" and not positive(ranges[0]):
        needed = "> 0"
    elif node.op == "sqrt" and not nonnegative(ranges[0]):
        needed = ">= 0"
    elif node.op == "inv" and not excludes_zero(ranges[0]):
        needed = "other than 0"
    elif node.op == "div" and not excludes_zero(ranges[1]):
        return (
            f"in '{_short(node)}' the denominator must be other than 0; known is only {ranges[1]}"
        )
    elif node.op == "pow" and not _power_defined(node, ranges):
        needed = "> 0" if integer_exponent(node) is None else "other than 0"
    else:
        return ""
    return f"in '{_short(node)}' the argument must be {needed}; known is only {ranges[0]}"


def _power_defined(node: Expression, ranges: list[Interval]) -> bool:
    n = integer_exponent(node)
    if n is not None:
        return n >= 0 or excludes_zero(ranges[0])
    return positive(ranges[0]) or (nonnegative(ranges[0]) and positive(ranges[1]))


def _range(node: Expression, args: tuple[Facts, ...]) -> Interval:
    """Where the values lie, the operation being defined."""
    ranges = [arg.range for arg in args]
    a = ranges[0]
    match node.op:
        case "add":
            return add(a, ranges[1])
        case "sub":
            return add(a, negate(ranges[1]))
        case "mul":
            same = node.args[0] is node.args[1]
            return integer_power(a, 2) if same else multiply(a, ranges[1])
        case "div":
            return multiply(a, inverse(ranges[1]))
        case "neg":
            return negate(a)
        case "pow":
            n = integer_exponent(node)
            if n is not None:
                return integer_power(a, n) if n >= 0 else inverse(integer_power(a, -n))
            return Interval(Fraction(0), None, positive(a))
        case "sigmoid":
            half = tanh(multiply(a, point(Fraction(1, 2))))
            return multiply(add(half, point(1)), point(Fraction(1, 2)))
        case "square":
            return integer_power(a, 2)
        case "relu":
            return maximum(a, point(0))
        case "clip":
            return minimum(maximum(a, ranges[1]), ranges[2])
        case "max" | "min":
            pick = maximum if node.op == "max" else minimum
            for other in ranges[1:]:
                a = pick(a, other)
            return a
        case "where<" | "where<=" | "where>" | "where>=":
            return hull(ranges[2], ranges[3])
    functions = {"exp": exp, "log": log, "tanh": tanh, "sqrt": sqrt, "abs": absolute}
    functions |= {"sign": sign, "softplus": softplus, "inv": inverse}
    return functions[node.op](a) if node.op in functions else REALS


def _jump(node: Expression, args: tuple[Facts, ...]) -> str:
    """Empty if continuous in r at r = 1 for every A and t.

    Every operation but sign and where is continuous wherever it is defined.
    """
    if not any(arg.varies for arg in args):
        return ""
    if node.op == "sign":
        value = _constant(args[0].at_one)
        if excludes_zero(args[0].range) or (not args[0].jumps and value is not None and value != 0):
            return ""
        return f"'{_short(node)}' may jump at r = 1"
    if node.op.startswith("where"):
        return _where_jump(node, args)
    return next((arg.jumps for arg in args if arg.jumps), "")


def _where_jump(node: Expression, args: tuple[Facts, ...]) -> str:
    a, b, chosen, other = args
    jumps = chosen.jumps or other.jumps
    if not jumps and not (a.varies or b.varies):
        return ""
    if not jumps and chosen.at_one is other.at_one:
        return ""  # whichever branch holds beside r = 1, it tends to the common value
    left, right = _constant(a.at_one), _constant(b.at_one)
    if left is None or right is None or left == right or a.jumps or b.jumps:
        return jumps or f"'{_short(node)}' may jump at r = 1"
    branch = chosen if _RELATION_HOLDS[node.op[5:]](left, right) else other
    return branch.jumps  # the comparison is strict at r = 1, so it holds beside it too


def _simplified(node: Expression, args: tuple[Expression, ...]) -> Expression:
    """`node.op(*args)` by identities that hold wherever the arguments are defined."""
    made = call(node.op, *args)
    value = _constant(made)
    if value is not None:
        return number(value)
    values = [_constant(arg) for arg in args]
    if node.op in _IDENTITIES:
        return _IDENTITIES[node.op](made, args, values)
    if all(value is not None for value in values):
        exact = _exact_call(node.op, [value for value in values if value is not None])
        return made if exact is None else number(exact)
    if node.op in ("max", "min") and all(arg is args[0] for arg in args):
        return args[0]
    return made


def _constant(simplified: Expression) -> Fraction | None:
    """The rational it denotes; a simplified constant has few nodes, so the rest costs nothing."""
    return constant_value(simplified, max_bits=4096) if simplified.nodes <= 8 else None


_Values = list[Fraction | None]
_Identity = Callable[[Expression, tuple[Expression, ...], _Values], Expression]


def _where_identity(made: Expression, args: tuple[Expression, ...], values: _Values) -> Expression:
    left, right = values[:2]
    if args[2] is args[3]:
        return args[2]
    if left is None or right is None:
        return made
    return args[2] if _RELATION_HOLDS[made.op[5:]](left, right) else args[3]


def _power_identity(made: Expression, args: tuple[Expression, ...], values: _Values) -> Expression:
    base, exponent = values
    if exponent == 0 or base == 1:
        return ONE
    if exponent == 1:
        return args[0]
    return ZERO if base == 0 else made  # defined at base 0 only for positive exponents


_IDENTITIES: Mapping[str, _Identity] = {
    "add": lambda made, x, v: x[1] if v[0] == 0 else x[0] if v[1] == 0 else made,
    "sub": lambda made, x, v: ZERO if x[0] is x[1] else x[0] if v[1] == 0 else made,
    "mul": lambda made, x, v: (
        ZERO if 0 in v else x[1] if v[0] == 1 else x[0] if v[1] == 1 else made
    ),
    "div": lambda made, x, v: (
        ZERO if v[0] == 0 else ONE if x[0] is x[1] else x[0] if v[1] == 1 else made
    ),
    "neg": lambda made, x, v: x[0].args[0] if x[0].op == "neg" else made,
    "pow": _power_identity,
} | {f"where{relation}": _where_identity for relation in _RELATION_HOLDS}


_EXACT = {
    ("exp", 0): Fraction(1),
    ("log", 1): Fraction(0),
    ("tanh", 0): Fraction(0),
    ("sqrt", 0): Fraction(0),
    ("sqrt", 1): Fraction(1),
    ("sigmoid", 0): Fraction(1, 2),
}


def _exact_call(op: str, values: list[Fraction]) -> Fraction | None:
    """The operation at rationals where the result is rational and known exactly."""
    a = values[0]
    if a.denominator == 1 and (op, int(a)) in _EXACT:
        return _EXACT[op, int(a)]
    match op:
        case "abs":
            return abs(a)
        case "sign":
            return Fraction((a > 0) - (a < 0))
        case "relu":
            return max(a, Fraction(0))
        case "square":
            return a * a
        case "inv":
            return 1 / a if a else None
        case "clip":
            return min(max(a, values[1]), values[2])
        case "max":
            return max(values)
        case "min":
            return min(values)
    return None
