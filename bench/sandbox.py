"""What isolation costs: a request to a warm worker, a fork per program, and a tenth of the programs hanging.

Prints a table, then one line of JSON. `--quick` takes a fraction of the requests. The machine's load at the start is
part of the result: figures of a busy machine are lower bounds.
What this file does not do: judge; the bars stand in the table beside the figures.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colony.primitives.errors import IsolationError
from colony.sandbox import Host, Limits, bubblewrap, local

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from colony.sandbox import Executor, Mode, Sandbox

HOSTS = """
import time

def plain(argument):
    return lambda request: time.sleep(60) if request == "hang" else sum(request)

def numeric(argument):
    import numpy, scipy.optimize
    return lambda request: float(numpy.sum(request))
"""
REQUEST = [0.1, 0.2, 0.3]
BATCH = 64
HANG_LIMITS = Limits(wall_seconds=1.0)
SIDE_BY_SIDE = 64


@contextlib.contextmanager
def opened(sandbox: Sandbox, factory: str, mode: Mode) -> Iterator[Executor]:
    """Return an executor of the hosts above, with a first request behind it."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "hosts.py").write_text(HOSTS)
        executor = sandbox.open(Host(factory=f"hosts:{factory}", path=(folder,)), mode=mode)
        try:
            executor.run([REQUEST] * 8, Limits(), parallel=2)
            yield executor
        finally:
            executor.close()


def warm_microseconds(sandbox: Sandbox, batches: int) -> float:
    """Wall time per request of the fastest batch of 64, sent, run and read."""
    with opened(sandbox, "plain", "warm") as executor:
        times = []
        for _ in range(batches):
            started = time.perf_counter()
            executor.run([REQUEST] * BATCH, Limits())
            times.append(time.perf_counter() - started)
    return min(times) / BATCH * 1e6


def forks_per_second(sandbox: Sandbox, factory: str, requests: int, parallel: int = 8) -> float:
    """Return requests per second, each in a process of its own."""
    with opened(sandbox, factory, "fork") as executor:
        started = time.perf_counter()
        results = executor.run([REQUEST] * requests, Limits(), parallel=parallel)
        seconds = time.perf_counter() - started
    assert all(result.status == "ok" for result in results)
    return requests / seconds


def rate(sandbox: Sandbox, requests: Iterable[Any], seconds: float) -> float:
    """Results per second in a window that opens when the first deadline has passed."""
    with opened(sandbox, "plain", "fork") as executor:
        opens, count = time.perf_counter() + 1.2 * HANG_LIMITS.wall_seconds, 0
        for _ in executor.stream(requests, HANG_LIMITS, parallel=SIDE_BY_SIDE):
            now = time.perf_counter()
            if now > opens + seconds:
                return count / (now - opens)
            count += now >= opens
    raise AssertionError("the requests have no end")


def hanging_share(sandbox: Sandbox, seconds: float) -> dict[str, float]:
    """Measure the throughput while a tenth of the requests hang for a second, and its share of what the limit allows.

    Allowed is the smaller of the rate without hanging requests, and of what the lanes leave: each hanging request holds
    one of them for a whole second.
    """
    healthy = rate(sandbox, itertools.repeat(REQUEST), seconds)
    mixed = rate(sandbox, itertools.cycle(["hang", *[REQUEST] * 9]), seconds)
    allowed = min(healthy, SIDE_BY_SIDE / (0.1 * HANG_LIMITS.wall_seconds))
    return {"hanging_per_second": mixed, "hanging_share": mixed / allowed}


def measure(sandbox: Sandbox, scale: float) -> dict[str, Any]:
    """All figures of one sandbox."""
    started = time.perf_counter()
    grade = sandbox.probe("fork").grade
    canary_seconds = time.perf_counter() - started
    return {
        "grade": grade,
        "canary_seconds": canary_seconds,
        "warm_microseconds": warm_microseconds(sandbox, int(200 * scale)),
        "plain_per_second": forks_per_second(sandbox, "plain", int(1000 * scale)),
        "numeric_per_second": forks_per_second(sandbox, "numeric", int(400 * scale)),
        **hanging_share(sandbox, 10 * scale),
    }


ROWS = (
    ("canary_seconds", "canary, once per process and mode", "s", ""),
    ("warm_microseconds", "warm worker, batches of 64", "us per request", "<= 20"),
    ("plain_per_second", "fork per program, plain Python", "per second", ">= 200"),
    ("numeric_per_second", "fork per program, numpy and scipy loaded", "per second", ">= 100"),
    ("hanging_per_second", "a tenth hanging for 1 s", "per second", ""),
    ("hanging_share", "  of what the limit allows", "", ">= 0.80"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a fifth of the requests")
    scale = 0.2 if parser.parse_args().quick else 1.0
    load = os.getloadavg()[0]
    figures: dict[str, Any] = {"cores": os.cpu_count(), "load_at_start": load, "python": sys.version.split()[0]}
    for name, sandbox in (("bubblewrap", bubblewrap.sandbox()), ("process", local.sandbox())):
        try:
            figures[name] = measure(sandbox, scale)
        except IsolationError as refusal:
            print(f"{name}: {refusal}")
            continue
        print(f"\n{name}: {figures[name]['grade']}   (load {load:.1f} on {os.cpu_count()} cores)")
        for key, text, unit, bar in ROWS:
            print(f"  {text:<44} {figures[name][key]:>10.2f} {unit:<16} {bar}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
