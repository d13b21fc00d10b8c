"""Which document to read next, by all that is known before reading it: what it is called, and who points to it.

Names are compared by trigrams, so that `dates` finds `datetime`. What this file does not do: look into documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from zlib import crc32

from colony.experiments.research.extraction import Query
from colony.experiments.research.ranking import Bm25
from colony.experiments.research.state import Knowledge, Values
from colony.experiments.research.words import words

QUESTION_WEIGHT: Final = 0.1
LEAD_WEIGHT: Final = 5.0


def ranked(known: Knowledge, salt: int) -> tuple[str, ...]:
    """The ids of all documents, most promising first; those that look alike in an order that `salt` decides."""
    scores = _scores(known)
    return tuple(sorted(scores, key=lambda source: (-scores[source], _lot(source, salt))))


@lru_cache(maxsize=65_536)
def _lot(source: str, salt: int) -> int:
    return crc32(source.encode(), salt)


def _scores(known: Knowledge) -> dict[str, float]:
    by_name = _index(known.entries).scores(_trigrams_of(known.query))
    return {
        source: score + LEAD_WEIGHT * known.leads.get(source, 0.0)
        for (source, _), score in zip(known.entries, by_name, strict=True)
    }


def _trigrams_of(query: Query) -> Mapping[str, float]:
    weights: dict[str, float] = {}
    for asked, weight in ((query.topic_stems, 1.0), *((stemmed, QUESTION_WEIGHT) for _, stemmed in query.term_stems)):
        for stem in asked:
            for trigram in _trigrams(stem):
                weights[trigram] = max(weight, weights.get(trigram, 0.0))
    return weights


@lru_cache(maxsize=16)
def _index(entries: Values) -> Bm25:
    return Bm25([[g for word in words(title) for g in _trigrams(word)] for _, title in entries])


def _trigrams(word: str) -> list[str]:
    return [word[n : n + 3] for n in range(max(1, len(word) - 2))]
