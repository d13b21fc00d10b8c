"""The verbs: what each means, alone and together, in a thread and in a task."""

import asyncio
import threading
from types import MappingProxyType

import pytest

from colony.primitives.errors import LimitError, TransactionError
from colony.primitives.limits import TRANSACTION_DEPTH_MAX
from colony.stm import (
    Memory,
    TVar,
    atomically,
    atomically_async,
    catch,
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


def test_an_exception_undoes_the_nested_part_alone():
    """What a nested part wrote is gone after its exception; what was written before and after it is kept."""
    before, guessed, after = TVar(0), TVar(0), TVar(0)

    def guess(t):
        assert t.read(before) == 1
        t.write(before, 2)
        t.write(guessed, 2)
        raise KeyError

    def body(t):
        t.write(before, 1)
        with pytest.raises(KeyError):
            t.nested(guess)
        assert (t.read(before), t.read(guessed)) == (1, 0)
        t.write(after, 3)

    atomically(body)
    assert (before.value, guessed.value, after.value) == (1, 0, 3)


def test_an_exception_undoes_what_the_nested_part_emitted():
    """Emissions are undone with the writes, so that the record tells of what happened and of nothing else."""
    t = Transaction(Memory())

    def guess(t):
        t.emissions.append("guessed")
        raise KeyError

    def body(t):
        t.emissions.append("before")
        catch(guess, lambda t, error: t.emissions.append("after"))(t)

    assert t.attempt(body)
    assert t.emissions == ["before", "after"]
    t.publish()


def test_either_part_of_or_else_is_undone_by_an_exception():
    """Whichever part of an `or_else` an exception leaves, none of what that part wrote is kept by who catches it."""
    a = TVar(0)

    def fail(t):
        t.write(a, 1)
        raise KeyError

    def body(t):
        for part in (or_else(fail, lambda t: None), or_else(lambda t: retry(), fail)):
            with pytest.raises(KeyError):
                part(t)
            assert t.read(a) == 0

    atomically(body)


def test_a_nested_part_that_returns_is_kept():
    """A nested part gives its result, and its writes are the transaction's."""
    a = TVar(0)
    assert atomically(lambda t: t.nested(lambda t: (t.write(a, 1), t.read(a))[1]) + t.read(a)) == 2
    assert a.value == 1


def test_an_exception_undoes_as_many_levels_as_it_leaves():
    """Parts nest; an exception caught two levels up has undone both, and a part that had returned with them."""
    a = TVar(())

    def descend(t, depth):
        t.write(a, (*t.read(a), depth))
        if depth == 5:
            raise LookupError
        if depth == 2:
            with pytest.raises(LookupError):
                t.nested(lambda t: descend(t, 3))
            t.nested(lambda t: t.write(a, (*t.read(a), "on")))
        else:
            t.nested(lambda t: descend(t, depth + 1))

    atomically(lambda t: descend(t, 0))
    assert a.value == (0, 1, 2, "on")


def test_what_a_failed_part_read_decides_about_the_whole():
    """The exception may depend on what the part read, so a change of that runs the whole again."""
    memory = Memory()
    asked, answer, runs = TVar(0, memory=memory), TVar(0, memory=memory), []

    def guess(t):
        if t.read(asked) == 0:
            raise KeyError

    def body(t):
        runs.append(1)
        catch(guess, lambda t, error: t.write(answer, -1), KeyError)(t)
        if len(runs) == 1:
            rival = Transaction(memory)
            rival.write(asked, 1)
            assert rival._commit()

    atomically(body, memory=memory)
    assert (len(runs), answer.value) == (2, 0)


def test_retry_in_a_nested_part_waits_for_the_whole():
    """`retry` leaves every nested part, past handlers for exceptions, up to the nearest `or_else`, or to sleep."""
    watched = Watched()
    door, log = watched.variable(False), watched.variable(())

    def inner(t):
        t.write(log, (*t.read(log), "inner"))
        check(t.read(door))

    def patient(t):
        t.write(log, (*t.read(log), "outer"))
        catch(inner, lambda t, error: pytest.fail("caught"))(t)

    atomically(or_else(patient, lambda t: t.write(log, (*t.read(log), "second"))), memory=watched.memory)
    assert log.value == ("second",)
    thread, _ = watched.start(patient)
    watched.write(door, True)
    assert finished(thread)
    assert log.value == ("second", "outer", "inner")


def test_catch_gives_the_exception_to_its_handler_and_lets_others_pass():
    """The handler runs after the undoing, with the exception; one that was not named goes on."""
    a = TVar(0)

    def fail(t):
        t.write(a, 1)
        raise KeyError("why")

    assert atomically(catch(fail, lambda t, error: (t.read(a), error.args), LookupError)) == (0, ("why",))
    assert atomically(catch(fail, lambda t, error: t.read(a))) == 0
    with pytest.raises(KeyError):
        atomically(catch(fail, lambda t, error: pytest.fail("caught"), ValueError, OSError))
    assert a.value == 0


def test_nesting_has_a_limit():
    """A recursion of nested parts without end is stopped by an error that says so, and the thread stays usable."""

    def deeper(t):
        t.nested(deeper)

    def wider(t):
        for _ in range(2 * TRANSACTION_DEPTH_MAX):
            t.nested(lambda t: None)

    with pytest.raises(LimitError, match=f"{TRANSACTION_DEPTH_MAX} deep"):
        atomically(deeper)
    atomically(wider)


def test_modify_and_swap():
    """`modify` applies a function, `swap` gives back the old value."""
    a = TVar(1)
    assert atomically(lambda t: (t.modify(a, lambda value: value + 1), t.swap(a, 7), t.read(a))) == (None, 2, 7)


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
