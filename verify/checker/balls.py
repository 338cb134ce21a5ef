"""Enclosures of smooth formulas over boxes, by arb's balls, rounded outwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from flint import arb, fmpq

from symbolic.expression import Expression, Number, Symbol, fold, integer_exponent
from verify.checker.algebra import Range, Unproved
from verify.checker.context import Context


def ball(value: Fraction) -> arb:
    """The rational as a ball."""
    return arb(fmpq(value.numerator, value.denominator))


def hull(where: Range) -> arb:
    """The closed interval as one ball; raises Unproved if it is unbounded."""
    if where.lower is None or where.upper is None:
        raise Unproved("the rule 'ball' needs bounded variables")
    return ball(where.lower).union(ball(where.upper))


SMOOTH: dict[str, Callable[..., arb]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "pow": lambda a, b: (b * a.log()).exp(),
    "exp": lambda a: a.exp(),
    "log": lambda a: a.log(),
    "tanh": lambda a: a.tanh(),
    "sqrt": lambda a: a.sqrt(),
    "softplus": lambda a: a.exp().log1p(),
    "sigmoid": lambda a: 1 / (1 + (-a).exp()),
    "square": lambda a: _power(a, 2),
    "inv": lambda a: 1 / a,
}


def enclose(root: Expression, values: Mapping[str, arb]) -> arb:
    """A ball that holds every value of a smooth formula; not finite where it may be undefined."""

    def visit(node: Expression, args: tuple[arb, ...]) -> arb:
        if isinstance(node, Number):
            return ball(node.value)
        if isinstance(node, Symbol):
            return values[node.name]
        if not all(arg.is_finite() for arg in args):
            return arb.nan()
        if node.op == "pow":
            n = integer_exponent(node)
            if n is not None:
                return _power(args[0], n)
        if node.op not in SMOOTH:
            raise Unproved(f"'{node.op}' is not smooth")
        return SMOOTH[node.op](*args)

    return fold(root, visit)


def _power(x: arb, n: int) -> arb:
    """x**n from the ends of the ball (flint's own power is nan for a ball around 0)."""
    if n < 0:
        return 1 / _power(x, -n)
    if n < 2:
        return x if n else arb(1)
    if n % 2:
        return (arb(x.lower()) ** n).union(arb(x.upper()) ** n)
    far, near = arb(x.abs_upper()) ** n, arb(x.abs_lower()) ** n
    return near.union(far)


def enclosure(context: Context, tree: Expression) -> arb:
    """A ball that holds every value of a formula at the points of a context.

    Facts are not used: the box is. Nothing is put in the formula's place either: a normal form
    that facts allow may be smooth over a box on which the formula jumps.
    """
    return enclose(tree, _boxes(context, tree))


def _boxes(context: Context, tree: Expression) -> dict[str, arb]:
    return {name: hull(context.domains[name]) for name in sorted(tree.symbols)}
