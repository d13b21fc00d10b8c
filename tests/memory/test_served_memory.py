"""A server of shared memory outlives whatever is said to it, keeps its limits, and leaves nothing behind."""

import asyncio
import threading
from contextlib import ExitStack
from functools import partial

import pytest
from serving import Raw, Task, acquire, parking, until

from colony.memory.named_memory import NamedMemory
from colony.memory.remote.remote_memory import RemoteMemory
from colony.memory.remote.served_memory import serve
from colony.memory.remote.wire import Answer, Commit, Declare, Hello, Refusal, Turn, Wait, frame
from colony.primitives.errors import LimitError, UsageError
from colony.stm import check


@pytest.fixture
def memory():
    return NamedMemory()


@pytest.fixture
def server(memory, tmp_path):
    with serve(memory, tmp_path / "s") as served:
        yield served


def is_alive(server):
    """Whether a client that behaves is served."""
    with RemoteMemory(server.path) as remote:
        return remote.atomically(lambda t: t.read(remote.variable("alive", True)))


def framed(data):
    return len(data).to_bytes(4, "big") + data


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"\xff\xff\xff\xff", "LimitError"),
        (framed(b""), "EncodingError"),
        (framed(b"\xc1\x00garbage"), "EncodingError"),
        (framed(b"\x92\xa4what\x01"), "EncodingError"),
        (framed(b"\x91" * 100_000), "EncodingError"),
        (b"GET / HTTP/1.1\r\n\r\n", "LimitError"),
        (frame(Hello()), "EncodingError"),
    ],
)
def test_nonsense_gets_one_clear_error_and_the_connection_ends(server, data, error):
    """Whatever comes over one connection, the others do not notice."""
    with Raw(server.path) as raw:
        raw.say(data)
        refusal = raw.hear()
        assert (refusal.id, refusal.error) == (0, error)
        assert raw.hear() is None
    assert is_alive(server)
    assert server.statistics().faults == 1


@pytest.mark.parametrize("first", [frame(Hello("colony.memory/99")), frame(Turn(1, [])), b"GET / HTTP/1.1\r\n\r\n"])
def test_who_does_not_greet_is_shown_out(server, first):
    """Another protocol, or a request before the greeting, is refused."""
    with Raw(server.path, greets=False) as raw:
        raw.say(first)
        assert raw.hear().id == 0
        assert raw.hear() is None
    assert is_alive(server)


@pytest.mark.parametrize("end", ["served_memory", "local_socket"])
def test_another_user_is_shown_out_at_either_end(server, monkeypatch, end):
    """Node and client both look who is there."""
    monkeypatch.setattr(f"colony.memory.remote.{end}.peer_uid", lambda _: 12345)
    with pytest.raises(UsageError, match="user 12345"):
        RemoteMemory(server.path)
    monkeypatch.undo()
    assert is_alive(server)


def test_who_says_nothing_is_shown_out(memory, tmp_path, monkeypatch):
    """A connection without a greeting is closed after a while."""
    monkeypatch.setattr("colony.memory.remote.served_memory.REMOTE_GREETING_SECONDS_MAX", 0.01)
    with serve(memory, tmp_path / "s") as server, Raw(server.path, greets=False) as raw:
        assert raw.hear() is None


@pytest.mark.parametrize("cut", [0, 2, 4, 9])
def test_who_hangs_up_in_the_middle_is_forgotten(server, cut):
    """Half a message changes nothing."""
    with Raw(server.path) as raw:
        raw.say(frame(Declare(1, [("half", 0)]))[:cut])
    assert is_alive(server)


@pytest.mark.parametrize(
    "request_of",
    [
        partial(Commit, clock=0, reads=[7], writes=[], emissions=[], agent="", turn=0),
        partial(Commit, clock=0, reads=[-1], writes=[], emissions=[], agent="", turn=0),
        partial(Commit, clock=0, reads=[], writes=[(1, 0)], emissions=[], agent="", turn=0),
        partial(Commit, clock=0, reads=[], writes=[(0, b"bytes")], emissions=[], agent="", turn=0),
        partial(Commit, clock=0, reads=[], writes=[(0, {1: 2})], emissions=[], agent="", turn=0),
        partial(Wait, clock=0, reads=[7], turn=0),
        partial(Turn, variables=[7]),
        partial(Declare, variables=[("", 0)]),
        partial(Declare, variables=[("b", float("nan"))]),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_alone(server, memory, request_of):
    """A number of no variable, or a value that JSON cannot carry, is one error; the connection goes on."""
    with Raw(server.path) as raw:
        raw.say(frame(Declare(1, [("a", 0)])))
        assert raw.hear().changes == [(0, 0)]
        raw.say(frame(request_of(2)))
        assert raw.hear().id == 2
        raw.say(frame(Commit(3, 0, [0], [(0, 5)], [], "", 0)))
        assert raw.hear().is_done
    assert memory.state() == {"a": 5}


def test_an_unknown_turn_is_no_obstacle(server, memory):
    """A turn that was taken back, or never given, is a commit like any other."""
    with Raw(server.path) as raw:
        raw.say(frame(Declare(1, [("a", 0)])) + frame(Commit(2, 0, [0], [(0, 5)], [], "", 99)))
        assert [raw.hear().is_done, raw.hear().is_done] == [True, True]
    assert memory.state() == {"a": 5}


def test_a_turn_gives_no_right_to_more_than_it_covers(tmp_path):
    """A commit that goes beyond its turn waits for whoever holds the rest, like any other."""
    entered, may_end, batches = threading.Event(), threading.Event(), []

    def append(emissions):
        batches.append(emissions)
        entered.set()
        assert may_end.wait(60)

    memory = NamedMemory(append)
    b = memory.variable("b", 0)
    with serve(memory, tmp_path / "s") as server, Raw(server.path) as raw:
        raw.say(frame(Declare(1, [("a", 0), ("b", 0)])) + frame(Turn(2, [0])))
        assert [raw.hear().id, raw.hear().id] == [1, 2]
        writer = Task(memory.atomically, lambda t: t.write(b, 1))
        assert entered.wait(60)
        parked = parking(memory)
        raw.say(frame(Commit(3, 0, [0], [(1, 9)], [], "", 2)))
        acquire(parked)
        may_end.set()
        assert raw.hear().is_done
        writer.result()
    assert b.value == 9
    assert [batch[0].body["changes"] for batch in batches] == [{"b": 1}, {"b": 9}]


def test_a_commit_is_refused_if_and_only_if_what_it_read_was_written(server, memory):
    """The answer of a refused commit brings what was written meanwhile."""
    a, b = memory.variable("a", 0), memory.variable("b", 0)
    with Raw(server.path) as raw:
        raw.say(frame(Declare(1, [("a", 0), ("b", 0)])))
        clock = raw.hear().clock
        memory.atomically(lambda t: t.write(a, 1))
        raw.say(frame(Commit(2, clock, [0], [(1, 9)], [], "", 0)))
        assert raw.hear() == Answer(2, False, memory.memory.clock, [(0, 1)])
        raw.say(frame(Commit(3, clock, [1], [(1, 9)], [], "", 0)))
        assert raw.hear().is_done
    assert (a.value, b.value) == (1, 9)
    assert server.statistics().refused_commits == 1


def test_connections_are_bounded(memory, tmp_path, monkeypatch):
    """One too many is refused, and let in once another has gone."""
    monkeypatch.setattr("colony.memory.remote.served_memory.REMOTE_CONNECTIONS_MAX", 1)
    with serve(memory, tmp_path / "s") as server:
        with RemoteMemory(server.path) as first:
            with pytest.raises(LimitError, match="connections"):
                RemoteMemory(server.path)
            first.variable("a", 0)
        until(lambda: not server.statistics().connections)
        assert is_alive(server)


def test_variables_and_requests_are_bounded(memory, tmp_path, monkeypatch):
    """One too many is refused by itself."""
    monkeypatch.setattr("colony.memory.remote.served_memory.REMOTE_VARIABLES_MAX", 2)
    monkeypatch.setattr("colony.memory.remote.served_memory.REMOTE_REQUESTS_MAX", 1)
    parked = parking(memory)
    with serve(memory, tmp_path / "s") as server, RemoteMemory(server.path) as remote:
        a, _ = remote.variables({"a": 0, "b": 0}).values()
        with pytest.raises(LimitError, match="at most 2"):
            remote.variable("c", 0)
        task = Task(remote.atomically, lambda t: check(t.read(a)) or t.read(a))
        acquire(parked)
        with pytest.raises(LimitError, match="under way"):
            remote.atomically(lambda t: t.read(a))
        memory.atomically(lambda t: t.write(memory.variable("a"), 1))
        assert task.result() == 1


def test_a_client_that_dies_gives_up_its_turn_and_its_place(server, memory, monkeypatch):
    """What it held is free at once, and nobody waits for it any more."""
    monkeypatch.setattr("colony.memory.remote.served_memory.REMOTE_TURN_SECONDS_MAX", 1000)
    a, parked = memory.variable("a", 0), parking(memory)
    with Raw(server.path) as raw:
        raw.say(frame(Declare(1, [("a", 0)])) + frame(Turn(2, [0])))
        assert [raw.hear().id, raw.hear().id] == [1, 2]
        writer = Task(memory.atomically, lambda t: t.write(a, 1))
        acquire(parked)
    writer.result()
    with Raw(server.path) as raw:
        raw.say(frame(Declare(1, [("a", 0)])) + frame(Wait(2, memory.memory.clock, [0], 0)))
        raw.hear()
        until(lambda: a.waiters)
    until(lambda: not server.statistics().connections)
    assert not a.waiters
    assert memory.memory.holds == []


def test_who_does_not_read_its_answers_is_cut_off(memory, tmp_path, monkeypatch):
    """Answers that nobody takes are not piled up without end."""
    monkeypatch.setattr("colony.memory.remote.served_memory.REMOTE_MESSAGE_BYTES_MAX", 1000)
    with serve(memory, tmp_path / "s") as server, Raw(server.path) as raw:
        raw.say(frame(Declare(1, [("a", "x" * 900_000)])))
        for number in range(2, 12):
            raw.say(frame(Declare(number, [("a", 0)])))
        assert raw.rest() < 11 * 900_000
        assert is_alive(server)


def test_at_the_end_waiters_go_commits_finish_and_the_socket_is_gone(tmp_path):
    """A commit that waits for the disk when the server stops is made."""
    entered, may_end = threading.Event(), threading.Event()

    def append(_):
        entered.set()
        assert may_end.wait(60)

    memory = NamedMemory(append)
    with ExitStack() as stack:
        with serve(memory, tmp_path / "m" / "s") as server:
            raw = stack.enter_context(Raw(server.path))
            raw.say(frame(Declare(1, [("a", 0)])) + frame(Commit(2, 0, [0], [(0, 5)], [], "", 0)))
            assert entered.wait(60)
            server.stop()
            may_end.set()
        assert memory.state() == {"a": 5}
        assert list((tmp_path / "m").iterdir()) == []


def test_a_memory_is_served_at_one_place_at_a_time(server, memory):
    """The path of a living server is taken."""
    with pytest.raises(UsageError, match="another process"), serve(memory, server.path):
        pass
    assert is_alive(server)


def test_serving_inside_an_event_loop(memory, tmp_path):
    """The server has a loop of its own, so tasks of another one serve and use it too."""

    async def main():
        with serve(memory, tmp_path / "s"):
            remote = await asyncio.to_thread(RemoteMemory, tmp_path / "s")
            a = await asyncio.to_thread(remote.variable, "a", 1)
            value = await remote.atomically_async(lambda t: t.read(a))
            await asyncio.to_thread(remote.close)
            return value

    assert asyncio.run(main()) == 1


def test_a_refusal_names_its_error(server):
    """An error of ours travels by name."""
    with Raw(server.path) as raw:
        raw.say(frame(Declare(1, [("", 0)])))
        assert isinstance(refusal := raw.hear(), Refusal)
        assert refusal.error == "LimitError"
