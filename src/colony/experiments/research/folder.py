"""A folder of documents as a source: Markdown, text, HTML, PDF and Python, in it and in its folders.

A document's id is its path in the folder, with `/`; what it is called is the words of that path. Links out of the
folder, and symbolic links, are not followed. What this file does not do: watch the folder, or search in it beforehand.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

from colony.experiments.research.documents import Document, Entry, Unreadable
from colony.experiments.research.formats import BY_SUFFIX, Reader, content_of
from colony.primitives.errors import LimitError, UsageError
from colony.primitives.limits import (
    RESEARCH_DOCUMENT_BYTES_MAX,
    RESEARCH_DOCUMENTS_MAX,
    RESEARCH_LINKS_PER_DOCUMENT_MAX,
    RESEARCH_SOURCE_CHARACTERS_MAX,
)


class FolderSource:
    """The documents of a folder that `formats` can read; `accepts` may leave some out, by their path in it."""

    def __init__(
        self, folder: Path, *, formats: Mapping[str, Reader] = BY_SUFFIX, accepts: Callable[[str], bool] | None = None
    ) -> None:
        self._folder = folder
        self._formats = formats
        self._accepts = accepts or _is_any
        self._entries: dict[str, Entry] | None = None

    def entries(self) -> tuple[Entry, ...]:
        """Every document, in the order of their paths.

        Raises:
            LimitError: there are more than `RESEARCH_DOCUMENTS_MAX`.
            UsageError: the folder is missing, or cannot be listed.

        """
        return tuple(self._known().values())

    def read(self, source: str) -> Document | Unreadable:
        """Read one document."""
        entry = self._known().get(source)
        if entry is None:
            return Unreadable(source, "not in the folder")
        path = self._folder / source
        try:
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
                data = file.read(RESEARCH_DOCUMENT_BYTES_MAX + 1)
        except OSError as error:
            return Unreadable(source, error.strerror or type(error).__name__)
        if len(data) > RESEARCH_DOCUMENT_BYTES_MAX:
            return Unreadable(source, f"larger than {RESEARCH_DOCUMENT_BYTES_MAX} bytes")
        content = content_of(data, self._formats[path.suffix.lower()], source)
        if isinstance(content, Unreadable):
            return content
        links = dict.fromkeys(self._linked(source, target) for target, _ in content.links)
        entries = tuple(self._known()[link] for link in links if link and link != source)[
            :RESEARCH_LINKS_PER_DOCUMENT_MAX
        ]
        return Document(source, content.title or entry.title, content.passages, entries)

    def _known(self) -> dict[str, Entry]:
        if self._entries is None:
            found = sorted(self._found())
            if len(found) > RESEARCH_DOCUMENTS_MAX:
                raise LimitError(f"{self._folder}: {len(found)} documents; {RESEARCH_DOCUMENTS_MAX} are allowed")
            self._entries = {path: Entry(path, _title(path)) for path in found}
        return self._entries

    def _found(self) -> Iterator[str]:
        if not self._folder.is_dir():
            raise UsageError(f"{self._folder}: no such folder; name one that holds documents")
        for place, folders, files in os.walk(self._folder, onerror=self._refuse):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                path = Path(place, name)
                source = path.relative_to(self._folder).as_posix()
                if path.suffix.lower() in self._formats and self._is_ours(path, source):
                    yield source

    def _is_ours(self, path: Path, source: str) -> bool:
        is_nameable = source.isprintable() and len(source) <= RESEARCH_SOURCE_CHARACTERS_MAX
        return is_nameable and path.is_file() and not path.is_symlink() and self._accepts(source)

    def _refuse(self, error: OSError) -> None:
        if Path(error.filename) == self._folder:
            raise UsageError(f"{self._folder}: {error.strerror}; name a folder that can be listed")

    def _linked(self, source: str, target: str) -> str | None:
        """The document that a link in `source` points to, if it is one of ours."""
        beside = posixpath.dirname(source)
        if source.endswith(".py"):
            return next((path for path in _module_paths(beside, target) if path in self._known()), None)
        parts = urlsplit(urldefrag(target).url)
        path = posixpath.normpath(posixpath.join(beside, unquote(parts.path)))
        return path if not parts.scheme and not parts.netloc and path in self._known() else None


def _module_paths(beside: str, name: str) -> Iterator[str]:
    """Where a module that is imported may lie: from the folder's top, or for leading dots from the importer's place."""
    level = len(name) - len(name.lstrip("."))
    start = beside
    for _ in range(level - 1):
        start = posixpath.dirname(start)
    path = posixpath.join(start if level else "", *name.lstrip(".").split("."))
    return iter((f"{path}.py", f"{path}/__init__.py"))


def _title(path: str) -> str:
    return " ".join(path.rsplit(".", 1)[0].removesuffix("/__init__").replace("/", " ").replace("_", " ").split())


def _is_any(_: str) -> bool:
    return True
