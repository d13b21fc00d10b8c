"""From bytes to what stands in them: which format it is, decoded, within limits.

Whatever is wrong with a document ends here, as `Unreadable` with the reason. What this file does not do: fetch bytes,
run scripts, open what is encrypted, or recognise the letters in pictures.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from pypdf import PdfReader

from colony.experiments.research.documents import Passage, Unreadable
from colony.experiments.research.markup import read_html, read_markdown
from colony.experiments.research.program import read_program
from colony.experiments.research.prose import Content, passages_of
from colony.primitives.errors import LimitError
from colony.primitives.limits import (
    RESEARCH_PASSAGE_CHARACTERS_MAX,
    RESEARCH_PASSAGES_MAX,
    RESEARCH_PDF_PAGES_MAX,
)


def read_text(text: str) -> Content:
    """The passages of plain text or reStructuredText."""
    return Content(tuple(passages_of(text)))


def read_pdf(data: bytes) -> Content:
    """The passages of a PDF that has a text layer, each with its page.

    Raises:
        LimitError: more pages than `RESEARCH_PDF_PAGES_MAX`.
        Exception: whatever pypdf makes of broken bytes.

    """
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what is wrong with a document is told here, once
    reader = PdfReader(io.BytesIO(data))
    if len(reader.pages) > RESEARCH_PDF_PAGES_MAX:
        raise LimitError(f"{len(reader.pages)} pages; {RESEARCH_PDF_PAGES_MAX} are allowed")
    title = str((reader.metadata and reader.metadata.title) or "")
    return Content(tuple(_pdf_passages(reader)), title)


def _pdf_passages(reader: PdfReader) -> Iterator[Passage]:
    for number, page in enumerate(reader.pages, 1):
        yield from passages_of(_clean(page.extract_text()), page=number)


def _decoded(read: Callable[[str], Content]) -> Callable[[bytes], Content]:
    """A reader of bytes from a reader of text in UTF-8."""

    def decode_and_read(data: bytes) -> Content:
        if b"\0" in data:
            raise ValueError("binary, no text")
        return read(data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n"))

    return decode_and_read


Reader = Callable[[bytes], Content]
_TEXT, _MARKDOWN, _HTML = _decoded(read_text), _decoded(read_markdown), _decoded(read_html)
BY_SUFFIX: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        ".md": _MARKDOWN,
        ".markdown": _MARKDOWN,
        ".txt": _TEXT,
        ".rst": _TEXT,
        ".html": _HTML,
        ".htm": _HTML,
        ".pdf": read_pdf,
        ".py": _decoded(read_program),
    }
)
BY_MEDIA_TYPE: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        "text/html": _HTML,
        "application/xhtml+xml": _HTML,
        "text/markdown": _MARKDOWN,
        "text/plain": _TEXT,
        "application/pdf": read_pdf,
    }
)


def content_of(data: bytes, reader: Reader, source: str) -> Content | Unreadable:
    """What stands in `data`, or why it cannot be read."""
    try:
        content = reader(data)
        reason = _excess(content)
    except UnicodeDecodeError as error:
        reason = f"not UTF-8: byte {error.start} is {error.object[error.start]:#04x}"
    except Exception as error:  # noqa: BLE001  # parsers of other people's bytes raise whatever they like
        reason = _clean(f"{type(error).__name__}: {error}")[:200]
    return Unreadable(source, reason) if reason else content


def _excess(content: Content) -> str:
    """What is wrong with the size of a document's content, if anything is."""
    if len(content.passages) > RESEARCH_PASSAGES_MAX:
        return f"more than {RESEARCH_PASSAGES_MAX} paragraphs"
    if any(len(passage.text) > RESEARCH_PASSAGE_CHARACTERS_MAX for passage in content.passages):
        return f"a paragraph of more than {RESEARCH_PASSAGE_CHARACTERS_MAX} characters"
    return "" if content.passages else "no text in it"


def _clean(text: str) -> str:
    """The text without halves of characters, which broken documents give and UTF-8 cannot carry."""
    return text.encode("utf-8", "replace").decode("utf-8")
