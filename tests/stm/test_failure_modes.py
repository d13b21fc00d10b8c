"""Deadlock, livelock and starvation: each is provoked where it belongs, and then shown absent from transactions."""

import sys
import threading
from functools import partial
from itertools import pairwise

import pytest

from colony.primitives.errors import TransactionError
from colony.primitives.limits import TRANSACTION_LOSSES_MAX
from colony.stm import Memory, TVar, atomically, transaction
from colony.stm.transaction import LostSignal, Transaction
from colony.stm.tvar import TURN_COMMITS


def run_all(*targets):
    """Run the functions in threads of their own, to their end."""
    threads = [threading.Thread(target=target, daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


# Deadlock: each holds what the other waits for.


def test_locks_taken_in_opposite_order_deadlock():
    """Two threads that lock two accounts, each its own first, wait for each other: neither gets its second lock."""
    locks, both = [threading.Lock(), threading.Lock()], threading.Barrier(2, timeout=30)
    got_second = []

    def transfer(source, target):
        with locks[source]:
            both.wait()  # each has its first lock
            got = locks[target].acquire(timeout=0.05)
            got_second.append(got)
            if got:
                locks[target].release()
            both.wait()  # and keeps it until both have tried for the second

    run_all(partial(transfer, 0, 1), partial(transfer, 1, 0))
    assert got_second == [False, False]


def test_transactions_over_the_same_accounts_do_not_deadlock():
    """The same two transfers, each in the middle of its body at the same time, both commit, and no money is lost."""
    memory, both = Memory(), threading.Barrier(2, timeout=30)
    accounts = [TVar(100, memory=memory), TVar(100, memory=memory)]

    def transfer(source, target, amount):
        runs = []

        def body(t):
            runs.append(1)
            t.write(accounts[source], t.read(accounts[source]) - amount)
            if len(runs) == 1:
                both.wait()  # each has written its first account
            t.write(accounts[target], t.read(accounts[target]) + amount)

        atomically(body, memory=memory)

    run_all(partial(transfer, 0, 1, 30), partial(transfer, 1, 0, 5))
    assert [account.value for account in accounts] == [75, 125]


# Livelock: all are busy with starting over, and nobody gets anywhere.


class AbortTheOther:
    """The naive policy, as a model: whoever wants a variable takes it, and the one who had it starts over."""

    def __init__(self, plans):
        self.plans = plans
        self.done = [0] * len(plans)
        self.commits = 0
        self.aborts = 0

    def step(self, who):
        wanted = self.plans[who][self.done[who]]
        for other, plan in enumerate(self.plans):
            if other != who and wanted in plan[: self.done[other]]:
                self.done[other] = 0
                self.aborts += 1
        self.done[who] += 1
        if self.done[who] == len(self.plans[who]):
            self.done[who] = 0
            self.commits += 1


class InSteps:
    """The same plan as a transaction of ours, driven step by step: it reads and writes each of its variables."""

    def __init__(self, memory, plan):
        self.t = Transaction(memory)
        self.plan = plan
        self.done = self.commits = 0

    def step(self):
        try:
            if self.done < len(self.plan):
                self.t.modify(self.plan[self.done], lambda value: value + 1)
                self.done += 1
                return
            if self.t._commit():
                self.commits += 1
                self.t = Transaction(self.t.memory)
        except LostSignal:
            pass
        self.done = 0
        if self.t.losses:
            self.t._may_run_again()


def test_aborting_the_other_livelocks():
    """Two transactions over the same two variables in opposite order, in lockstep: for ever aborted, none commits."""
    model = AbortTheOther(["xyxyxyx", "yxyxyxy"])
    for _ in range(1_000):
        model.step(0)
        model.step(1)
    assert model.commits == 0
    assert model.aborts >= 999


def test_a_run_of_ours_is_lost_only_to_a_commit():
    """The same two in the same lockstep both get on, since whenever one loses, the other has committed."""
    memory = Memory()
    x, y = TVar(0, "x", memory=memory), TVar(0, "y", memory=memory)
    both = InSteps(memory, [x, y, x, y, x, y, x]), InSteps(memory, [y, x, y, x, y, x, y])
    for _ in range(1_000):
        for one in both:
            one.step()
    figures = memory.statistics()
    assert figures.commits == sum(one.commits for one in both) >= 100
    assert all(one.commits > 0 for one in both)
    assert 0 < figures.conflicts <= figures.commits
    assert x.value + y.value == 7 * figures.commits


# Starvation: the others get on, one does not.


def audit_among_writers(losses_max, attempts_max):
    """Let a long reader read accounts between which a short writer commits, each time it can; return its runs."""
    memory, runs = Memory(losses_max=losses_max), []
    first, last, report = (TVar(0, name, memory=memory) for name in ("first", "last", "report"))

    def write():
        t = Transaction(memory)
        t.modify(first, lambda value: value + 1)
        t.modify(last, lambda value: value - 1)
        return t._commit()  # False: barred by a hold

    def audit(t):
        runs.append(1)
        total = t.read(first)
        write()
        t.write(report, (total + t.read(last), len(runs)))

    atomically(audit, memory=memory, attempts_max=attempts_max)
    assert report.value == (0, len(runs))
    return len(runs), memory.statistics()


def test_without_the_limit_on_losses_a_long_reader_starves():
    """A reader that never gets the memory to itself loses every run to a writer, and the error says to whom."""
    with pytest.raises(TransactionError, match=r"500 times .* lost 500 of them to changes of .*first"):
        audit_among_writers(sys.maxsize, 500)


@pytest.mark.parametrize("losses_max", [0, 3, TRANSACTION_LOSSES_MAX])
def test_with_the_limit_on_losses_a_long_reader_commits(losses_max):
    """The same reader commits in the run after its last loss, during which the writers wait; the figures say so."""
    runs, figures = audit_among_writers(losses_max, 500)
    assert runs == max(1, losses_max) + 1
    assert (figures.conflicts, figures.most_losses, figures.exclusives) == (runs - 1, runs - 1, 1)


# Bad luck with the interpreter, and the convoy: a queue for a lock whose holder waits for the interpreter.


def test_a_thread_that_commits_a_lot_lets_others_go_first(monkeypatch):
    """It gives way after a turn; turns grow while nobody commits in the gap, and are short again once somebody does."""
    memory, clocks = Memory(), [0]
    a = TVar(0, memory=memory)

    def others(_seconds):
        clocks.append(memory.clock)
        if len(clocks) > 9:
            rival = Transaction(memory)
            rival.write(a, 0)
            assert rival._commit()

    monkeypatch.setattr(transaction, "sleep", others)
    while len(clocks) < 13:
        atomically(lambda t: t.modify(a, lambda value: value + 1), memory=memory)
    turns = [(now - before) // TURN_COMMITS for before, now in pairwise(clocks)]
    assert turns == [1, 2, 4, 8, 16, 32, 64, 64, 64, 1, 1, 1]


class Busy:
    """A lock that is taken at the first two requests, and refuses to be queued for."""

    def __init__(self):
        self.requests = 0

    def acquire(self, blocking=True):
        assert not blocking, "queued for the lock"
        self.requests += 1
        return self.requests % 3 == 0

    def release(self):
        pass

    def __enter__(self):
        pass

    def __exit__(self, *_):
        pass


def test_nobody_queues_for_the_lock_of_a_commit():
    """A commit, and a run that moves its snapshot, ask again for a lock that is taken, and never queue for it."""
    memory = Memory()
    a, b = TVar(0, memory=memory), TVar(0, memory=memory)
    memory.lock = Busy()
    moving = Transaction(memory)
    moving.read(a)
    atomically(lambda t: t.write(b, 1), memory=memory)
    assert memory.lock.requests == 3
    assert moving.read(b) == 1
    assert memory.lock.requests == 6
