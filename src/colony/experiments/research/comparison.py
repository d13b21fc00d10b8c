"""Experiment 3, collaborative research, measured: the documentation of the standard library, and how much is found.

The corpus is real text that every Python has: the docstrings of its own modules, read from their files. It varies with
the version of Python. Quality counts distinct facts against a list that was made beforehand by reading everything: the
sentences that are facts on the topic (extraction.topic_of), near-duplicates counted once, whatever their order. So two
agents who bring the same sentence have one fact, and what is not on the list counts nothing.

What this file does not do: the agents, which are the same in every configuration (researcher.py), or the trial.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from copy import copy
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeAlias
from zlib import crc32

from colony.experiments.research.documents import Document, Entry, Source, Unreadable
from colony.experiments.research.extraction import PlainExtractor, Query, topic_of
from colony.experiments.research.folder import FolderSource
from colony.experiments.research.ranking import classes
from colony.experiments.research.researcher import Researcher
from colony.experiments.research.state import Reading, ResearchState, Scope
from colony.experiments.trial import Group, Member, Memory, Setting, Team, groups_for

TASKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cancellation": "cancelling asynchronous tasks, coroutines and timeouts in an event loop",
        "dates": "parsing and formatting dates, times and time zones",
        "email": "parsing and encoding headers of email messages",
        "archives": "members of compressed archives: tar, zip, gzip and bzip2 files",
    }
)
SOLVED_SHARE: Final = 0.8
"""Of the facts that one agent finds who reads everything; at so many a task is solved. Fixed before any comparison."""
_LEFT_OUT: Final = frozenset({"test", "tests", "site-packages", "idlelib", "lib2to3", "ensurepip", "turtledemo"})

Key: TypeAlias = tuple[str, int, int]
"""A sentence: its document, its passage there, and where it begins."""


class Library:
    """The standard library's own docstrings; each module is read from its file once, and kept."""

    def __init__(self) -> None:
        self._folder = FolderSource(Path(os.__file__).parent, accepts=_is_library)
        self._read: dict[str, Document | Unreadable] = {}

    def entries(self) -> tuple[Entry, ...]:
        """Every module that has a file, by its path."""
        return self._folder.entries()

    def read(self, source: str) -> Document | Unreadable:
        """Read one module's docstrings."""
        if source not in self._read:
            self._read[source] = self._folder.read(source)
        return self._read[source]


class Part:
    """Those documents of a source whose ids are accepted; the others do not exist in it."""

    def __init__(self, whole: Source, accepts: Callable[[str], bool]) -> None:
        self._whole = whole
        self._accepts = accepts

    def entries(self) -> tuple[Entry, ...]:
        """The entries of the part."""
        return tuple(entry for entry in self._whole.entries() if self._accepts(entry.source))

    def read(self, source: str) -> Document | Unreadable:
        """Read one document, without the links that lead elsewhere."""
        document = self._whole.read(source)
        if isinstance(document, Unreadable):
            return document
        part = copy(document)  # with what was worked out of its text, which `replace` would lose
        object.__setattr__(part, "links", tuple(link for link in document.links if self._accepts(link.source)))
        return part


def _is_library(path: str) -> bool:
    return path.endswith(".py") and not _LEFT_OUT.intersection(path.split("/"))


LIBRARY: Final = Library()


@cache
def facts_there_are(topic: str) -> Mapping[Key, int]:
    """Every sentence of the library that is a fact on the topic, and the number of the class of those that say it."""
    query = Query(topic)
    documents = (LIBRARY.read(entry.source) for entry in LIBRARY.entries())
    texts = {
        (document.source, s.location.passage, s.location.start): s.text
        for document in documents
        if isinstance(document, Document)
        for s in document.prose
        if topic_of(s, query)
    }
    return classes(texts)


class Coverage:
    """The team's quality: how many distinct facts it has found of those there are."""

    def __init__(self, there_are: Mapping[Key, int]) -> None:
        self._there_are = there_are
        self._found: set[int] = set()

    def add(self, value: tuple[Key, ...]) -> float:
        """Take the facts of one document."""
        self._found.update(self._there_are[key] for key in value if key in self._there_are)
        return float(len(self._found))


_SCOPES: Final[Mapping[str, Callable[[str], Scope]]] = MappingProxyType(
    {
        "swarm": lambda _: Scope(),
        "sources-only": lambda own: Scope(facts=own, questions=own),
        "facts-only": lambda own: Scope(questions=own, sources=own),
        "questions-only": lambda own: Scope(facts=own, sources=own),
    }
)
"""Of the configurations that share a memory: what is an agent's own in it, given the prefix of its names."""


class Research:
    """The experiment; see `colony.experiments.trial.Experiment`."""

    name = "research"
    tasks = tuple(TASKS)
    quality = "distinct facts found on the topic"
    configurations: Mapping[str, str] = MappingProxyType(
        {
            "single": "one agent",
            "parallel": "nothing",
            "swarm": "facts, questions and visited documents",
            "sources-only": "visited documents",
            "facts-only": "facts",
            "questions-only": "questions and leads",
            "partitioned": "nothing; each agent has documents of its own from the start",
        }
    )

    def team(self, task: str, setting: Setting, memories: Callable[[], Memory]) -> Team:
        """Researchers in the standard library's documentation."""
        topic = TASKS[task]
        there_are = facts_there_are(topic)
        groups = groups_for(setting, memories, shared=setting.configuration in _SCOPES)
        members = [_member(topic, setting, group, number) for number, group in enumerate(groups)]
        return Team(members, Coverage(there_are), SOLVED_SHARE * len(set(there_are.values())))


def _member(topic: str, setting: Setting, group: Group, number: int) -> Member:
    name = f"researcher-{number}"
    scope_of = _SCOPES.get(setting.configuration)
    scope = scope_of(f"{name}/") if scope_of else Scope()
    source: Source = LIBRARY
    if setting.configuration == "partitioned":
        source = Part(LIBRARY, lambda path: crc32(f"{setting.seed}/{path}".encode()) % setting.agents == number)
    state = ResearchState(group.memory, topic, source.entries(), scope)
    return Member(name, group, Researcher(source, PlainExtractor(), state, _ignore).work)


def _ignore(_: Reading) -> None:
    pass


RESEARCH: Final = Research()
