"""The agents at work: who reads what, what happens when one dies, and when the synthesiser wakes."""

import threading
from functools import partial

import pytest
from shelf import Shelf

from colony.experiments.research.extraction import Fact, Location, PlainExtractor, Query
from colony.experiments.research.researcher import Researcher, Synthesiser
from colony.experiments.research.state import Claim, Reading, ResearchState
from colony.experiments.trial import Member, Setting, Team, groups_for, run_trial
from colony.memory.named_memory import NamedMemory

TOPIC = "pipes of child processes"
TEXTS = {f"d{n}": f"The pipe of child {n} carries message {n * n} in year {n + 7}." for n in range(40)}


class Everything:
    """Counts what was noted."""

    def __init__(self):
        self.found = set()

    def add(self, value):
        self.found.update(value)
        return float(len(self.found))


def team(shelf, setting, *, shared, extractor=None):
    groups = groups_for(setting, NamedMemory, shared=shared)
    states = [ResearchState(group.memory, TOPIC, shelf.entries()) for group in groups]
    researchers = [Researcher(shelf, extractor or PlainExtractor(), state, lambda _: None) for state in states]
    members = [Member(f"r{n}", g, r.work) for n, (g, r) in enumerate(zip(groups, researchers, strict=True))]
    return states[0], Team(members, Everything())


def test_a_swarm_reads_no_document_twice():
    """Agents that share what they visited read everything once, and then end."""
    shelf, setting = Shelf(TEXTS), Setting(agents=4, wall_seconds_max=20)
    _, swarm = team(shelf, setting, shared=True)
    measured = run_trial(swarm, setting)
    assert sorted(shelf.reads) == sorted(TEXTS)
    assert (measured.duplicates, measured.evaluations, measured.quality) == (0, 40, 40.0)


def test_independent_agents_read_the_same_again():
    """Without sharing, each reads everything: this is what the shared marks prevent."""
    shelf, setting = Shelf(TEXTS), Setting(configuration="parallel", agents=4, wall_seconds_max=20)
    _, parallel = team(shelf, setting, shared=False)
    assert run_trial(parallel, setting).duplicates == 120


def test_what_was_paid_for_is_shared():
    """When the budget ends, whoever still reads hands in; nothing stays claimed, and each document tried is marked."""
    shelf, setting = Shelf(TEXTS), Setting(agents=4, wall_seconds_max=20, evaluations_max=10)
    state, swarm = team(shelf, setting, shared=True)
    run_trial(swarm, setting)
    gathered = state._memory.atomically(state.gathered)
    assert len(shelf.reads) == len(gathered.read) == len(gathered.facts) == 10
    assert state._memory.atomically(state.is_nobody_reading)


class Dying:
    """An extractor that fails on one document."""

    def facts(self, document, query):
        if document.source == "d7":
            raise ZeroDivisionError
        return PlainExtractor().facts(document, query)

    def questions(self, *_):
        return ()


def test_a_claim_of_an_agent_that_dies_is_taken_back():
    """Its document is free again, and the team hears of it."""
    shelf, setting = Shelf(TEXTS), Setting(agents=3, wall_seconds_max=20)
    state, swarm = team(shelf, setting, shared=True, extractor=Dying())
    with pytest.raises(ZeroDivisionError):
        run_trial(swarm, setting)
    assert state.mark("d7").value is None
    assert state._memory.atomically(state.is_nobody_reading)


class Rendezvous:
    """An extractor that holds the first reader until another agent waits for what it may find."""

    def __init__(self, memory):
        self.memory, self.waited = memory, threading.Event()

    def facts(self, document, query):
        if document.source == "index":
            watch(self.memory, self.waited)
            assert self.waited.is_set()
        return PlainExtractor().facts(document, query)

    def questions(self, *_):
        return ()


def watch(memory, waited):
    """Set the event as soon as somebody is parked on the mark of the first document."""
    mark = memory.variable("source/index", None)
    for _ in range(10_000):
        if mark.waiters:
            waited.set()
            return
        threading.Event().wait(0.001)


def test_an_idle_researcher_wakes_for_what_others_find():
    """One reads the index, another waits in `retry`; what the index links to is then read by both."""
    shelf = Shelf({"index": "See below.", **TEXTS}, links={"index": list(TEXTS)}, hidden=TEXTS)
    setting = Setting(agents=2, wall_seconds_max=20)
    groups = groups_for(setting, NamedMemory, shared=True)
    state = ResearchState(groups[0].memory, TOPIC, shelf.entries())
    researcher = Researcher(shelf, Rendezvous(groups[0].memory), state, lambda _: None)
    members = [Member(f"r{n}", group, researcher.work) for n, group in enumerate(groups)]
    measured = run_trial(Team(members, Everything()), setting)
    assert measured.waits >= 1
    assert len(shelf.reads) == 41


def publish(state, topic, text, source="d1"):
    fact = Fact(text, source, Location(0, 0, len(text), 1), topic, 1.0)
    reading = Reading(Claim(source, Query(TOPIC)), Shelf(TEXTS).read(source), (fact,))
    known = state._memory.atomically(partial(state.known, facts=reading.facts))
    state._memory.atomically(state.publisher(reading, known))


def test_the_synthesiser_wakes_exactly_when_there_is_enough():
    """It blocks with one fact too few and while a question is open, and goes on with the last fact."""
    state = ResearchState(NamedMemory(), TOPIC, Shelf(TEXTS).entries())
    synthesiser = Synthesiser(state, 2, lambda _: None)

    def waits():
        return state._memory.atomically(lambda t: t.either(synthesiser.wait, lambda _: "waits")) == "waits"

    assert waits()
    publish(state, TOPIC, "The pipe of one child carries bytes.")
    assert waits()
    state._memory.atomically(lambda t: t.write(state.questions, ("descriptor",)))
    publish(state, TOPIC, "Another child closes its end of that pipe.", "d2")
    assert waits()
    publish(state, "descriptor", "A descriptor is a number that names a pipe.", "d3")
    assert not waits()


def test_the_synthesiser_wakes_when_everything_is_read():
    """However little was found."""
    state = ResearchState(NamedMemory(), TOPIC, Shelf({"d1": TEXTS["d1"]}).entries())
    synthesiser = Synthesiser(state, 99, lambda _: None)
    publish(state, TOPIC, "The pipe of one child carries bytes.")
    state._memory.atomically(synthesiser.wait)


def test_the_synthesiser_ends_the_trial_and_takes_everything():
    """It writes once, when all readers have handed in, and the readers stop long before everything is read."""
    shelf, setting, written = Shelf(TEXTS), Setting(agents=3, wall_seconds_max=20), []
    state, swarm = team(shelf, setting, shared=True)
    synthesiser = Synthesiser(state, 5, written.append)
    run_trial(Team([*swarm.members, Member("s", swarm.members[0].group, synthesiser.work)], Everything()), setting)
    (gathered,) = written
    assert 5 <= len(gathered.facts) == len(gathered.read) == len(shelf.reads)


def test_the_synthesiser_waits_for_the_last_reader():
    """What somebody still reads belongs to the report, so it is not written before."""
    state = ResearchState(NamedMemory(), TOPIC, Shelf(TEXTS).entries())
    gather = Synthesiser(state, 1, lambda _: None).gather
    take = partial(state.claim, query=Query(TOPIC), ranked=("d1",), agent="a", skip=0)
    state._memory.atomically(take)
    assert state._memory.atomically(lambda t: t.either(gather, lambda _: "waits")) == "waits"
    publish(state, TOPIC, "The pipe of one child carries bytes.")
    assert len(state._memory.atomically(gather).facts) == 1


def test_watchers_hear_of_each_reading():
    """`tell` is called with every reading, after it was shared."""
    shelf, setting, told = Shelf(TEXTS), Setting(configuration="single", agents=1, wall_seconds_max=20), []
    (group,) = groups_for(setting, NamedMemory, shared=True)
    state = ResearchState(group.memory, TOPIC, shelf.entries())
    researcher = Researcher(shelf, PlainExtractor(), state, told.append)
    run_trial(Team([Member("r", group, researcher.work)], Everything()), setting)
    assert [reading.claim.source for reading in told] == shelf.reads


def test_the_same_seed_reads_in_the_same_order():
    """One agent's choices depend on its seed alone."""

    def order(seed):
        shelf, setting = Shelf(TEXTS), Setting(configuration="single", agents=1, wall_seconds_max=20, seed=seed)
        run_trial(team(shelf, setting, shared=True)[1], setting)
        return shelf.reads

    assert order(1) == order(1) != order(2)


def test_a_claim_may_run_twice():
    """A claim is a pure body: run twice on the same state it chooses the same."""
    state = ResearchState(NamedMemory(), TOPIC, Shelf(TEXTS).entries())
    chosen = []

    def body(t):
        chosen.append(state.claim(t, Query(TOPIC), tuple(TEXTS), agent="a", skip=2))
        raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            state._memory.atomically(body)
    assert chosen[0] == chosen[1]
