"""How fast the journal is: appended unsigned, appended signed, group-committed one by one, replayed, verified, audited.

The unsigned path appends records of 1 KB whose bytes and signatures were made before the clock starts: it measures what
the journal itself costs (rules, tree, one signed head and one sync for each group). The signed path encodes and signs
each record too. Prints a table and, as the last line, one JSON object. CPU time stands beside the rates, for neighbours
on a shared machine slow only the rates. What this file does not do: tell a slow disk from a slow journal.
"""

from __future__ import annotations

import argparse
import json
import platform
import sqlite3
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from colony.journal import Author, FreshRecord, Kind
from colony.journal.committer import GroupCommitter
from colony.journal.sqlite import SqliteLog, SqliteReader, audit_file
from colony.primitives.clock import HybridClock, SystemClock
from colony.primitives.keys import Key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

KINDS = {"bench.measured/1": Kind("One measurement.", {"run": str})}
KEY = Key.derive(b"bench", "node")
BARS = {"append unsigned": 100_000, "replay": 300_000}


@dataclass(frozen=True)
class Measure:
    """Wall and CPU seconds of one pass over `records` records."""

    records: int
    wall_seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Records per second."""
        return self.records / self.wall_seconds

    @property
    def cpu_microseconds(self) -> float:
        """CPU time of one record, in all threads."""
        return self.cpu_seconds / self.records * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the records")
    parser.add_argument("--directory", type=Path, default=None, help="where to write (default: a temporary directory)")
    options = parser.parse_args()
    count = 20_000 if options.quick else 200_000
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        measures = dict(measured(Path(directory), count))
    print(f"{'measure':<24}{'records/s':>12}{'CPU us each':>14}{'bar':>10}")
    for name, measure in measures.items():
        bar = BARS.get(name, 0)
        verdict = "" if measure.rate >= bar else "  missed"
        print(f"{name:<24}{measure.rate:>12,.0f}{measure.cpu_microseconds:>14.2f}{bar or '':>10}{verdict}")
    rates = {name: round(measure.rate) for name, measure in measures.items()}
    machine = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version, "machine": platform.machine()}
    print(json.dumps({"bench": "journal", "records": count, "rates": rates} | machine))


def measured(directory: Path, count: int) -> Iterator[tuple[str, Measure]]:
    """Yield each measure by its name: unsigned path first, then replay, then everything with signatures."""
    records = [record for author in authors(4) for record in written(author, count // 4)]
    yield "append unsigned", best(append_unsigned(directory / f"unsigned-{number}.db", records) for number in range(3))
    path = directory / "unsigned-0.db"
    reader = SqliteReader(path, kinds=KINDS, trusted=(KEY.did,))
    yield "replay", best(timed(count, lambda: exhaust(reader)) for _ in range(3))
    yield "verify on opening", timed(count, lambda: SqliteReader(path, kinds=KINDS, trusted=(KEY.did,)))
    yield "append signed", append_signed(directory / "signed.db", count // 10)
    yield "group commit, signed", commit_signed(directory / "committed.db", count // 10)
    yield "one by one, signed", append_singly(directory / "single.db", count // 200)
    yield "audit", timed(count // 10, lambda: audit_file(directory / "signed.db", kinds=KINDS))


def append_unsigned(path: Path, records: list[FreshRecord]) -> Measure:
    with SqliteLog(path, KEY, kinds=KINDS) as log:

        def append() -> None:
            for start in range(0, len(records), 1_000):
                log.append(records[start : start + 1_000], expected=start)

        return timed(len(records), append)


def append_signed(path: Path, count: int) -> Measure:
    (author,) = authors(1)
    with SqliteLog(path, KEY, kinds=KINDS) as log:

        def append() -> None:
            for start in range(0, count, 1_000):
                log.append(written(author, 1_000), expected=start)

        return timed(count, append)


def commit_signed(path: Path, count: int) -> Measure:
    (author,) = authors(1)
    with SqliteLog(path, KEY, kinds=KINDS) as log, GroupCommitter(log) as committer:

        def commit() -> None:
            for future in [committer.submit(written(author, 1)) for _ in range(count)]:
                future.result()

        return timed(count, commit)


def append_singly(path: Path, count: int) -> Measure:
    (author,) = authors(1)
    with SqliteLog(path, KEY, kinds=KINDS) as log:

        def append() -> None:
            for size in range(count):
                log.append(written(author, 1), expected=size)

        return timed(count, append)


def authors(count: int) -> list[Author]:
    clock = HybridClock(SystemClock())
    return [Author(Key.derive(b"bench", f"author {number}"), clock) for number in range(count)]


def written(author: Author, count: int) -> list[FreshRecord]:
    """Return records of about 1 KB: a batch's identifiers and 32 floats."""
    body = {"run": "0199c2d1a3f0", "experiments": ["e" * 32] * 2, "values": [0.1234567890123456 + i for i in range(32)]}
    return [author.write("bench.measured/1", body) for _ in range(count)]


def exhaust(reader: SqliteReader) -> None:
    for _ in reader.read():
        pass


def timed(records: int, work: Callable[[], object]) -> Measure:
    wall_started, cpu_started = time.perf_counter(), time.process_time()
    work()
    return Measure(records, time.perf_counter() - wall_started, time.process_time() - cpu_started)


def best(measures: Iterable[Measure]) -> Measure:
    """Return the fastest pass: on a shared machine the others tell about the neighbours."""
    return max(measures, key=lambda measure: measure.rate)


if __name__ == "__main__":
    main()
