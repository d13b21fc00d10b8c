"""One experiment as a run of this home: a journaled shared memory, agents in threads or processes, and its end.

The run's journal begins with `trial.started/1`, holds every commit of the shared memory, and ends with
`trial.ended/1`, which states the hash of the memory; so `colony replay` can rebuild it and compare, and `colony audit`
can check every signature. With several processes each runs its share of the agents, and all share the node's memory
through a Unix socket. What this file does not do: know an experiment, or print.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from colony.experiments.catalogue import experiment_named
from colony.experiments.trial import Measurement, Memory, Setting, SharedPurse, Work, measure, run_members, run_trial
from colony.memory.named_memory import NamedMemory
from colony.memory.remote.remote_memory import RemoteMemory
from colony.memory.remote.served_memory import serve
from colony.node.home import Home, RunFolder
from colony.node.memories import open_memory
from colony.primitives.clock import Clock, SystemClock
from colony.primitives.errors import UsageError

CHUNKS: Final = 32  # in how many parts a process takes its evaluations from the shared memory
Perform = Callable[[Callable[[], Memory]], Measurement]


class Watcher(Protocol):
    """Who looks at an experiment while it runs."""

    def watch(self, memory: NamedMemory) -> None:
        """The run begins; its memory may be read at any time."""


class Unwatched:
    """Nobody looks."""

    def watch(self, memory: NamedMemory) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that has ended."""

    folder: RunFolder
    experiment: str
    task: str
    setting: Setting
    measurement: Measurement
    state_hash: str

    def as_record(self) -> dict[str, Any]:
        """The object of `--json`."""
        m = self.measurement
        return {
            "run": self.folder.name,
            "experiment": self.experiment,
            "task": self.task,
            "agents": self.setting.agents,
            "seed": self.setting.seed,
            "quality": m.quality,
            "solved": m.solved,
            "evaluations": m.evaluations,
            "wall_seconds": m.wall_seconds,
            "cpu_seconds": m.cpu_seconds,
            "overhead": m.coordination_cpu_seconds / max(1e-9, self.setting.agents * m.wall_seconds),
            "duplicates": m.duplicates,
            "memory": {name: getattr(m, name) for name in _COUNTERS},
            "state_hash": self.state_hash,
            **m.outcome,
        }


_COUNTERS = ("commits", "conflicts", "retries", "waits", "longest_wait_seconds")


def run_experiment(  # noqa: PLR0913  # one keyword each
    experiment: str,
    task: str,
    setting: Setting,
    home: Home,
    *,
    perform: Perform | None = None,
    processes: int = 1,
    watcher: Watcher | None = None,
    clock: Clock | None = None,
) -> Finished:
    """Run one experiment whose agents share one journaled memory; always with configuration "swarm".

    `perform` runs a task that only the caller knows, on the memory that it is given; then all is done in this process.

    Raises:
        UsageError: an unknown experiment or task, or processes for a task of the caller's own.
        ColonyError: the home cannot be written to.

    """
    known = experiment_named(experiment)
    if perform is None and task not in known.tasks:
        raise UsageError(f"{task!r}: no task of {experiment}; choose from {', '.join(known.tasks)}")
    if processes < 1:
        raise UsageError(f"processes: {processes}; at least one")
    clock = clock or SystemClock()
    folder = home.create_run(f"{experiment}-{task}", clock)
    with open_memory(folder.path, home.replica_key(), clock, run=folder.name) as memory:
        started = {"experiment": experiment, "task": task, "agents": setting.agents, "seed": setting.seed}
        memory.atomically(lambda t: t.emit("trial.started/1", {"run": folder.name, **started}), agent="node")
        (watcher or Unwatched()).watch(memory)
        if perform is not None:
            measured = perform(lambda: memory)
        elif processes > 1:
            measured = _across_processes(experiment, task, setting, memory, processes, clock)
        else:
            measured = run_trial(known.team(task, setting, lambda: memory), setting, clock)
        state_hash = memory.state_hash()
        ended = {"quality": measured.quality, "solved": measured.solved, "evaluations": measured.evaluations}
        body = {"run": folder.name, "state_hash": state_hash, **ended}
        memory.atomically(lambda t: t.emit("trial.ended/1", body), agent="node")
    return Finished(folder, experiment, task, setting, measured, state_hash)


def _across_processes(
    experiment: str, task: str, setting: Setting, memory: NamedMemory, count: int, clock: Clock
) -> Measurement:
    team = experiment_named(experiment).team(task, setting, lambda: memory)
    count = min(count, setting.agents)
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="colony-") as place, ProcessPoolExecutor(count, mp_context=spawn) as pool:
        socket = Path(place) / "memory.sock"
        with serve(memory, socket):
            ready = [pool.submit(threading.active_count) for _ in range(count)]  # the interpreters' start is no work
            [future.result() for future in ready]
            start = clock.monotonic_seconds()
            jobs = [pool.submit(_share, experiment, task, setting, socket, (i, count), start) for i in range(count)]
            shares = [job.result() for job in jobs]
            spent = clock.monotonic_seconds() - start
    works = [work for share, _ in shares for work in share]
    return measure(team, works, start, wall_seconds=spent, cpu_seconds=sum(cpu for _, cpu in shares))


def _share(
    experiment: str, task: str, setting: Setting, socket: Path, part: tuple[int, int], start: float
) -> tuple[list[Work], float]:
    """Run, in a process of its own, every `part[1]`-th agent; all spend the same evaluations."""
    clock = SystemClock()
    index, count = part
    total, cpu = setting.evaluations_max, clock.cpu_seconds()
    with RemoteMemory(socket) as memory:
        team = experiment_named(experiment).team(task, setting, lambda: memory)
        members = team.members[index::count]
        if total is not None:
            purse = SharedPurse(memory, total, chunk=max(1, total // (count * CHUNKS)))
            for member in members:
                member.group.purse = purse
        works = run_members(members, setting, clock, start)
    return works, clock.cpu_seconds() - cpu
