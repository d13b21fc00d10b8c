"""The agents: researchers, who read what looks most promising, and the synthesiser, who waits until there is enough.

A researcher repeats: look at what is known, and rank the documents by it; in one transaction, choose the best that is
free, and take it; read it, outside of any transaction; in another, share what it says that is new. What this file does
not do: find facts (extraction.py), rank (choosing.py), or write the report (report.py).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from colony.experiments.research.choosing import ranked
from colony.experiments.research.documents import Source, Unreadable
from colony.experiments.research.extraction import Extractor
from colony.experiments.research.state import Claim, Gathered, Reading, ResearchState
from colony.experiments.trial import Over, Place
from colony.memory.shared_memory import DurableTransaction
from colony.stm import check

T = TypeVar("T")

BOLDNESS: Final = 5.0
"""How many better documents an agent passes over on average, so that agents who know the same choose differently.

Chosen once, from 1 to 20, as what served eight independent agents best on ten topics that no comparison uses.
"""


@dataclass(frozen=True, slots=True)
class Researcher:
    """One agent that reads; its notes are the facts that it found."""

    source: Source
    extractor: Extractor
    state: ResearchState
    tell: Callable[[Reading], None]
    """Called outside of transactions with each reading, for whoever watches."""

    def work(self, place: Place) -> None:
        """Read until everything is read.

        Raises:
            Over: the trial ended; what was read until then is shared.

        """
        salt = place.random.getrandbits(32)
        while True:
            known = place.atomically(self.state.knowledge)
            skip = int(place.random.expovariate(1 / BOLDNESS))
            take = partial(self.state.claim, query=known.query, ranked=ranked(known, salt), agent=place.name, skip=skip)
            claim = place.atomically(take)
            if claim is None:
                return
            self._read(place, claim)

    def _read(self, place: Place, claim: Claim) -> None:
        """Read a claimed document and share what it says; whatever goes wrong, it is not left claimed."""
        try:
            reading = place.evaluate(partial(self._reading, claim), subject=claim.source)
        except BaseException:
            place.memory.atomically(partial(self.state.release, claim=claim), agent=place.name)
            raise
        place.note(tuple((fact.source, fact.location.passage, fact.location.start) for fact in reading.facts))
        known = _settle(place, partial(self.state.known, facts=reading.facts))
        _settle(place, self.state.publisher(reading, known))
        self.tell(reading)

    def _reading(self, claim: Claim) -> Reading:
        document = self.source.read(claim.source)
        if isinstance(document, Unreadable):
            return Reading(claim, document)
        given = self.extractor.facts(document, claim.query)
        facts = tuple(fact for fact in given if fact.source == claim.source and document.has(fact.text, fact.location))
        return Reading(claim, document, facts, self.extractor.questions(document, facts, claim.query))


@dataclass(frozen=True, slots=True)
class Synthesiser:
    """The agent that waits, blocked in `retry`, until there is enough or nothing is left to read; then it writes."""

    state: ResearchState
    facts_wanted: int
    write: Callable[[Gathered], None]

    def work(self, place: Place) -> None:
        """Wait, end the trial, and write, once the last reader has handed in; also if the trial ended before."""
        with suppress(Over):
            place.atomically(self.wait)
            place.finish()
        self.write(place.memory.atomically(self.gather, agent=place.name))

    def wait(self, t: DurableTransaction) -> None:
        """Block until there are enough facts, or everything is read."""
        check(self.state.is_enough(t, self.facts_wanted) or self.state.is_all_read(t))

    def gather(self, t: DurableTransaction) -> Gathered:
        """Block until nobody reads; then take everything."""
        check(self.state.is_nobody_reading(t))
        return self.state.gathered(t)


def _settle(place: Place, body: Callable[[DurableTransaction], T]) -> T:
    """Run a transaction even if the trial has ended meanwhile: what was paid for is shared."""
    try:
        return place.atomically(body)
    except Over:
        return place.memory.atomically(body, agent=place.name)
