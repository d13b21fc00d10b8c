"""Named shared memory: unique names, one record for each commit, and a past that gives the present back."""

import asyncio
import threading
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colony.journal.events import check as check_body
from colony.memory.named_memory import Commit, NamedMemory, commits, hash_of, replay
from colony.memory.shared_memory import Emission
from colony.primitives.errors import EncodingError, JournalFullError, LimitError
from colony.primitives.limits import VARIABLE_NAME_CHARACTERS_MAX
from colony.stm import TVar, check, or_else, retry, snapshot


class Tape:
    """An append that keeps each batch."""

    def __init__(self):
        self.batches = []
        self.memory = NamedMemory(self.batches.append, run="r1")

    @property
    def records(self):
        return [emission for batch in self.batches for emission in batch]


def put(variable, value, t):
    t.write(variable, value)


def run(*threads):
    started = [threading.Thread(target=target, daemon=True) for target in threads]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join(30)
    assert not any(thread.is_alive() for thread in started)


def test_a_name_is_one_variable():
    """The same name gives the same variable, and the first default stands."""
    memory = NamedMemory()
    a = memory.variable("a", 1)
    assert memory.variable("a", 2) is a
    assert (a.value, memory.names()) == (1, ("a",))
    assert memory.variables({"a": 3, "b": 4}) == {"a": a, "b": memory.variable("b")}


def test_threads_that_ask_for_a_name_get_one_variable():
    """Sixteen threads that ask at the same moment get the same variable."""
    memory, barrier, found = NamedMemory(), threading.Barrier(16), []

    def ask():
        barrier.wait(30)
        found.append([memory.variable(f"v{number}", number) for number in range(50)])

    run(*[ask] * 16)
    first = memory.variable("v0")
    assert memory._make("v0", 1) is first  # as a thread does that looked just before another made it
    assert len({tuple(map(id, each)) for each in found}) == 1


def test_a_name_made_in_a_body_that_runs_again_is_harmless():
    """The second run finds the variable of the first."""
    memory, runs = NamedMemory(), []
    a = memory.variable("a", 0)

    def body(t):
        runs.append(t.read(a))
        made = memory.variable("made", 7)
        if len(runs) == 1:
            run(lambda: memory.atomically(partial(put, a, 1)))
        t.write(made, t.read(made) + 1)
        t.write(a, 5)

    memory.atomically(body)
    assert runs == [0, 1]
    assert memory.variable("made").value == 8


def test_a_commit_is_one_append_with_one_record_of_what_it_wrote_and_who_acted():
    """What the body emitted comes first, then the changes; all in one call of the append."""
    tape = Tape()
    a, b = tape.memory.variable("a", 0), tape.memory.variable("b", 0)

    def body(t):
        t.write(a, 1)
        t.emit("note/1", {"x": 1})
        t.nested(partial(put, b, (1, [2.5])))

    tape.memory.atomically(body, agent="ann")
    committed = {"run": "r1", "agent": "ann", "changes": {"a": 1, "b": (1, (2.5,))}}
    assert tape.batches == [(Emission("note/1", {"x": 1}), Emission("memory.committed/1", committed))]
    assert b.value == (1, (2.5,))
    check_body(tape.records[1].kind, tape.records[1].body)


def test_only_a_commit_that_wrote_is_recorded():
    """Reading appends nothing; emitting alone appends the emissions alone; what was undone is not told."""
    tape = Tape()
    a, b = tape.memory.variable("a", 0), tape.memory.variable("b", 0)

    def undone(t):
        t.write(b, 1)
        retry()

    tape.memory.atomically(lambda t: t.read(a))
    tape.memory.atomically(lambda t: t.emit("note/1", {}))
    tape.memory.atomically(or_else(undone, partial(put, a, 1)))
    assert [[e.kind for e in batch] for batch in tape.batches] == [["note/1"], ["memory.committed/1"]]
    assert tape.records[1].body["changes"] == {"a": 1}


def test_without_a_journal_nothing_is_wrapped_or_kept():
    """The body itself is what runs, and emissions go nowhere."""
    memory = NamedMemory()
    body = partial(put, memory.variable("a", 0), 1)
    assert memory._recorded(body, "ann") is body
    memory.atomically(lambda t: t.emit("note/1", {}))
    memory.atomically(body)
    assert memory.state() == {"a": 1}


@pytest.mark.parametrize(("value", "error"), [(float("nan"), EncodingError), ({1}, EncodingError), (2**60, LimitError)])
def test_a_value_that_json_cannot_carry_is_refused_by_name(value, error):
    """As a default, as a write to a recorded memory, and in the state of an unrecorded one; nothing is published."""
    tape = Tape()
    prey = tape.memory.variable("prey", 0)
    with pytest.raises(error, match="'prey'"):
        tape.memory.atomically(partial(put, prey, value))
    with pytest.raises(error, match="'other'"):
        tape.memory.variable("other", value)
    assert (tape.batches, prey.value, tape.memory.names()) == ([], 0, ("prey",))
    loose = NamedMemory()
    loose.atomically(partial(put, loose.variable("prey", 0), value))
    with pytest.raises(error, match="'prey'"):
        loose.state()


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", LimitError),
        ("x" * (VARIABLE_NAME_CHARACTERS_MAX + 1), LimitError),
        (3, EncodingError),
        ("\ud800", EncodingError),
    ],
)
def test_a_name_is_a_text_of_bounded_length(name, error):
    """Anything else is refused."""
    with pytest.raises(error):
        NamedMemory().variable(name, 0)


def test_the_number_of_variables_is_bounded(monkeypatch):
    """One variable too many is refused; the others stay in use."""
    monkeypatch.setattr("colony.memory.named_memory.VARIABLES_MAX", 2)
    memory = NamedMemory()
    memory.variables({"a": 0, "b": 0})
    with pytest.raises(LimitError, match="'c'"):
        memory.variable("c", 0)
    assert memory.variable("a").value == 0


def test_a_refused_append_leaves_memory_and_past_as_they_were():
    """If the journal refuses, the caller hears of it and nothing is published."""

    def append(emissions):
        raise JournalFullError("the disk is full")

    memory = NamedMemory(append)
    a = memory.variable("a", 0)
    with pytest.raises(JournalFullError):
        memory.atomically(partial(put, a, 1))
    assert (a.value, memory.state()) == (0, {})


def test_a_variable_that_has_no_name_here_is_shared_but_not_recorded():
    """Neither one without a name nor one that only bears the name of another reaches the journal."""
    tape = Tape()
    a = tape.memory.variable("a", 0)
    other, nameless = (TVar(0, name, memory=tape.memory.memory) for name in ("a", None))

    def body(t):
        for number, variable in enumerate((a, other, nameless), 1):
            t.write(variable, number)

    tape.memory.atomically(body)
    tape.memory.atomically(partial(put, nameless, 9))
    assert [record.body["changes"] for record in tape.records] == [{"a": 1}]
    assert tape.memory.state() == {"a": 1}


def test_commit_if_unchanged_is_recorded_with_its_agent():
    """Slow work between reading and writing is recorded as one commit, or refused."""
    tape = Tape()
    a = tape.memory.variable("a", 0)
    seen = snapshot([a])
    assert tape.memory.commit_if_unchanged(seen, {a: 1}, [Emission("note/1", {})], agent="ann")
    assert not asyncio.run(tape.memory.commit_if_unchanged_async(seen, {a: 2}, agent="bob"))
    assert list(commits(tape.records)) == [Commit("r1", "ann", {"a": 1})]
    assert len(tape.batches) == 1


def test_from_tasks_the_same_is_recorded():
    """`atomically_async` waits for another task's commit and records like `atomically`."""
    tape = Tape()
    a, b = tape.memory.variable("a", 0), tape.memory.variable("b", 0)

    def follow(t):
        check(t.read(a))
        t.write(b, t.read(a) + 1)

    async def main():
        async with asyncio.TaskGroup() as group:
            group.create_task(tape.memory.atomically_async(follow, agent="bob"))
            group.create_task(tape.memory.atomically_async(partial(put, a, 1), agent="ann"))

    asyncio.run(asyncio.wait_for(main(), 30))
    assert list(commits(tape.records)) == [Commit("r1", "ann", {"a": 1}), Commit("r1", "bob", {"b": 2})]


def test_a_restored_memory_goes_on_where_the_past_ends():
    """Restored values stand before any default; they belong to the state, and are not recorded a second time."""
    first = Tape()
    a, b = first.memory.variable("a", 0), first.memory.variable("b", {"x": [1]})
    first.memory.variable("never written", 3)
    first.memory.atomically(partial(put, a, 5))
    first.memory.atomically(lambda t: t.write(b, {**t.read(b), "y": 2}))
    values = replay(first.records)
    assert values == {"a": 5, "b": {"x": (1,), "y": 2}}
    second = []
    memory = NamedMemory(second.append, values=values)
    assert (memory.state(), memory.state_hash()) == (first.memory.state(), first.memory.state_hash())
    assert (memory.state_hash(), second) == (hash_of(values), [])
    assert memory.variable("a", 0).value == 5


NAMES = "abc"
steps = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(-9, 9) | st.floats(-9, 9), st.booleans())


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(steps, max_size=6), min_size=1, max_size=4))
def test_the_past_gives_the_present_back(plans):
    """Whatever threads commit, and whichever appends are refused, replayed records equal the living memory."""
    records, refused = [], JournalFullError("full")

    def append(emissions):
        if any(emission.kind == "refuse/1" for emission in emissions):
            raise refused
        records.extend(emissions)

    memory = NamedMemory(append)
    variables = memory.variables(dict.fromkeys(NAMES, 0))

    def step(source, target, amount, refuse, t):
        t.write(variables[target], t.read(variables[source]) + amount)
        if refuse:
            t.emit("refuse/1", {})

    def follow(agent, plan):
        for each in plan:
            try:
                memory.atomically(partial(step, *each), agent=agent)
            except JournalFullError as error:
                assert error is refused  # noqa: PT017 - in a thread

    run(*(partial(follow, f"agent {number}", plan) for number, plan in enumerate(plans)))
    assert replay(records) == memory.state()
    assert hash_of(replay(records)) == memory.state_hash()
    wanted = sum(not refuse for plan in plans for *_, refuse in plan)
    assert sum(1 for _ in commits(records)) == wanted
