"""The shared state: who may take a document, what waits for what, and what is shared once."""

from functools import partial

import pytest
from shelf import Shelf

from colony.experiments.research.choosing import _lot, ranked
from colony.experiments.research.documents import Entry, Unreadable
from colony.experiments.research.extraction import Fact, Location, PlainExtractor, Query
from colony.experiments.research.state import FACTS_PER_QUESTION, Reading, ResearchState, Scope
from colony.memory.named_memory import NamedMemory
from colony.primitives.limits import RESEARCH_QUESTIONS_MAX

TOPIC = "pipes of child processes"
TEXTS = {
    "pipes": "The pipe of a child carries bytes. A child process inherits its pipe.",
    "weather": "It rains in every town today.",
    "children": "Every child process has its own pipe. The pipe of a child carries bytes.",
}


class Table:
    """Agents around one state, each step a transaction of its own."""

    def __init__(self, shelf, scope=None):
        self.shelf, self.memory = shelf, NamedMemory()
        self.state = ResearchState(self.memory, TOPIC, shelf.entries(), scope)

    def claim(self, agent="a", skip=0):
        """What the agent takes; "waits" if it would block in `retry`."""
        known = self.memory.atomically(self.state.knowledge)
        body = partial(self.state.claim, query=known.query, ranked=ranked(known, 0), agent=agent, skip=skip)
        return self.memory.atomically(lambda t: or_else_waits(t, body))

    def read(self, claim):
        document = self.shelf.read(claim.source)
        if isinstance(document, Unreadable):
            return Reading(claim, document)
        facts = PlainExtractor().facts(document, claim.query)
        return Reading(claim, document, facts, PlainExtractor().questions(document, facts, claim.query))

    def publisher(self, reading):
        known = self.memory.atomically(partial(self.state.known, facts=reading.facts))
        return self.state.publisher(reading, known)

    def publish(self, reading):
        self.memory.atomically(self.publisher(reading))

    def gathered(self):
        return self.memory.atomically(self.state.gathered)


def or_else_waits(t, body):
    return t.either(body, lambda _: "waits")


@pytest.fixture
def table():
    return Table(Shelf(TEXTS))


def test_the_most_promising_document_is_taken_first(table):
    """By what it is called; each by one agent alone."""
    assert [table.claim().source for _ in range(3)] == ["children", "pipes", "weather"]


def test_boldness_passes_over_better_ones(table):
    """An agent may skip some; if there are fewer, it takes the last."""
    assert table.claim(skip=1).source == "pipes"
    assert table.claim(skip=9).source == "weather"


def test_agents_wait_for_the_last_readers(table):
    """With nothing free an agent waits while others read, for they may find links; when all is read it ends."""
    claims = [table.claim() for _ in range(3)]
    assert table.claim("b") == "waits"
    for claim in claims:
        table.publish(table.read(claim))
    assert table.claim("b") is None


def test_links_of_others_are_read():
    """A document that only another one leads to can be taken once that one is read, by whoever waits."""
    table = Table(Shelf(TEXTS, links={"pipes": ["children"]}, hidden=["children", "weather"]))
    claim = table.claim()
    assert table.claim("b") == "waits"
    table.publish(table.read(claim))
    assert table.claim("b").source == "children"


def test_a_released_document_can_be_taken_again(table):
    """What an agent gives back, another takes."""
    claim = table.claim()
    table.memory.atomically(partial(table.state.release, claim=claim))
    assert table.claim("b") == claim


@pytest.mark.parametrize("same_time", [True, False])
def test_near_duplicates_are_shared_once(table, same_time):
    """What says the same is kept once, whether two agents bring it one after the other or at the same time."""
    readings = [table.read(table.claim()) for _ in range(2)]
    publishers = (table.publisher(reading) for reading in readings)  # each compares with what is known when it is made
    for publisher in list(publishers) if same_time else publishers:
        table.memory.atomically(publisher)
    texts = [fact.text for fact in table.gathered().facts]
    assert sorted(texts) == [
        "A child process inherits its pipe.",
        "Every child process has its own pipe.",
        "The pipe of a child carries bytes.",
    ]


def test_unreadable_documents_are_kept_with_their_reason():
    """They count as visited, and are not taken again."""
    table = Table(Shelf({}, unreadable={"broken": "no text in it"}))
    table.publish(table.read(table.claim()))
    assert table.gathered().unreadable == (Unreadable("broken", "no text in it"),)
    assert table.claim() is None


def fact(text, topic):
    return Fact(text, "x", Location(0, 0, len(text), 1), topic, 1.0)


def asking(table, *terms, facts=()):
    table.publish(Reading(table.claim(), Unreadable("pipes", ""), facts, terms))
    return table.gathered().questions


def test_a_definition_answers_a_question(table):
    """A question is open until a fact on it defines it."""
    assert asking(table, "descriptor", facts=[fact("Close the descriptor of the pipe.", "descriptor")]) == (
        "descriptor",
    )
    assert asking(table, facts=[fact("A descriptor is a number.", "descriptor")]) == ()


def test_enough_facts_answer_a_question(table):
    """So do enough facts."""
    some = [fact(f"{n} times nobody closed descriptor {n * n} of process {n + 7}.", "descriptor") for n in range(5)]
    assert len(some) == FACTS_PER_QUESTION
    assert asking(table, "descriptor", facts=some[1:]) == ("descriptor",)
    assert asking(table, facts=some[:1]) == ()


def test_questions_are_asked_once_and_are_limited(table):
    """A term is asked once; there are at most so many."""
    assert asking(table, "end", "end") == ("end",)
    assert len(asking(table, "end", *(f"term{n}" for n in range(100)))) == RESEARCH_QUESTIONS_MAX


def test_open_questions_are_in_the_next_query(table):
    """What one agent asks, the next one looks for."""
    asking(table, "weather")
    assert table.claim("b").query.terms == ("weather",)


def test_leads_come_before_names():
    """What a fruitful document links to is read before what is called better."""
    table = Table(
        Shelf({"pipes": TEXTS["pipes"], "a long pipe line": "Nothing.", "x": "Nothing."}, links={"pipes": ["x"]})
    )
    table.publish(table.read(table.claim()))
    assert table.claim().source == "x"


def test_variables_are_fine_grained(table):
    """A variable for each topic and each document, and values that a journal can carry."""
    table.publish(table.read(table.claim()))
    table.claim()
    assert set(table.memory.state()) == {
        f"facts/{TOPIC}",
        "found/children",
        "source/pipes",
        "source/children",
    }


def test_what_is_not_shared_has_its_own_names():
    """Two agents with a scope of their own do not see each other's part, and do see the rest."""
    shelf, memory = Shelf(TEXTS), NamedMemory()
    one, other = (ResearchState(memory, TOPIC, shelf.entries(), Scope(facts=own)) for own in ("one/", "other/"))
    assert one.facts(TOPIC) is not other.facts(TOPIC)
    assert one.mark("pipes") is other.mark("pipes")
    assert one.questions is other.questions


def test_agents_have_orders_of_their_own():
    """Documents that look alike come in another order for another agent, and in the same one for the same."""
    entries = tuple(Entry(f"{n}", "same") for n in range(50))
    state = ResearchState(NamedMemory(), "same thing", entries)
    known = state._memory.atomically(state.knowledge)
    assert ranked(known, 1) == ranked(known, 1) != ranked(known, 2)
    assert _lot("7", 1) != _lot("7", 2)


def test_documents_found_since_the_ranking_are_taken_too(table):
    """An agent that wakes because a link was found takes what it had not ranked."""
    claim = partial(table.state.claim, query=Query(TOPIC), ranked=("pipes",), agent="a", skip=0)
    assert [table.memory.atomically(claim).source for _ in range(3)] == ["pipes", "weather", "children"]
