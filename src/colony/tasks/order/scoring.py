"""What a task is worth doing next, term by term, and the order that follows.

    score = 10 P + 25 S + 100 H + 15 D - 15 W + 10 A

P is the priority (1 to 5); S the stars; H the heat as a number from 0 to below 1 (`heat.pressure`); D the longest chain
of unfinished work that begins with the task, by duration, counted in typical tasks; W is 1 while something that had
better come first is not finished; A the days since the task was made. The first four terms and their weights are the
seed's, with H and D defined so that they do what it promises (docs/decisions/0009-what-comes-next.md). All tasks age
alike, so the order of two never depends on the hour, and a task is overtaken only by what is made before the others'
lead is aged away (`overtaken_days_max`).
What this file does not do: say what may start (graph.py), or who gets it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from math import fsum, log
from operator import attrgetter
from typing import Final, NamedTuple, TypeAlias

import msgspec

from colony.tasks.order.graph import CLAIMED, Node, Path, TaskGraph
from colony.tasks.order.heat import Heat, heat, heat_value, pressure
from colony.tasks.task import CLAIMABLE, Edge, Task

PRIORITY_POINTS: Final = 10.0
STAR_POINTS: Final = 25.0
HEAT_POINTS: Final = 100.0
PATH_POINTS: Final = 15.0
ADVICE_POINTS: Final = -15.0
AGE_POINTS_PER_DAY: Final = 10.0
"""A day of waiting counts as much as one step of priority."""

_PATH_TASKS_LINEAR: Final = 100.0
_DAY_MILLISECONDS: Final = 86_400_000
_PATH_SHOWN: Final = 4

Key: TypeAlias = tuple[float, str, str]
"""The order of tasks: the smallest comes first."""


class Term(NamedTuple):
    """One term of a score, in words that a person can check."""

    name: str
    points: float
    value: float
    unit: str
    source: str
    share: float
    """Its part of all points, gained or lost, from 0 to 1."""


class Explanation(NamedTuple):
    """A score and all its terms; they sum to it."""

    task: str
    score: float
    terms: tuple[Term, ...]


class Scored(msgspec.Struct, frozen=True, gc=False):
    """A task and its score; a struct, since a table of 100,000 tuples would wake the garbage collector."""

    task: Task
    score: float


class Ranking:
    """The order in which tasks are to be done, kept current beside a graph; every change goes through it.

    Changes return nothing and raise what the graph raises. Not for several threads.
    """

    def __init__(self, graph: TaskGraph) -> None:
        self.graph = graph
        self._keys: dict[str, Key] = {}
        self._queue: list[Key] = []
        self._upheavals = -1

    def ready(self, now_milliseconds: int) -> Iterator[Scored]:
        """What may be claimed now, the most urgent first; change nothing while you go through it."""
        self._settle()
        for key in self._queue:
            if self.graph.is_runnable(key[2], now_milliseconds):
                yield Scored(self.graph[key[2]], _score(key[0], now_milliseconds))

    def every(self, now_milliseconds: int) -> list[Scored]:
        """Every unfinished task, the highest score first, whether it may start or not."""
        typical_seconds = self.graph.durations.typical_seconds
        nodes = sorted(self.graph.unfinished(), key=attrgetter("id"))
        nodes.sort(key=attrgetter("task.created"))
        lags = [_lag(node, typical_seconds) for node in nodes]
        order = sorted(range(len(nodes)), key=lags.__getitem__)
        return [Scored(self.graph[nodes[place].id], _score(lags[place], now_milliseconds)) for place in order]

    def put(self, task: Task) -> None:
        """Add, change, finish or reopen a task."""
        self._update(self.graph.put(task))

    def remove(self, task_id: str) -> None:
        """Forget a task."""
        self._update(self.graph.remove(task_id))

    def link(self, edge: Edge) -> None:
        """Add a dependency."""
        self._update(self.graph.link(edge))

    def unlink(self, edge: Edge) -> None:
        """Remove a dependency."""
        self._update(self.graph.unlink(edge))

    def _settle(self) -> None:
        if self._upheavals == self.graph.upheavals:
            return
        self._upheavals, self._typical_seconds = self.graph.upheavals, self.graph.durations.typical_seconds
        first = [node for node in self.graph.unfinished() if _may_be_next(node)]
        self._keys = {node.id: _key(node, self._typical_seconds) for node in first}
        self._queue = sorted(self._keys.values())

    def _update(self, changed: AbstractSet[str]) -> None:
        if self._upheavals != self.graph.upheavals:
            return  # the next question orders everything anew
        for task_id in changed:
            old = self._keys.pop(task_id, None)
            if old is not None:
                del self._queue[bisect_left(self._queue, old)]
            if task_id in self.graph and _may_be_next(node := self.graph.node(task_id)):
                self._keys[task_id] = key = _key(node, self._typical_seconds)
                insort(self._queue, key)


def explain(graph: TaskGraph, task_id: str, now_milliseconds: int) -> Explanation:
    """Every term of a task's score, with its value, its unit and where it comes from.

    Raises:
        KeyError: there is no such task.

    """
    node, task = graph.node(task_id), graph[task_id]
    hot, path, age_days = heat(node), graph.path(task_id), _age_days(task, now_milliseconds)
    typical_seconds = graph.durations.typical_seconds
    advisers = ", ".join(sorted(other.id for other in node.soft_before if other.is_unfinished)) or "nothing"
    rows = (
        ("priority", task.priority, "steps, 1 to 5", "set on the task"),
        ("stars", task.stars, "stars", "a human's emphasis"),
        ("heat", pressure(hot.value), "of 1", f"{_heat_in_words(hot)}; heat / (heat + 3)"),
        ("path", _path_tasks(node, typical_seconds), "typical tasks", _path_in_words(path, typical_seconds)),
        ("advice", float(_is_advised_against(node)), "0 or 1", f"unfinished, and better done before: {advisers}"),
        ("age", age_days, "days", "since it was made; all tasks age alike"),
    )
    return _explanation(task_id, rows, (*_points(node, typical_seconds), AGE_POINTS_PER_DAY * age_days))


def explain_literally(graph: TaskGraph, task_id: str) -> Explanation:
    """The seed's score to the letter: 10 P + 25 S + 100 H + 15 D, with its hand-set H and its depth to the root.

    H is the heat that somebody has set, 0 if nobody has, as the seed's own commands compute it; D is the longest chain
    of hard dependencies above the task, finished ones included. Raises KeyError if there is no such task.
    """
    return _literally(graph[task_id], _depth(graph.node(task_id), {}))


def rank_literally(graph: TaskGraph) -> list[Scored]:
    """Every unfinished task by the seed's score to the letter, the highest first; ties go to the older task."""
    depths: dict[Node, int] = {}
    nodes = sorted(graph.unfinished(), key=lambda node: node.rank)
    rows = [Scored(graph[node.id], _literally(graph[node.id], _depth(node, depths)).score) for node in nodes]
    return sorted(rows, key=lambda row: -row.score)


def overtaken_days_max(graph: TaskGraph, task_id: str, best: float) -> float:
    """For how many days after a task was made others may still be made that come before it.

    `best` is the highest score, without age, that anybody may have. Whatever is made later has aged less by more than
    its lead, and comes after it; so once the finitely many made until then are done, the task is first.
    """
    points = _points(graph.node(task_id), graph.durations.typical_seconds)
    return max(0.0, best - sum(points)) / AGE_POINTS_PER_DAY


def _literally(task: Task, depth: int) -> Explanation:
    rows = (
        ("priority", task.priority, "steps, 1 to 5", "set on the task"),
        ("stars", task.stars, "stars", "a human's emphasis"),
        ("heat", task.heat or 0.0, "as it was set", "set by hand; 0 if it was not"),
        ("depth", depth, "tasks", "longest chain of hard dependencies to the root, finished ones included"),
    )
    weights = (PRIORITY_POINTS, STAR_POINTS, HEAT_POINTS, PATH_POINTS)
    return _explanation(task.id, rows, tuple(weight * row[1] for weight, row in zip(weights, rows, strict=True)))


def _points(node: Node, typical_seconds: float) -> tuple[float, float, float, float, float]:
    """The points of a task for all but its age, in the order of `explain`."""
    task = node.task
    assert task is not None, "what is missing has no score"
    return (
        PRIORITY_POINTS * task.priority,
        STAR_POINTS * task.stars,
        HEAT_POINTS * pressure(heat_value(node)),
        PATH_POINTS * _path_tasks(node, typical_seconds),
        ADVICE_POINTS if _is_advised_against(node) else 0.0,
    )


def _lag(node: Node, typical_seconds: float) -> float:
    """Score and age without the hour, so that the smallest comes first, now and at any time.

    It is by how many points the task falls short of one that is worth nothing and was made in 1970.
    """
    assert node.task is not None, "what is missing has no place in the order"
    return AGE_POINTS_PER_DAY * _born_days(node.task.created) - sum(_points(node, typical_seconds))


def _key(node: Node, typical_seconds: float) -> Key:
    return (_lag(node, typical_seconds), *node.rank)


def _score(lag: float, now_milliseconds: int) -> float:
    return AGE_POINTS_PER_DAY * now_milliseconds / _DAY_MILLISECONDS - lag


def _path_tasks(node: Node, typical_seconds: float) -> float:
    """The remaining path in typical tasks; beyond 100 it counts with its logarithm, so no estimate buys much more."""
    tasks = node.path_seconds / typical_seconds
    return tasks if tasks <= _PATH_TASKS_LINEAR else _PATH_TASKS_LINEAR * (1 + log(tasks / _PATH_TASKS_LINEAR))


def _may_be_next(node: Node) -> bool:
    """Whether only a lease that may have ended stands between the task and whoever comes."""
    task = node.task
    return task is not None and not (node.waits or task.held) and (task.state in CLAIMABLE or task.state in CLAIMED)


def _is_advised_against(node: Node) -> bool:
    return bool(node.soft_before) and any(other.is_unfinished for other in node.soft_before)


def _born_days(created: str) -> float:
    """Days from 1970 to a hybrid timestamp; 0 for a task whose making nobody dated."""
    return int(created[:12], 16) / _DAY_MILLISECONDS if created else 0.0


def _age_days(task: Task, now_milliseconds: int) -> float:
    return now_milliseconds / _DAY_MILLISECONDS - _born_days(task.created)


def _depth(node: Node, depths: dict[Node, int]) -> int:
    """The most hard dependencies in a row that lead to a node; `depths` keeps what was found on the way."""
    waiting = [node]
    while waiting:
        last = waiting[-1]
        deeper = [other for other in last.before if other not in depths]
        if deeper:
            waiting += deeper
        else:
            depths[waiting.pop()] = max((depths[other] + 1 for other in last.before), default=0)
    return depths[node]


def _heat_in_words(hot: Heat) -> str:
    counted = f"B {hot.blocked} + A {hot.agents} - D {hot.needed} = {hot.computed}"
    return counted if hot.override is None else f"a human says {hot.override:g} ({counted})"


def _path_in_words(path: Path, typical_seconds: float) -> str:
    shown = " > ".join(path.tasks[:_PATH_SHOWN]) + (" > ..." if len(path.tasks) > _PATH_SHOWN else "")
    return (
        f"{path.seconds:g} s of unfinished work in a row ({shown or 'none'}); a typical task is {typical_seconds:g} s"
    )


def _explanation(task_id: str, rows: Sequence[tuple[str, float, str, str]], points: Sequence[float]) -> Explanation:
    whole = fsum(map(abs, points)) or 1.0
    terms = (
        Term(name, p, value, unit, source, abs(p) / whole)
        for (name, value, unit, source), p in zip(rows, points, strict=True)
    )
    return Explanation(task_id, fsum(points), tuple(terms))
