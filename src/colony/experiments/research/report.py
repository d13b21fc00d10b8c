"""The synthesis: a Markdown report in which every sentence is somebody's, word for word, with a number that says whose.

Sections are the topic and the questions, most relevant first; a summary takes the best sentence of the best sections.
What this file does not do: write sentences of its own about the topic, or decide what a fact is.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from colony.experiments.research.extraction import Fact
from colony.experiments.research.ranking import Bm25, distinct
from colony.experiments.research.state import Gathered
from colony.experiments.research.words import stems

SUMMARY_SENTENCES: Final = 5
NOTHING: Final = "*Nothing on this topic was found in what could be read.*"
_MARKUP: Final = re.compile(r"([\\`*_\[\]<>])")


def report_of(topic: str, gathered: Gathered) -> str:
    """The report on `topic`; facts that say the same as a better one are left out."""
    ranked = _ranked(topic, gathered.facts)
    numbers = {fact: number for number, fact in enumerate(_in_order(ranked), 1)}
    parts = [f"# {_plain(_title(topic))}", "## Summary"]
    parts.append("\n".join(_cited(fact, numbers) for fact in _summary(ranked)) or NOTHING)
    for section, found in ranked.items():
        parts += [f"## {_plain(_title(section))}", "\n".join(f"- {_cited(fact, numbers)}" for fact in found)]
    parts += _list(
        "Sources", (f"{number}. {_plain(f.source)}: {_plain(str(f.location))}" for f, number in numbers.items())
    )
    parts += _list("Could not be read", (f"- {_plain(u.source)}: {_plain(u.reason)}" for u in gathered.unreadable))
    parts += _list("Open questions", (f"- What is “{_plain(term)}”?" for term in gathered.questions))
    return "\n\n".join(parts) + "\n"


def _ranked(topic: str, facts: Sequence[Fact]) -> Mapping[str, list[Fact]]:
    """Distinct facts by section, best first; the sections in the order of their three best facts."""
    index = Bm25([stems(fact.text) for fact in facts])
    of_section = {s: index.scores(dict.fromkeys({*stems(topic), *stems(s)}, 1.0)) for s in {f.topic for f in facts}}
    scored = sorted(
        ((of_section[f.topic][n], f) for n, f in enumerate(facts)), key=lambda pair: (-pair[0], _key(pair[1]))
    )
    sections: dict[str, list[Fact]] = defaultdict(list)
    weights: dict[str, list[float]] = defaultdict(list)
    for number in distinct(fact.text for _, fact in scored):
        score, fact = scored[number]
        sections[fact.topic].append(fact)
        weights[fact.topic].append(score)
    return {s: sections[s] for s in sorted(sections, key=lambda s: (-sum(weights[s][:3]), s))}


def _key(fact: Fact) -> tuple[str, int, int]:
    return fact.source, fact.location.passage, fact.location.start


def _summary(ranked: Mapping[str, list[Fact]]) -> list[Fact]:
    """The best of each section, then the second of each, and so on."""
    rounds = ((rank, order, fact) for order, facts in enumerate(ranked.values()) for rank, fact in enumerate(facts))
    return [fact for _, _, fact in sorted(rounds, key=lambda each: each[:2])[:SUMMARY_SENTENCES]]


def _in_order(ranked: Mapping[str, list[Fact]]) -> Iterator[Fact]:
    """The facts in the order in which a reader meets them."""
    return iter(dict.fromkeys([*_summary(ranked), *(fact for facts in ranked.values() for fact in facts)]))


def _cited(fact: Fact, numbers: Mapping[Fact, int]) -> str:
    return f"{_plain(fact.text)} [{numbers[fact]}]"


def _plain(text: str) -> str:
    """The text so that Markdown shows it as it is: what documents say is not obeyed."""
    return _MARKUP.sub(r"\\\1", text)


def _title(text: str) -> str:
    return text[:1].upper() + text[1:]


def _list(title: str, lines: Iterable[str]) -> list[str]:
    text = "\n".join(lines)
    return [f"## {title}", text] if text else []
