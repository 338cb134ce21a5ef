"""Text → tree, by an allow-list: nothing is ever evaluated.

An operator-precedence reader over tokens, with its own stack. Time and memory are bounded
by limits that are checked before any work that depends on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from symbolic.errors import FormulaError
from symbolic.expression import (
    Expression,
    Number,
    call,
    constant_value,
    fold,
    number,
    postorder,
    symbol,
)
from symbolic.hints import for_name, for_operation, usage
from symbolic.operations import FUNCTIONS, OPERATIONS, RELATIONS, SYNONYMS
from symbolic.tokens import MAX_DIGITS, MAX_EXPONENT, Token, tokenise

MAX_NESTING = 150
MAX_PENDING = 450
"""Signs, powers and other operators that wait for their operand."""

BY_NAMES = 'name it: parse(text, names=[..., "{name}"])'
BY_PARAM = 'declare it: --param "{name} in (0, inf)", or bind it: --param {name}=0.6'

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_BINARY = {"+": ("add", 10), "-": ("sub", 10), "*": ("mul", 20), "/": ("div", 20)}


@dataclass
class _Frame:
    """The whole text (`kind` "all") or an open bracket: a "group", a "call" or a "where"."""

    kind: str
    token: Token
    name: str = ""
    relation: str = ""
    parts: list[Expression] = field(default_factory=list)
    operands: list[Expression] = field(default_factory=list)
    operators: list[tuple[str, int, Token]] = field(default_factory=list)

    def next_mark(self) -> tuple[tuple[str, ...], str]:
        """The marks that may follow a complete operand here, and their wording in an error."""
        if self.kind == "where":
            return _WHERE[len(self.parts)]
        return _AFTER[self.kind]


_AFTER = {
    "all": ((), "an operator or the end"),
    "group": ((")",), "an operator or ')'"),
    "call": ((",", ")"), "',' or ')'"),
}
_WHERE = (
    (RELATIONS, "a comparison < <= > >="),
    ((",",), "',' after the comparison"),
    ((",",), "',' and the other branch"),
    ((")",), "')'"),
)


def parse(
    text: str, *, names: Iterable[str] = ("r", "A", "t"), declare: str | None = None
) -> Expression:
    """The tree of a formula; `names` are the variables and declared parameters.

    `declare` says how a name is declared, with `{name}` in its place, where that is not by `names`.
    Raises FormulaError with the text, a caret, what was expected and how to mend it.
    """
    if not isinstance(text, str):
        raise FormulaError(f"a formula is text, not {type(text).__name__}", remedy="pass a string")
    if isinstance(names, str):
        raise FormulaError(f"names={names!r:.60} is a single text", remedy="pass a list of names")
    return _Reader(text, tuple(names), declare or BY_NAMES).read()


class _Reader:
    def __init__(self, text: str, names: tuple[str, ...], declare: str) -> None:
        self.text = text
        self.names = frozenset(names)
        self.declare = declare
        self.tokens = tokenise(text)
        self.at = 0
        self.stack = [_Frame("all", self.tokens[0])]
        self.pending = 0

    def error(self, message: str, token: Token, remedy: str) -> FormulaError:
        return token.error(message, self.text, remedy)

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    @property
    def frame(self) -> _Frame:
        return self.stack[-1]

    def take(self) -> Token:
        token = self.token
        self.at += 1
        return token

    def read(self) -> Expression:
        """The tree of the whole text, by operator precedence over an explicit stack."""
        if self.token.kind == "end":
            raise self.error("the formula is empty", self.token, "write one, for example (r-1)**2")
        while True:
            self.operand()
            tree = self.after_operand()
            if tree is not None:
                self._bound_constants(tree)
                return tree

    def operand(self) -> None:
        """Read signs and opening brackets up to a number or a name, which becomes an operand."""
        while True:
            token = self.token
            if token.kind == "number":
                self.frame.operands.append(self.literal(self.take()))
                return
            if token.kind == "name" and token.text in self.names:
                self.frame.operands.append(symbol(self.take().text))
                return
            if token.kind == "name":
                self.open(self.bracket(self.take()))
            elif token.text == "(":
                self.open(_Frame("group", token))
            elif token.text == "-":
                self.push("neg", 30, token)
            elif token.text != "+":
                raise self.unexpected("a number, a name or '('")
            self.take()

    def after_operand(self) -> Expression | None:
        """Read closing brackets up to an operator or comma; the tree at the end of the text."""
        while True:
            mark = self.token.text
            if mark in ("**", "^"):
                self.push("pow", 40, self.take())
                return None
            if mark in _BINARY:
                op, precedence = _BINARY[mark]
                self.reduce(precedence)
                self.push(op, precedence, self.take())
                return None
            value = self.reduce(0)
            marks, wording = self.frame.next_mark()
            if mark in marks:
                self.take()
                if mark != ")":
                    self.next_part(mark, value)
                    return None
                closed = self.close(self.stack.pop(), value)
                self.frame.operands.append(closed)
            elif self.token.kind == "end" and self.frame.kind == "all":
                return value
            else:
                raise self.unexpected(wording)

    def open(self, frame: _Frame) -> None:
        self.stack.append(frame)
        self._bound_depth(frame.token)

    def next_part(self, mark: str, value: Expression) -> None:
        """A comma, or the comparison of where: the operand before it is complete."""
        if mark != ",":
            self.frame.relation = mark
        self.frame.parts.append(value)
        self.frame.operands.clear()

    def push(self, op: str, precedence: int, token: Token) -> None:
        self.frame.operators.append((op, precedence, token))
        self.pending += 1
        self._bound_depth(token)

    def _bound_depth(self, token: Token) -> None:
        if len(self.stack) - 1 > MAX_NESTING or self.pending > MAX_PENDING:
            raise self.error(
                f"nested deeper than {MAX_NESTING} levels", token, "flatten or split the formula"
            )

    def reduce(self, precedence: int) -> Expression:
        """Apply the waiting operators that bind at least as tightly as `precedence`."""
        operators, operands = self.frame.operators, self.frame.operands
        while operators and operators[-1][1] >= precedence:
            op, _, token = operators.pop()
            self.pending -= 1
            last = operands.pop()
            if op == "neg":
                operands.append(call(op, last))
            elif op == "pow":
                operands.append(self.power(operands.pop(), last, token))
            else:
                operands.append(call(op, operands.pop(), last))
        return operands[-1]

    def close(self, frame: _Frame, last: Expression) -> Expression:
        """What a closed bracket stands for."""
        args = [*frame.parts, last]
        if frame.kind == "group":
            return last
        if frame.kind == "where":
            return call("where" + frame.relation, *args)
        least, most = OPERATIONS[frame.name].arity
        if len(args) < least or (most is not None and len(args) > most):
            wanted = f"{least}{' or more' if most is None else ''} argument"
            wanted += "s" if least > 1 else ""
            raise self.error(
                f"'{frame.name}' takes {wanted}, not {len(args)}",
                frame.token,
                f"write {usage(frame.name)}",
            )
        return call(frame.name, *args)

    def unexpected(self, expected: str) -> FormulaError:
        token = self.token
        if token.kind == "end":
            return self.error(
                f"the formula ends where {expected} should follow", token, self._unclosed()
            )
        remedy = f"expected {expected} here"
        if token.text in (")", ",") and self.frame.name:
            remedy += f"; write {usage(self.frame.name)}"
        elif token.text == ")":
            remedy += "; remove this ')' or add the '(' that it closes"
        elif token.text in ("=", "==", "!="):
            remedy += "; comparisons are < <= > >= inside where(...)"
        elif token.text in RELATIONS:
            remedy += "; a comparison stands only inside where(a < b, u, v)"
        elif token.kind in ("name", "number") or token.text == "(":
            remedy += "; a product is written with '*'"
        return self.error(f"unexpected '{token.shown}'", token, remedy)

    def _unclosed(self) -> str:
        opened = self.text.count("(") - self.text.count(")")
        return f"close {opened} open bracket(s) with ')'" if opened > 0 else "complete the formula"

    def literal(self, token: Token) -> Expression:
        mantissa, _, exponent = token.text.lower().partition("e")
        digits = sum(c.isdigit() for c in mantissa)
        if digits > MAX_DIGITS:
            raise self.error(
                f"a number of {digits} digits, more than {MAX_DIGITS}",
                token,
                "round it, or use e-notation",
            )
        if len(exponent) > 5 or abs(int(exponent or 0)) > MAX_EXPONENT:
            raise self.error(
                f"an exponent beyond {MAX_EXPONENT}",
                token,
                f"keep it within 1e-{MAX_EXPONENT} … 1e{MAX_EXPONENT}",
            )
        return number(Fraction(token.text))

    def bracket(self, token: Token) -> _Frame:
        """The frame of the operation that a name calls; its bracket is the next token."""
        name = SYNONYMS.get(token.text, token.text)
        if name not in FUNCTIONS and name != "where":
            raise self.unknown(token)
        if self.token.text != "(":
            raise self.error(
                f"'{token.text}' is an operation", token, f"give it arguments: {token.text}(...)"
            )
        return _Frame("where" if name == "where" else "call", token, name)

    def unknown(self, token: Token) -> FormulaError:
        name = token.text
        if not _NAME.match(name) or "__" in name:
            return self.error(
                f"'{token.shown}' is no name of the language", token,
                "names are a letter followed by letters, digits and '_'",
            )  # fmt: skip
        if self.token.text == "(":
            table = " ".join(sorted({*FUNCTIONS, "where"}))
            remedy = f"{for_operation(name)}known: {table}"
            return self.error(f"unknown operation '{token.shown}'", token, remedy)
        if name in ("r", "A", "t", "x"):
            a_map = "; say --kind mirror-map, or psi, if it is one"
            return self.error(
                f"'{token.shown}' is not a variable of this kind of formula", token,
                f"the names here are {', '.join(sorted(self.names))}"
                + (a_map if name == "x" and "r" in self.names else ""),
            )  # fmt: skip
        remedy = for_name(name, self.names, self.declare.replace("{name}", token.shown))
        return self.error(f"unknown name '{token.shown}'", token, remedy)

    def power(self, base: Expression, exponent: Expression, sign: Token) -> Expression:
        if not exponent.symbols and _beyond(exponent):
            raise self.error(
                f"a constant exponent beyond {MAX_EXPONENT}",
                sign,
                f"keep |exponent| <= {MAX_EXPONENT}",
            )
        return call("pow", base, exponent)

    def _bound_constants(self, tree: Expression) -> None:
        """Refuse constants such as ((9**300)**300)**300, which no exact arithmetic can hold."""

        def bits(node: Expression, args: tuple[int, ...]) -> int:
            if isinstance(node, Number):
                return node.value.numerator.bit_length() + node.value.denominator.bit_length()
            exponent = constant_value(node.args[1]) if node.op == "pow" else None
            if exponent is not None:
                return int(args[0] * max(Fraction(1), abs(exponent)))
            return sum(args, start=1)

        if fold(tree, bits) > 4_000_000:
            raise FormulaError(
                "its powers multiply out to more than a million digits",
                text=self.text, column=0, width=1, remedy="use smaller exponents",
            )  # fmt: skip


def check_exponents(root: Expression) -> None:
    """Refuse a constant exponent beyond the limit, which values put for parameters can make.

    Where an exponent cannot be computed it is not known whether the power is a product, so
    nothing true could be said of the formula. Raises FormulaError.
    """
    for node in postorder(root):
        if node.op == "pow" and not node.args[1].symbols and _beyond(node.args[1]):
            raise FormulaError(
                f"a constant exponent beyond {MAX_EXPONENT}",
                remedy=f"keep |exponent| <= {MAX_EXPONENT}, also with the values of parameters put in",
            )


def _beyond(exponent: Expression) -> bool:
    value = constant_value(exponent)
    # No value, though it is arithmetic: too large to compute, or a division by zero.
    return _only_arithmetic(exponent) if value is None else abs(value) > MAX_EXPONENT


def _only_arithmetic(root: Expression) -> bool:
    def visit(node: Expression, args: tuple[bool, ...]) -> bool:
        return node.op in ("number", "neg", "add", "sub", "mul", "div", "pow") and all(args)

    return fold(root, visit)
