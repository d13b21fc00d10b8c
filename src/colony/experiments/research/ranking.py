"""Which texts suit a query, and which say the same: Okapi BM25, and shingles compared exactly.

Two sentences say the same if their sets of pairs of neighbouring stems have a Jaccard similarity of 0.6 or more. The
sets are compared as they are: a research holds thousands of facts, not the millions for which MinHash estimates this.

What this file does not do: read documents, or decide what a fact is.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, Generic, TypeVar

from colony.experiments.research.words import stem, words

K = TypeVar("K", bound=Hashable)

NEAR_DUPLICATE_SIMILARITY: Final = 0.6
_K1: Final = 1.2
_B: Final = 0.75


class Bm25:
    """Okapi BM25 over a fixed collection of texts, each given as its terms.

    The score of a text is the sum over the query's terms of weight * idf * f (k1 + 1) / (f + k1 (1 - b + b l / mean)),
    with f the term's count in the text, l the text's length, k1 = 1.2 and b = 0.75. The idf, which is never negative,
    is ln(1 + (N - n + 0.5) / (n + 0.5)), where n of N texts have the term (Robertson and Zaragoza 2009).
    """

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        self._size = len(texts)
        self._postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        mean = sum(map(len, texts)) / max(1, len(texts)) or 1.0
        for number, text in enumerate(texts):
            norm = _K1 * (1 - _B + _B * len(text) / mean)
            for term, count in Counter(text).items():
                self._postings[term].append((number, count * (_K1 + 1) / (count + norm)))

    def idf(self, term: str) -> float:
        """How telling a term is."""
        having = len(self._postings.get(term, ()))
        return math.log(1 + (self._size - having + 0.5) / (having + 0.5))

    def scores(self, query: Mapping[str, float]) -> list[float]:
        """The score of every text for a query of weighted terms."""
        scores = [0.0] * self._size
        for term, weight in query.items():
            telling = weight * self.idf(term)
            for number, share in self._postings.get(term, ()):
                scores[number] += telling * share
        return scores


@lru_cache(maxsize=65_536)
def shingles(text: str) -> frozenset[tuple[str, str]]:
    """The pairs of neighbouring stems of a text; of a text of one word, the word with itself."""
    stemmed = [stem(word) for word in words(text)]
    return frozenset(pairwise(stemmed if len(stemmed) > 1 else stemmed * 2))


def similarity(one: str, other: str) -> float:
    """The Jaccard similarity of two texts' shingles, from 0 to 1; a text without words is like nothing."""
    a, b = shingles(one), shingles(other)
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared) if a or b else 0.0


def says_the_same(one: str, other: str) -> bool:
    """Whether two texts are near-duplicates."""
    return similarity(one, other) >= NEAR_DUPLICATE_SIMILARITY


def distinct(texts: Iterable[str]) -> list[int]:
    """The positions of the texts that say what none before them that is kept says."""
    seen: _Alike[int] = _Alike()
    for number, text in enumerate(texts):
        if not seen.matches(text):
            seen.add(text, number)
    return list(seen.texts)


def classes(texts: Mapping[K, str]) -> dict[K, int]:
    """The number of each text's class: near-duplicates are in one, also over several steps; whatever the order."""
    seen: _Alike[K] = _Alike()
    leader = {key: key for key in texts}

    def find(key: K) -> K:
        while leader[key] != key:
            leader[key] = key = leader[leader[key]]
        return key

    for key, text in texts.items():
        for match in seen.matches(text):
            leader[find(match)] = find(key)
        seen.add(text, key)
    numbers: dict[K, int] = {}
    return {key: numbers.setdefault(find(key), len(numbers)) for key in texts}


class _Alike(Generic[K]):
    """Finds near-duplicates among texts, by the shingles they share."""

    def __init__(self) -> None:
        self.texts: dict[K, str] = {}
        self._having: dict[tuple[str, str], list[K]] = defaultdict(list)

    def add(self, text: str, key: K) -> None:
        """Keep a text under a key."""
        self.texts[key] = text
        for shingle in shingles(text):
            self._having[shingle].append(key)

    def matches(self, text: str) -> list[K]:
        """The keys of the kept texts that say the same."""
        candidates = dict.fromkeys(key for shingle in shingles(text) for key in self._having.get(shingle, ()))
        return [key for key in candidates if says_the_same(self.texts[key], text)]
