"""Sentences and equations written at once as plain text and as LaTeX."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_WIDTH = 96
_LATEX = {"<=": r"\le", ">=": r"\ge", "->": r"\to"}
_SPECIAL = {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}
Row = tuple["Shown", "Shown", Sequence["Shown"]]
"""Left side, right side, and where the equation holds."""


@dataclass(frozen=True)
class Shown:
    """A piece of mathematics in both notations."""

    text: str
    latex: str


def joined(parts: Iterable[Shown], word: str = ", ") -> Shown:
    """The parts in a row."""
    parts = list(parts)
    return Shown(word.join(p.text for p in parts), word.join(p.latex for p in parts))


def relation(text: str) -> Shown:
    """`A>0`, `r<1`, `r->1+` as mathematics."""
    found = re.fullmatch(r"(\w+)(<=|>=|->|<|>|=)(\w+)([+-]?)", text)
    if found is None:
        raise ValueError(f"{text!r} is no relation between a name and a number")
    name, sign, value, side = found.groups()
    latex = f"{name} {_LATEX.get(sign, sign)} {value}" + (f"^{{{side}}}" if side else "")
    return Shown(f"{name} {sign} {value}{side}", latex)


def compared(left: Shown, sign: str) -> Shown:
    """`left > 0` and the like."""
    return Shown(f"{left.text} {sign} 0", f"{left.latex} {_LATEX.get(sign, sign)} 0")


def escaped(text: str) -> str:
    """Plain words for LaTeX."""
    return "".join(_SPECIAL.get(c, "\\" + c if c in "_#$%&{}" else c) for c in text)


class Prose:
    """Collects what is written; `text` and `latex` are the whole."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._latex: list[str] = []
        self._sections = 0

    @property
    def text(self) -> str:
        """All of it, for a terminal."""
        return "\n".join(self._text) + "\n"

    @property
    def latex(self) -> str:
        """All of it, for a document that loads amsmath."""
        return "\n".join(self._latex) + "\n"

    def say(self, words: str, mathematics: Shown | None = None) -> None:
        """A sentence, which may end in mathematics."""
        tail = f" {mathematics.text}." if mathematics else ""
        self._wrapped(words + tail, "", "")
        self._latex.append(escaped(words) + (f" ${mathematics.latex}$." if mathematics else ""))

    def heading(self, title: str, lead: str) -> None:
        """The next numbered section and its first sentence."""
        self._sections += 1
        self._text.append("")
        self._wrapped(f"{self._sections}. {title}. {lead}", "", "")
        self._latex.append(f"\n\\paragraph{{{self._sections}. {escaped(title)}.}} {escaped(lead)}")

    def equations(self, rows: Sequence[Row]) -> None:
        """One equation a line, with where it holds."""
        width = max((len(f"{left.text} = {right.text}") for left, right, _ in rows), default=0)
        lines = []
        for left, right, places in rows:
            equation = f"{left.text} = {right.text}"
            places = [p for p in places if p.text]
            place = "; ".join(p.text for p in places)
            self._wrapped(equation.ljust(width if place and width < 60 else 0)
                          + (f"   for {place}" if place else ""), "    ", "        ")  # fmt: skip
            line = f"  {left.latex} &= {right.latex}"
            if places:
                line += r" && \text{for } " + r",\ \text{and } ".join(p.latex for p in places)
            lines.append(line)
        self._aligned(lines)

    def pieces(self, rows: Sequence[tuple[Shown, Shown | None, Sequence[Shown]]]) -> None:
        """A piece and the places where the formula equals it, one a line; None: named by itself."""
        lines = []
        for name, formula, places in rows:
            self._wrapped(
                f"{name.text} = {formula.text}" if formula else name.text, "    ", "        "
            )
            lines.append(f"  {name.latex}" + (f" &= {formula.latex}" if formula else " &"))
            for place in filter(lambda p: p.text, places):
                self._wrapped(f"where {place.text}", "        ", "            ")
                lines[-1] += r" && \text{where } " + place.latex + r" \\" + "\n  &"
            lines[-1] = lines[-1].removesuffix(" \\\\\n  &")
        self._aligned(lines)

    def item(self, name: Shown, places: Sequence[Shown], why: str) -> None:
        """Why a piece is non-negative."""
        where = "; ".join(place.text for place in places if place.text)
        self._wrapped(f"- {name.text}{f' for {where}' if where else ''}: {why}.", "    ", "      ")
        maths = r"\text{; }".join(place.latex for place in places if place.latex)
        self._latex.append(
            rf"\par\noindent ${name.latex}$"
            + (f" for ${maths}$" if maths else "")
            + f": {escaped(why)}."
        )

    def _aligned(self, lines: Sequence[str]) -> None:
        if lines:
            self._latex.append("\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}")

    def _wrapped(self, words: str, first: str, later: str) -> None:
        self._text += textwrap.wrap(
            words, _WIDTH, initial_indent=first, subsequent_indent=later,
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
