"""A document as Markdown, its figures beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from mirrordrift.report.content import Block, Code, Document, Figure, Formula, Table, Text
from symbolic.latex import to_latex

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|$])")


def to_markdown(document: Document, folder: Path) -> str:
    """The text, which is to lie in `folder`; figures are named by their files, seen from there."""
    parts = [f"# {_escaped(document.title)}", *_blocks(document.summary, folder)]
    for section in document.sections:
        parts += [f"## {_escaped(section.title)}", *_blocks(section.blocks, folder)]
    return "\n\n".join(parts) + "\n"


def _blocks(blocks: Sequence[Block], folder: Path) -> list[str]:
    return [_block(block, folder) for block in blocks]


def _block(block: Block, folder: Path) -> str:
    match block:
        case Text(text):
            return _escaped(text)
        case Formula(formula, of):
            name = f"{_escaped(of)} =\n\n" if of else ""
            return f"{name}$$\n{to_latex(formula)}\n$$\n\n{_fenced(str(formula), '')}"
        case Code(text, language):
            return _fenced(text.strip(), language)
        case Table():
            return _table(block)
        case Figure(path, caption):
            return f"![{_escaped(caption)}]({path.relative_to(folder).as_posix()})"


def _table(table: Table) -> str:
    rule = ["--:" if name in table.numbers else "---" for name in table.header]
    rows = [[_escaped(cell) for cell in row] for row in (table.header, *table.rows)]
    lines = [rows[0], rule, *rows[1:]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _fenced(text: str, language: str) -> str:
    """A block whose fence is longer than any in the text."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
