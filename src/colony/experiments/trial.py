"""One trial: a team of agents, each a thread of its own, works at a task until it is solved or its budget is spent.

Agents that share a memory are a group and spend one budget; independent agents are groups of one. What an agent may do
is its `Place`: transactions, evaluations, and notes of what it reached. Notes are for the measurement alone; no agent
can read them, so they are no way to communicate. Everything is measured here, the same way for every configuration.

What this file does not do: know a task (the experiments do), compare trials, or draw them.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol, TypeVar

from colony.memory.shared_memory import DurableTransaction
from colony.primitives.clock import Clock, SystemClock
from colony.primitives.errors import UsageError
from colony.stm import TVar

T = TypeVar("T")


class Memory(Protocol):
    """Named shared variables and transactions on them: in this process, or in another through a socket."""

    def variable(self, name: str, default: T) -> TVar[T]:
        """The variable of this name, made with `default` if it is new."""

    def atomically(self, body: Callable[[DurableTransaction], T], *, agent: str = "") -> T:
        """Run `body` as one transaction of `agent`."""

    def statistics(self) -> Any:
        """Counters: of a memory in this process those of `colony.stm.Statistics`."""


class Over(Exception):  # noqa: N818  # no error: the budget is spent, the time is up, or the task is solved
    """The trial is over for this agent; raised by its place, and let through by the agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How one trial is run.

    `evaluations_max` is for the whole team: a group of all agents spends it together, independent agents an equal
    share each. `evaluation_seconds` is what each evaluation waits, besides its own work, as for a call to the outside.
    """

    configuration: str = "swarm"
    agents: int = 4
    seed: int = 0
    evaluations_max: int | None = None
    wall_seconds_max: float | None = None
    evaluation_seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.agents < 1:
            raise UsageError(f"agents: {self.agents}; a team has at least one")
        if self.configuration == "single" and self.agents != 1:
            raise UsageError(f"single is one agent, not {self.agents}")


class Purse:
    """What is left of a group's evaluations; exact from any thread."""

    def __init__(self, evaluations: int | None) -> None:
        self._left = evaluations
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take one evaluation; whether there was one."""
        with self._lock:
            if self._left is None:
                return True
            self._left -= 1
            return self._left >= 0


class SharedPurse:
    """What is left of the evaluations of agents in several processes; each takes some at a time."""

    def __init__(self, memory: Memory, evaluations: int, chunk: int) -> None:
        self._memory, self._chunk = memory, chunk
        self._common = memory.variable("evaluations left", evaluations)
        self._mine = 0
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take one evaluation; whether there was one."""
        with self._lock:
            if not self._mine:
                self._mine = self._memory.atomically(self._take_some, agent="trial")
            had = self._mine > 0
            self._mine -= had
            return had

    def _take_some(self, t: DurableTransaction) -> int:
        left = t.read(self._common)
        t.write(self._common, max(0, left - self._chunk))
        return min(left, self._chunk)


class Group:
    """Agents that share one memory and one budget. `over` ends them all, also those blocked in `retry`."""

    def __init__(self, memory: Memory, purse: Purse | SharedPurse) -> None:
        self.memory = memory
        self.purse = purse
        self.over = memory.variable("over", False)  # the variable's first value

    def close(self) -> None:
        """End the group's agents at their next transaction or evaluation, wherever they wait."""
        self.memory.atomically(lambda t: t.write(self.over, True), agent="trial")


@dataclass(frozen=True, slots=True)
class Note:
    """What an agent reached: when, and a value that the team's gauge knows."""

    at_seconds: float
    agent: str
    value: Any


class Place:
    """What one agent may do."""

    def __init__(self, name: str, group: Group, setting: Setting, clock: Clock, deadline: float | None) -> None:
        self.name = name
        self.memory = group.memory
        self.random = Random(f"{setting.seed}/{name}")  # noqa: S311  # searches want speed and a seed, not secrecy
        self.evaluated: list[float] = []
        """When each evaluation had been made."""
        self.coordination_cpu_seconds = 0.0
        self.notes: list[Note] = []
        self.subjects: list[Hashable] = []
        self._group = group
        self._wait_seconds = setting.evaluation_seconds
        self._deadline = deadline
        self._clock = clock

    @property
    def evaluations(self) -> int:
        """How many this agent has made."""
        return len(self.evaluated)

    def atomically(self, body: Callable[[DurableTransaction], T]) -> T:
        """Run `body` as one transaction; a blocked `retry` ends with the trial.

        Raises:
            Over: the group is over.

        """
        over = self._group.over

        def guarded(t: DurableTransaction) -> T:
            if t.read(over):
                raise Over
            return body(t)

        before = time.thread_time()
        try:
            return self.memory.atomically(guarded, agent=self.name)
        finally:
            self.coordination_cpu_seconds += time.thread_time() - before

    def evaluate(self, work: Callable[[], T], subject: Hashable | None = None) -> T:
        """Do `work` as one evaluation. Two of a team with the same `subject` count as duplicate work.

        Raises:
            Over: the group is over, its budget is spent, or the time is up.

        """
        if self._group.over.value:
            raise Over
        if self._deadline is not None and self._clock.monotonic_seconds() >= self._deadline:
            raise Over
        if not self._group.purse.take():
            self._group.close()
            raise Over
        if subject is not None:
            self.subjects.append(subject)
        result = work()
        if self._wait_seconds:
            time.sleep(self._wait_seconds)
        self.evaluated.append(self._clock.monotonic_seconds())
        return result

    def note(self, value: Any) -> None:
        """Put down what was reached, for the measurement."""
        self.notes.append(Note(self._clock.monotonic_seconds(), self.name, value))

    def finish(self) -> None:
        """The task is solved: end the whole group.

        Raises:
            Over: always.

        """
        self._group.close()
        raise Over


class Gauge(Protocol):
    """Measures a team as a whole from the notes of its agents, in the order of time."""

    def add(self, value: Any) -> float:
        """Take one note's value; the team's quality now."""


@dataclass(frozen=True, slots=True)
class Member:
    """One agent of a team; `work` returns, or lets `Over` through, when it has no more to do."""

    name: str
    group: Group
    work: Callable[[Place], None]


@dataclass(frozen=True, slots=True)
class Team:
    """Who works at a task. `target` is the quality at which it is solved; `outcome` is asked at the end."""

    members: Sequence[Member]
    gauge: Gauge
    target: float | None = None
    outcome: Callable[[], Mapping[str, Any]] = dict


class Experiment(Protocol):
    """A family of tasks, and the teams that work at them."""

    name: str
    tasks: Sequence[str]
    configurations: Mapping[str, str]
    """Name of a configuration -> what its agents share; always single, parallel and swarm, then ablations."""
    quality: str
    """What quality is, with its unit; higher is better."""

    def team(self, task: str, setting: Setting, memories: Callable[[], Memory]) -> Team:
        """The agents for one trial; `memories` makes a new, empty memory at each call."""


@dataclass(frozen=True, slots=True)
class Point:
    """The quality of a team after so many evaluations and seconds."""

    evaluations: int
    seconds: float
    quality: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one trial came to. Times in seconds since its start; counters summed over the team's memories."""

    quality: float
    solved: bool
    solved_evaluations: int | None
    solved_seconds: float | None
    evaluations: int
    wall_seconds: float
    cpu_seconds: float
    coordination_cpu_seconds: float
    duplicates: int
    commits: int
    conflicts: int
    retries: int
    waits: int
    longest_wait_seconds: float
    curve: tuple[Point, ...] = ()
    outcome: Mapping[str, Any] = field(default_factory=dict)


def groups_for(setting: Setting, memories: Callable[[], Memory], *, shared: bool) -> list[Group]:
    """One group for each agent: the same one for all of them if it is `shared`, else one of their own."""
    count = 1 if shared else setting.agents
    total = setting.evaluations_max
    shares = [None if total is None else total // count + (i < total % count) for i in range(count)]
    groups = [Group(memories(), Purse(share)) for share in shares]
    return groups * setting.agents if shared else groups


@dataclass(frozen=True, slots=True)
class Work:
    """What one agent did, as its place has measured it."""

    agent: str
    evaluated: tuple[float, ...]
    """When each of its evaluations had been made."""
    coordination_cpu_seconds: float
    notes: tuple[Note, ...]
    subjects: tuple[Hashable, ...]


def run_trial(team: Team, setting: Setting, clock: Clock | None = None) -> Measurement:
    """Let the team work, each member in a thread of its own, and measure it.

    Raises:
        Exception: what an agent raised; the others are ended first.

    """
    clock = clock or SystemClock()
    start, cpu = clock.monotonic_seconds(), clock.cpu_seconds()
    works = run_members(team.members, setting, clock, start)
    spent = clock.monotonic_seconds() - start, clock.cpu_seconds() - cpu
    return measure(team, works, start, wall_seconds=spent[0], cpu_seconds=spent[1])


def run_members(members: Sequence[Member], setting: Setting, clock: Clock, start: float) -> list[Work]:
    """Let the members work until each is done, or the time since `start` is up; no thread outlives this.

    Raises:
        Exception: what an agent raised; the others are ended first.

    """
    deadline = None if setting.wall_seconds_max is None else start + setting.wall_seconds_max
    places = [Place(member.name, member.group, setting, clock, deadline) for member in members]
    failures: list[BaseException] = []

    def live(member: Member, place: Place) -> None:
        try:
            member.work(place)
        except Over:
            pass
        except BaseException as error:  # noqa: BLE001  # whatever it is, the trial's owner raises it
            failures.append(error)
            _close(members)

    threads = [
        threading.Thread(target=live, args=pair, name=pair[0].name) for pair in zip(members, places, strict=True)
    ]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join(None if deadline is None else max(0.0, deadline - clock.monotonic_seconds()))
    finally:  # also for Ctrl-C
        if any(thread.is_alive() for thread in threads):
            _close(members)
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
    return [
        Work(p.name, tuple(p.evaluated), p.coordination_cpu_seconds, tuple(p.notes), tuple(p.subjects)) for p in places
    ]


def _close(members: Sequence[Member]) -> None:
    for group in {id(member.group): member.group for member in members}.values():
        group.close()


def measure(team: Team, works: Sequence[Work], start: float, *, wall_seconds: float, cpu_seconds: float) -> Measurement:
    """Sum up what the members of a team did."""
    curve = _curve(team, works, start)
    solved = next((p for p in curve if team.target is not None and p.quality >= team.target), None)
    memories = {id(member.group): member.group.memory.statistics() for member in team.members}.values()
    subjects = [subject for work in works for subject in work.subjects]
    return Measurement(
        quality=curve[-1].quality if curve else 0.0,
        solved=solved is not None,
        solved_evaluations=solved.evaluations if solved else None,
        solved_seconds=solved.seconds if solved else None,
        evaluations=sum(len(work.evaluated) for work in works),
        wall_seconds=wall_seconds,
        cpu_seconds=cpu_seconds,
        coordination_cpu_seconds=sum(work.coordination_cpu_seconds for work in works),
        duplicates=len(subjects) - len(set(subjects)),
        commits=sum(m.commits for m in memories),
        conflicts=sum(m.conflicts for m in memories),
        retries=sum(m.retries for m in memories),
        waits=sum(m.waits for m in memories),
        longest_wait_seconds=max(m.longest_wait_seconds for m in memories),
        curve=curve,
        outcome=team.outcome(),
    )


def _curve(team: Team, works: Sequence[Work], start: float) -> tuple[Point, ...]:
    """The team's quality over evaluations and time, from everybody's notes; only where it changes."""
    evaluated = sorted(at for work in works for at in work.evaluated)
    points: list[Point] = []
    for note in sorted((n for work in works for n in work.notes), key=lambda n: (n.at_seconds, n.agent)):
        quality = team.gauge.add(note.value)
        if not points or quality != points[-1].quality:
            points.append(Point(bisect_right(evaluated, note.at_seconds), note.at_seconds - start, quality))
    return tuple(points)
