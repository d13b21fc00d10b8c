"""List scheduling of random plans: how much longer than the lower bound an order of tasks takes, before it is believed.

A plan is tasks with true durations and hard dependencies. Workers are alike; whenever one is idle and a task may start,
it starts the one that its chooser names. What this file does not do: compare many choosers and print (the bench does),
or model people, failures and communication.

Plans are drawn in three shapes. Durations are log-normal: median one hour, sigma 0.8, so one in forty takes over five.
Parallelism is drawn too, since a plan far from what the workers can use is easy for any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from random import Random
from typing import Final, Protocol

import msgspec

from colony.tasks.order.graph import TaskGraph
from colony.tasks.order.scoring import Ranking
from colony.tasks.task import Edge, State, Task

MEDIAN_SECONDS: Final = 3_600.0
SIGMA: Final = 0.8


@dataclass(frozen=True, slots=True)
class Plan:
    """Tasks 0 to n-1, each with its true duration and the tasks (all of smaller number) that it needs."""

    shape: str
    seconds: tuple[float, ...]
    needs: tuple[tuple[int, ...], ...]

    @property
    def wanted_by(self) -> list[list[int]]:
        """For each task, those that need it."""
        found: list[list[int]] = [[] for _ in self.seconds]
        for task, needs in enumerate(self.needs):
            for need in needs:
                found[need].append(task)
        return found


class Chooser(Protocol):
    """An order at work: it hears what has finished and names what starts."""

    def next(self) -> int | None:
        """Start the most urgent task that may start, and return it; None if there is none."""
        ...

    def finish(self, task: int) -> None:
        """Take note that a task has finished."""
        ...


def finish_times(plan: Plan, chooser: Chooser, workers: int) -> list[float]:
    """When each task finishes, in seconds from the start, with so many workers that are never idle without need."""
    ends, running, now = [0.0] * len(plan.seconds), list[tuple[float, int]](), 0.0
    while True:
        while len(running) < workers and (task := chooser.next()) is not None:
            heappush(running, (now + plan.seconds[task], task))
        if not running:
            return ends
        now, task = heappop(running)
        ends[task] = now
        chooser.finish(task)


def lower_bound_seconds(plan: Plan, workers: int) -> float:
    """What no order can beat: the longest chain, or all work shared evenly, whichever is longer."""
    return max(*remaining(plan, plan.seconds), sum(plan.seconds) / workers)


def remaining(plan: Plan, seconds: Sequence[float]) -> list[float]:
    """For each task the longest chain that begins with it, by these durations."""
    longest = list(seconds)
    for task in reversed(range(len(seconds))):
        for need in plan.needs[task]:
            longest[need] = max(longest[need], seconds[need] + longest[task])
    return longest


def depths(plan: Plan) -> list[int]:
    """For each task the most dependencies in a row above it: the seed's depth to the root."""
    found: list[int] = []
    for needs in plan.needs:
        found.append(max((found[need] + 1 for need in needs), default=0))
    return found


class ByUrgency:
    """The order of numbers that are fixed beforehand, the largest first; of equals, the first."""

    def __init__(self, plan: Plan, urgency: Sequence[float]) -> None:
        self._urgency, self._wanted_by = urgency, plan.wanted_by
        self._left = [len(needs) for needs in plan.needs]
        self._queue = [(-urgency[task], task) for task, left in enumerate(self._left) if not left]
        heapify(self._queue)

    def next(self) -> int | None:
        """Start the first that may start."""
        return heappop(self._queue)[1] if self._queue else None

    def finish(self, task: int) -> None:
        """Let go what needed only this."""
        for other in self._wanted_by[task]:
            self._left[other] -= 1
            if not self._left[other]:
                heappush(self._queue, (-self._urgency[other], other))


class ByRanking:
    """The order that Colony ships, driven as in use: tasks are claimed and finished, and the graph keeps current."""

    def __init__(self, plan: Plan, tasks: Iterable[Task]) -> None:
        self._tasks = list(tasks)
        self._numbers = {task.id: number for number, task in enumerate(self._tasks)}
        edges = [Edge(self._tasks[n].id, self._tasks[t].id) for t, needs in enumerate(plan.needs) for n in needs]
        self._ranking = Ranking(TaskGraph(self._tasks, edges))

    def next(self) -> int | None:
        """Claim the first that is ready."""
        first = next(self._ranking.ready(0), None)
        if first is None:
            return None
        self._ranking.put(msgspec.structs.replace(first.task, state=State.AGENT_EXECUTING))
        return self._numbers[first.task.id]

    def finish(self, task: int) -> None:
        """Finish a task."""
        self._ranking.put(msgspec.structs.replace(self._tasks[task], state=State.DONE))


def tasks_of(estimates: Sequence[float | None]) -> list[Task]:
    """The tasks of a plan as somebody might have written them down: all alike but for what they are said to last."""
    return [
        Task(id=f"task-{number:06}", title="simulated", estimate_seconds=estimate)
        for number, estimate in enumerate(estimates)
    ]


def draw_plans(stream: Random, *, plans: int, tasks: int) -> list[Plan]:
    """So many plans of so many tasks, the shapes in turn."""
    return [draw_plan(stream, list(SHAPES)[number % len(SHAPES)], tasks) for number in range(plans)]


def draw_plan(stream: Random, shape: str, tasks: int) -> Plan:
    """One plan of a shape in `SHAPES`."""
    needs = SHAPES[shape](stream, tasks)
    seconds = tuple(MEDIAN_SECONDS * stream.lognormvariate(0.0, SIGMA) for _ in needs)
    return Plan(shape, seconds, tuple(tuple(sorted(some)) for some in needs))


def layered(stream: Random, tasks: int) -> list[set[int]]:
    """Layers of 1 to 2w tasks, w drawn from 8 to 20; each task needs one to three of the layer before."""
    width, needs, last = stream.randint(8, 20), list[set[int]](), range(0)
    while len(needs) < tasks:
        layer = range(len(needs), min(tasks, len(needs) + stream.randint(1, 2 * width)))
        needs += [{stream.choice(last) for _ in range(stream.randint(1, 3))} if last else set() for _ in layer]
        last = layer
    return needs


def randomly_ordered(stream: Random, tasks: int) -> list[set[int]]:
    """A random order with an edge between any two tasks by chance, so many that each needs 1.5 to 4 on average."""
    chance = 2 * stream.uniform(1.5, 4.0) / (tasks - 1)
    return [{need for need in range(task) if stream.random() < chance} for task in range(tasks)]


def series_parallel(stream: Random, tasks: int) -> list[set[int]]:
    """Parts that follow each other or stand side by side, split at random until each is one task.

    What follows needs the last tasks of what precedes; a part is split sideways with a chance drawn from 0.55 to 0.75.
    """
    sideways, needs = stream.uniform(0.55, 0.75), [set[int]() for _ in range(tasks)]

    def join(low: int, high: int) -> tuple[list[int], list[int]]:
        """Connect the tasks from `low` to before `high`; return the first and the last of them."""
        if high - low == 1:
            return [low], [low]
        middle = stream.randrange(low + 1, high)
        (first, ends), (begins, last) = join(low, middle), join(middle, high)
        if stream.random() < sideways:
            return first + begins, ends + last
        for task in begins:
            needs[task].update(ends)
        return first, last

    join(0, tasks)
    return needs


SHAPES: Final[dict[str, Callable[[Random, int], list[set[int]]]]] = {
    "layered": layered,
    "random order": randomly_ordered,
    "series-parallel": series_parallel,
}
