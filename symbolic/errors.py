"""Errors that a person can act on: what was read, where, what was expected, how to mend it."""

from __future__ import annotations

_WINDOW = 76


class FormulaError(ValueError):
    """A formula, a domain or a file of formulas that cannot be read.

    `str(error)` is the text the command line shows: the place, the text with a
    caret under it, and the remedy.
    """

    def __init__(
        self,
        message: str,
        *,
        text: str = "",
        column: int | None = None,
        width: int = 1,
        remedy: str = "",
        source: str = "formula",
    ) -> None:
        self.message = message
        self.text = text
        self.column = column
        self.remedy = remedy
        super().__init__(_render(message, text, column, width, remedy, source))


class ConfigError(ValueError):
    """A setting that breaks a rule; the message names the field, the value and the remedy."""


def _render(
    message: str, text: str, column: int | None, width: int, remedy: str, source: str
) -> str:
    lines = [
        f"{source}: {message}" if column is None else f"{source}, column {column + 1}: {message}"
    ]
    if column is not None:
        start = max(0, column - _WINDOW // 2)
        shown = _visible(text[start : start + _WINDOW])
        before = ("…" if start else "") + _visible(text[start:column])
        lines.append(
            "  " + ("…" if start else "") + shown + ("…" if start + _WINDOW < len(text) else "")
        )
        marks = max(1, min(width, _WINDOW - (column - start)))
        lines.append("  " + " " * len(before) + "^" * marks)
    if remedy:
        lines.append(remedy)
    return "\n".join(lines)


def _visible(text: str) -> str:
    """Control characters as escapes, so that a hostile formula cannot drive the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
