"""A research from its topic to its findings: researchers and a synthesiser on one shared memory.

What this file does not do: print, write files, or compare configurations (comparison.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from colony.experiments.research.documents import Source, Unreadable
from colony.experiments.research.extraction import Extractor, Fact, PlainExtractor
from colony.experiments.research.report import report_of
from colony.experiments.research.researcher import Researcher, Synthesiser
from colony.experiments.research.state import Gathered, Reading, ResearchState
from colony.experiments.research.words import one_line, stems
from colony.experiments.trial import Measurement, Member, Memory, Setting, Team, groups_for, run_trial
from colony.memory.named_memory import NamedMemory
from colony.primitives.errors import LimitError, UsageError
from colony.primitives.limits import RESEARCH_TOPIC_CHARACTERS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a research came to: `report` is Markdown in which every sentence cites its source."""

    topic: str
    report: str
    facts: tuple[Fact, ...]
    read: tuple[str, ...]
    """The documents that were read, by their ids."""
    unreadable: tuple[Unreadable, ...]
    questions: tuple[str, ...]
    """The terms that nothing explained."""
    measurement: Measurement
    """Seconds, evaluations (documents tried), and the counters of the shared memory."""


def _ignore(_: Reading) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """What to look for, where, with what, and when it is enough. `tell` hears of each reading, from many threads."""

    topic: str
    source: Source
    facts_wanted: int = 100
    extractor: Extractor = field(default_factory=PlainExtractor)
    tell: Callable[[Reading], None] = _ignore

    def __post_init__(self) -> None:
        object.__setattr__(self, "topic", one_line(self.topic))
        if not stems(self.topic):
            raise UsageError(f"topic {self.topic!r}: no word in it to look for; name what you want to know about")
        if len(self.topic) > RESEARCH_TOPIC_CHARACTERS_MAX:
            raise LimitError(f"a topic of {len(self.topic)} characters; {RESEARCH_TOPIC_CHARACTERS_MAX} are allowed")
        if self.facts_wanted < 1:
            raise UsageError(f"facts wanted: {self.facts_wanted}; ask for at least one")


def research(
    topic: str,
    source: Source,
    *,
    agents: int = 4,
    documents_max: int = 200,
    facts_wanted: int = 100,
    seconds_max: float | None = None,
    seed: int = 0,
) -> Findings:
    """Let `agents` read up to `documents_max` documents of `source` on `topic`, until `facts_wanted` are found.

    Raises:
        LimitError: the topic is too long, or the source too large.
        UsageError: a topic without words, no such source, or a number that makes no sense.

    """
    inquiry = Inquiry(topic=topic, source=source, facts_wanted=facts_wanted)
    return conduct(
        inquiry, Setting(agents=agents, seed=seed, evaluations_max=documents_max, wall_seconds_max=seconds_max)
    )


def conduct(inquiry: Inquiry, setting: Setting, memories: Callable[[], Memory] = NamedMemory) -> Findings:
    """Do as `research`, with a setting and a memory of one's own.

    Raises:
        LimitError: the source is too large.
        UsageError: no such source, or a setting that makes no sense.

    """
    if setting.evaluations_max is not None and setting.evaluations_max < 1:
        raise UsageError(f"documents: {setting.evaluations_max}; read at least one")
    groups = groups_for(setting, memories, shared=True)
    state = ResearchState(groups[0].memory, inquiry.topic, inquiry.source.entries())
    gathered: list[Gathered] = []
    researcher = Researcher(inquiry.source, inquiry.extractor, state, inquiry.tell)
    synthesiser = Synthesiser(state, inquiry.facts_wanted, gathered.append)
    members = [Member(f"researcher-{n}", group, researcher.work) for n, group in enumerate(groups)]
    members.append(Member("synthesiser", groups[0], synthesiser.work))
    measurement = run_trial(Team(members, _Found()), setting)
    return _findings(inquiry.topic, gathered[0], measurement)


def _findings(topic: str, gathered: Gathered, measurement: Measurement) -> Findings:
    return Findings(
        topic=topic,
        report=report_of(topic, gathered),
        facts=gathered.facts,
        read=gathered.read,
        unreadable=gathered.unreadable,
        questions=gathered.questions,
        measurement=measurement,
    )


class _Found:
    """The team's quality: how many facts it has found."""

    def __init__(self) -> None:
        self._facts: set[object] = set()

    def add(self, value: tuple[object, ...]) -> float:
        """Take the facts of one document."""
        self._facts.update(value)
        return float(len(self._facts))
