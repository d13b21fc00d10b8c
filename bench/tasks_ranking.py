"""What comes next: how good the order is, and how fast. Two tables, and one JSON line with the figures and the bars.

    python bench/tasks_ranking.py           300 plans, 100,000 tasks; about a minute
    python bench/tasks_ranking.py --quick   30 plans, 10,000 tasks; no bar on speed is judged

Schedules: makespan over the lower bound on eight workers, mean over the plans of `tasks.order.simulation`, with the
95 % interval of that mean; by shape; and when, as a part of the makespan, tasks with a star, of priority 5 and of
priority 1 finish on average. What an order knows of durations is in its name. The seed's rows draw what people set:
priority 1 to 5, a star for one task in twenty, heat from 0 to 1. Times are CPU seconds of one thread, the median of
rounds. What it does not measure: reading records, printing, or agents that fail.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from statistics import mean, median, stdev
from typing import TypeVar

from msgspec.structs import replace

from colony.tasks.order.graph import TaskGraph
from colony.tasks.order.scoring import Ranking
from colony.tasks.order.simulation import (
    SHAPES,
    ByRanking,
    ByUrgency,
    Chooser,
    Plan,
    depths,
    draw_plans,
    finish_times,
    lower_bound_seconds,
    remaining,
    tasks_of,
)
from colony.tasks.task import Edge, State, Task

WORKERS, TASKS = 8, 200
NOW = 1_700_000_000_000
T = TypeVar("T")


@dataclass(frozen=True)
class Voice:
    """What people set on the tasks of a plan."""

    priorities: list[int]
    stars: list[int]
    heat: list[float]


@dataclass(frozen=True)
class Trial:
    """A plan, what people set on its tasks, and a stream for what an order draws."""

    plan: Plan
    voice: Voice
    stream: Random

    @property
    def hops(self) -> list[float]:
        """The most tasks in a row that begin with each."""
        return remaining(self.plan, [1.0] * TASKS)

    def literal(self, heat: list[float], depth: list[float] | None = None) -> Chooser:
        """10 P + 25 S + 100 H + 15 D, with this heat and this depth."""
        rows = zip(self.voice.priorities, self.voice.stars, heat, depth or [0.0] * TASKS, strict=True)
        return ByUrgency(self.plan, [10 * p + 25 * s + 100 * h + 15 * d for p, s, h, d in rows])

    def blocked(self) -> list[float]:
        """The seed's heat of a task that may start: those that need it, since nobody has it and it needs nothing."""
        return [float(len(wanted)) for wanted in self.plan.wanted_by]

    def wrong(self, factor: float) -> list[float]:
        """Estimates each of which is too long or too short by a factor."""
        return [seconds * factor ** self.stream.choice((-1, 1)) for seconds in self.plan.seconds]

    def colony(self, estimates: Sequence[float | None], **said: Sequence[object]) -> Chooser:
        """The shipped order; `said` has a value of a field for each task."""
        tasks = tasks_of(estimates)
        for field, values in said.items():
            tasks = [replace(task, **{field: value}) for task, value in zip(tasks, values, strict=True)]
        return ByRanking(self.plan, tasks)

    def heard(self) -> Chooser:
        """The shipped order with what people set."""
        return self.colony(self.plan.seconds, priority=self.voice.priorities, stars=self.voice.stars)

    def made_over(self, days: float) -> Chooser:
        """The shipped order of tasks that were made at random times within so many days."""
        created = [f"{int(NOW + self.stream.random() * days * 86_400_000):012x}-0000" for _ in range(TASKS)]
        return self.colony(self.plan.seconds, created=created)


ORDERS: dict[str, Callable[[Trial], Chooser]] = {
    "random": lambda t: ByUrgency(t.plan, [t.stream.random() for _ in range(TASKS)]),
    "seed: 10P + 25S + 100H, heat set by hand": lambda t: t.literal(t.voice.heat),
    "seed: 10P + 25S + 100H, heat B + A - D": lambda t: t.literal(t.blocked()),
    "seed + 15 depth to the root": lambda t: t.literal(t.voice.heat, [float(d) for d in depths(t.plan)]),
    "seed + 15 hops downstream": lambda t: t.literal(t.voice.heat, t.hops),
    "hops downstream alone": lambda t: ByUrgency(t.plan, t.hops),
    "path by duration alone": lambda t: ByUrgency(t.plan, remaining(t.plan, t.plan.seconds)),
    "Colony, durations known": lambda t: t.colony(t.plan.seconds),
    "Colony, estimates wrong by a factor of 2": lambda t: t.colony(t.wrong(2)),
    "Colony, estimates wrong by a factor of 3": lambda t: t.colony(t.wrong(3)),
    "Colony, no estimates": lambda t: t.colony([None] * TASKS),
    "Colony, known, people heard": lambda t: t.heard(),
    "Colony, known, made over 3 days": lambda t: t.made_over(3),
    "Colony, known, made over 30 days": lambda t: t.made_over(30),
}
BARS = {"Colony, durations known": 1.03}


def trials(plans: int, seed: int) -> list[Trial]:
    """The plans with what people set; the same for every order."""
    stream, found = Random(seed), []
    for number, plan in enumerate(draw_plans(Random(seed), plans=plans, tasks=TASKS)):
        stars = [int(stream.random() < 0.05) for _ in range(TASKS)]
        voice = Voice([stream.randint(1, 5) for _ in range(TASKS)], stars, [stream.random() for _ in range(TASKS)])
        found.append(Trial(plan, voice, Random(seed + number)))
    return found


def schedules(plans: int, seed: int) -> Iterator[tuple[str, float]]:
    """Print the table of orders; yield each order's mean."""
    some = trials(plans, seed)
    print(f"| order | makespan / lower bound | 95 % | {' | '.join(SHAPES)} | starred | priority 5 | priority 1 |")
    print(f"|---|---|---|{'---|' * (len(SHAPES) + 3)}")
    for name, order in ORDERS.items():
        ends = [finish_times(trial.plan, order(trial), WORKERS) for trial in some]
        ratios = [max(end) / lower_bound_seconds(trial.plan, WORKERS) for trial, end in zip(some, ends, strict=True)]
        by_shape = [mean(r for r, t in zip(ratios, some, strict=True) if t.plan.shape == shape) for shape in SHAPES]
        when = [
            mean(
                e / max(end) for t, end in zip(some, ends, strict=True) for n, e in enumerate(end) if is_one(t.voice, n)
            )
            for is_one in (
                lambda voice, n: voice.stars[n],
                lambda voice, n: voice.priorities[n] == 5,
                lambda voice, n: voice.priorities[n] == 1,
            )
        ]
        margin = 1.96 * stdev(ratios) / len(ratios) ** 0.5
        shapes, finished = (" | ".join(f"{x:.3f}" for x in xs) for xs in (by_shape, when))
        print(f"| {name} | {mean(ratios):.4f} | {margin:.4f} | {shapes} | {finished} |", flush=True)
        yield name, mean(ratios)


def matrix(tasks: int) -> tuple[list[Task], list[Edge]]:
    """So many tasks, half of them with an estimate, and three times as many dependencies, one in ten of them soft."""
    stream = Random(1)
    made = [
        Task(
            id=f"task-{number:06}",
            title="bench",
            priority=stream.randint(1, 5),
            stars=int(stream.random() < 0.05),
            estimate_seconds=stream.lognormvariate(8, 1) if stream.random() < 0.5 else None,
            created=f"{NOW + number:012x}-0000",
        )
        for number in range(tasks)
    ]
    links: dict[Edge, None] = {}
    while len(links) < 3 * tasks:
        after = stream.randrange(1, tasks)
        before = stream.randrange(max(0, after - tasks // 10), after)
        links[Edge(made[before].id, made[after].id, "^" if stream.random() < 0.9 else ";")] = None
    return made, list(links)


def seconds_of(body: Callable[[], T], rounds: int) -> tuple[float, T]:
    """The median CPU seconds of a call, and what it returned."""
    spent = []
    for _ in range(rounds):
        start = time.thread_time()
        result = body()
        spent.append(time.thread_time() - start)
    return median(spent), result


def speed(tasks: int, rounds: int) -> Iterator[tuple[str, float, float | None]]:
    """Name, value and the most that will do."""
    some, links = matrix(tasks)
    seconds, graph = seconds_of(lambda: TaskGraph(some, links), rounds)
    yield "build the graph, ms", seconds * 1e3, None
    yield "order what may start, ms", seconds_of(lambda: next(Ranking(graph).ready(NOW)), rounds)[0] * 1e3, None
    ranking = Ranking(graph)
    next(ranking.ready(NOW))
    yield "rank every task, ms", seconds_of(lambda: ranking.every(NOW), rounds)[0] * 1e3, 300
    yield "critical path, ms", seconds_of(graph.critical_path, rounds)[0] * 1e3, None
    completions = [seconds_of(lambda: complete(ranking), 1)[0] for _ in range(2_000)]
    yield "complete the first and name the next, median ms", median(completions) * 1e3, 1
    yield "the same, slowest of 2,000, ms", max(completions) * 1e3, None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    yield "peak memory of the process, MB", peak, 500
    some, links = matrix(10_000)
    seconds, graph = seconds_of(lambda: TaskGraph(some, links), rounds)
    yield "10,000 tasks: build the graph, ms", seconds * 1e3, None
    ranking = Ranking(graph)
    yield "10,000 tasks: all that is ready, ms", seconds_of(lambda: list(ranking.ready(NOW)), rounds)[0] * 1e3, 10


def complete(ranking: Ranking) -> None:
    """Finish the most urgent task, and look what is next."""
    first = next(ranking.ready(NOW)).task
    ranking.put(replace(first, state=State.DONE))
    next(ranking.ready(NOW))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer plans, a smaller matrix")
    parser.add_argument("--seed", type=int, default=1, help="draws other plans")
    arguments = parser.parse_args()
    quick = arguments.quick
    report: dict[str, float] = {}
    missed = []
    print("| measure | value | bar |\n|---|---|---|")
    for name, value, bar in speed(10_000 if quick else 100_000, 5):
        print(f"| {name} | {value:,.3g} | {'' if bar is None else f'at most {bar:g}'} |", flush=True)
        report[name] = value
        missed += [name] if bar is not None and value > bar and not quick else []
    print()
    for name, value in schedules(30 if quick else 300, arguments.seed):
        report[name] = value
        missed += [name] if value > BARS.get(name, value) else []
    print(json.dumps({"bench": "tasks_ranking", "python": sys.version.split()[0], **report, "missed": missed}))
    return len(missed)


if __name__ == "__main__":
    sys.exit(main())
