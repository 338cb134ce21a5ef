"""What a report is made of; how it looks is the renderers' affair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from symbolic.expression import Expression


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Formula:
    """A formula, in mathematics and as text, and what it is the formula of."""

    formula: Expression
    of: str = ""


@dataclass(frozen=True)
class Code:
    """Source text or commands."""

    text: str
    language: str


@dataclass(frozen=True)
class Table:
    """Rows under a header; columns named in `numbers` are aligned to the right."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Sequence[str] = ()


@dataclass(frozen=True)
class Figure:
    """A picture in a file, with what it shows in words."""

    path: Path
    caption: str


Block = Text | Formula | Code | Table | Figure


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Document:
    """A whole report."""

    title: str
    summary: Sequence[Block]
    sections: Sequence[Section]
