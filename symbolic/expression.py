"""The expression tree: exact, immutable, and shared.

A formula is kept as it was written. Equal trees are the same object (nodes are interned
at construction), so comparing, hashing and memoising cost nothing, and every traversal
is iterative: a sum of five thousand terms is a tree of depth five thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import log2
from typing import TypeVar, Union
from weakref import WeakValueDictionary

T = TypeVar("T")
Operand = Union["Expression", int, Fraction]


class Expression:
    """A node: a number, a symbol, or an operation applied to arguments."""

    __slots__ = ("__weakref__", "args", "nodes", "op")

    op: str
    args: tuple[Expression, ...]
    nodes: int
    """Number of nodes of the tree, as PySR counts complexity."""

    def __add__(self, other: Operand) -> Expression:
        return call("add", self, as_expression(other))

    def __radd__(self, other: Operand) -> Expression:
        return call("add", as_expression(other), self)

    def __sub__(self, other: Operand) -> Expression:
        return call("sub", self, as_expression(other))

    def __rsub__(self, other: Operand) -> Expression:
        return call("sub", as_expression(other), self)

    def __mul__(self, other: Operand) -> Expression:
        return call("mul", self, as_expression(other))

    def __rmul__(self, other: Operand) -> Expression:
        return call("mul", as_expression(other), self)

    def __truediv__(self, other: Operand) -> Expression:
        return call("div", self, as_expression(other))

    def __rtruediv__(self, other: Operand) -> Expression:
        return call("div", as_expression(other), self)

    def __pow__(self, other: Operand) -> Expression:
        return call("pow", self, as_expression(other))

    def __neg__(self) -> Expression:
        return call("neg", self)

    def __bool__(self) -> bool:
        raise TypeError("an expression has no truth value; compare trees with `is` or `==`")

    def __repr__(self) -> str:
        from symbolic.text import to_text

        return f"<{to_text(self)}>"

    def __str__(self) -> str:
        from symbolic.text import to_text

        return to_text(self)

    @property
    def symbols(self) -> frozenset[str]:
        """Names of the variables and parameters that occur."""
        return frozenset(node.name for node in postorder(self) if isinstance(node, Symbol))


class Number(Expression):
    """A non-negative rational with a finite decimal expansion, exactly as a literal writes one."""

    __slots__ = ("value",)
    value: Fraction

    def __reduce__(self) -> tuple[Callable[..., Expression], tuple[object, ...]]:
        return number, (self.value,)


class Symbol(Expression):
    """A variable (`r`, `A`, `t`, `x`) or a parameter."""

    __slots__ = ("name",)
    name: str

    def __reduce__(self) -> tuple[Callable[..., Expression], tuple[object, ...]]:
        return symbol, (self.name,)


class Call(Expression):
    """An operation of the table applied to its arguments."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Callable[..., Expression], tuple[object, ...]]:
        return call, (self.op, *self.args)


_interned: WeakValueDictionary[tuple[object, ...], Expression] = WeakValueDictionary()


def call(op: str, *args: Expression) -> Expression:
    """The node `op(*args)`; `op` is a name of the table of operations."""
    key = (op, *map(id, args))
    found = _interned.get(key)
    if found is None:
        found = Call.__new__(Call)
        found.op, found.args = op, args
        found.nodes = 1 + sum(arg.nodes for arg in args)
        _interned[key] = found
    return found


def symbol(name: str) -> Expression:
    """The variable or parameter `name`."""
    key = ("symbol", name)
    found = _interned.get(key)
    if found is None:
        made = Symbol.__new__(Symbol)
        made.op, made.args, made.nodes, made.name = "symbol", (), 1, name
        found = _interned[key] = made
    return found


def number(value: int | Fraction) -> Expression:
    """The exact value `value`: a literal where one can write it, else `-n`, `p/q` or `-p/q`."""
    value = Fraction(value)
    if value < 0:
        return call("neg", number(-value))
    if not _is_decimal(value):
        return call("div", number(value.numerator), number(value.denominator))
    key = ("number", value)
    found = _interned.get(key)
    if found is None:
        made = Number.__new__(Number)
        made.op, made.args, made.nodes, made.value = "number", (), 1, value
        found = _interned[key] = made
    return found


def as_expression(value: Operand) -> Expression:
    """An expression from an expression, an integer or a fraction (never a float: 0.1 is not 1/10)."""
    if isinstance(value, Expression):
        return value
    if isinstance(value, (int, Fraction)) and not isinstance(value, bool):
        return number(value)
    raise TypeError(f"{value!r} is not exact: use Fraction, int, or parse('0.1')")


def postorder(*roots: Expression) -> Iterator[Expression]:
    """Every distinct node once, arguments before the nodes that use them."""
    seen: set[int] = set()
    stack: list[tuple[Expression, bool]] = [(root, False) for root in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if ready:
            yield node
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((arg, False) for arg in reversed(node.args) if id(arg) not in seen)


def fold(root: Expression, visit: Callable[[Expression, tuple[T, ...]], T]) -> T:
    """Bottom-up value of `root`: `visit(node, values of its arguments)`, once a distinct node."""
    return fold_all([root], visit)[0]


def fold_all(
    roots: Sequence[Expression], visit: Callable[[Expression, tuple[T, ...]], T]
) -> list[T]:
    """As `fold`, of several roots; what they share is visited once."""
    values: dict[int, T] = {}
    done: list[Expression] = []  # keeps nodes, hence their ids, alive
    for node in postorder(*roots):
        if id(node) not in values:
            values[id(node)] = visit(node, tuple(values[id(arg)] for arg in node.args))
            done.append(node)
    return [values[id(root)] for root in roots]


def substitute(root: Expression, values: Mapping[str, Expression]) -> Expression:
    """`root` with symbols replaced by expressions, all at once."""

    def visit(node: Expression, args: tuple[Expression, ...]) -> Expression:
        if isinstance(node, Symbol):
            return values.get(node.name, node)
        return call(node.op, *args) if args else node

    return fold(root, visit)


def terms(root: Expression) -> list[Expression]:
    """What a sum adds up or takes away, from left to right; `[root]` for no sum.

    Signs are left out, and constant factors of a sum.
    """
    found, stack = [], [root]
    while stack:
        node = stack.pop()
        inner = _without_factors(node)
        if inner.op in _SUMS:
            stack.extend(reversed(inner.args))
        else:
            found.append(node)
    return found


_SUMS = ("add", "sub", "neg")
_LARGEST_FACTOR = 9
"""Nodes of a constant factor; looking at a larger one again and again would take long."""


def _without_factors(node: Expression) -> Expression:
    """What a product or quotient has beside constants that are not 0."""
    while node.op in ("mul", "div"):
        left, right = node.args
        if _is_factor(right):
            node = left
        elif node.op == "mul" and _is_factor(left):
            node = right
        else:
            break
    return node


def _is_factor(node: Expression) -> bool:
    return node.nodes <= _LARGEST_FACTOR and constant_value(node) not in (None, 0)


def constant_value(root: Expression, max_bits: int = 1 << 17) -> Fraction | None:
    """The rational that an expression of literals, `+ - * /` and integer powers denotes.

    None if it is no such expression, divides by zero, or needs more than `max_bits` bits.
    """

    def visit(node: Expression, args: tuple[Fraction | None, ...]) -> Fraction | None:
        if isinstance(node, Number):
            return node.value
        if not args or any(arg is None for arg in args):
            return None
        return _exact(node.op, [arg for arg in args if arg is not None], max_bits)

    return fold(root, visit)


def _exact(op: str, args: list[Fraction], max_bits: int) -> Fraction | None:
    if op == "neg":
        return -args[0]
    if len(args) != 2:
        return None
    a, b = args
    if op == "pow":
        if b.denominator != 1 or (a == 0 and b < 0) or abs(b) * _bits(a) > max_bits:
            return None
        return a ** int(b)
    if op == "div" and b == 0 or _bits(a) + _bits(b) > max_bits:
        return None
    table = {"add": a.__add__, "sub": a.__sub__, "mul": a.__mul__, "div": a.__truediv__}
    return table[op](b) if op in table else None


@lru_cache(maxsize=4096)
def integer_exponent(node: Expression) -> int | None:
    """The exponent of a power node when it is a constant integer (then `x**n` is a product)."""
    value = constant_value(node.args[1])
    return int(value) if value is not None and value.denominator == 1 else None


def _bits(value: Fraction) -> int:
    return value.numerator.bit_length() + value.denominator.bit_length()


def _is_decimal(value: Fraction) -> bool:
    """Whether the denominator is 2**a·5**b, which may have as many digits as the language allows."""
    twos = (value.denominator & -value.denominator).bit_length() - 1
    rest = value.denominator >> twos
    return rest == 5 ** round((rest.bit_length() - 1) / log2(5))
