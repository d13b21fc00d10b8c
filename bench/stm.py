"""The speed and fairness of shared memory: a table, and one JSON line with the figures and the bars.

    python bench/stm.py           about 35 seconds
    python bench/stm.py --quick   about 10 seconds, noisier

Rates are medians over rounds of one process; contended and uncontended rounds alternate, so that their ratio does not
depend on what else the machine does. The share of the slowest of sixteen threads stands beside that of threads which
share nothing, since it is the interpreter that deals out the time. What it does not measure: a journal (the durable
figures use an append that does nothing, or waits a millisecond as a disk would).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from colony.memory.shared_memory import DurableTransaction, SharedMemory
from colony.stm import Memory, TBoundedQueue, Transaction, TVar, atomically, atomically_async, check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

THREADS = 16
WAITERS = 10_000


@dataclass(frozen=True)
class Figure:
    """One measured figure; `bar` is the least (or, with `at_most`, the greatest) value that will do."""

    name: str
    value: float
    bar: float | None = None
    at_most: bool = False

    @property
    def margin(self) -> float | None:
        """How many times better than the bar it is; below 1 the bar is missed."""
        if self.bar is None:
            return None
        return self.bar / max(self.value, 1e-9) if self.at_most else self.value / self.bar

    @property
    def holds(self) -> bool:
        """Whether the bar is met; a figure without one always does."""
        return self.margin is None or self.margin >= 1


def rate(body: Callable[[Transaction], None], memory: Memory, seconds: float) -> float:
    """Commit `body` for `seconds` on this thread; return transactions per second that it had a core."""
    count, start = 0, time.thread_time()
    while (spent := time.thread_time() - start) < seconds:
        for _ in range(1000):
            atomically(body, memory=memory)
        count += 1000
    return count / spent


def uncontended(rounds: int, seconds: float) -> float:
    memory = Memory()
    a, b = TVar(0, memory=memory), TVar(0, memory=memory)
    return median(rate(lambda t: t.write(a, t.read(a) + t.read(b) + 1), memory, seconds) for _ in range(rounds))


def race(threads: int, seconds: float, step: Callable[[], None]) -> tuple[float, float]:
    """Let `threads` repeat `step`; return steps per second together, and the mean over the slowest."""
    barrier, stop, counts = threading.Barrier(threads + 1), threading.Event(), [0] * threads

    def work(number: int) -> None:
        barrier.wait()
        while not stop.is_set():
            step()
            counts[number] += 1

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    barrier.wait()
    start = time.perf_counter()
    time.sleep(seconds)
    stop.set()
    for worker in workers:
        worker.join()
    spent = time.perf_counter() - start
    return sum(counts) / spent, sum(counts) / threads / max(1, min(counts))


def hot(threads: int, seconds: float) -> tuple[float, float, Memory]:
    """Let `threads` increment one variable; return what `race` does, and the memory."""
    memory = Memory()
    variable = TVar(0, memory=memory)
    outcome = race(
        threads, seconds, lambda: atomically(lambda t: t.write(variable, t.read(variable) + 1), memory=memory)
    )
    assert variable.value == memory.statistics().commits, "an update was lost"
    return *outcome, memory


def contended(rounds: int, seconds: float) -> Iterator[Figure]:
    pairs = [(hot(THREADS, seconds), hot(1, seconds / 4)) for _ in range(rounds)]
    yield Figure("hot_one_thread_per_second", median(one for _, (one, _, _) in pairs))
    yield Figure("hot_16_threads_per_second", median(many for (many, _, _), _ in pairs))
    yield Figure("hot_16_threads_share", median(many / one for (many, _, _), (one, _, _) in pairs), 0.4)
    yield Figure("hot_mean_over_slowest", median(ratio for (_, ratio, _), _ in pairs), 3.0, at_most=True)
    control = (race(THREADS, seconds, lambda: sum(range(100)))[1] for _ in range(rounds))
    yield Figure("without_memory_mean_over_slowest", median(control))
    figures = [memory.statistics() for (_, _, memory), _ in pairs]
    yield Figure("hot_conflicts", sum(figure.conflicts for figure in figures))
    yield Figure("hot_most_losses", max(figure.most_losses for figure in figures))


def nested_microseconds(writes: int, count: int) -> float:
    """Undo `count` nested parts of one write each after `writes` others; return the time for one part."""
    memory = Memory()
    variables = [TVar(0, memory=memory) for _ in range(writes)]

    def fail(t: Transaction) -> None:
        t.write(variables[0], 2)
        raise LookupError

    def body(t: Transaction) -> float:
        for variable in variables:
            t.write(variable, 1)
        start = time.thread_time()
        for _ in range(count):
            with suppress(LookupError):
                t.nested(fail)
        return 1e6 * (time.thread_time() - start) / count

    return atomically(body, memory=memory)


def queue_per_second(producers: int, seconds: float) -> float:
    """Pass items through a queue of 64 from `producers` threads to as many others; return items per second."""
    memory, stop = Memory(), threading.Event()
    queue: TBoundedQueue[int | None] = TBoundedQueue(64, memory=memory)
    taken = [0] * producers

    def produce() -> None:
        while not stop.is_set():
            atomically(lambda t: queue.put(t, 0), memory=memory)
        atomically(lambda t: queue.put(t, None), memory=memory)

    def consume(number: int) -> None:
        while atomically(queue.take, memory=memory) is not None:
            taken[number] += 1

    threads = [threading.Thread(target=produce) for _ in range(producers)]
    threads += [threading.Thread(target=consume, args=(number,)) for number in range(producers)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    return sum(taken) / (time.perf_counter() - start)


def wake_milliseconds(wakes: int) -> float:
    """Measure from just before a write to just after the blocked transaction returned; the median over `wakes`."""
    memory, delays = Memory(), []
    signal: TVar[float] = TVar(0.0, memory=memory)
    answer: TVar[float] = TVar(0.0, memory=memory)

    def changed(last: float, t: Transaction) -> float:
        check(t.read(signal) != last)
        return t.read(signal)

    def sleeper() -> None:
        last = 0.0
        for _ in range(wakes):
            last = atomically(partial(changed, last), memory=memory)
            delays.append(time.perf_counter() - last)
            atomically(lambda t, last=last: t.write(answer, last), memory=memory)

    thread = threading.Thread(target=sleeper)
    thread.start()
    for _ in range(wakes):
        while not signal.waiters:
            time.sleep(0.0002)
        now = time.perf_counter()
        atomically(lambda t, now=now: t.write(signal, now), memory=memory)
        atomically(lambda t, now=now: check(t.read(answer) == now), memory=memory)
    thread.join()
    return 1000 * median(delays)


async def many_waiters(idle_seconds: float) -> Iterator[Figure]:
    memory = Memory()
    door = TVar(False, memory=memory)
    async with asyncio.TaskGroup() as group:
        for _ in range(WAITERS):
            group.create_task(atomically_async(lambda t: check(t.read(door)), memory=memory))
        await asyncio.sleep(0)  # one turn of the loop: each task runs its body and goes to wait
        assert len(door.waiters or ()) == WAITERS
        before = time.process_time()
        await asyncio.sleep(idle_seconds)
        share = (time.process_time() - before) / idle_seconds
        start = time.perf_counter()
        atomically(lambda t: t.write(door, True), memory=memory)
    seconds = time.perf_counter() - start
    return iter(
        (
            Figure("waiters_cpu_share", share, 0.01, at_most=True),
            Figure("waiters_all_woken_milliseconds", 1000 * seconds),
        )
    )


def durable(append: Callable[[object], None], threads: int, seconds: float) -> float:
    """Commit one emission and one write, each thread to a variable of its own; return commits per second."""
    memory, stop = SharedMemory(append), threading.Event()

    def work(variable: TVar[int]) -> None:
        def body(t: DurableTransaction) -> None:
            t.write(variable, t.read(variable) + 1)
            t.emit("counted/1", {})

        while not stop.is_set():
            memory.atomically(body)

    workers = [threading.Thread(target=work, args=(memory.variable(0),)) for _ in range(threads)]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    time.sleep(seconds)
    stop.set()
    for worker in workers:
        worker.join()
    return memory.statistics().commits / (time.perf_counter() - start)


def figures(*, quick: bool) -> Iterator[Figure]:
    rounds, seconds = (1, 2.0) if quick else (5, 2.0)
    yield Figure("uncontended_per_second", uncontended(rounds, seconds / 2), 200_000)
    yield from contended(rounds, seconds)
    yield Figure("wake_milliseconds", wake_milliseconds(200 if quick else 1000), 1.0, at_most=True)
    yield from asyncio.run(many_waiters(0.5 if quick else 2.0))
    yield Figure("nested_undone_microseconds", nested_microseconds(10, 20_000))
    yield Figure("nested_after_300_writes_microseconds", nested_microseconds(300, 20_000))
    yield Figure("queue_1_to_1_threads_per_second", queue_per_second(1, seconds / 2))
    yield Figure("queue_8_to_8_threads_per_second", queue_per_second(8, seconds / 2))
    yield Figure("durable_per_second", durable(lambda _: None, 1, seconds / 2))
    yield Figure("durable_1ms_one_thread_per_second", durable(lambda _: time.sleep(0.001), 1, seconds / 2))
    yield Figure("durable_1ms_8_threads_per_second", durable(lambda _: time.sleep(0.001), 8, seconds / 2))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="shorter rounds")
    measured = []
    for figure in figures(quick=parser.parse_args().quick):
        measured.append(figure)
        bar = "" if figure.bar is None else f"{'<=' if figure.at_most else '>='} {figure.bar:,g}"
        times = "" if figure.margin is None else f"{figure.margin:,.3g} times" if figure.holds else "MISSED"
        print(f"{figure.name:36}{figure.value:>14,.6g}  {bar:14}{times}", flush=True)
    missed = [figure.name for figure in measured if not figure.holds]
    report = {figure.name: figure.value for figure in measured}
    print(json.dumps({"bench": "stm", "python": sys.version.split()[0], **report, "missed": missed}))
    return len(missed)


if __name__ == "__main__":
    sys.exit(main())
