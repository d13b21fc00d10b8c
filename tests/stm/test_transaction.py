"""Transactions against each other: serial, opaque, awake, fair, and under the load of real threads."""

import asyncio
import itertools
import sys
import threading
from functools import partial
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from colony.primitives.errors import LimitError, TransactionError
from colony.primitives.limits import TRANSACTION_LOSSES_MAX
from colony.stm import Memory, TVar, atomically, atomically_async, check, retry, transaction
from colony.stm.transaction import LostSignal, Transaction
from colony.stm.waiting import Hold


@pytest.fixture
def _hasty():
    """Switch threads as often as the interpreter can, so that they meet in the middle of everything."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def run_all(*targets):
    """Run the functions in threads of their own; fail if one raises or does not end."""
    errors = []

    def guarded(target):
        try:
            target()
        except BaseException as error:  # noqa: BLE001 - the test fails with it below
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(target,), daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert errors == []


class Run(Transaction):
    """A transaction that the machine below drives step by step."""

    def __init__(self, memory, began):
        super().__init__(memory)
        self.began = began
        self.seen = {}
        self.alive = True


class Interleavings(RuleBasedStateMachine):
    """Transactions whose steps interleave in any order, against the list of all states that were ever committed."""

    runs = Bundle("runs")

    def __init__(self):
        super().__init__()
        self.memory = Memory()
        self.variables = [TVar(0, memory=self.memory) for _ in range(3)]
        self.states = [[0, 0, 0]]
        self.fresh = itertools.count(1)

    def fits(self, run, state):
        return all(state[index] == value for index, value in run.seen.items())

    @rule(target=runs)
    def begin(self):
        return Run(self.memory, len(self.states) - 1)

    @rule(run=runs, index=st.integers(0, 2))
    def read(self, run, index):
        """A read gives the run's own write, or keeps all reads true of one state since the run began."""
        if not run.alive:
            return
        variable = self.variables[index]
        own = run.writes.get(variable)
        try:
            value = run.read(variable)
        except LostSignal:
            run.alive = False
            assert not self.fits(run, self.states[-1])
            return
        if own is not None:
            assert value == own
            return
        run.seen[index] = value
        assert any(self.fits(run, state) for state in self.states[run.began :])

    @rule(run=runs, index=st.integers(0, 2))
    def write(self, run, index):
        if run.alive:
            run.write(self.variables[index], next(self.fresh))

    @rule(run=runs)
    def commit(self, run):
        """A run with writes commits if, and only if, all it has read is still so; a run without, always."""
        if not run.alive:
            return
        run.alive = False
        may_commit = not run.writes or self.fits(run, self.states[-1])
        try:
            assert run._commit()
            assert may_commit
            self.states.append([run.writes.get(v, old) for v, old in zip(self.variables, self.states[-1], strict=True)])
        except LostSignal:
            assert not may_commit

    @invariant()
    def published(self):
        assert [variable.value for variable in self.variables] == self.states[-1]


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_write_skew_is_refused():
    """Two transactions that each read both variables and write one cannot both go by the same state."""
    memory = Memory()
    on_call = [TVar(True, memory=memory), TVar(True, memory=memory)]
    runs = []

    def leave(mine, between):
        def body(t):
            both = all(t.read(variable) for variable in on_call)
            between()
            if both:
                t.write(on_call[mine], False)

        return body

    def other_leaves_first():
        runs.append(1)
        if len(runs) == 1:
            run_all(lambda: atomically(leave(1, lambda: None), memory=memory))

    atomically(leave(0, other_leaves_first), memory=memory)
    assert [variable.value for variable in on_call] == [True, False]
    assert len(runs) == 2
    assert memory.statistics().conflicts == 1


def test_a_doomed_body_never_sees_a_mixed_state():
    """A body between whose reads another commits both variables starts over before it could see one old and one new."""
    memory = Memory()
    a, b = TVar(0, memory=memory), TVar(0, memory=memory)
    runs = []

    def both(t):
        t.write(a, 1)
        t.write(b, 1)

    def body(t):
        first = t.read(a)
        runs.append(first)
        if len(runs) == 1:
            run_all(lambda: atomically(both, memory=memory))
        assert t.read(b) == first

    atomically(body, memory=memory)
    assert runs == [0, 1]


def test_a_newer_variable_alone_does_not_restart_a_body():
    """If nothing read so far has changed, the snapshot moves forward and the body goes on."""
    memory = Memory()
    a, b = TVar(0, memory=memory), TVar(0, memory=memory)
    runs = []

    def body(t):
        runs.append(t.read(a))
        run_all(lambda: atomically(lambda t: t.write(b, 1), memory=memory))
        return t.read(b)

    assert atomically(body, memory=memory) == 1
    assert runs == [0]


def test_a_change_between_the_retry_and_the_sleep_is_not_lost():
    """A transaction about to sleep on a variable that has just changed does not sleep."""
    memory = Memory()
    a = TVar(0, memory=memory)
    t = Transaction(memory)
    assert not t.attempt(lambda t: check(t.read(a)))
    atomically(lambda t: t.write(a, 1), memory=memory)
    run_all(t.wait)
    assert t.attempt(lambda t: check(t.read(a)))


def test_a_change_while_asleep_wakes_once_and_is_forgotten():
    """A wake-up takes the waiter out of its variable, so that later commits ring nobody."""
    memory, rings = Memory(), []
    a = TVar(0, memory=memory)

    class Counting:
        def ring(self):
            rings.append(1)

    t = Transaction(memory)
    assert not t.attempt(lambda t: check(t.read(a)))
    with t._parked(Counting()):
        for value in range(3):
            atomically(lambda t, value=value: t.write(a, value), memory=memory)
    assert rings == [1]


def test_a_transaction_inside_a_body_is_an_error():
    """An inner transaction could commit when the outer does not; it is refused, and the thread stays usable."""
    a = TVar(0)

    def body(t):
        t.write(a, 1)
        atomically(lambda t: t.write(a, 2))

    with pytest.raises(TransactionError, match="inside"):
        atomically(body)
    assert a.value == 0
    atomically(lambda t: t.write(a, 3))
    assert a.value == 3


def test_a_transaction_that_never_ends_names_its_variables():
    """After the attempts allowed, a transaction fails with the names of what it used."""
    memory = Memory()
    a, b = TVar(0, "first", memory=memory), TVar(0, "second", memory=memory)

    def body(t):
        t.write(b, t.read(a))
        run_all(lambda: atomically(lambda t: t.write(a, 1), memory=memory))

    with pytest.raises(TransactionError, match=r"5 times.*lost 5 .*first=1\)$"):
        atomically(body, memory=memory, attempts_max=5)
    assert b.value == 0


def test_a_body_that_reads_without_end_meets_a_limit(monkeypatch):
    """A transaction reads a limited number of variables."""
    monkeypatch.setattr(transaction, "TRANSACTION_READS_MAX", 10)
    atomically(lambda t: [t.read(TVar(0)) for _ in range(10)])
    with pytest.raises(LimitError, match="10"):
        atomically(lambda t: [t.read(TVar(0)) for _ in range(11)])


class Rival:
    """Commits to `variable` in the middle of a body, or waits if that body's transaction has the memory to itself."""

    def __init__(self):
        self.idle_or_done = threading.Semaphore(0)
        self.memory = Memory(monotonic=self._clock)
        self.variable = TVar(0, memory=self.memory)
        self.threads = []

    def _clock(self):
        self.idle_or_done.release()
        return 0.0

    def _commit(self):
        atomically(lambda t: t.write(self.variable, object()), memory=self.memory)
        self.idle_or_done.release()

    def strike(self):
        thread = threading.Thread(target=self._commit, daemon=True)
        self.threads.append(thread)
        thread.start()
        assert self.idle_or_done.acquire(timeout=30)

    def join(self):
        for thread in self.threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in self.threads)


def test_a_transaction_that_always_loses_gets_the_memory_to_itself():
    """After the losses allowed it runs alone: the rival has to wait, the commit succeeds, and the rival goes on."""
    rival, runs = Rival(), []
    mine = TVar(0, memory=rival.memory)

    def body(t):
        runs.append(1)
        t.write(mine, t.read(rival.variable))
        rival.strike()

    atomically(body, memory=rival.memory)
    rival.join()
    assert len(runs) == TRANSACTION_LOSSES_MAX + 1
    assert rival.memory.statistics().exclusives == 1
    assert rival.memory.holds == []


@pytest.mark.parametrize("ending", [KeyError, retry])
def test_a_transaction_that_is_alone_lets_go_however_it_ends(ending):
    """An exception or a `retry` in a transaction that has the memory to itself gives it back."""
    rival, runs = Rival(), []
    mine = TVar(0, memory=rival.memory)

    def body(t):
        runs.append(1)
        t.write(mine, t.read(rival.variable))
        rival.strike()
        if len(runs) == TRANSACTION_LOSSES_MAX + 1:
            if ending is retry:
                retry()
            raise ending
        check(len(runs) <= TRANSACTION_LOSSES_MAX)

    t = Transaction(rival.memory)
    if ending is retry:
        assert not t.attempt(body)
    else:
        with pytest.raises(ending):
            t.attempt(body)
    rival.join()
    assert rival.memory.holds == []
    assert mine.value == 0


def test_those_who_want_to_be_alone_queue():
    """The second in the queue waits for the first, and gives its place up when it is cancelled."""
    memory = Memory()
    first, second = Transaction(memory), Transaction(memory)
    assert first._is_alone()
    assert not second._is_alone()

    async def main():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(second.wait_async(), 0.001)

    asyncio.run(main())
    assert memory.holds == [first.hold]
    assert not second._is_alone()
    first.release()
    run_all(second.wait)
    assert second._is_alone()


def test_a_transaction_that_is_always_barred_queues_too():
    """Losing to one hold after the other counts like losing to commits, so that a stream of holds starves nobody."""
    memory = Memory()
    a = TVar(0, memory=memory)
    t = Transaction(memory)
    for _ in range(TRANSACTION_LOSSES_MAX):
        memory.holds.append(Hold({}, {a: 1}))
        assert not t.attempt(lambda t: t.write(a, 5))
        memory.holds.clear()
        run_all(t.wait)
    memory.holds.append(Hold({}, {}))
    assert not t.attempt(lambda t: t.write(a, 5))
    assert memory.holds[1] is t.hold
    memory.holds.pop(0)
    assert t.attempt(lambda t: t.write(a, 5))
    assert (a.value, memory.holds) == (5, [])


def test_a_transaction_that_was_barred_can_still_sleep_in_retry():
    """The hold that was waited for is forgotten, so that a later `retry` waits for variables and does not spin."""
    memory = Memory()
    a = TVar(0, memory=memory)
    t = Transaction(memory)
    memory.holds.append(Hold({}, {a: 1}))
    assert not t.attempt(lambda t: t.write(a, 5))
    memory.holds.clear()
    assert not t.attempt(lambda t: check(t.read(a)))
    assert t._places() == [a.waiters]


@pytest.mark.usefixtures("_hasty")
def test_sixteen_threads_lose_no_update():
    """Increments of one variable by sixteen threads all count, and every commit is in the figures."""
    memory = Memory()
    hot = TVar(0, memory=memory)

    def work():
        for _ in range(1000):
            atomically(lambda t: t.write(hot, t.read(hot) + 1), memory=memory)

    run_all(*[work] * 16)
    assert hot.value == memory.statistics().commits == 16 * 1000
    assert memory.holds == []


@pytest.mark.usefixtures("_hasty")
def test_money_is_neither_made_nor_lost():
    """Readers of all accounts see the same total in every run of a body, while others transfer."""
    memory = Memory()
    accounts = [TVar(100, memory=memory) for _ in range(8)]

    def transfer(seed):
        random = Random(seed)
        for _ in range(300):
            source, target = random.sample(accounts, 2)

            def body(t, source=source, target=target):
                t.write(source, t.read(source) - 7)
                t.write(target, t.read(target) + 7)

            atomically(body, memory=memory)

    def total(t):
        assert sum(t.read(account) for account in accounts) == 800

    def look():
        for _ in range(300):
            atomically(total, memory=memory)

    run_all(*(partial(transfer, seed) for seed in range(4)), look, look)
    atomically(total, memory=memory)


class Channel:
    """A variable that holds a tuple of at most three items."""

    def __init__(self, memory):
        self.items = TVar((), memory=memory)

    def put(self, item, t):
        items = t.read(self.items)
        check(len(items) < 3)
        t.write(self.items, (*items, item))

    def take(self, t):
        items = t.read(self.items)
        check(items)
        t.write(self.items, items[1:])
        return items[0]


@pytest.mark.usefixtures("_hasty")
def test_threads_and_tasks_lose_no_wake_up():
    """Producers and consumers, in threads and on a loop, block on a small channel, and all items arrive once."""
    memory, taken = Memory(), []
    channel = Channel(memory)

    def produce(start):
        for item in range(start, start + 100):
            atomically(partial(channel.put, item), memory=memory)

    def consume():
        taken.extend(atomically(channel.take, memory=memory) for _ in range(100))

    async def produce_async(start):
        for item in range(start, start + 100):
            await atomically_async(partial(channel.put, item), memory=memory)

    async def consume_async():
        taken.extend([await atomically_async(channel.take, memory=memory) for _ in range(100)])

    async def tasks():
        async with asyncio.TaskGroup() as group:
            for number in (4, 5):
                group.create_task(produce_async(number * 100))
                group.create_task(consume_async())

    run_all(*(partial(produce, number * 100) for number in range(4)), *[consume] * 4, lambda: asyncio.run(tasks()))
    assert sorted(taken) == list(range(600))
    assert channel.items.value == ()


@pytest.mark.usefixtures("_hasty")
def test_philosophers_do_not_deadlock():
    """Five threads that each need two of five forks at once all eat their fill."""
    memory = Memory()
    forks = [TVar(True, memory=memory) for _ in range(5)]

    def eat(seat):
        mine = forks[seat], forks[(seat + 1) % 5]

        def move(t, *, present):
            for fork in mine:
                check(t.read(fork) is not present)
                t.write(fork, present)

        for _ in range(100):
            atomically(partial(move, present=False), memory=memory)
            atomically(partial(move, present=True), memory=memory)

    run_all(*(partial(eat, seat) for seat in range(5)))
    assert all(fork.value for fork in forks)
