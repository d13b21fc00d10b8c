"""The synthesis: a Markdown report in which every sentence is somebody's, word for word, with a number that says whose.

Sections are the topic and the questions, most relevant first; a summary takes the best sentence of the best sections.
What this file does not do: write sentences of its own about the topic, or decide what a fact is.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from heapq import nlargest
from itertools import chain
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
    told = [*_summary(ranked), *chain.from_iterable(ranked.values())]
    numbers = {place: number for number, place in enumerate(dict.fromkeys(map(_place, told)), 1)}
    parts = [f"# {_plain(_title(topic))}", "## Summary"]
    parts.append("\n".join(_cited(fact, numbers) for fact in _summary(ranked)) or NOTHING)
    for section, facts in ranked.items():
        title = "Facts on the topic" if section == topic else _title(section)
        parts += [f"## {_plain(title)}", "\n".join(f"- {_cited(fact, numbers)}" for fact in facts)]
    parts += _list("Sources", (f"{number}. {_plain(place)}" for place, number in numbers.items()))
    parts += _list("Could not be read", (f"- {_plain(u.source)}: {_plain(u.reason)}" for u in gathered.unreadable))
    parts += _list("Open questions", (f"- What is “{_plain(term)}”?" for term in gathered.questions))
    return "\n\n".join(parts) + "\n"


def _ranked(topic: str, facts: Sequence[Fact]) -> Mapping[str, list[Fact]]:
    """Distinct facts by section, best first; sections in the order of what their three best say on the topic."""
    index = Bm25([stems(fact.text) for fact in facts])
    on_topic = index.scores(dict.fromkeys(stems(topic), 1.0))
    on_section = {s: index.scores(dict.fromkeys(stems(f"{topic} {s}"), 1.0)) for s in {f.topic for f in facts}}
    order = sorted(range(len(facts)), key=lambda n: (-on_section[facts[n].topic][n], facts[n].as_value()[:3]))
    sections: dict[str, list[int]] = defaultdict(list)
    for number in distinct(facts[n].text for n in order):
        sections[facts[order[number]].topic].append(order[number])
    relevance = {s: sum(nlargest(3, (on_topic[n] for n in numbers))) for s, numbers in sections.items()}
    return {s: [facts[n] for n in sections[s]] for s in sorted(sections, key=lambda s: (-relevance[s], s))}


def _summary(ranked: Mapping[str, list[Fact]]) -> list[Fact]:
    """The best of each section, then the second of each, and so on."""
    rounds = ((rank, order, fact) for order, facts in enumerate(ranked.values()) for rank, fact in enumerate(facts))
    return [fact for _, _, fact in sorted(rounds, key=lambda each: each[:2])[:SUMMARY_SENTENCES]]


def _place(fact: Fact) -> str:
    return f"{fact.source}: {fact.location}"


def _cited(fact: Fact, numbers: Mapping[str, int]) -> str:
    return f"{_plain(fact.text)} [{numbers[_place(fact)]}]"


def _plain(text: str) -> str:
    """The text so that Markdown shows it as it is: what documents say is not obeyed."""
    return _MARKUP.sub(r"\\\1", text)


def _title(text: str) -> str:
    return text[:1].upper() + text[1:]


def _list(title: str, lines: Iterable[str]) -> list[str]:
    text = "\n".join(lines)
    return [f"## {title}", text] if text else []
