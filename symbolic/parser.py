"""Text → tree, by an allow-list: nothing is ever evaluated.

A precedence-climbing reader over tokens. Time and memory are bounded by the limits
below, which are checked before any work that depends on them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from symbolic.errors import FormulaError
from symbolic.expression import Expression, call, constant_value, fold, number, symbol
from symbolic.operations import FUNCTIONS, OPERATIONS, RELATIONS, SYNONYMS

MAX_CHARACTERS = 20_000
MAX_NESTING = 150
MAX_DIGITS = 100
MAX_EXPONENT = 300

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<mark>\*\*|<=|>=|==|!=|[-+*/^(),<>=]))",
    re.ASCII,
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_BINARY = {"+": ("add", 10), "-": ("sub", 10), "*": ("mul", 20), "/": ("div", 20)}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    column: int


def parse(text: str, *, names: Iterable[str] = ("r", "A", "t")) -> Expression:
    """The tree of a formula; `names` are the variables and declared parameters.

    Raises FormulaError with the text, a caret, what was expected and how to mend it.
    """
    if not isinstance(text, str):
        raise FormulaError(f"a formula is text, not {type(text).__name__}", remedy="pass a string")
    if len(text) > MAX_CHARACTERS:
        raise FormulaError(
            f"{len(text)} characters, more than the {MAX_CHARACTERS} allowed",
            text=text[:40], column=0, remedy="split the formula or name its parts as parameters",
        )  # fmt: skip
    return _Reader(text, frozenset(names)).read()


class _Reader:
    def __init__(self, text: str, names: frozenset[str]) -> None:
        self.text = text
        self.names = names
        self.tokens = self._tokenise()
        self.at = 0
        self.depth = 0

    def error(self, message: str, token: _Token, remedy: str) -> FormulaError:
        return FormulaError(
            message, text=self.text, column=token.column, width=len(token.text), remedy=remedy
        )

    def _tokenise(self) -> list[_Token]:
        tokens, at = [], 0
        end = len(self.text.rstrip())
        while at < end:
            found = _TOKEN.match(self.text, at)
            if not found:
                at += len(self.text[at:]) - len(self.text[at:].lstrip())
                raise self._stray(at)
            kind = str(found.lastgroup)
            tokens.append(_Token(kind, found[kind], found.start(kind)))
            at = found.end()
        tokens.append(_Token("end", "", end))
        return tokens

    def _stray(self, at: int) -> FormulaError:
        character = self.text[at]
        token = _Token("mark", character, at)
        if character == ".":
            return self.error("attribute access is not part of the language", token, "remove the '.'")
        if ord(character) > 126:
            return self.error(
                f"the character U+{ord(character):04X} is not ASCII", token,
                "type it again with ASCII letters, digits and signs (look-alikes are not accepted)",
            )  # fmt: skip
        return self.error(
            f"unexpected character {character!r}", token,
            "formulas use names, numbers, + - * / ** ^ ( ) , < <= > >=",
        )  # fmt: skip

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def take(self) -> _Token:
        token = self.token
        self.at += 1
        return token

    def read(self) -> Expression:
        if self.token.kind == "end":
            raise self.error("the formula is empty", self.token, "write one, for example (r-1)**2")
        tree = self.expression(0)
        if self.token.kind != "end":
            raise self.unexpected("an operator or the end")
        self._bound_constants(tree)
        return tree

    def unexpected(self, expected: str) -> FormulaError:
        token = self.token
        if token.kind == "end":
            return self.error(f"the formula ends where {expected} should follow", token, self._unclosed())
        remedy = f"expected {expected} here"
        if token.text == ")":
            remedy += "; remove this ')' or add the '(' that it closes"
        elif token.text in ("=", "==", "!="):
            remedy += "; comparisons are < <= > >= inside where(...)"
        elif token.text in RELATIONS:
            remedy += "; a comparison stands only inside where(a < b, u, v)"
        elif token.kind in ("name", "number") or token.text == "(":
            remedy += "; a product is written with '*'"
        return self.error(f"unexpected '{token.text}'", token, remedy)

    def _unclosed(self) -> str:
        opened = self.text.count("(") - self.text.count(")")
        return f"close {opened} open bracket(s) with ')'" if opened > 0 else "complete the formula"

    def expect(self, mark: str, expected: str) -> None:
        if self.token.text != mark:
            raise self.unexpected(expected)
        self.take()

    def expression(self, least: int) -> Expression:
        """Everything that binds at least as tightly as `least`."""
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self.error(
                f"nested deeper than {MAX_NESTING} levels", self.token, "flatten or split the formula"
            )
        left = self.operand()
        while True:
            mark = self.token.text if self.token.kind == "mark" else ""
            if mark in ("**", "^") and least <= 40:
                sign = self.take()
                exponent = self.expression(30)  # right-associative; a unary minus may follow
                left = self.power(left, exponent, sign)
            elif mark in _BINARY and _BINARY[mark][1] >= least:
                op, precedence = _BINARY[self.take().text]
                left = call(op, left, self.expression(precedence + 1))
            else:
                self.depth -= 1
                return left

    def operand(self) -> Expression:
        token = self.token
        if token.text == "-" and token.kind == "mark":
            self.take()
            return call("neg", self.expression(30))
        if token.text == "+" and token.kind == "mark":
            self.take()
            return self.expression(30)
        if token.text == "(":
            self.take()
            inner = self.expression(0)
            self.expect(")", "an operator or ')'")
            return inner
        if token.kind == "number":
            return self.literal(self.take())
        if token.kind == "name":
            return self.named(self.take())
        raise self.unexpected("a number, a name or '('")

    def literal(self, token: _Token) -> Expression:
        mantissa, _, exponent = token.text.lower().partition("e")
        digits = sum(c.isdigit() for c in mantissa)
        if digits > MAX_DIGITS:
            raise self.error(
                f"a number of {digits} digits, more than {MAX_DIGITS}", token, "round it, or use e-notation"
            )
        if len(exponent) > 5 or abs(int(exponent or 0)) > MAX_EXPONENT:
            raise self.error(
                f"an exponent beyond {MAX_EXPONENT}", token, f"keep it within 1e-{MAX_EXPONENT} … 1e{MAX_EXPONENT}"
            )
        return number(Fraction(token.text))

    def named(self, token: _Token) -> Expression:
        name = token.text
        if name in self.names:
            return symbol(name)
        operation = SYNONYMS.get(name, name)
        if operation in FUNCTIONS or operation == "where":
            if self.token.text != "(":
                raise self.error(f"'{name}' is an operation", token, f"give it arguments: {name}(...)")
            self.take()
            return self.where() if operation == "where" else self.function(operation, token)
        raise self.unknown(token)

    def unknown(self, token: _Token) -> FormulaError:
        name = token.text
        if not _NAME.match(name) or "__" in name:
            return self.error(
                f"'{name}' is no name of the language", token,
                "names are a letter followed by letters, digits and '_'",
            )  # fmt: skip
        if self.token.text == "(":
            near = difflib.get_close_matches(name, [*FUNCTIONS, "where", *SYNONYMS], 1)
            hint = f"did you mean '{near[0]}'? " if near else ""
            table = " ".join(sorted({*FUNCTIONS, "where"}))
            return self.error(f"unknown operation '{name}'", token, f"{hint}known: {table}")
        if name in ("r", "A", "t", "x"):
            return self.error(
                f"'{name}' is not a variable of this kind of formula", token,
                f"the names here are {', '.join(sorted(self.names))}",
            )  # fmt: skip
        return self.error(
            f"unknown name '{name}'", token,
            f'declare it: --param "{name} in (0, inf)", or bind it: --param {name}=0.6',
        )  # fmt: skip

    def function(self, name: str, token: _Token) -> Expression:
        args = [self.expression(0)]
        while self.token.text == ",":
            self.take()
            args.append(self.expression(0))
        self.expect(")", "',' or ')'")
        least, most = OPERATIONS[name].arity
        if len(args) < least or (most is not None and len(args) > most):
            wanted = f"{least} or more arguments" if most is None else f"{least} argument(s)"
            raise self.error(f"'{name}' takes {wanted}, not {len(args)}", token, f"write {_usage(name)}")
        return call(name, *args)

    def where(self) -> Expression:
        left = self.expression(0)
        relation = self.token.text
        if relation not in RELATIONS:
            raise self.unexpected("a comparison < <= > >=")
        self.take()
        right = self.expression(0)
        self.expect(",", "',' after the comparison")
        chosen = self.expression(0)
        self.expect(",", "',' and the other branch")
        other = self.expression(0)
        self.expect(")", "')'")
        return call("where" + relation, left, right, chosen, other)

    def power(self, base: Expression, exponent: Expression, sign: _Token) -> Expression:
        value = constant_value(exponent)
        huge = value is None and not exponent.symbols and _only_arithmetic(exponent)
        if huge or (value is not None and abs(value) > MAX_EXPONENT):
            raise self.error(
                f"a constant exponent beyond {MAX_EXPONENT}", sign, f"keep |exponent| <= {MAX_EXPONENT}"
            )
        return call("pow", base, exponent)

    def _bound_constants(self, tree: Expression) -> None:
        """Refuse constants such as ((9**300)**300)**300, which no exact arithmetic can hold."""

        def bits(node: Expression, args: tuple[int, ...]) -> int:
            if not args:
                return node.value.numerator.bit_length() + node.value.denominator.bit_length() if (
                    node.op == "number"
                ) else 2  # fmt: skip
            exponent = constant_value(node.args[1]) if node.op == "pow" else None
            return int(args[0] * max(1, abs(exponent))) if exponent is not None else sum(args)

        if fold(tree, bits) > 4_000_000:
            raise FormulaError(
                "its powers multiply out to more than a million digits",
                text=self.text, column=0, width=1, remedy="use smaller exponents",
            )  # fmt: skip


def _only_arithmetic(root: Expression) -> bool:
    def visit(node: Expression, args: tuple[bool, ...]) -> bool:
        return node.op in ("number", "neg", "add", "sub", "mul", "div", "pow") and all(args)

    return fold(root, visit)


def _usage(name: str) -> str:
    least, most = OPERATIONS[name].arity
    if name == "clip":
        return "clip(x, lo, hi)"
    return f"{name}({', '.join('abc'[:least])}{', …' if most is None else ''})"
