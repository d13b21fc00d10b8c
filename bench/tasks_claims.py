"""Many processes claim the tasks of one git remote, each in a clone and with a key of its own: who did what, how fast.

    python bench/tasks_claims.py           16 processes, 1,000 tasks
    python bench/tasks_claims.py --quick   4 processes, 100 tasks

The tasks themselves are empty, so what is measured is the coordination alone. Every task must be done exactly once:
counted in the workers' own words, in the records at the remote, and in the claims that are left (none).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from colony.primitives.clock import SystemClock
from colony.primitives.keys import Key
from colony.tasks.shards.claims import Terms
from colony.tasks.shards.git import Git
from colony.tasks.shards.places import Remote, backoff
from colony.tasks.shards.shards import Shards
from colony.tasks.shards.syncing import merge
from colony.tasks.shards.working import Worker
from colony.tasks.state import records
from colony.tasks.task import State, Task

ENVIRON = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
SECRET = b"bench of claims, no secret"


def agent(folder: Path, name: str) -> Worker:
    chance = random.Random(name)
    shards = Shards(Git(folder, ENVIRON), SystemClock(), pause=backoff(chance.random, time.sleep))
    key = Key.derive(SECRET, name)
    return Worker(shards, Remote(shards.git, "origin"), key, SystemClock(), agent=name, terms=Terms(lease_seconds=3600))


def work(folder: Path, name: str, batch: int) -> None:
    """Claim and finish until all is done; print what was done and how it went."""
    worker, chance = agent(folder, name), random.Random(name)
    done, lost = [], 0
    standing, state = worker.look()
    while True:
        tasks = state.tasks.values()
        pending = sorted(task.id for task in tasks if task.state is State.PENDING and task.id not in standing.claims)
        if pending:
            taken = worker.claim(chance.sample(pending, min(batch, len(pending))))
            lost += len(taken.refused)
            if taken.held:
                worker.finish(dict.fromkeys(taken.held))
                done += [held.claim.task for held in taken.held]
            standing, state = worker.look()
        elif all(task.state is State.DONE for task in tasks):
            break
        else:
            time.sleep(0.05 + 0.1 * chance.random())
            standing, state = worker.look()
    print(json.dumps({"done": done, "lost": lost}))


def race(place: Path, processes: int, tasks: int, batch: int) -> dict[str, object]:
    hub = place / "hub.git"
    subprocess.run(["git", "init", "-q", "--bare", str(hub)], check=True, env=ENVIRON)
    names = [f"agent-{i}" for i in range(processes)]
    for name in ("owner", *names):
        subprocess.run(
            ["git", "clone", "-q", str(hub), str(place / name)], check=True, env=ENVIRON, stderr=subprocess.PIPE
        )
    owner = agent(place / "owner", "owner")
    added = records.added(Task(id=f"T-{i}", title=f"Task {i}") for i in range(tasks))
    shards = Shards(Git(place / "owner", ENVIRON), SystemClock())
    shards.append(Key.derive(SECRET, "owner"), added)
    owner.mend()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    command = [sys.executable, __file__, "--batch", str(batch), "--worker"]
    running = [
        subprocess.Popen([*command, name, str(place / name)], stdout=subprocess.PIPE, text=True) for name in names
    ]
    said = [process.communicate()[0] for process in running]
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert not any(process.returncode for process in running), "a worker failed"
    reports = [json.loads(text) for text in said]
    state = owner.refresh()
    completions = Counter(len(state.completions(name)) for name in state.tasks)
    union = merge(
        Shards(Git(place / "owner", ENVIRON), SystemClock()), Remote.at(Git(place / "owner", ENVIRON), str(hub))
    )
    return {
        "processes": processes,
        "tasks": tasks,
        "batch": batch,
        "wall_seconds": round(wall, 2),
        "cpu_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
        "tasks_per_second": round(tasks / wall, 1),
        "done_once": completions[1],
        "said_done": len({name for report in reports for name in report["done"]}),
        "done_twice": sum(len(report["done"]) for report in reports)
        - tasks
        + sum(n for k, n in completions.items() if k > 1),
        "claims_lost": sum(report["lost"] for report in reports),
        "claims_left": len(owner.claims.look().claims),
        "faults": len(shards.read().faults) + len(union.faults),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--processes", type=int)
    parser.add_argument("--tasks", type=int)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--worker", nargs=2)
    options = parser.parse_args()
    if options.worker:
        name, folder = options.worker
        work(Path(folder), name, options.batch)
        return
    processes = options.processes or (4 if options.quick else 16)
    tasks = options.tasks or (100 if options.quick else 1000)
    with tempfile.TemporaryDirectory() as place:
        figures = race(Path(place), processes, tasks, options.batch)
    for name, value in figures.items():
        print(f"{name:>18}  {value}")
    is_right = figures["done_once"] == figures["said_done"] == tasks and not figures["done_twice"]
    is_right = is_right and not figures["claims_left"] and not figures["faults"]
    print(json.dumps({"bench": "tasks_claims", **figures, "bar": "every task done exactly once", "holds": is_right}))
    sys.exit(not is_right)


if __name__ == "__main__":
    main()
