"""Transactions against each other: serial, opaque, awake and fair; and each thing that could go on for ever, ended."""

import asyncio
import itertools
import threading

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from colony.primitives.errors import LimitError, TransactionError
from colony.primitives.limits import TRANSACTION_LOSSES_MAX
from colony.stm import Memory, TVar, atomically, atomically_async, check, retry, transaction
from colony.stm.transaction import LostSignal, Transaction
from colony.stm.waiting import Hold


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


@pytest.mark.parametrize("step", ["read", "write"])
def test_a_run_that_never_ends_is_stopped_and_names_what_it_goes_over(monkeypatch, step):
    """A body that reads or writes without end meets the limit on steps; the variables of its loop are named first."""
    monkeypatch.setattr(transaction, "TRANSACTION_STEPS_MAX", 100)
    once, a, b = TVar(0, "once"), TVar(0, "a"), TVar(0, "b")

    def body(t):
        t.write(once, 1)
        for variable in itertools.cycle([a, b]):
            t.read(variable) if step == "read" else t.write(variable, 5)

    with pytest.raises(LimitError, match=r"100 steps and went on over TVar\([ab]=0\), TVar\([ab]=0\);"):
        atomically(body)
    assert (once.value, a.value) == (0, 0)


def test_the_steps_of_a_run_are_its_own(monkeypatch):
    """Steps are counted for one run: one that starts over has them all again."""
    monkeypatch.setattr(transaction, "TRANSACTION_STEPS_MAX", 100)
    monkeypatch.setattr(transaction, "_STEPS_TALLIED", 1)
    memory = Memory()
    a = TVar(0, memory=memory)

    def body(t):
        if t.read(a) < 10:
            rival = Transaction(memory)
            rival.modify(a, lambda value: value + 1)
            assert rival._commit()
        for _ in range(100):
            t.write(a, -1)

    atomically(body, memory=memory)
    assert a.value == -1


def test_a_retry_that_waits_too_long_names_what_it_waited_for():
    """After the time allowed, a blocked transaction fails in a thread and in a task, and leaves no waiter behind."""
    memory = Memory()
    door, window = TVar(False, "door", memory=memory), TVar([0] * 1000, memory=memory)

    def body(t):
        check(t.read(door) or t.read(window)[0])

    said = r"too long in `retry` for a change of TVar\(door=False\), TVar\(unnamed=\[0, 0, 0, 0, 0, 0, \.\.\.\]\)$"
    with pytest.raises(TransactionError, match=said):
        atomically(body, memory=memory, wait_seconds_max=0.001)
    with pytest.raises(TransactionError, match=said):
        asyncio.run(atomically_async(body, memory=memory, wait_seconds_max=0.001))
    assert (door.waiters, window.waiters) == (set(), set())


def test_the_time_allowed_is_for_all_waits_together():
    """A transaction that is woken again and again in vain still comes to the end of its patience."""
    memory = Memory(monotonic=itertools.count(0, 10).__next__)
    a = TVar(0, memory=memory)
    t = Transaction(memory, wait_seconds_max=15)
    for value in range(2):  # each wait ends at once, as the variable has changed, and takes ten seconds by that clock
        assert not t.attempt(lambda t: check(t.read(a) < 0))
        atomically(lambda t, value=value: t.write(a, value), memory=memory)
        t.wait()
    assert not t.attempt(lambda t: check(t.read(a) < 0))
    assert t.wait_seconds_left == 0
    with pytest.raises(TransactionError, match="too long"):
        t.wait()


def test_a_wait_for_another_that_commits_can_be_too_long():
    """Also a transaction that is kept waiting by a commit in progress ends with an error that says so."""
    memory = Memory()
    a = TVar(0, memory=memory)
    memory.holds.append(Hold({}, {a: 1}))
    with pytest.raises(TransactionError, match="committing holds it up"):
        atomically(lambda t: t.write(a, 1), memory=memory, wait_seconds_max=0.001)
    assert len(memory.holds) == 1
    assert not memory.holds[0].waiters


def test_a_transaction_woken_in_vain_too_often_says_so():
    """Attempts are also those of a `retry` that is woken each time and goes on waiting."""
    memory = Memory()
    a = TVar(0, "a", memory=memory)

    def body(t):
        t.read(a)
        rival = Transaction(memory)
        rival.write(a, 1)
        assert rival._commit()
        retry()

    with pytest.raises(TransactionError, match=r"7 times .* said `retry` each time, having read TVar\(a=1\)"):
        atomically(body, memory=memory, attempts_max=7)


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


def test_a_transaction_that_waited_in_retry_has_its_losses_forgiven():
    """One that was given the memory to itself and then said `retry` competes like any other when it is woken."""
    memory = Memory(losses_max=1)
    a = TVar(0, memory=memory)
    t, rival = Transaction(memory), Transaction(memory)
    rival.write(a, 1)

    def body(t):
        t.write(a, t.read(a) + 1)
        if t.attempts == 1:
            assert rival._commit()
        check(t.attempts != 2)

    assert not t.attempt(body)
    assert memory.statistics().exclusives == 1
    assert t.attempt(body)
    assert memory.statistics().exclusives == 1


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
