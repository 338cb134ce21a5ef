"""A page needs nothing from elsewhere, runs nothing, and shows hostile text as text."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from mirrordrift.report.content import Code, Document, Figure, Formula, Section, Table, Text
from mirrordrift.report.html import to_html
from mirrordrift.report.markdown import to_markdown
from symbolic.parser import parse

HOSTILE = '</code><script>alert(1)</script> & "quoted" `tick` | $x$ <img src=x onerror=alert(1)>'
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000" "1f15c4890000000d49444154789c6360000002000001"
    "e221bc330000000049454e44ae426082"
)  # fmt: skip


@pytest.fixture
def document(tmp_path: Path) -> Document:
    (tmp_path / "a.png").write_bytes(PIXEL)
    return Document(
        title=HOSTILE,
        summary=[Text(HOSTILE), Formula(parse("where(A >= 0, relu((r - 1)*A), 0)"))],
        sections=[
            Section(HOSTILE, [Table(("name", "n"), [[HOSTILE, "1"]], ("n",)), Code(HOSTILE + "\n```", "python"),
                              Figure(tmp_path / "a.png", HOSTILE)])
        ],
    )  # fmt: skip


class Seen(HTMLParser):
    """Tags that are open and close, attributes, and the text between."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_well_formed_and_self_contained(document: Document) -> None:
    seen = Seen(to_html(document))
    assert not seen.open and "script" not in seen.tags
    links = [value for name, value in seen.attributes if name in ("src", "href")]
    assert links and all(value.startswith(("data:", "#")) for value in links)
    assert not any(name.startswith("on") for name, _ in seen.attributes)
    assert {"h1", "h2", "table", "pre", "figure", "math"} <= set(seen.tags)


def test_hostile_text_is_shown_as_it_is(document: Document, tmp_path: Path) -> None:
    page = to_html(document)
    assert "<script>alert" not in page and "<img src=x" not in page
    assert Seen(page).text.count(HOSTILE) >= 5
    text = to_markdown(document, tmp_path)
    assert "\\<script\\>" in text and "\\|" in text
    assert "````python" in text  # a fence that the text cannot close


def test_markdown_has_what_the_page_has(document: Document, tmp_path: Path) -> None:
    text = to_markdown(document, tmp_path)
    assert text.count("\n## ") == 1 and "](a.png)" in text and r"\begin{cases}" in text
    assert f"]({tmp_path.name}/a.png)" in to_markdown(document, tmp_path.parent)
