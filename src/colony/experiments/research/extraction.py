"""Facts and questions out of a document, without a language model; and the seam for whoever has one.

A fact is a sentence with a stem of the topic, and with either another one, which may stand in the title or heading over
it, or a term that was asked for; it is taken word for word, with its place. A question is a term: a thing that the
document's facts name much more often than the rest of it does. A fact that defines the term answers it.

What this file does not do: share what was found (state.py), or choose what to read next (researcher.py).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol

from colony.experiments.research.documents import Document, Location, Sentence
from colony.experiments.research.ranking import distinct
from colony.experiments.research.words import STOP_WORDS, stem, stems
from colony.primitives.limits import RESEARCH_FACTS_PER_DOCUMENT_MAX

QUESTIONS_PER_DOCUMENT: Final = 3
_THING: Final = re.compile(
    rf"\b(?:an?|the) ([^\W\d_]{{3,30}})(?=[.,;:)]|\s(?:{'|'.join(sorted(STOP_WORDS))})\b)", re.IGNORECASE
)
_DEFINING: Final = (
    r"(?:is|are|was|were|means|denotes|refers to|represents?|stands for|provides?|implements?|describes?|allows?)\b"
)


@dataclass(frozen=True, slots=True)
class Fact:
    """A sentence, its document and its place there; `topic` is the topic, or the term that it was asked for."""

    text: str
    source: str
    location: Location
    topic: str
    score: float
    """BM25 among the document's sentences; more is better, and only comparable within the document."""

    def as_value(self) -> tuple[Any, ...]:
        """The fact as a value of shared memory: text, source, place, topic and score, in this order."""
        at = self.location
        place = (at.passage, at.start, at.end, at.line, at.heading, at.page)
        return (self.text, self.source, place, self.topic, self.score)

    @classmethod
    def from_value(cls, value: Sequence[Any]) -> Fact:
        """The fact that `as_value` wrote."""
        text, source, place, topic, score = value
        return cls(text, source, Location(*place), topic, float(score))


@dataclass(frozen=True)
class Query:
    """What is asked: the topic, and the terms of the questions that are open."""

    topic: str
    terms: tuple[str, ...] = ()

    @cached_property
    def topic_stems(self) -> frozenset[str]:
        """The stems of the topic."""
        return frozenset(stems(self.topic))

    @cached_property
    def term_stems(self) -> tuple[tuple[str, frozenset[str]], ...]:
        """Each term with its stems."""
        return tuple((term, frozenset(stems(term))) for term in self.terms)


class Extractor(Protocol):
    """Finds what a document says; a language model may stand behind it. Called from many threads at the same time."""

    def facts(self, document: Document, query: Query) -> tuple[Fact, ...]:
        """The facts on the query, best first. What does not stand word for word at its place is not taken."""

    def questions(self, document: Document, facts: Sequence[Fact], query: Query) -> tuple[str, ...]:
        """Terms that the facts leave unexplained, most urgent first; none that the query has."""


class PlainExtractor:
    """The extractor that needs no model: BM25 over the sentences of the document."""

    def facts(self, document: Document, query: Query) -> tuple[Fact, ...]:
        """The relevant sentences, best first, none of them twice; at most `RESEARCH_FACTS_PER_DOCUMENT_MAX`."""
        chosen = [(n, topic) for n, s in enumerate(document.prose) if (topic := topic_of(s, query)) is not None]
        scores = {topic: document.index.scores(_weights(query, topic)) for topic in {topic for _, topic in chosen}}
        facts = [_fact(document, number, topic, scores[topic][number]) for number, topic in chosen]
        facts.sort(key=lambda fact: (-fact.score, fact.location.passage, fact.location.start))
        kept = distinct(fact.text for fact in facts)[:RESEARCH_FACTS_PER_DOCUMENT_MAX]
        return tuple(facts[number] for number in kept)

    def questions(self, document: Document, facts: Sequence[Fact], query: Query) -> tuple[str, ...]:
        """The things that stand out in the facts: by how many name them, times the logarithm of how much more often."""
        known = query.topic_stems.union(*(stemmed for _, stemmed in query.term_stems))
        things = {stem(name): name for fact in reversed(facts) for name in _things(fact.text)}
        inside = Counter(s for fact in facts for s in set(stems(fact.text)) & things.keys() - known)
        outside = Counter(s for sentence in document.prose for s in set(sentence.stems))
        share = len(facts) / max(1, len(document.prose))
        urgency = {s: n * math.log(n / (outside[s] * share)) for s, n in inside.items() if n > 1}
        urgent = sorted((s for s in urgency if urgency[s] > 1), key=lambda s: (-urgency[s], s))
        return tuple(things[s] for s in urgent[:QUESTIONS_PER_DOCUMENT])


def topic_of(sentence: Sentence, query: Query) -> str | None:
    """What a sentence is a fact on: a term that is asked for, the topic, or nothing."""
    shared = query.topic_stems.intersection(sentence.stems)
    if shared:
        for term, asked in query.term_stems:
            if asked.issubset(sentence.stems):
                return term
    is_relevant = shared and len(shared | query.topic_stems & sentence.context) >= min(2, len(query.topic_stems))
    return query.topic if is_relevant else None


def defines(text: str, term: str) -> bool:
    """Whether a sentence says what a term is: it begins with the term, and a verb that defines follows."""
    return (
        re.match(rf"(?:an? |the )?\W?{re.escape(term)}\w{{0,2}}\W{{0,3}}(?:\w+ )?{_DEFINING}", text, re.IGNORECASE)
        is not None
    )


def _things(text: str) -> list[str]:
    """The words that name a thing: those after an article and before what cannot belong to its name."""
    named = (match[1].lower() for match in _THING.finditer(text))
    return [name for name in named if name not in STOP_WORDS]


def _fact(document: Document, number: int, topic: str, score: float) -> Fact:
    sentence = document.prose[number]
    return Fact(sentence.text, document.source, sentence.location, topic, score)


def _weights(query: Query, topic: str) -> dict[str, float]:
    return dict.fromkeys(query.topic_stems | frozenset(stems(topic)), 1.0)
