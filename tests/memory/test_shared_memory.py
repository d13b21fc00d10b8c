"""Durable transactions: one append for each commit, publication after it, and values that replay."""

import asyncio
import re
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colony.memory.shared_memory import Emission, SharedMemory
from colony.primitives.errors import JournalFullError
from colony.stm import check, or_else, retry, snapshot


def finish(*threads):
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


def start(target, *args):
    thread = threading.Thread(target=target, args=args, daemon=True)
    thread.start()
    return thread


class Disk:
    """An append that keeps what it is given, and can be stopped before it returns."""

    def __init__(self):
        self.batches = []
        self.entered = threading.Semaphore(0)
        self.open = threading.Event()
        self.parked = threading.Semaphore(0)
        self.memory = SharedMemory(self.append, monotonic=self._clock)

    def _clock(self):
        self.parked.release()
        return 0.0

    def append(self, emissions):
        self.entered.release()
        assert self.open.wait(30)
        self.batches.append(emissions)

    def started(self, body):
        """Start `body` in a thread and return when it is in the middle of its append."""
        thread = start(self.memory.atomically, body)
        assert self.entered.acquire(timeout=30)
        return thread

    def parked_behind(self, body):
        """Start `body` in a thread and return when it has been put to sleep."""
        thread = start(self.memory.atomically, body)
        assert self.parked.acquire(timeout=30)
        return thread


def put(variable, value, t):
    t.write(variable, value)
    t.emit("put/1", {"name": variable.name, "value": value})


def test_a_commit_is_one_append_with_all_emissions_in_order():
    """All that a body emitted reaches the append in one call; a transaction that emits nothing makes no call."""
    batches = []
    memory = SharedMemory(batches.append)
    a, b = memory.variable(0, "a"), memory.variable(0, "b")

    def body(t):
        put(a, 1, t)
        put(b, 2, t)
        return "done"

    assert memory.atomically(body) == "done"
    memory.atomically(lambda t: t.write(a, 3))
    memory.atomically(lambda t: t.emit("note/1", {}))
    assert batches == [
        (Emission("put/1", {"name": "a", "value": 1}), Emission("put/1", {"name": "b", "value": 2})),
        (Emission("note/1", {}),),
    ]
    assert (a.value, b.value) == (3, 2)
    assert memory.statistics().commits == 3


def test_nobody_reads_a_value_before_its_record_is_durable():
    """While the append runs, readers are not blocked and see the old value."""
    disk = Disk()
    a = disk.memory.variable("old", "a")
    thread = disk.started(partial(put, a, "new"))
    assert a.value == "old"
    assert disk.memory.atomically(lambda t: t.read(a)) == "old"
    disk.open.set()
    finish(thread)
    assert a.value == "new"


def test_a_refused_append_rolls_back():
    """If the append raises, the caller gets that exception, nothing is published, and the memory stays usable."""
    errors = [JournalFullError("the disk is full")]

    def append(emissions):
        if errors:
            raise errors.pop()

    memory = SharedMemory(append)
    a = memory.variable(0, "a")
    with pytest.raises(JournalFullError):
        memory.atomically(partial(put, a, 1))
    assert a.value == 0
    assert memory.statistics().commits == 0
    finish(start(memory.atomically, partial(put, a, 2)))
    assert a.value == 2


@pytest.mark.parametrize("fails", [False, True])
def test_an_append_may_promise(fails):
    """An append that returns a future is durable when the future is done, and refused when the future raises."""
    promises = []

    def append(emissions):
        promises.append(Future())
        entered.release()
        return promises[-1]

    entered, memory, outcomes = threading.Semaphore(0), SharedMemory(append), []
    a = memory.variable(0, "a")

    def commit():
        try:
            memory.atomically(partial(put, a, 1))
            outcomes.append(None)
        except JournalFullError:
            outcomes.append(JournalFullError)

    thread = start(commit)
    assert entered.acquire(timeout=30)
    assert a.value == 0
    if fails:
        promises[0].set_exception(JournalFullError("full"))
    else:
        promises[0].set_result(None)
    finish(thread)
    assert (outcomes, a.value) == (([JournalFullError], 0) if fails else ([None], 1))


def test_what_a_holder_has_read_or_writes_waits_for_its_append():
    """During an append, a write to its footprint sleeps until the end, and then goes by the new values."""
    disk = Disk()
    read, written = disk.memory.variable(1, "read"), disk.memory.variable(0, "written")
    holder = disk.started(lambda t: put(written, t.read(read) + 1, t))

    def double(variable, t):
        t.write(variable, t.read(variable) * 2)

    others = [disk.parked_behind(partial(double, variable)) for variable in (read, written)]
    assert (read.value, written.value) == (1, 0)
    disk.open.set()
    finish(holder, *others)
    assert (read.value, written.value) == (2, 4)


def test_what_a_holder_does_not_touch_commits_meanwhile():
    """During an append, transactions elsewhere commit, with an append of their own or without one."""
    disk = Disk()
    a, b, c = (disk.memory.variable(0, name) for name in "abc")
    holders = [disk.started(partial(put, a, 1)), disk.started(partial(put, b, 1))]
    disk.memory.atomically(lambda t: t.write(c, t.read(a) + 1))
    assert (a.value, b.value, c.value) == (0, 0, 1)
    disk.open.set()
    finish(*holders)
    assert (a.value, b.value, c.value) == (1, 1, 1)


def test_a_record_that_depends_on_another_comes_after_it():
    """A durable transaction that has read what another is about to publish waits, so the records are in order."""
    disk = Disk()
    a, b = disk.memory.variable(1, "a"), disk.memory.variable(0, "b")
    first = disk.started(partial(put, a, 5))
    second = disk.parked_behind(lambda t: put(b, t.read(a), t))
    disk.open.set()
    finish(first, second)
    assert [emission.body["value"] for batch in disk.batches for emission in batch] == [5, 5]


def test_or_else_discards_what_the_first_emitted():
    """Emissions of a body that said `retry` are undone with its writes; those from before stay."""
    batches = []
    memory = SharedMemory(batches.append)
    a = memory.variable(0, "a")

    def first(t):
        put(a, 1, t)
        retry()

    def body(t):
        put(a, 0, t)
        or_else(first, partial(put, a, 2))(t)

    memory.atomically(body)
    assert [emission.body["value"] for emission in batches[0]] == [0, 2]


def test_a_run_that_lost_emits_nothing():
    """Only the run that commits is recorded."""
    batches, runs = [], []
    memory = SharedMemory(batches.append)
    a = memory.variable(0, "a")

    def body(t):
        runs.append(t.read(a))
        put(a, t.read(a) + 1, t)
        if len(runs) == 1:
            finish(start(memory.atomically, lambda t: t.write(a, 10)))

    memory.atomically(body)
    assert runs == [0, 10]
    assert batches == [(Emission("put/1", {"name": "a", "value": 11}),)]


def test_commit_if_unchanged_is_durable():
    """It appends and writes if nothing seen was written since; else neither."""
    batches = []
    memory = SharedMemory(batches.append)
    a = memory.variable(0, "a")
    seen, emission = snapshot([a]), Emission("put/1", {})
    assert memory.commit_if_unchanged(seen, {a: 1}, [emission])
    assert not memory.commit_if_unchanged(seen, {a: 2}, [emission])
    assert not asyncio.run(memory.commit_if_unchanged_async(seen, {a: 2}, [emission]))
    assert asyncio.run(memory.commit_if_unchanged_async(snapshot([a]), {a: 3}))
    assert (batches, a.value) == ([(emission,)], 3)


def test_the_append_of_a_task_does_not_block_the_loop():
    """While one task's append blocks a worker thread, the loop runs another task, which lets it go on."""
    disk = Disk()
    a = disk.memory.variable(0, "a")

    async def main():
        async with asyncio.TaskGroup() as group:
            group.create_task(disk.memory.atomically_async(partial(put, a, 1)))
            waiting = group.create_task(disk.memory.atomically_async(lambda t: check(t.read(a))))
            await asyncio.to_thread(disk.entered.acquire)
            assert not waiting.done()
            disk.open.set()
        return a.value

    assert asyncio.run(asyncio.wait_for(main(), 30)) == 1


def test_a_task_cancelled_during_its_append_still_publishes_what_becomes_durable():
    """Cancelling cannot separate the journal from the memory."""
    disk = Disk()
    a = disk.memory.variable(0, "a")

    async def main():
        task = asyncio.ensure_future(disk.memory.atomically_async(partial(put, a, 1)))
        await asyncio.to_thread(disk.entered.acquire)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert a.value == 0
        disk.open.set()
        await disk.memory.atomically_async(lambda t: check(t.read(a)))

    asyncio.run(asyncio.wait_for(main(), 30))
    assert (a.value, len(disk.batches)) == (1, 1)


def test_a_task_cancelled_before_its_append_began_still_makes_it():
    """A cancelled commit whose append is still in the queue of the worker threads is made, and its hold ends."""
    batches, busy = [], threading.Event()
    memory = SharedMemory(batches.append)
    a = memory.variable(0, "a")

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        occupied = loop.run_in_executor(None, busy.wait, 30)
        task = asyncio.ensure_future(memory.atomically_async(partial(put, a, 1)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        busy.set()
        assert await occupied
        await memory.atomically_async(lambda t: check(t.read(a)))

    asyncio.run(asyncio.wait_for(main(), 30))
    assert (a.value, len(batches), memory.memory.holds) == (1, 1, [])


def test_a_loop_that_takes_no_more_work_leaves_no_hold():
    """If no thread can be had for the append, the commit fails and keeps nobody else from committing."""
    memory = SharedMemory(lambda emissions: None)
    a = memory.variable(0, "a")

    async def main():
        await asyncio.get_running_loop().shutdown_default_executor()
        with pytest.raises(RuntimeError):
            await memory.atomically_async(partial(put, a, 1))

    asyncio.run(main())
    assert a.value == 0
    finish(start(memory.atomically, partial(put, a, 2)))
    assert a.value == 2


NAMES = "abcd"
moves = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(-3, 3), st.booleans())


def fold(records):
    """A toy projection: each record says how much moved from where to where, and depends on what is there."""
    state = dict.fromkeys(NAMES, 10)
    for record in records:
        amount = min(record.body["amount"], state[record.body["source"]])
        state[record.body["source"]] -= amount
        state[record.body["target"]] += amount
    return state


@settings(deadline=None)
@given(st.lists(st.lists(moves, max_size=6), min_size=1, max_size=4))
def test_folding_the_records_gives_the_live_values(plans):
    """Whatever threads commit, and whichever appends are refused, a replay of the records equals the memory."""
    records, refused = [], JournalFullError("full")

    def append(emissions):
        if any(emission.body["refuse"] for emission in emissions):
            raise refused
        records.extend(emissions)

    memory = SharedMemory(append)
    variables = {name: memory.variable(10, name) for name in NAMES}

    def move(source, target, amount, refuse, t):
        moved = min(amount, t.read(variables[source]))
        t.write(variables[source], t.read(variables[source]) - moved)
        t.write(variables[target], t.read(variables[target]) + moved)
        t.emit("moved/1", {"source": source, "target": target, "amount": amount, "refuse": refuse})

    def follow(plan):
        for step in plan:
            try:
                memory.atomically(partial(move, *step))
            except JournalFullError as error:
                assert error is refused  # noqa: PT017 - in a thread

    finish(*(start(follow, plan) for plan in plans))
    assert fold(records) == {name: variable.value for name, variable in variables.items()}
    assert memory.memory.holds == []


def test_the_examples_of_the_explanation_run():
    """Every block of code in the explanation of shared memory does what it says."""
    text = (Path(__file__).parents[2] / "docs/explanation/shared-memory.md").read_text(encoding="utf-8")
    names = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(block, names)
    names["atomically"](names["record"](2.0))
    assert (names["best"].value, names["budget"].value, names["won"]) == (2.0, 98, True)
    assert names["balance"].value == 7
    assert names["records"] == [Emission("spent/1", {"amount": 3})]
