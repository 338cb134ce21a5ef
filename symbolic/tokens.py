"""Text → tokens of the language, and the limits on what is read."""

from __future__ import annotations

import re
from dataclasses import dataclass

from symbolic.errors import FormulaError

MAX_CHARACTERS = 20_000
MAX_DIGITS = 100
MAX_EXPONENT = 300
_SHOWN = 40

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<mark>\*\*|<=|>=|==|!=|[-+*/^(),<>=]))",
    re.ASCII,
)


_MEANT = {
    "|": "abs(x) for |x|",
    "[": "'('", "]": "')'", "{": "'('", "}": "')'",
    ";": "its declarations as --param; a ';' stands in files",
    "−": "'-'", "–": "'-'", "×": "'*'", "·": "'*'", "⋅": "'*'", "÷": "'/'",
    "²": "**2", "³": "**3", "√": "sqrt(x)", "≤": "<=", "≥": ">=",
    "α": "alpha", "β": "beta", "ε": "eps", "π": "3.14159265",
}  # fmt: skip
"""Characters that are met in papers and on keyboards, and what is written for them."""


@dataclass(frozen=True)
class Token:
    """A number, a name, a mark or the end of the text, and where it starts."""

    kind: str
    text: str
    column: int

    @property
    def shown(self) -> str:
        """The text, shortened to what fits in a message."""
        return self.text if len(self.text) <= _SHOWN else self.text[:_SHOWN] + "…"

    def error(self, message: str, whole: str, remedy: str) -> FormulaError:
        """The error that points at this token of the text `whole`."""
        return FormulaError(
            message, text=whole, column=self.column, width=len(self.text), remedy=remedy
        )


def tokenise(text: str) -> list[Token]:
    """The tokens of `text`, ending with one of kind "end".

    Raises FormulaError for a character that is not in the language and for too long a text.
    """
    if len(text) > MAX_CHARACTERS:
        raise FormulaError(
            f"{len(text)} characters, more than the {MAX_CHARACTERS} allowed",
            text=text[:40],
            column=0,
            remedy="split the formula or name its parts as parameters",
        )
    tokens, at = [], 0
    end = len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if not found:
            rest = text[at:]
            raise _stray(text, at + len(rest) - len(rest.lstrip()))
        kind = str(found.lastgroup)
        tokens.append(Token(kind, found[kind], found.start(kind)))
        at = found.end()
    tokens.append(Token("end", "", end))
    return tokens


def _stray(text: str, at: int) -> FormulaError:
    character = text[at]
    token = Token("mark", character, at)
    if character == ".":
        return token.error("attribute access is not part of the language", text, "remove the '.'")
    meant = _MEANT.get(character, "")
    if ord(character) > 126:
        return token.error(
            f"the character U+{ord(character):04X} is not ASCII",
            text,
            (f"write {meant}; " if meant else "")
            + "type it again with ASCII letters, digits and signs (look-alikes are not accepted)",
        )
    return token.error(
        f"unexpected character {character!r}",
        text,
        (f"write {meant}; " if meant else "")
        + "formulas use names, numbers, + - * / ** ^ ( ) , < <= > >=",
    )
