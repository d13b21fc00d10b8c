"""Real threads and tasks on the same variables: no update is lost, no wake-up, no permit, and all come to an end."""

import asyncio
import sys
import threading
from functools import partial
from random import Random

import pytest

from colony.stm import Memory, TBoundedQueue, TSemaphore, TVar, atomically, atomically_async, check

give_way = partial(threading.Event().wait, 1e-6)  # lets another thread have the interpreter, here and now


class Dawdling:
    """The lock of a memory, whose holder gives way to another thread every seventh time."""

    def __init__(self):
        self.lock = threading.Lock()
        self.taken = 0

    def acquire(self, blocking=True):
        got = self.lock.acquire(blocking)
        if got:
            self.taken += 1
            if self.taken % 7 == 0:
                give_way()
        return got

    def release(self):
        self.lock.release()

    def __enter__(self):
        self.acquire()

    def __exit__(self, *_):
        self.release()


@pytest.fixture
def memory():
    """A memory in which threads meet in the middle of everything: of a body, and of a commit."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    memory = Memory()
    memory.lock = Dawdling()
    yield memory
    sys.setswitchinterval(interval)
    assert memory.holds == []


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


def in_tasks(*functions):
    """Make a function for a thread that runs the coroutine functions as tasks of one loop."""

    async def main():
        async with asyncio.TaskGroup() as group:
            for function in functions:
                group.create_task(function())

    return lambda: asyncio.run(main())


def test_sixteen_threads_lose_no_update(memory):
    """Increments of one variable by sixteen threads all count, and every commit is in the figures."""
    hot = TVar(0, memory=memory)

    def increment(t):
        value = t.read(hot)
        if value % 5 == 0:
            give_way()
        t.write(hot, value + 1)

    def work():
        for _ in range(500):
            atomically(increment, memory=memory)

    run_all(*[work] * 16)
    figures = memory.statistics()
    assert hot.value == figures.commits == 16 * 500
    assert figures.conflicts > 0


def transfers(accounts, seed):
    """Yield bodies that move seven from one of the accounts to another."""
    random = Random(seed)
    for _ in range(300):
        source, target = random.sample(accounts, 2)

        def body(t, source=source, target=target):
            t.write(source, t.read(source) - 7)
            if seed % 2:
                give_way()
            t.write(target, t.read(target) + 7)

        yield body


def test_money_is_neither_made_nor_lost(memory):
    """Auditors see the same total in every run of a body, while threads and tasks transfer between the accounts."""
    accounts = [TVar(100, memory=memory) for _ in range(8)]

    def transfer(seed):
        for body in transfers(accounts, seed):
            atomically(body, memory=memory)

    async def transfer_async(seed):
        for body in transfers(accounts, seed):
            await atomically_async(body, memory=memory)

    def total(t):
        half = sum(t.read(account) for account in accounts[:4])
        give_way()
        assert half + sum(t.read(account) for account in accounts[4:]) == 800

    def look():
        for _ in range(300):
            atomically(total, memory=memory)

    run_all(
        *(partial(transfer, seed) for seed in range(3)),
        in_tasks(*(partial(transfer_async, seed) for seed in (3, 4))),
        look,
        look,
    )
    atomically(total, memory=memory)


def test_threads_and_tasks_lose_no_wake_up(memory):
    """Producers and consumers, in threads and on a loop, block on a small queue, and all items arrive once."""
    taken = []
    queue = TBoundedQueue(3, memory=memory)

    def produce(start):
        for item in range(start, start + 100):
            atomically(lambda t, item=item: queue.put(t, item), memory=memory)

    def consume():
        taken.extend(atomically(queue.take, memory=memory) for _ in range(100))

    async def produce_async(start):
        for item in range(start, start + 100):
            await atomically_async(lambda t, item=item: queue.put(t, item), memory=memory)

    async def consume_async():
        taken.extend([await atomically_async(queue.take, memory=memory) for _ in range(100)])

    run_all(
        *(partial(produce, number * 100) for number in range(4)),
        *[consume] * 4,
        in_tasks(consume_async, consume_async, *(partial(produce_async, number * 100) for number in (4, 5))),
    )
    assert sorted(taken) == list(range(600))
    assert atomically(queue.is_empty, memory=memory)


def test_items_of_one_producer_arrive_in_order(memory):
    """However many take turns at a queue, one consumer sees the items of each producer in the order they were put."""
    taken = []
    queue = TBoundedQueue(2, memory=memory)

    def produce(name):
        for number in range(200):
            atomically(lambda t, number=number: queue.put(t, (name, number)), memory=memory)

    run_all(
        *(partial(produce, name) for name in "abc"),
        lambda: taken.extend(atomically(queue.take, memory=memory) for _ in range(600)),
    )
    for name in "abc":
        assert [number for whose, number in taken if whose == name] == list(range(200))


def test_a_semaphore_is_never_exceeded(memory):
    """With three permits, never more than three of ten workers, threads and tasks, are inside."""
    inside, most = set(), []
    semaphore = TSemaphore(3, memory=memory)

    def visit(who):
        inside.add(who)
        most.append(len(inside))

    def work(who):
        for _ in range(100):
            atomically(semaphore.acquire, memory=memory)
            visit(who)
            give_way()
            inside.discard(who)
            atomically(semaphore.release, memory=memory)

    async def work_async(who):
        for _ in range(100):
            await atomically_async(semaphore.acquire, memory=memory)
            visit(who)
            await asyncio.sleep(0)
            inside.discard(who)
            await atomically_async(semaphore.release, memory=memory)

    run_all(*(partial(work, who) for who in range(6)), in_tasks(*(partial(work_async, who) for who in range(6, 10))))
    assert max(most) <= 3
    assert len(most) == 1000
    assert atomically(semaphore.value, memory=memory) == 3


def test_philosophers_do_not_deadlock(memory):
    """Five threads that each need two of five forks at once all eat their fill."""
    forks = [TVar(True, memory=memory) for _ in range(5)]

    def eat(seat):
        mine = forks[seat], forks[(seat + 1) % 5]

        def move(t, *, present):
            for fork in mine:
                check(t.read(fork) is not present)
                give_way()
                t.write(fork, present)

        for _ in range(100):
            atomically(partial(move, present=False), memory=memory)
            atomically(partial(move, present=True), memory=memory)

    run_all(*(partial(eat, seat) for seat in range(5)))
    assert all(fork.value for fork in forks)
