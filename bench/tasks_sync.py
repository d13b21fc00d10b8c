"""Joining two shards of 100,000 tasks: fetched, verified, united, folded; and what a command costs afterwards.

    python bench/tasks_sync.py           about a minute, most of it to make the shards
    python bench/tasks_sync.py --quick   10,000 tasks

Two ways to have written them: imported (a few large records), and added one by one (a record for each task). All
figures are CPU seconds, of git too, of a process that has read nothing before.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from colony.primitives.clock import SystemClock
from colony.primitives.keys import Key
from colony.tasks.shards.git import Git
from colony.tasks.shards.places import Remote
from colony.tasks.shards.shards import Shards
from colony.tasks.shards.syncing import merge
from colony.tasks.state import records
from colony.tasks.state.matrix_state import MatrixState
from colony.tasks.task import Edge, Task

ENVIRON = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
BAR_SECONDS = 3.0


def opened(folder: Path) -> Shards:
    return Shards(Git(folder, ENVIRON), SystemClock())


def shard(folder: Path, name: str, tasks: int, *, is_import: bool) -> Shards:
    """A repository with tasks and as many dependencies."""
    subprocess.run(["git", "init", "-q", str(folder)], check=True, env=ENVIRON)
    made = [
        Task(id=f"{name}-{i}", title=f"What is to be done as number {i}", scope=(f"src/{i % 97}",))
        for i in range(tasks)
    ]
    edges = [Edge(f"{name}-{i // 2}", f"{name}-{i}") for i in range(1, tasks)]
    mine = opened(folder)
    if is_import:
        drafts = [*records.added(made), *records.linked(edges)]
    else:
        drafts = [draft for task in made for draft in records.added([task])] + records.linked(edges)
    mine.append(Key.derive(b"bench of shards, no secret", name), drafts)
    return mine


def timed(call: Callable[[], object]) -> tuple[float, object]:
    """CPU seconds of this process and of the git it starts: other work on the machine does not count."""
    start = os.times()
    result = call()
    end = os.times()
    return sum(end[:4]) - sum(start[:4]), result


def measure(place: Path, tasks: int, *, is_import: bool) -> dict[str, float]:
    writing, _ = timed(lambda: shard(place / "a", "a", tasks, is_import=is_import))
    shard(place / "b", "b", tasks, is_import=is_import)
    reading, _ = timed(opened(place / "a").read)
    mine = opened(place / "a")
    mine.read()
    joining, union = timed(lambda: merge(mine, Remote.at(mine.git, str(place / "b"))))
    folding, state = timed(lambda: MatrixState.of(mine.latest.records))
    assert len(state.tasks) == 2 * tasks
    assert not union.faults
    again, _ = timed(lambda: merge(mine, Remote.at(mine.git, str(place / "b"))))
    appending, _ = timed(
        lambda: mine.append(Key.derive(b"bench of shards, no secret", "a"), records.added([Task(id="x", title="x")]))
    )
    return {
        "records": float(sum(len(chain.records) for chain in mine.latest.chains.values())),
        "write_seconds": writing,
        "read_seconds": reading,
        "merge_seconds": joining,
        "fold_seconds": folding,
        "merge_all_seconds": reading + joining + folding,
        "merge_again_seconds": again,
        "append_seconds": appending,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    tasks = 10_000 if options.quick else 100_000
    figures = {}
    for name in ("imported", "one_by_one"):
        with tempfile.TemporaryDirectory() as place:
            figures[name] = measure(Path(place), tasks, is_import=name == "imported")
    for what in figures["imported"]:
        print(f"{what:>20}  " + "  ".join(f"{name} {figures[name][what]:12.3f}" for name in figures))
    holds = {name: one["merge_all_seconds"] < BAR_SECONDS for name, one in figures.items()}
    rounded = {name: {what: round(value, 3) for what, value in one.items()} for name, one in figures.items()}
    print(
        json.dumps({"bench": "tasks_sync", "tasks_each": tasks, **rounded, "bar_seconds": BAR_SECONDS, "holds": holds})
    )
    sys.exit(not all(holds.values()))


if __name__ == "__main__":
    main()
