"""The memory of another process behaves like one's own: serialisable, opaque, blocking, fair, and honest at its end.

The server runs in this process, the clients too, so that each step can be forced; real processes are in
test_memory_of_processes.py.
"""

import asyncio
import threading
from contextlib import suppress
from functools import partial

import pytest
from serving import Task, acquire, parking

from colony.memory.named_memory import NamedMemory, commits
from colony.memory.remote.local_socket import listening
from colony.memory.remote.remote_memory import RemoteMemory
from colony.memory.remote.served_memory import serve
from colony.memory.remote.wire import Answer, Hello, Refusal, frame
from colony.memory.shared_memory import DurableTransaction, Emission
from colony.primitives import limits
from colony.primitives.errors import (
    EncodingError,
    JournalFullError,
    LimitError,
    MemoryGoneError,
    TransactionError,
)
from colony.stm import TVar, check, or_else, retry


@pytest.fixture
def records():
    return []


@pytest.fixture
def memory(records):
    return NamedMemory(records.extend, run="r1")


@pytest.fixture
def server(memory, tmp_path):
    with serve(memory, tmp_path / "s") as served:
        yield served


@pytest.fixture
def connect(server):
    """Make clients; all are closed at the end."""
    made = []

    def make():
        made.append(RemoteMemory(server.path))
        return made[-1]

    yield make
    for each in made:
        each.close()


def put(variable, value, t):
    t.write(variable, value)


def add(variable, amount, t):
    t.write(variable, t.read(variable) + amount)
    return t.read(variable)


def elsewhere(call, *arguments):
    """Do something from another thread, as another agent would, and wait until it is done."""
    return Task(call, *arguments).result()


def test_a_commit_here_is_a_commit_there(memory, connect, records):
    """Values come and go exactly, with tuples as tuples; the record names the agent and the server's run."""
    remote = connect()
    a, b = remote.variable("a", 1), remote.variable("b", (1, 2.0, {"x": [None]}))
    assert remote.run == "r1"
    assert remote.atomically(lambda t: (t.read(a), t.read(b))) == (1, (1, 2.0, {"x": (None,)}))

    def body(t):
        t.emit("note/1", {"x": (1,)})
        t.write(a, t.read(a) + 1)
        t.write(b, (*t.read(b)[:2], 3.0))
        return "done"

    assert remote.atomically(body, agent="ann") == "done"
    assert memory.state() == {"a": 2, "b": (1, 2.0, 3.0)}
    assert [type(each) for each in memory.variable("b").value] == [int, float, float]
    assert records[0] == Emission("note/1", {"x": [1]})
    assert [(c.run, c.agent, dict(c.changes)) for c in commits(records)] == [("r1", "ann", memory.state())]


def test_variables_exist_once_and_the_first_default_stands(memory, connect):
    """What the node or another process has made keeps its value; asking again costs no message."""
    memory.variable("a", 1)
    first, second = connect(), connect()
    a, b = first.variables({"a": 5, "b": 6}).values()
    assert (a.value, b.value, second.variable("b", 7).value) == (1, 6, 6)
    asked = first.statistics().requests
    assert (first.variable("a"), first.variables({"b": 0, "a": 0})) == (a, {"a": a, "b": b})
    assert first.statistics().requests == asked


def test_a_read_is_of_now(memory, connect):
    """A transaction that only reads sees what was committed before it began, however old the copies are."""
    remote = connect()
    a = remote.variable("a", 1)
    memory.atomically(partial(put, memory.variable("a"), 2))
    assert a.value == 1
    assert remote.atomically(lambda t: t.read(a)) == 2


def test_an_exception_is_raised_only_in_a_state_that_is_so(memory, connect):
    """A body that fails on old copies runs again; one that fails on the present raises, and nothing is changed."""
    remote = connect()
    a, runs = remote.variable("a", 0), []

    def body(t):
        runs.append(t.read(a))
        t.write(a, 9)
        if t.read(a) and runs[-1] < 2:
            raise ValueError(runs[-1])

    memory.atomically(partial(put, memory.variable("a"), 1))
    with pytest.raises(ValueError, match="1"):
        remote.atomically(body)
    memory.atomically(partial(put, memory.variable("a"), 2))
    remote.atomically(body)
    assert (runs, memory.state()) == ([0, 1, 1, 2], {"a": 9})


def test_nested_parts_and_alternatives_work(memory, connect):
    """A part that fails is undone alone; of two alternatives the first that can go on does."""
    remote = connect()
    a, b = remote.variable("a", 0), remote.variable("b", 0)

    def fails(t):
        t.write(a, 1)
        t.emit("note/1", {})
        raise ValueError

    def blocks(t):
        t.write(a, 2)
        retry()

    def body(t):
        with suppress(ValueError):
            t.nested(fails)
        or_else(blocks, partial(put, b, 3))(t)

    remote.atomically(body)
    assert memory.state() == {"b": 3}


def test_variables_that_changed_together_are_never_seen_apart(memory, connect):
    """A body that reads a variable new to its process, after others have moved on, starts over with all of them."""
    remote, seen, runs = connect(), [], []
    a = remote.variable("a", 0)

    def body(t):
        first = t.read(a)
        runs.append(first)
        if len(runs) == 1:
            elsewhere(memory.atomically, lambda n: [put(memory.variable(each), 1, n) for each in "ab"])
        seen.append((first, t.read(remote.variable("b", 0))))

    remote.atomically(body)
    assert (runs, seen) == ([0, 1], [(1, 1)])


def test_all_copies_move_together(memory, connect):
    """An answer about one variable brings every other that has changed, so a body never mixes instants."""
    remote, runs, seen = connect(), [], []
    a, b, c = remote.variables(dict.fromkeys("abc", 0)).values()

    def both(value, n):
        put(memory.variable("a"), value, n)
        put(memory.variable("b"), value, n)

    def body(t):
        first = t.read(a)
        runs.append(first)
        if len(runs) == 1:
            elsewhere(memory.atomically, partial(both, 1))
            elsewhere(remote.atomically, partial(add, c, 1))
        seen.append((first, t.read(b)))

    remote.atomically(body)
    assert (runs, seen) == ([0, 1], [(1, 1)])


def test_write_skew_is_refused(memory, connect):
    """Of two transactions that read the same pair and write one each, the second runs again and sees the first."""
    one, two, runs = connect(), connect(), []
    for each in (one, two):
        each.variables({"a": 1, "b": 1})

    def leave(client, mine, theirs, t):
        if t.read(client.variable(theirs)):
            t.write(client.variable(mine), 0)

    def body(t):
        leave(one, "a", "b", t)
        if not runs:
            elsewhere(two.atomically, partial(leave, two, "b", "a"))
        runs.append(1)

    one.atomically(body)
    assert (len(runs), memory.variable("a").value, memory.variable("b").value) == (2, 1, 0)


def test_a_blocked_body_wakes_on_what_it_has_read_and_on_nothing_else(memory, server, connect):
    """It sleeps at the server, through changes elsewhere, until the node writes what it waits for."""
    remote, parked, runs = connect(), parking(memory), []
    a, b = remote.variable("a", 0), memory.variable("b", 0)

    def body(t):
        runs.append(t.read(a))
        check(t.read(a))
        return t.read(a)

    task = Task(remote.atomically, body)
    acquire(parked)
    for value in range(20):
        memory.atomically(partial(put, b, value))
    assert server.statistics().requests == 1
    memory.atomically(partial(put, memory.variable("a"), 5))
    assert task.result() == 5
    assert runs == [0, 5]
    statistics = remote.statistics()
    assert (statistics.retries, statistics.waits) == (1, 1)
    assert 0 < statistics.longest_wait_seconds < 60


def test_a_body_that_waits_for_nothing_is_refused(connect):
    """Nothing could ever wake it."""
    with pytest.raises(TransactionError, match="before it read"):
        connect().atomically(lambda _: retry())


def test_a_wait_can_be_bounded(memory, server, connect):
    """A body that sleeps too long ends with the names of what it waited for, and nobody sleeps at the node any more."""
    remote = connect()
    door = remote.variable("door", 0)
    with pytest.raises(TransactionError, match="door"):
        remote.atomically(lambda t: check(t.read(door)), wait_seconds_max=0.01)
    with pytest.raises(TransactionError, match="door"):
        memory.atomically(lambda t: check(t.read(memory.variable("door"))), wait_seconds_max=0.01)
    with pytest.raises(TransactionError, match="door"):
        asyncio.run(memory.atomically_async(lambda t: check(t.read(memory.variable("door"))), wait_seconds_max=0.01))
    assert not memory.variable("door").waiters


def test_a_thousand_waiters_are_parked_and_all_wake(memory, server, connect):
    """Tasks of one process sleep in a thousand transactions at once over one connection; one commit wakes them."""
    remote, waiters = connect(), 1000
    door = remote.variable("door", 0)
    parked = parking(memory)

    def open_door():
        for _ in range(waiters):
            acquire(parked)
        asleep = server.statistics().requests
        memory.atomically(partial(put, memory.variable("door"), 1))
        return asleep

    async def main():
        opener = Task(open_door)
        async with asyncio.TaskGroup() as group:
            for _ in range(waiters):
                group.create_task(remote.atomically_async(lambda t: check(t.read(door))))
        return opener.result()

    assert asyncio.run(asyncio.wait_for(main(), 60)) == waiters


def test_threads_of_one_process_share_a_connection(memory, connect):
    """No update of theirs is lost."""
    remote = connect()
    a = remote.variable("a", 0)

    def work():
        for _ in range(40):
            remote.atomically(partial(add, a, 1))

    for task in [Task(work) for _ in range(5)]:
        task.result()
    assert memory.state() == {"a": 200}


def test_who_lost_too_often_gets_its_turn(memory, server, connect):
    """After so many refusals the others cannot write what it uses until it has committed, and then they go on."""
    remote, parked, writers = connect(), parking(memory), []
    a, mine = memory.variable("a", 0), remote.variable("a", 0)

    def body(t):
        t.write(mine, t.read(mine) + 100)
        if not remote.statistics().turns:
            elsewhere(memory.atomically, partial(add, a, 1))
        else:
            writers.append(Task(memory.atomically, partial(add, a, 1)))
            acquire(parked)

    remote.atomically(body)
    statistics = remote.statistics()
    assert (statistics.conflicts, statistics.turns) == (limits.REMOTE_LOSSES_MAX, 1)
    assert writers[0].result() == limits.REMOTE_LOSSES_MAX + 101
    assert server.statistics().turns == 1
    assert memory.memory.holds == []


def test_a_turn_is_not_lost_in_the_moment_of_its_commit(memory, connect, monkeypatch):
    """What is held stays held until the commit is made, so nobody who waited for the end of the turn slips in."""
    remote, parked, writers = connect(), parking(memory), []
    a, mine = memory.variable("a", 0), remote.variable("a", 0)
    release = DurableTransaction.release

    def release_and_let_others_go_first(transaction):
        release(transaction)
        if transaction.memory is memory.memory:
            for writer in writers:
                writer.join(5)

    def body(t):
        t.write(mine, t.read(mine) + 100)
        if not remote.statistics().turns:
            elsewhere(memory.atomically, partial(add, a, 1))
        elif not writers:
            writers.append(Task(memory.atomically, partial(add, a, 1)))
            acquire(parked)

    monkeypatch.setattr(DurableTransaction, "release", release_and_let_others_go_first)
    remote.atomically(body)
    writers[0].result()
    assert (remote.statistics().conflicts, remote.statistics().turns) == (limits.REMOTE_LOSSES_MAX, 1)


def test_a_turn_ends_when_its_body_waits(memory, connect, monkeypatch):
    """A body that says `retry` in its turn lets the others go on, who may do what it waits for."""
    monkeypatch.setattr("colony.memory.remote.served_memory.REMOTE_TURN_SECONDS_MAX", 1000)
    remote = connect()
    a, mine = memory.variable("a", 0), remote.variable("a", 0)

    def body(t):
        value = t.read(mine)
        if remote.statistics().turns:
            check(value >= 1000)
        else:
            elsewhere(memory.atomically, partial(add, a, 1))
        t.write(mine, 0)

    task = Task(remote.atomically, body)
    memory.atomically(lambda t: check(t.read(a) >= limits.REMOTE_LOSSES_MAX))
    Task(memory.atomically, partial(put, a, 1000)).result()
    task.result()
    assert (memory.state(), memory.memory.holds) == ({"a": 0}, [])


def test_a_turn_covers_what_later_runs_read_too(memory, connect):
    """A body that reads something new in its turn is checked like any other, and its next turn covers that too."""
    remote = connect()
    a, b = memory.variable("a", 0), memory.variable("b", 0)
    mine, other = remote.variable("a"), remote.variable("b")

    def body(t):
        t.write(mine, t.read(mine) + 100)
        if not remote.statistics().turns:
            elsewhere(memory.atomically, partial(add, a, 1))
        else:
            t.read(other)
            if remote.statistics().turns == 1:
                elsewhere(memory.atomically, partial(add, b, 1))

    remote.atomically(body)
    assert remote.statistics().turns == 2
    assert memory.memory.holds == []


def test_a_turn_that_takes_too_long_is_taken_back(memory, connect, monkeypatch):
    """Whoever stalls in its turn keeps the others for a bounded time only, and is checked like any other then."""
    monkeypatch.setattr("colony.memory.remote.served_memory.REMOTE_TURN_SECONDS_MAX", 0.05)
    remote = connect()
    a, mine = memory.variable("a", 0), remote.variable("a", 0)

    def body(t):
        t.write(mine, t.read(mine) + 100)
        if remote.statistics().turns < 2:
            elsewhere(memory.atomically, partial(add, a, 1))

    remote.atomically(body)
    assert memory.state() == {"a": 100 + limits.REMOTE_LOSSES_MAX + 1}


def test_slow_work_is_never_run_again(memory, connect):
    """A snapshot is of one instant, and its commit goes through only if nothing seen was written since."""
    remote = connect()
    a, b = remote.variable("a", 1), remote.variable("b", 1)
    memory.atomically(partial(put, memory.variable("a"), 2))
    seen = remote.snapshot([a, b])
    assert (seen[a], seen[b]) == (2, 1)
    assert remote.commit_if_unchanged(seen, {b: 3}, [Emission("note/1", {})], agent="ann")
    assert not remote.commit_if_unchanged(seen, {b: 4})
    seen = remote.snapshot([a])
    memory.atomically(partial(put, memory.variable("a"), 2))
    assert not remote.commit_if_unchanged(seen, {b: 5})
    assert memory.state() == {"a": 2, "b": 3}


@pytest.mark.parametrize(
    ("value", "error"),
    [(float("nan"), EncodingError), ({1}, EncodingError), (2**60, LimitError), (b"x", EncodingError)],
)
def test_a_value_that_json_cannot_carry_is_refused_by_name(memory, connect, value, error):
    """As a default and as a write, before anything is sent; a value of that kind in the node is refused on its way."""
    remote = connect()
    prey = remote.variable("prey", 0)
    with pytest.raises(error, match="'prey'"):
        remote.atomically(partial(put, prey, value))
    with pytest.raises(error, match="'other'"):
        remote.variable("other", value)
    with pytest.raises(error, match="'note/1'"):
        remote.atomically(lambda t: t.emit("note/1", {"x": value}))
    assert remote.atomically(partial(add, prey, 1)) == 1


def test_a_value_of_the_node_that_cannot_be_sent_is_refused_by_name(tmp_path):
    """Where nothing is recorded the node may write anything; whoever reads it from afar hears what is wrong."""
    memory = NamedMemory()
    with serve(memory, tmp_path / "s"), RemoteMemory(tmp_path / "s") as remote:
        prey = remote.variable("prey", 0)
        memory.atomically(partial(put, memory.variable("prey"), {1}))
        with pytest.raises(EncodingError, match="'prey'"):
            remote.atomically(lambda t: t.read(prey))
        memory.atomically(partial(put, memory.variable("prey"), 7))
        assert remote.atomically(lambda t: t.read(prey)) == 7


@pytest.mark.parametrize("name", ["", "x" * 300, "\ud800", 3])
def test_a_name_that_no_variable_may_have(connect, name):
    """The error is the one that the node would raise, and the connection goes on."""
    remote = connect()
    with pytest.raises((LimitError, EncodingError)):
        remote.variable(name, 0)
    assert remote.variable("good", 1).value == 1


def test_variables_of_elsewhere_are_refused(memory, connect):
    """Neither a variable of another memory nor one without a name can be shared."""
    remote = connect()
    a = remote.variable("a", 0)
    with pytest.raises(TransactionError, match="another memory"):
        remote.atomically(lambda t: t.read(memory.variable("a")))
    with pytest.raises(TransactionError, match="not shared"):
        remote.atomically(partial(put, TVar(0, memory=a.memory), 1))
    with pytest.raises(TransactionError, match="inside the body"):
        remote.atomically(lambda _: remote.atomically(partial(put, a, 1)))


def test_a_body_that_never_commits_ends_with_an_error(memory, connect, monkeypatch):
    """A limit on its runs, and the names of what it used."""
    monkeypatch.setattr("colony.memory.remote.remote_memory.TRANSACTION_ATTEMPTS_MAX", 3)
    remote = connect()
    a = remote.variable("a", 0)

    def body(t):
        add(a, 1, t)
        elsewhere(memory.atomically, partial(put, memory.variable("a"), 0))

    with pytest.raises(TransactionError, match="3 times without a commit; it used 'a'"):
        remote.atomically(body)


def test_a_refusal_of_the_journal_reaches_its_agent(tmp_path):
    """The error is the one that the node would have raised; nothing is changed, and the next commit goes through."""
    refusals = [JournalFullError("the disk is full")]

    def append(_):
        if refusals:
            raise refusals.pop()

    with serve(NamedMemory(append), tmp_path / "s"), RemoteMemory(tmp_path / "s") as remote:
        a = remote.variable("a", 0)
        with pytest.raises(JournalFullError, match="full"):
            remote.atomically(partial(put, a, 1))
        assert remote.atomically(partial(add, a, 2)) == 2


def test_acknowledged_means_durable(tmp_path):
    """While the append is under way the commit has not returned, and nobody sees its value."""
    entered, may_end = threading.Event(), threading.Event()

    def append(_):
        entered.set()
        assert may_end.wait(60)

    memory = NamedMemory(append)
    with serve(memory, tmp_path / "s"), RemoteMemory(tmp_path / "s") as remote, RemoteMemory(tmp_path / "s") as other:
        a, b = remote.variable("a", 0), other.variable("a", 0)
        task = Task(remote.atomically, partial(put, a, 1))
        assert entered.wait(60)
        assert other.atomically(lambda t: t.read(b)) == 0
        assert task.is_alive()
        may_end.set()
        task.result()
        assert other.atomically(lambda t: t.read(b)) == 1


def test_when_the_server_ends_everybody_hears_of_it(memory, tmp_path):
    """A blocked transaction and every later one fail with an error that names the socket."""
    parked, path = parking(memory), tmp_path / "s"
    with serve(memory, path):
        remote = RemoteMemory(path)
        a = remote.variable("a", 0)
        task = Task(remote.atomically, lambda t: check(t.read(a)))
        acquire(parked)
    for call in (task.result, partial(remote.atomically, partial(put, a, 1)), partial(remote.variable, "b", 0)):
        with pytest.raises(MemoryGoneError, match=str(path)) as caught:
            call()
        assert not caught.value.is_outcome_unknown
    remote.close()
    with pytest.raises(MemoryGoneError, match="nobody serves"):
        RemoteMemory(path)


def speak(listener, *replies):
    """A server that answers each message with the next reply, or with nothing, and then hangs up."""
    connection, _ = listener.accept()
    with connection:
        for reply in replies:
            connection.recv(1 << 16)
            connection.sendall(frame(reply))
        connection.recv(1 << 16)


@pytest.mark.parametrize(("body", "is_unknown"), [(put, True), (lambda v, _, t: t.read(v), False)])
def test_a_commit_whose_answer_was_lost_may_have_been_made(tmp_path, body, is_unknown):
    """The error says whether anything may have been changed."""
    with listening(tmp_path / "s") as listener:
        server = Task(speak, listener, Hello(), Answer(1, True, 0, [(0, 5)]))
        remote = RemoteMemory(tmp_path / "s")
        a = remote.variable("a", 0)
        with pytest.raises(MemoryGoneError) as caught:
            remote.atomically(partial(body, a, 1))
        assert caught.value.is_outcome_unknown is is_unknown
        assert ("not known whether" in str(caught.value)) is is_unknown
        server.result()
        remote.close()


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Hello("colony.memory/99"), EncodingError),
        (Refusal(0, "LimitError", "too many"), LimitError),
        (Refusal(0, "NoSuchError", "what"), Exception),
        (Answer(1, True, 0, []), EncodingError),
    ],
)
def test_a_server_that_does_not_greet_as_it_should(tmp_path, reply, error):
    """Another protocol, or a refusal, is the error of the call that connects."""
    with listening(tmp_path / "s") as listener:
        server = Task(speak, listener, reply)
        with pytest.raises(error):
            RemoteMemory(tmp_path / "s")
        server.result()


@pytest.mark.parametrize("nonsense", [b"\x00\x00\x00\x01\xc1", b"\xff\xff\xff\xff", frame(Hello())])
def test_a_server_that_talks_nonsense_ends_the_connection_with_an_error(tmp_path, nonsense):
    """Whoever waits for an answer gets the error, and so does everybody after that."""

    def serve_nonsense(listener):
        connection, _ = listener.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(frame(Hello()))
            connection.recv(1 << 16)
            connection.sendall(nonsense)
            connection.recv(1 << 16)

    with listening(tmp_path / "s") as listener:
        server = Task(serve_nonsense, listener)
        remote = RemoteMemory(tmp_path / "s")
        for _ in range(2):
            with pytest.raises((EncodingError, LimitError)):
                remote.variable("a", 0)
        remote.close()
        server.result()


def test_a_connection_does_not_survive_a_fork(connect):
    """In another process than the one that connected, the error says what to do."""
    remote = connect()
    remote._connection._process = -1
    with pytest.raises(MemoryGoneError, match="fork"):
        remote.variable("a", 0)


def test_after_close_nothing_goes_on(memory, connect):
    """Transactions under way fail, and closing twice is harmless."""
    remote, parked = connect(), parking(memory)
    a = remote.variable("a", 0)
    task = Task(remote.atomically, lambda t: check(t.read(a)))
    acquire(parked)
    remote.close()
    remote.close()
    with pytest.raises(MemoryGoneError):
        task.result()
