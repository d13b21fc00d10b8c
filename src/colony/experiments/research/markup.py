"""Markdown and HTML into passages: paragraphs and list items under their headings, without code and tables.

A passage of Markdown keeps its lines, so that a sentence's own line is known; in HTML, where lines mean nothing, it is
the line in which the paragraph begins. What this file does not do: styles, scripts, frames, or anything about bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from colony.experiments.research.documents import Passage
from colony.experiments.research.prose import Content
from colony.experiments.research.words import one_line

_MARKDOWN: Final = MarkdownIt("commonmark").enable("table")
_BREAKS: Final = frozenset({"softbreak", "hardbreak"})
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_SILENT_TAGS: Final = "script style pre table nav footer form svg math template noscript head button select"
_SILENT: Final = frozenset(_SILENT_TAGS.split())
_BLOCK_TAGS: Final = """
p div li ul ol dl dt dd section article main aside header blockquote figure figcaption body br hr title
"""
_BLOCKS: Final = _HEADINGS.union(_BLOCK_TAGS.split())


def read_markdown(text: str) -> Content:
    """The passages of Markdown (CommonMark, with tables, which are dropped); the first heading is the title."""
    passages: list[Passage] = []
    links: list[tuple[str, str]] = []
    heading = title = ""
    block = ""
    for token in _MARKDOWN.parse(text):
        if token.type.endswith("_open"):
            block = token.type
        if token.type != "inline" or not token.map or block in {"td_open", "th_open"}:
            continue
        words = "".join(_plain(token.children or ()))
        links += _links(token.children or [])
        if block == "heading_open":
            heading = one_line(words)
            title = title or heading
        else:
            passages.append(Passage(words, token.map[0] + 1, heading))
    return Content(tuple(passages), title, tuple(links))


def _plain(tokens: tuple[Token, ...] | list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in _BREAKS:
            yield "\n"
        elif token.type in {"text", "code_inline"}:
            yield token.content


def _links(tokens: list[Token]) -> Iterator[tuple[str, str]]:
    for number, token in enumerate(tokens):
        if token.type == "link_open":
            closing = next(n for n, t in enumerate(tokens[number:], number) if t.type == "link_close")
            yield str(token.attrs["href"]), one_line("".join(_plain(tokens[number:closing])))


def read_html(text: str) -> Content:
    """The passages of an HTML page; its `title` is the title."""
    page = _Page()
    page.feed(text)
    page.close()
    page.end_block()
    return Content(tuple(page.passages), page.title, tuple(page.links))


class _Page(HTMLParser):
    """Collects text between the tags that begin and end paragraphs."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.passages: list[Passage] = []
        self.links: list[tuple[str, str]] = []
        self.title = ""
        self._heading = ""
        self._silent: list[str] = []
        self._block = ""
        self._line = 0
        self._text: list[str] = []
        self._link: tuple[str, int] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a paragraph, a link, or what is passed over."""
        if tag in _BLOCKS:
            self.end_block()
            self._block = tag
        if tag in _SILENT:
            self._silent.append(tag)
        href = dict(attrs).get("href")
        if tag == "a" and href:
            self._link = href, len(self._text)

    def handle_endtag(self, tag: str) -> None:
        """End what this tag began."""
        if tag in _BLOCKS:
            self.end_block()
        if tag in self._silent:
            del self._silent[self._silent.index(tag) :]
        if tag == "a" and self._link:
            href, start = self._link
            self.links.append((href, one_line("".join(self._text[start:]))))
            self._link = None

    def handle_data(self, data: str) -> None:
        """Take text, unless it is passed over."""
        if self._silent and self._block != "title":
            return
        if not self._text and data.strip():
            self._line = self.getpos()[0] + data[: len(data) - len(data.lstrip())].count("\n")
        if self._text or data.strip():
            self._text.append(data)

    def end_block(self) -> None:
        """End the paragraph at hand, and keep it."""
        text = one_line("".join(self._text))
        self._text.clear()
        if text and self._block == "title":
            self.title = self.title or text
        elif text and self._block in _HEADINGS:
            self._heading = text
            self.title = self.title or text
        elif text:
            self.passages.append(Passage(text, self._line, self._heading))
        self._block = ""
        if self._link:
            self._link = self._link[0], 0
