"""A document as one HTML page without scripts, and without anything from elsewhere.

Every text is escaped; figures are inside, as data. It reads on a phone, in light and in dark.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from mirrordrift.report.content import Block, Code, Document, Figure, Formula, Section, Table, Text
from symbolic.mathml import to_mathml

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --soft: #5b6470; --paper: #fbfbfa; --card: #ffffff;
  --line: #dfe3e8; --accent: #0b6bb0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e9ec; --soft: #a2abb6; --paper: #14171a;
  --card: #1d2125; --line: #343a41; --accent: #6cb6ee; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 17px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.2rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .6rem; padding-top: .8rem; border-top: 1px solid var(--line); }
p { margin: .6rem 0; overflow-wrap: anywhere; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: 1rem 0; }
a { color: var(--accent); }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .9rem; min-width: 100%; }
th, td { text-align: left; padding: .4rem .7rem .4rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.long { min-width: 18rem; overflow-wrap: anywhere; }
figure { margin: 1.2rem 0; }
figure img { display: block; max-width: 100%; height: auto; background: #fff; border: 1px solid var(--line);
  border-radius: .5rem; padding: .4rem; }
figcaption { color: var(--soft); font-size: .9rem; margin-top: .4rem; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .8rem 1rem;
  overflow-x: auto; font-size: .85rem; line-height: 1.45; }
code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .9em; }
.formula { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .8rem 1rem; margin: 1rem 0; overflow-x: auto; }
.formula math { font-size: 1.15rem; }
.formula code { color: var(--soft); }
"""

_LONG = 30
"""Characters of a cell that keeps some width where the page has little: the table is scrolled then."""


def to_html(document: Document) -> str:
    """The page; raises OSError for a figure that cannot be read."""
    links = "".join(
        f'<li><a href="#s{i}">{escape(section.title)}</a></li>'
        for i, section in enumerate(document.sections)
    )
    body = "\n".join(_section(i, section) for i, section in enumerate(document.sections))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>{escape(document.title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{escape(document.title)}</h1>
{_blocks(document.summary)}
<nav aria-label="sections"><ul>{links}</ul></nav>
{body}
</main>
</body>
</html>
"""


def _section(number: int, section: Section) -> str:
    head = f"<h2>{escape(section.title)}</h2>"
    return f'<section id="s{number}">\n{head}\n{_blocks(section.blocks)}\n</section>'


def _blocks(blocks: Sequence[Block]) -> str:
    return "\n".join(_block(block) for block in blocks)


def _block(block: Block) -> str:
    match block:
        case Text(text):
            return f"<p>{escape(text)}</p>"
        case Formula(formula, of):
            name = f"<span>{escape(of)} =</span> " if of else ""
            return (
                f'<div class="formula">{name}{to_mathml(formula)}'
                f"<code>{escape(str(formula))}</code></div>"
            )
        case Code(text, _):
            return f"<pre><code>{escape(text.strip())}</code></pre>"
        case Table():
            return _table(block)
        case Figure(path, caption):
            data = base64.b64encode(path.read_bytes()).decode()
            words = escape(caption, quote=True)
            return (
                f'<figure><img alt="{words}" src="data:image/png;base64,{data}">'
                f"<figcaption>{words}</figcaption></figure>"
            )


def _table(table: Table) -> str:
    right = [name in table.numbers for name in table.header]
    head = "".join(_cell("th", name, number) for name, number in zip(table.header, right))
    rows = "".join(
        "<tr>" + "".join(_cell("td", cell, number) for cell, number in zip(row, right)) + "</tr>"
        for row in table.rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _cell(tag: str, text: str, number: bool) -> str:
    kind = ' class="number"' if number else ' class="long"' if len(text) > _LONG else ""
    return f"<{tag}{kind}>{escape(text)}</{tag}>"
