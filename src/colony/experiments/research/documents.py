"""What researchers read: sources, the documents in them, and places in documents that anybody can look up again.

What this file does not do: find documents (folder.py, web.py), or turn bytes into passages (formats.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from colony.experiments.research.ranking import Bm25
from colony.experiments.research.words import is_prose, one_line, sentence_spans, stems


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph, its lines as the document has them but for indentation and markup."""

    text: str
    line: int
    """Where it begins, from 1; in a PDF, the line of the page."""
    heading: str = ""
    """What it stands under; in a program, the name of what it documents."""
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a document: characters `start` to `end` of a passage (from 0), and how a reader finds it."""

    passage: int
    start: int
    end: int
    line: int
    heading: str = ""
    page: int | None = None

    def __str__(self) -> str:
        page = f"page {self.page}" if self.page is not None else ""
        return ", ".join(filter(None, (page, self.heading, f"line {self.line}")))


@dataclass(frozen=True, slots=True)
class Entry:
    """A document that a source knows of: its id there, and what it is called, which is all one knows before reading."""

    source: str
    title: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence on one line, where it stands, the stems of its words, and those of the title and heading over it."""

    text: str
    location: Location
    stems: tuple[str, ...]
    context: frozenset[str]


@dataclass(frozen=True, eq=False)
class Document:
    """A document that was read; `links` are the documents of the same source that it points to."""

    source: str
    title: str
    passages: tuple[Passage, ...]
    links: tuple[Entry, ...] = ()

    def at(self, location: Location) -> str:
        """The text at a place, on one line."""
        return one_line(self.passages[location.passage].text[location.start : location.end])

    def has(self, text: str, location: Location) -> bool:
        """Whether the text stands at that place, word for word."""
        return 0 <= location.passage < len(self.passages) and self.at(location) == text

    @cached_property
    def prose(self) -> tuple[Sentence, ...]:
        """Every sentence that reads as one."""
        return tuple(s for n in range(len(self.passages)) for s in self._sentences(n) if is_prose(s.text))

    @cached_property
    def index(self) -> Bm25:
        """The sentences of `prose`, ready to be ranked."""
        return Bm25([sentence.stems for sentence in self.prose])

    def _sentences(self, number: int) -> Iterator[Sentence]:
        passage = self.passages[number]
        context = frozenset(stems(f"{self.title} {passage.heading}"))
        for start, end in sentence_spans(passage.text):
            text = one_line(passage.text[start:end])
            line = passage.line + passage.text.count("\n", 0, start)
            at = Location(number, start, end, line, passage.heading, passage.page)
            yield Sentence(text, at, tuple(stems(text)), context)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A document that could not be read, and why; data, not an exception, because the research goes on."""

    source: str
    reason: str


class Source(Protocol):
    """Where documents come from. Both methods may be called from any thread."""

    def entries(self) -> tuple[Entry, ...]:
        """What there is to read, as far as one can know without reading it; in a fixed order.

        Raises:
            UsageError: there is no such source.

        """

    def read(self, source: str) -> Document | Unreadable:
        """Read one document; whatever is wrong with it is an answer, and never raised."""
