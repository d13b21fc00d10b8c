"""A shelf of documents in memory, for tests: texts by id, links by id, and what cannot be read."""

from colony.experiments.research.documents import Document, Entry, Unreadable
from colony.experiments.research.prose import passages_of


class Shelf:
    """A source; `links` says what a document points to, `hidden` are documents that only links lead to."""

    def __init__(self, texts, *, links=None, hidden=(), unreadable=None):
        self.texts, self.links, self.hidden = texts, links or {}, set(hidden)
        self.unreadable = unreadable or {}
        self.reads = []

    def entries(self):
        names = [*self.texts, *self.unreadable]
        return tuple(Entry(name, name) for name in names if name not in self.hidden)

    def read(self, source):
        self.reads.append(source)
        if source in self.unreadable:
            return Unreadable(source, self.unreadable[source])
        links = tuple(Entry(name, name) for name in self.links.get(source, ()))
        return Document(source, source, tuple(passages_of(self.texts[source])), links)
