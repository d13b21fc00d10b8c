"""What researchers share: facts by topic, open questions, leads, and which documents somebody has taken or read.

Each is a variable of its own, named after what it holds: `found/<document>` are the facts of one document,
`facts/<topic or term>` says which documents have how many, `source/<document>` is whether somebody has taken it; and
`questions`, `leads` and `sources`. So agents that read different documents on different terms do not disturb each
other, and a commit is as large as what is new. Lists only grow, which lets an agent compare what it found with what was
known before its transaction, and with the rest inside it.

What this file does not do: read documents, find facts, or rank; nothing here looks at the clock or at chance.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final, TypeAlias

from colony.experiments.research.documents import Document, Entry, Unreadable
from colony.experiments.research.extraction import Fact, Query, defines
from colony.experiments.research.ranking import says_the_same
from colony.experiments.trial import Memory
from colony.memory.shared_memory import DurableTransaction
from colony.primitives.limits import RESEARCH_DOCUMENTS_MAX, RESEARCH_QUESTIONS_MAX
from colony.stm import TVar, retry

FACTS_PER_QUESTION: Final = 5
"""So many facts on a term close its question, even if none of them defines it."""

Values: TypeAlias = tuple[tuple[Any, ...], ...]
Counts: TypeAlias = tuple[tuple[str, int], ...]
Known: TypeAlias = Mapping[str, tuple[int, Sequence[str]]]
"""By topic: how many documents have facts on it, and what those say."""
Mark: TypeAlias = tuple[str, str] | None
"""Of a document: None while it is free; then ("claimed", agent), ("read", "") or ("unreadable", reason)."""
_FREE: Final = ("free", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is put before the names of each part's variables: nothing where it is shared, else the agent's own."""

    facts: str = ""
    questions: str = ""
    sources: str = ""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known by which the next document is chosen."""

    entries: Values
    query: Query
    leads: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Claim:
    """A document that one agent alone reads, and what it looks for in it."""

    source: str
    query: Query


@dataclass(frozen=True, slots=True)
class Reading:
    """What an agent brings back from a document."""

    claim: Claim
    document: Document | Unreadable
    facts: tuple[Fact, ...] = ()
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What a research has brought together: facts, documents read and unreadable, and questions that stay open."""

    facts: tuple[Fact, ...]
    read: tuple[str, ...]
    unreadable: tuple[Unreadable, ...]
    questions: tuple[str, ...]


class ResearchState:
    """The shared variables of one research, and the transactions on them. Methods with a `t` run inside one."""

    def __init__(self, memory: Memory, topic: str, entries: Sequence[Entry], scope: Scope | None = None) -> None:
        self.topic = topic
        self._memory = memory
        self._scope = scope or Scope()
        start = tuple((entry.source, entry.title) for entry in entries)
        self.sources: TVar[Values] = memory.variable(f"{self._scope.sources}sources", start)
        self.questions: TVar[tuple[str, ...]] = memory.variable(f"{self._scope.questions}questions", ())
        self.leads: TVar[Mapping[str, float]] = memory.variable(f"{self._scope.questions}leads", {})

    def facts(self, topic: str) -> TVar[Counts]:
        """Which documents have how many facts on the topic, or on one term, in the order in which they were read."""
        return self._memory.variable(f"{self._scope.facts}facts/{topic}", ())

    def found(self, source: str) -> TVar[Values]:
        """The facts of one document, as values, without what others had found before."""
        return self._memory.variable(f"{self._scope.facts}found/{source}", ())

    def mark(self, source: str) -> TVar[Mark]:
        """Whether somebody has taken or read a document."""
        return self._memory.variable(f"{self._scope.sources}source/{source}", None)

    # Transactions of a researcher.

    def knowledge(self, t: DurableTransaction) -> Knowledge:
        """All by which documents are ranked."""
        return Knowledge(t.read(self.sources), Query(self.topic, self.open_terms(t)), t.read(self.leads))

    def claim(
        self, t: DurableTransaction, query: Query, ranked: Sequence[str], *, agent: str, skip: int
    ) -> Claim | None:
        """Take the free document that follows `skip` better ones; None if all are read.

        Documents that were found since the ranking come after it. While others read the last documents it waits in
        `retry`: they may find further ones.
        """
        free = (source for source in self._candidates(t, ranked) if t.read(self.mark(source)) is None)
        chosen = deque(islice(free, skip + 1), maxlen=1)
        if not chosen:
            return None if self.is_all_read(t) else retry()
        t.write(self.mark(chosen[0]), ("claimed", agent))
        return Claim(chosen[0], query)

    def _candidates(self, t: DurableTransaction, ranked: Sequence[str]) -> Iterator[str]:
        yield from ranked
        known = frozenset(ranked)
        yield from (source for source, _ in t.read(self.sources) if source not in known)

    def release(self, t: DurableTransaction, claim: Claim) -> None:
        """Give a document back unread, for others to take."""
        t.write(self.mark(claim.source), None)

    def known(self, t: DurableTransaction, facts: Iterable[Fact]) -> Known:
        """What is known on the topics of these facts."""
        return {topic: (len(t.read(self.facts(topic))), self._texts(t, topic)) for topic in {f.topic for f in facts}}

    def publisher(self, reading: Reading, known: Known) -> Callable[[DurableTransaction], None]:
        """The transaction that shares what was found; what is compared with `known` here, it need not compare again."""
        facts = [fact for fact in reading.facts if _is_new(fact, known[fact.topic][1])]

        def publish(t: DurableTransaction) -> None:
            since = {topic: self._texts(t, topic, seen) for topic, (seen, _) in known.items()}
            added = [fact for fact in facts if _is_new(fact, since[fact.topic])]
            if added:
                t.write(self.found(reading.claim.source), tuple(fact.as_value() for fact in added))
            for topic, count in Counter(fact.topic for fact in added).items():
                t.write(self.facts(topic), (*t.read(self.facts(topic)), (reading.claim.source, count)))
            self._publish_ways(t, reading)
            failure = reading.document.reason if isinstance(reading.document, Unreadable) else None
            t.write(self.mark(reading.claim.source), ("read", "") if failure is None else ("unreadable", failure))

        return publish

    def _values(self, t: DurableTransaction, topic: str, since: int = 0) -> list[tuple[Any, ...]]:
        """The facts on a topic, as values, of all but the first `since` documents that have some."""
        found = (value for source, _ in t.read(self.facts(topic))[since:] for value in t.read(self.found(source)))
        return [value for value in found if value[3] == topic]

    def _texts(self, t: DurableTransaction, topic: str, since: int = 0) -> list[str]:
        return [value[0] for value in self._values(t, topic, since)]

    def _publish_ways(self, t: DurableTransaction, reading: Reading) -> None:
        """Share where to look next: new questions, documents that were linked to, and how promising they are."""
        asked = t.read(self.questions)
        unasked = tuple(dict.fromkeys(term for term in reading.terms if term not in asked))
        new = unasked[: RESEARCH_QUESTIONS_MAX - len(asked)]
        if new:
            t.write(self.questions, asked + new)
        if isinstance(reading.document, Unreadable) or not reading.document.links:
            return
        links = reading.document.links
        entries = t.read(self.sources)
        listed = {source for source, _ in entries}
        found = tuple({e.source: (e.source, e.title) for e in links if e.source not in listed}.values())
        if found:
            t.write(self.sources, (entries + found)[:RESEARCH_DOCUMENTS_MAX])
        if reading.facts:
            leads = t.read(self.leads)
            weight = len(reading.facts) / len(links)
            t.write(self.leads, {**leads, **{e.source: leads.get(e.source, 0.0) + weight for e in links}})

    # What anybody may ask.

    def open_terms(self, t: DurableTransaction) -> tuple[str, ...]:
        """The terms that were asked for and are not explained yet."""
        return tuple(term for term in t.read(self.questions) if not self._is_answered(t, term))

    def is_enough(self, t: DurableTransaction, facts_wanted: int) -> bool:
        """Whether there are enough facts on the topic, and no question is open."""
        return self._count(t, self.topic) >= facts_wanted and not self.open_terms(t)

    def is_all_read(self, t: DurableTransaction) -> bool:
        """Whether every document has been read, or found to be unreadable."""
        return all(how in {"read", "unreadable"} for _, (how, _) in self._marks(t))

    def is_nobody_reading(self, t: DurableTransaction) -> bool:
        """Whether all that was taken has been brought back."""
        return all(how != "claimed" for _, (how, _) in self._marks(t))

    def gathered(self, t: DurableTransaction) -> Gathered:
        """All that was brought together; the facts on the topic first, then by question in the order of asking."""
        topics = dict.fromkeys((self.topic, *t.read(self.questions)))
        marks = tuple(self._marks(t))
        return Gathered(
            facts=tuple(Fact.from_value(value) for topic in topics for value in self._values(t, topic)),
            read=tuple(source for source, (how, _) in marks if how == "read"),
            unreadable=tuple(Unreadable(source, why) for source, (how, why) in marks if how == "unreadable"),
            questions=self.open_terms(t),
        )

    def _marks(self, t: DurableTransaction) -> Iterator[tuple[str, tuple[str, str]]]:
        return ((source, t.read(self.mark(source)) or _FREE) for source, _ in t.read(self.sources))

    def _count(self, t: DurableTransaction, topic: str) -> int:
        return sum(count for _, count in t.read(self.facts(topic)))

    def _is_answered(self, t: DurableTransaction, term: str) -> bool:
        if self._count(t, term) >= FACTS_PER_QUESTION:
            return True
        return any(_defines(text, term) for text in self._texts(t, term))


def _is_new(fact: Fact, known: Iterable[str]) -> bool:
    """Whether it says what none of the known ones says."""
    return not any(says_the_same(fact.text, text) for text in known)


_defines = lru_cache(maxsize=65_536)(defines)
