"""How fast the task matrix is: records folded, two shards united, one record more, the state root, the laws.

Shards are made and signed before the clock starts. "decoded" is what a carrier has to do besides: hash the bytes and
decode them. The bars are those of the design: a fold of 100,000 tasks with 300,000 dependencies below 2 seconds, the
union of two such, decoded and hashed, below 3. They judge CPU time, which neighbours on a shared machine disturb less
than wall time; both are shown. Prints a table and, as the last line, one JSON object. What this file does not do: read
from git (bench/tasks_sync.py does), or rank (bench/tasks_ranking.py does).
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import time
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from colony.journal.record import Author, SignedRecord, decode_trusted
from colony.primitives.clock import HybridClock, ManualClock
from colony.primitives.keys import Key
from colony.tasks.state import records
from colony.tasks.state.laws import laws
from colony.tasks.state.matrix_state import MatrixState
from colony.tasks.task import Edge, State, Task

if TYPE_CHECKING:
    from collections.abc import Callable

BARS = {"fold": 2.0, "two shards decoded, united, folded": 3.0, "one record more": 0.05}


class Measure(NamedTuple):
    """Wall and CPU seconds of one thing done once."""

    what: str
    wall_seconds: float
    cpu_seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--edges", type=int, default=300_000)
    parser.add_argument("--triples", type=int, default=1_000)
    options = parser.parse_args()
    measures = measured(options.tasks, options.edges, options.triples)
    for measure in measures:
        bar = BARS.get(measure.what)
        verdict = "" if bar is None else f"bar {bar:g} s: {'kept' if measure.cpu_seconds <= bar else 'MISSED'}"
        print(f"{measure.what:40} {measure.wall_seconds:8.3f} s wall {measure.cpu_seconds:8.3f} s CPU   {verdict}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (
        1024 * 1024 if platform.system() == "Darwin" else 1024
    )
    print(f"largest memory of this process: {memory} MB (with both shards and their bytes)")
    print(
        json.dumps(
            {
                "bench": "tasks_merge",
                "tasks": options.tasks,
                "edges": options.edges,
                "python": platform.python_version(),
                "memory_megabytes": memory,
                "measures": {one.what: [round(one.wall_seconds, 4), round(one.cpu_seconds, 4)] for one in measures},
                "bars": {
                    what: next(m.cpu_seconds for m in measures if m.what == what) <= bar for what, bar in BARS.items()
                },
            }
        )
    )


def measured(tasks: int, edges: int, triples: int) -> list[Measure]:
    """Return the measures; later ones need what earlier ones made."""
    one, two = (shard(name, tasks, edges) for name in ("one", "two"))
    author = Author(Key.derive(b"bench".ljust(32), "more"), HybridClock(ManualClock(1_900_000_000_000)))
    first, state = timed("fold", lambda: MatrixState.of(one))
    more = [author.write(*records.claimed(state.tasks["one7"], agent="ada"))]
    kept = [
        first,
        timed("decode and hash of one shard", lambda: decoded(one))[0],
        timed(
            "two shards decoded, united, folded", lambda: MatrixState.of({r.id: r for r in decoded(one + two)}.values())
        )[0],
        timed("one record more", lambda: state.apply(more))[0],
        timed("one link more, the first", lambda: state.apply(linked(author, "one7", "one9")))[0],
        timed("one link more, the second", lambda: state.apply(linked(author, "one8", "one9")))[0],
        timed("state root", lambda: state.root)[0],
    ]
    lived = lived_in(tasks)
    kept.append(timed(f"fold of {len(lived)} single records", lambda: MatrixState.of(lived))[0])
    kept.append(timed(f"{triples} triples of the laws", lambda: laws(triples, seed=0))[0])
    return kept


def timed(what: str, act: Callable[[], object]) -> tuple[Measure, MatrixState]:
    """Do something once; return how long it took, and what it gave."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = act()
    measure = Measure(what, time.perf_counter() - wall, time.process_time() - cpu)
    return measure, result  # type: ignore[return-value]


def shard(name: str, tasks: int, edges: int) -> list[SignedRecord]:
    """Return the records of an author with tasks and dependencies, each from an earlier task to a later one."""
    author = Author(Key.derive(b"bench".ljust(32), name), HybridClock(ManualClock(1_800_000_000_000)))
    chance = Random(name)
    pairs: dict[Edge, None] = {}
    while len(pairs) < edges:
        before, after = sorted(chance.sample(range(tasks), 2))
        pairs[Edge(f"{name}{before}", f"{name}{after}")] = None
    made = (
        Task(id=f"{name}{i}", title=f"Task {i} of shard {name}", priority=i % 5 + 1, scope=(f"src/part{i % 97}",))
        for i in range(tasks)
    )
    return [author.write(*draft) for draft in [*records.added(made), *records.linked(pairs)]]


def lived_in(tasks: int) -> list[SignedRecord]:
    """Return a shard in which each task was added, claimed and finished, each by a record of its own."""
    author = Author(Key.derive(b"bench".ljust(32), "lived"), HybridClock(ManualClock(1_800_000_000_000)))
    written: list[SignedRecord] = []
    for index in range(tasks // 3):
        task = Task(id=f"t{index}", title="lived")
        written.append(author.write(*records.added([task])[0]))
        written.append(author.write(*records.claimed(task, agent="ada", state=State.AGENT_EXECUTING)))
        written.append(author.write(*records.done(task, commit=f"{index:040x}")))
    return written


def linked(author: Author, before: str, after: str) -> list[SignedRecord]:
    return [author.write(*draft) for draft in records.linked([Edge(before, after)])]


def decoded(shard_records: list[SignedRecord]) -> list[SignedRecord]:
    """Return the records as they come out of bytes, hashes checked."""
    return [
        SignedRecord(decode_trusted(one.payload), sha256(one.payload).hexdigest(), one.payload, one.signature)
        for one in shard_records
    ]


if __name__ == "__main__":
    main()
