"""Words of English text: sentences with their places, stems without a dictionary, and what counts as prose.

What this file does not do: other languages (their words are found, but not their stems), or meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

_CLOSING: Final = "\"'”\u2019)]`"
_OPENING: Final = "\"'“\u2018`"
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD: Final = re.compile(r"[^\W_]+")
_END: Final = re.compile(rf"[.!?]+[{re.escape(_CLOSING)}]*(?=\s)")
_LAST_WORD: Final = re.compile(r"[\w.]*$")
_NEVER_LAST: Final = frozenset(
    ["e.g", "i.e", "cf", "vs", "viz", "resp", "approx", "ca", "dr", "mr", "mrs", "ms", "prof", "st"]
)
_BEFORE_NUMBERS: Final = frozenset(["no", "nos", "fig", "figs", "eq", "eqs", "sec", "vol", "ch", "pp", "p"])
_CODE: Final = re.compile(r">>>|->|==|\s=\s|::|\(self\b|[{}|]|__\w+__\(|[+-]{3,}")
_ENDINGS: Final = """
izations ization ations ation ating ated ators ator ates ities ity ions ings ion ments ment ers ing ies ied ate er ed es
ly s y e
"""
_SUFFIXES: Final = tuple(_ENDINGS.split())
_SMALL_WORDS: Final = """
a about after again all also although always an and any are as at be because been before being between both but by can
could did do does done during each either else every few first for from further given had has have having he her here
him his how however i if in instead into is it its itself just last let like make made many may me might more most much
must my need new no nor not now of off often on once one only onto or other others otherwise our out over own per
possible rather same see set several shall she should since so some such than that the their them themselves then there
therefore these they this those through thus to together too two under until up upon us use used useful uses using very
via was we well were what when where whether which while who whom whose why will with within without would yet you your
"""
STOP_WORDS: Final = frozenset(_SMALL_WORDS.split())
WORDS_IN_SENTENCE: Final = range(5, 61)


def one_line(text: str) -> str:
    """The text with every run of white space as one blank."""
    return " ".join(text.split())


def words(text: str) -> list[str]:
    """The words of a text, small; `StreamReader` and `stream_reader` are two words each."""
    return [word.lower() for word in _WORD.findall(_HUMP.sub(" ", text))]


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The word without the first ending that leaves three letters, so that `parse`, `parsing` and `parsed` meet."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3 and not word.endswith("ss"):
            word = word.removesuffix(suffix)
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeious" else word


def stems(text: str) -> list[str]:
    """The stems of the words that carry meaning."""
    return [stem(word) for word in words(text) if word not in STOP_WORDS and len(word) > 1]


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """Where each sentence of a paragraph begins and ends; in order, disjoint, and nothing but white space between.

    A full stop ends a sentence unless it belongs to an abbreviation or an initial, or a small letter follows.
    """
    start = _skip(text, 0)
    for end in _END.finditer(text):
        following = _skip(text, end.end())
        if following < len(text) and end.end() > start and _ends(text, end, following):
            yield start, end.end()
            start = following
    if start < len(text):
        yield start, len(text.rstrip())


def is_prose(sentence: str) -> bool:
    """Whether it reads as a whole sentence: no code, signature, table, heading or fragment of one."""
    begins, ends = sentence[:1], sentence.rstrip(_CLOSING)[-1:]
    if not (begins.isupper() or begins.isdigit() or begins in _OPENING) or ends not in (".", "!", "?"):
        return False
    letters = sum(c.isalpha() or c.isspace() for c in sentence)
    is_wordy = letters >= 0.8 * len(sentence) and len(sentence.split()) in WORDS_IN_SENTENCE
    return is_wordy and not _CODE.search(sentence)


def _skip(text: str, position: int) -> int:
    """The next position that is no white space."""
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _ends(text: str, end: re.Match[str], following: int) -> bool:
    if text[following].islower():
        return False
    found = _LAST_WORD.search(text, max(0, end.start() - 12), end.start())
    word = found[0].lower() if found and end[0].startswith(".") else ""
    is_initial = len(word) == 1 and text[end.start() - 1].isupper()
    is_counted = word in _BEFORE_NUMBERS and text[following].isdigit()
    return not (word in _NEVER_LAST or is_initial or is_counted)
