"""The verbs: what each means, alone and together, in a thread and in a task."""

import asyncio
import threading
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colony.primitives.errors import TransactionError
from colony.stm import (
    Memory,
    TVar,
    atomically,
    atomically_async,
    check,
    commit_if_unchanged,
    if_unchanged,
    or_else,
    retry,
    snapshot,
)
from colony.stm.transaction import RetrySignal, Transaction


class Watched:
    """A memory whose clock tells that somebody has gone to wait: it is read right after a waiter is in its places."""

    def __init__(self):
        self.parked = threading.Semaphore(0)
        self.memory = Memory(monotonic=self._read)

    def _read(self):
        self.parked.release()
        return 0.0

    def variable(self, value, name=None):
        return TVar(value, name, memory=self.memory)

    def start(self, body):
        """Start `body` in a thread and return when it has been put to sleep."""
        results = []
        thread = threading.Thread(target=lambda: results.append(atomically(body, memory=self.memory)), daemon=True)
        thread.start()
        assert self.parked.acquire(timeout=30)
        return thread, results

    def write(self, variable, value):
        atomically(lambda t: t.write(variable, value), memory=self.memory)


def finished(thread):
    thread.join(30)
    return not thread.is_alive()


def test_a_transaction_returns_what_its_body_returns_and_publishes_what_it_wrote():
    """Reads see the transaction's own writes; others see them after the commit."""
    a = TVar(1)

    def body(t):
        t.write(a, t.read(a) + 1)
        assert a.value == 1
        return t.read(a)

    assert atomically(body) == 2
    assert a.value == 2


def test_an_exception_rolls_back():
    """What a body wrote before it raised is not kept, and the exception is the body's own."""
    a = TVar(1)

    def body(t):
        t.write(a, 2)
        raise StopIteration

    with pytest.raises(StopIteration):
        atomically(body)
    assert a.value == 1
    assert atomically(lambda t: t.read(a)) == 1


def test_retry_sleeps_until_a_variable_it_read_changes():
    """A blocked transaction runs again after a change of what it read, and not after any other change."""
    watched = Watched()
    wanted, unrelated, runs = watched.variable(0), watched.variable(0), []

    def body(t):
        runs.append(1)
        check(t.read(wanted))
        return t.read(wanted)

    thread, results = watched.start(body)
    for value in range(100):
        watched.write(unrelated, value)
    assert len(runs) == 1
    watched.write(wanted, 5)
    assert finished(thread)
    assert (results, len(runs)) == ([5], 2)
    assert watched.memory.statistics().waits == 1
    assert not wanted.waiters


def test_a_retry_that_nothing_could_wake_is_an_error():
    """`retry` before any read would sleep for ever; it raises instead, as does an `or_else` of two of them."""
    for body in (lambda t: retry(), or_else(lambda t: retry(), lambda t: check(None))):
        with pytest.raises(TransactionError, match="retry"):
            atomically(body)


def test_or_else_prefers_the_first():
    """The second body does not run if the first says nothing."""
    assert atomically(or_else(lambda t: "first", lambda t: pytest.fail("ran"))) == "first"


def test_or_else_discards_what_the_first_wrote():
    """If the first retries, its writes are undone, those from before stay, and the second sees only these."""
    a, b, c = TVar("old"), TVar("old"), TVar("old")

    def first(t):
        t.write(a, "first")
        t.write(b, "first")
        retry()

    def second(t):
        assert (t.read(a), t.read(b)) == ("before", "old")
        t.write(c, "second")

    def body(t):
        t.write(a, "before")
        or_else(first, second)(t)

    atomically(body)
    assert (a.value, b.value, c.value) == ("before", "old", "second")


@pytest.mark.parametrize("which", [0, 1])
def test_or_else_of_two_retries_waits_for_either(which):
    """If both retry, a change of a variable that only one of them read wakes the transaction."""
    watched = Watched()
    doors = watched.variable(False), watched.variable(False)

    def through(number):
        def body(t):
            check(t.read(doors[number]))
            return number

        return body

    thread, results = watched.start(or_else(through(0), through(1)))
    watched.write(doors[which], True)
    assert finished(thread)
    assert results == [which]


def test_an_exception_in_the_first_does_not_start_the_second():
    """`or_else` is about `retry` alone; an error is an error."""
    a = TVar(0)

    def first(t):
        t.write(a, 1)
        raise KeyError

    with pytest.raises(KeyError):
        atomically(or_else(first, lambda t: t.write(a, 2)))
    assert a.value == 0


NAMES = "xyz"
programs = st.recursive(
    st.tuples(st.just("write"), st.sampled_from(NAMES), st.integers(0, 3))
    | st.tuples(st.just("add"), st.sampled_from(NAMES), st.sampled_from(NAMES))
    | st.tuples(st.just("check"), st.sampled_from(NAMES))
    | st.tuples(st.just("raise")),
    lambda inner: (
        st.tuples(st.just("both"), inner, inner)
        | st.tuples(st.just("else"), inner, inner)
        | st.tuples(st.just("catch"), inner)
    ),
    max_leaves=12,
)


def serial(program, state):  # noqa: C901 - one case for each verb
    """Run a program alone on a dictionary: the meaning that a transaction must have."""
    match program:
        case ("write", name, value):
            state[name] = value
        case ("add", name, other):
            state[name] = state[name] + state[other]
        case ("check", name):
            if state[name] == 0:
                raise BlockingIOError
        case ("raise",):
            raise ArithmeticError
        case ("both", first, second):
            serial(first, state)
            serial(second, state)
        case ("catch", inner):
            try:
                serial(inner, state)
            except ArithmeticError:
                state["x"] = 9
        case ("else", first, second):
            before = dict(state)
            try:
                serial(first, state)
            except BlockingIOError:
                state.clear()
                state.update(before)
                serial(second, state)


def transactional(program, variables):
    def body(t):
        match program:
            case ("write", name, value):
                t.write(variables[name], value)
            case ("add", name, other):
                t.write(variables[name], t.read(variables[name]) + t.read(variables[other]))
            case ("check", name):
                check(t.read(variables[name]) != 0)
            case ("raise",):
                raise ArithmeticError
            case ("both", first, second):
                transactional(first, variables)(t)
                transactional(second, variables)(t)
            case ("catch", inner):
                try:
                    transactional(inner, variables)(t)
                except ArithmeticError:
                    t.write(variables["x"], 9)
            case ("else", first, second):
                or_else(transactional(first, variables), transactional(second, variables))(t)

    return body


@settings(deadline=None)
@given(st.lists(programs, max_size=6))
def test_any_program_of_the_verbs_means_what_it_means_alone(sequence):
    """Any nesting of reads, writes, retry, or_else, errors and handlers leaves what a serial interpreter leaves."""
    memory = Memory()
    state, variables = dict.fromkeys(NAMES, 0), {name: TVar(0, name, memory=memory) for name in NAMES}
    for program in sequence:
        after, expected = dict(state), None
        try:
            serial(program, after)
        except (BlockingIOError, ArithmeticError) as error:
            after, expected = state, type(error)
        try:
            done = Transaction(memory).attempt(transactional(program, variables))
            outcome = None if done else BlockingIOError
        except ArithmeticError:
            outcome = ArithmeticError
        state = after
        assert outcome is expected
        assert {name: variable.value for name, variable in variables.items()} == state


def test_the_signals_pass_a_handler_for_exceptions():
    """A body that catches Exception cannot swallow `retry` by accident."""
    assert not issubclass(RetrySignal, Exception)


def test_a_snapshot_is_of_one_instant_and_stays():
    """A snapshot keeps its values when the variables go on."""
    a, b = TVar(1), TVar(2)
    seen = snapshot([a, b])
    atomically(lambda t: t.write(a, 10))
    assert (seen[a], seen[b]) == (1, 2)
    assert isinstance(seen.cells, MappingProxyType)
    with pytest.raises(KeyError):
        seen[TVar(3)]


def test_a_snapshot_of_two_memories_is_refused():
    """There is no one instant of two memories."""
    with pytest.raises(TransactionError):
        snapshot([TVar(1, memory=Memory()), TVar(2, memory=Memory())])


def test_commit_if_unchanged_commits_once():
    """It writes if nothing seen was written since, even an equal value; else it writes nothing and says so."""
    memory = Memory()
    a, b = TVar(1, memory=memory), TVar(2, memory=memory)
    seen = snapshot([a, b])
    assert commit_if_unchanged(seen, {a: 5})
    assert not commit_if_unchanged(seen, {b: 6})
    assert (a.value, b.value) == (5, 2)
    again = snapshot([a])
    atomically(lambda t: t.write(a, 5), memory=memory)
    assert not commit_if_unchanged(again, {a: 7})
    assert commit_if_unchanged(snapshot([a]), {b: 8})
    assert (a.value, b.value) == (5, 8)


def test_the_verbs_work_in_a_task():
    """The same body runs from the event loop, with the same result and the same errors."""
    a = TVar(1)

    async def main():
        assert await atomically_async(if_unchanged(snapshot([a]), {a: 2}))
        with pytest.raises(TransactionError):
            await atomically_async(lambda t: retry())
        return await atomically_async(lambda t: t.read(a))

    assert asyncio.run(main()) == 2


def test_a_task_that_waits_leaves_the_loop_to_others():
    """While one task is blocked in `retry`, another runs on the same loop and wakes it."""
    a = TVar(0)

    def positive(t):
        check(t.read(a) > 0)
        return t.read(a)

    async def main():
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(atomically_async(positive))
            await asyncio.sleep(0)
            assert a.waiters
            await atomically_async(lambda t: t.write(a, 3))
        return waiting.result()

    assert asyncio.run(asyncio.wait_for(main(), 30)) == 3


def test_a_cancelled_task_leaves_nothing_behind():
    """Cancelling a blocked task takes its waiter out of every variable it had read."""
    a, b = TVar(0), TVar(0)

    async def main():
        task = asyncio.ensure_future(atomically_async(lambda t: check(t.read(a) + t.read(b))))
        await asyncio.sleep(0)
        assert len(a.waiters) == len(b.waiters) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert not a.waiters
    assert not b.waiters


def test_a_thousand_waiting_tasks_do_nothing():
    """Tasks blocked in `retry` run their body once, however much else commits, and all go on at the change."""
    memory, runs = Memory(), []
    door, elsewhere = TVar(False, memory=memory), TVar(0, memory=memory)

    def body(t):
        runs.append(1)
        check(t.read(door))

    async def main():
        async with asyncio.TaskGroup() as group:
            for _ in range(1000):
                group.create_task(atomically_async(body, memory=memory))
            await asyncio.sleep(0)
            for value in range(1000):
                atomically(lambda t, value=value: t.write(elsewhere, value), memory=memory)
            assert len(runs) == 1000
            await asyncio.to_thread(atomically, lambda t: t.write(door, True), memory=memory)

    asyncio.run(asyncio.wait_for(main(), 30))
    assert len(runs) == 2000
    assert memory.statistics().waits == 1000
