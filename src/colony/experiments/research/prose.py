"""Plain text into passages: paragraphs and list items under their headings, without code and tables.

This is also what docstrings, reStructuredText and the pages of a PDF are. What this file does not do: markup inside a
line, or anything about bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from colony.experiments.research.documents import Passage

_ITEM: Final = re.compile(r"(?:[-*•+]|\(?\d{1,3}[.)]|#\.)\s+")
_FIELD: Final = re.compile(r"[:@.][\w. ]+:")
_UNDERLINE: Final = re.compile(r"([=\-~^\"'`*+#.])\1{2,}\s*$")
_CODE: Final = re.compile(r">>>|\.\.\. |\$ |\.\. ")
_TABLE: Final = re.compile(r"[^\s.]\s{3,}\S.*\S\s{3,}\S|^[|+].*[|+]$|\t\S+.*\t")


@dataclass(frozen=True, slots=True)
class Content:
    """What a reader found in a document. `links` are targets as they are written there, each with its text."""

    passages: tuple[Passage, ...]
    title: str = ""
    links: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Paragraph:
    """Lines that belong together, while they are collected."""

    line: int
    indent: int
    lines: list[str]

    @property
    def is_text(self) -> bool:
        return not any(_CODE.match(line) or _TABLE.search(line) for line in self.lines)

    @property
    def announces_code(self) -> bool:
        return self.lines[-1].endswith("::")


def passages_of(text: str, *, line: int = 1, heading: str = "", page: int | None = None) -> Iterator[Passage]:
    """The passages of a text that begins in `line` under `heading`; an underlined line is the next heading."""
    code_indent: int | None = None
    for paragraph in _paragraphs(text):
        if code_indent is not None and paragraph.indent > code_indent:
            continue
        code_indent = paragraph.indent if paragraph.announces_code else None
        if len(paragraph.lines) > 1 and _UNDERLINE.match(paragraph.lines[1]):
            heading = paragraph.lines[0].strip()
            paragraph = _Paragraph(paragraph.line + 2, paragraph.indent, paragraph.lines[2:])  # noqa: PLW2901
        if paragraph.lines and paragraph.is_text:
            yield Passage("\n".join(paragraph.lines), line + paragraph.line, heading, page)


def _paragraphs(text: str) -> Iterator[_Paragraph]:
    """Runs of lines between empty ones; a list item or a field begins one too."""
    current: _Paragraph | None = None
    for number, raw in enumerate(text.split("\n")):
        line = raw.strip()
        starts = bool(_ITEM.match(line) or _FIELD.match(line)) and not _UNDERLINE.match(line)
        if current and (not line or starts):
            yield current
            current = None
        if line and current is None:
            current = _Paragraph(number, len(raw) - len(raw.lstrip()), [])
        if line and current:
            current.lines.append(_ITEM.sub("", line, count=1) if starts else line)
    if current:
        yield current
