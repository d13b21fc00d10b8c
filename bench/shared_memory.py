"""Shared memory between processes: a table, and one JSON line with the figures.

    python bench/shared_memory.py           about 25 seconds
    python bench/shared_memory.py --quick   about 8 seconds, noisier

The peer is the standard library's: a dict and a lock in a `multiprocessing` manager's process. Both sides do the same
transaction, "read two variables, write one", in turns of one run, so that their ratio does not depend on what else the
machine does. The manager's version has no rollback, no waiting for a change and no past; waking up is measured there
with a condition variable. Each rate is the median over rounds; a wake-up is from just before the write in one process
until just after the blocked call returned in another. What it does not measure: networks, for there is none.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from multiprocessing.managers import SyncManager
from pathlib import Path
from statistics import median
from typing import Any

from colony.memory.named_memory import NamedMemory
from colony.memory.remote.remote_memory import RemoteMemory
from colony.memory.remote.served_memory import serve
from colony.node.memories import open_memory
from colony.primitives.clock import SystemClock
from colony.primitives.keys import Key
from colony.stm import check

KEY = Key(b"\x07" * 32)
SPAWN = get_context("spawn")


def step(a: Any, b: Any, t: Any) -> None:
    """The transaction that is measured."""
    t.write(a, t.read(a) + t.read(b) + 1)


def repeat(call: Callable[[], object], seconds: float) -> float:
    """Call for `seconds`; return calls per second."""
    count, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        for _ in range(20):
            call()
        count += 20
    return count / spent


# -- what worker processes do -----------------------------------------------------------------------------------------


def remote_rate(path: str, own: str, seconds: float, barrier: Any, results: Any) -> None:
    with RemoteMemory(Path(path)) as memory:
        a, b = memory.variable(own, 0), memory.variable("b", 0)
        barrier.wait()
        results.put(repeat(lambda: memory.atomically(partial(step, a, b)), seconds))


def managed_rate(shared: Any, lock: Any, own: str, seconds: float, barrier: Any, results: Any) -> None:
    def transaction() -> None:
        with lock:
            shared[own] = shared[own] + shared["b"] + 1

    barrier.wait()
    results.put(repeat(transaction, seconds))


def remote_sleeper(path: str, wakes: int, results: Any) -> None:
    with RemoteMemory(Path(path)) as memory:
        signal, last = memory.variable("signal", 0.0), 0.0
        ready = memory.variable("ready", 0)
        for number in range(wakes):
            memory.atomically(lambda t, number=number: t.write(ready, number + 1))
            last = memory.atomically(lambda t, last=last: check(t.read(signal) != last) or t.read(signal))
            results.put(time.perf_counter() - last)


def managed_sleeper(shared: Any, condition: Any, wakes: int, results: Any) -> None:
    last = 0.0
    for number in range(wakes):
        with condition:
            shared["ready"] = number + 1
            while shared["signal"] == last:
                condition.wait()
            last = shared["signal"]
        results.put(time.perf_counter() - last)


# -- what is measured -------------------------------------------------------------------------------------------------


@contextmanager
def served(memory: NamedMemory) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s"
        with serve(memory, path):
            yield str(path)


@contextmanager
def managed() -> Iterator[SyncManager]:
    with SPAWN.Manager() as manager:
        yield manager


def together(target: Callable[..., None], first: tuple[Any, ...], names: list[str], seconds: float) -> float:
    """Let one process for each name repeat its transaction; return transactions per second of all."""
    barrier, results = SPAWN.Barrier(len(names)), SPAWN.Queue()
    processes = [SPAWN.Process(target=target, args=(*first, name, seconds, barrier, results)) for name in names]
    for process in processes:
        process.start()
    rates = [results.get(timeout=60 + seconds) for _ in processes]
    for process in processes:
        process.join()
    return float(sum(rates))


def remote(names: list[str], seconds: float) -> float:
    with served(NamedMemory()) as path:
        return together(remote_rate, (path,), names, seconds)


def journaled(names: list[str], seconds: float) -> float:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_memory(Path(folder), KEY, SystemClock()) as memory,
        served(memory) as path,
    ):
        return together(remote_rate, (path,), names, seconds)


def peer(names: list[str], seconds: float) -> float:
    with managed() as manager:
        shared = manager.dict(dict.fromkeys([*names, "b"], 0))
        return together(managed_rate, (shared, manager.Lock()), names, seconds)


def within(seconds: float) -> float:
    memory = NamedMemory()
    a, b = memory.variable("a", 0), memory.variable("b", 0)
    return repeat(lambda: memory.atomically(partial(step, a, b)), seconds)


def wake_remote(wakes: int) -> float:
    """The median milliseconds from a commit in the node to the wake-up of another process."""
    memory, results = NamedMemory(), SPAWN.Queue()
    signal, ready = memory.variable("signal", 0.0), memory.variable("ready", 0)
    with served(memory) as path:
        process = SPAWN.Process(target=remote_sleeper, args=(path, wakes, results))
        process.start()
        for number in range(wakes):
            memory.atomically(lambda t, number=number: check(t.read(ready) > number))
            while not signal.waiters:
                time.sleep(0.0005)
            now = time.perf_counter()
            memory.atomically(lambda t, now=now: t.write(signal, now))
        delays = [results.get(timeout=60) for _ in range(wakes)]
        process.join()
    return 1000 * median(delays)


def wake_peer(wakes: int) -> float:
    """The same with a manager's condition variable."""
    results = SPAWN.Queue()
    with managed() as manager:
        shared, condition = manager.dict({"signal": 0.0, "ready": 0}), manager.Condition()
        process = SPAWN.Process(target=managed_sleeper, args=(shared, condition, wakes, results))
        process.start()
        for number in range(wakes):
            while shared["ready"] <= number:
                time.sleep(0.0005)
            with condition:  # whoever said `ready` under the lock sleeps by now
                now = time.perf_counter()
                shared["signal"] = now
                condition.notify_all()
        delays = [results.get(timeout=60) for _ in range(wakes)]
        process.join()
    return 1000 * median(delays)


def figures(*, quick: bool) -> Iterator[tuple[str, float]]:
    rounds, seconds, wakes = (1, 1.0, 100) if quick else (3, 1.5, 400)
    one, four, hot = ["a"], list("acde"), ["a"] * 4
    pairs = [(remote(one, seconds), peer(one, seconds)) for _ in range(rounds)]
    yield "remote_one_process_per_second", median(ours for ours, _ in pairs)
    yield "manager_one_process_per_second", median(theirs for _, theirs in pairs)
    yield "remote_over_manager_one_process", median(ours / theirs for ours, theirs in pairs)
    crowds = [(remote(four, seconds), peer(four, seconds)) for _ in range(rounds)]
    yield "remote_four_processes_per_second", median(ours for ours, _ in crowds)
    yield "manager_four_processes_per_second", median(theirs for _, theirs in crowds)
    yield "remote_over_manager_four_processes", median(ours / theirs for ours, theirs in crowds)
    yield "remote_four_processes_one_variable_per_second", median(remote(hot, seconds) for _ in range(rounds))
    yield "remote_journaled_four_processes_per_second", median(journaled(four, seconds) for _ in range(rounds))
    yield "within_one_thread_per_second", median(within(seconds / 2) for _ in range(rounds))
    yield "wake_another_process_milliseconds", wake_remote(wakes)
    yield "manager_wake_another_process_milliseconds", wake_peer(wakes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="shorter rounds")
    measured = {}
    for name, value in figures(quick=parser.parse_args().quick):
        measured[name] = round(value, 3)
        print(f"{name:<50} {value:>12,.2f}")
    print(json.dumps({"bench": "shared_memory", **measured}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
