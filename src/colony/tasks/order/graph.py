"""The graph of tasks: which of them may start, what stands in their way, and how much work hangs on each.

A change updates only what it changes. A task that finishes has no unfinished predecessor, so nobody's remaining path
runs through it: completing it costs its own edges, whatever the size of the graph. What this file does not do: say what
a task is worth (scoring.py), measure heat (heat.py), or decide which of two contradicting records holds (state.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final, NamedTuple

from colony.tasks.circles import closing
from colony.tasks.order.durations import Durations
from colony.tasks.task import FINAL, Edge, State, Task

CLAIMED: Final = (State.AGENT_ASSIGNED, State.AGENT_EXECUTING)
"""States in which an agent holds a lease; when it has ended, whoever comes may claim the task."""

_WHY_NOT: Final = {
    State.HUMAN_ASSIGNED: "a human has it",
    State.HUMAN_WORKING: "a human works on it",
    State.AWAITING_INPUT: "it waits for an answer",
    State.PAUSED: "it is paused",
    State.HUMAN_HELD: "a human holds it",
    State.FAILED: "it failed, and nobody has reopened it",
    State.DONE: "it is done",
}


class Obstacle(NamedTuple):
    """One reason why a task cannot start, and the tasks to blame, if it is for tasks."""

    reason: str
    tasks: tuple[str, ...] = ()


class Path(NamedTuple):
    """Tasks in an order in which each must follow the one before, and the seconds that they take together."""

    tasks: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class GraphStatistics:
    """How large a graph is, and what in it cannot be as its authors meant."""

    tasks: int
    unfinished: int
    edges: int
    missing: tuple[str, ...]
    """Ids that edges name and nobody has added; they block, since what they stand for may not be done."""
    aside: tuple[Edge, ...]
    """Edges that would close a cycle."""


class Node:
    """One id and its neighbours; `task` is None where edges name what nobody added. The graph alone writes it."""

    __slots__ = (
        "after",
        "before",
        "blocks",
        "id",
        "is_open",
        "is_unfinished",
        "path_seconds",
        "soft_after",
        "soft_before",
        "task",
        "waits",
    )

    def __init__(self, task_id: str) -> None:
        self.id = task_id
        self.hold(None)
        self.before: list[Node] = []
        self.after: list[Node] = []
        self.soft_before: list[Node] = []
        self.soft_after: list[Node] = []
        self.waits = 0  # open nodes in `before`
        self.blocks = 0  # open tasks in `after`
        self.path_seconds = 0.0  # the longest chain of unfinished work that begins here, this task included

    def hold(self, task: Task | None) -> None:
        """Stand for a task, or for one that is missing: it is open, so that it blocks, but there is nothing to do."""
        self.task = task
        self.is_open = task is None or task.state not in FINAL
        self.is_unfinished = task is not None and self.is_open

    @property
    def rank(self) -> tuple[str, str]:
        """How ties are broken everywhere: the older first, then by id."""
        return (self.task.created if self.task else "", self.id)


class TaskGraph:
    """Tasks and their dependencies, kept current under any sequence of changes; always equal to one built from scratch.

    Each change returns the ids of the tasks whose standing it may have changed. Edges that would close a cycle are set
    aside in the order in which edges were given, so that no cycle can block for ever; they are listed, not dropped.
    Where an id is asked for that nobody has added, KeyError is raised.
    """

    def __init__(self, tasks: Iterable[Task] = (), edges: Iterable[Edge] = ()) -> None:
        self._edges: dict[Edge, None] = dict.fromkeys(edges)
        self.upheavals = 0
        """How often every path may have changed, since what tasks without an estimate last was guessed anew."""
        self._build(tasks)

    # -- what it knows --------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return sum(node.task is not None for node in self._nodes.values())

    def __contains__(self, task_id: str) -> bool:
        node = self._nodes.get(task_id)
        return node is not None and node.task is not None

    def __getitem__(self, task_id: str) -> Task:
        task = self._nodes[task_id].task
        if task is None:
            raise KeyError(task_id)
        return task

    def node(self, task_id: str) -> Node:
        """The place of a task among its neighbours, to read only."""
        self[task_id]
        self._settle()
        return self._nodes[task_id]

    def unfinished(self) -> Iterator[Node]:
        """Every task that is not finished, in no order that means anything."""
        self._settle()
        return (node for node in self._nodes.values() if node.is_unfinished)

    def duration_seconds(self, task: Task) -> float:
        """What the task says it lasts, or what is guessed of its kind."""
        return task.estimate_seconds or self.durations.guess_seconds(task.kind)

    def is_runnable(self, task_id: str, now_milliseconds: int) -> bool:
        """Whether it may be claimed: pending, or its lease has ended; not held; all it needs is there and finished."""
        return not self.obstacles(task_id, now_milliseconds)

    def obstacles(self, task_id: str, now_milliseconds: int) -> tuple[Obstacle, ...]:
        """Everything that keeps a task from being claimed; empty if nothing does."""
        node, task = self.node(task_id), self[task_id]
        found = []
        if task.held and task.state not in FINAL:
            found.append(Obstacle(_WHY_NOT[State.HUMAN_HELD]))
        if task.state in CLAIMED and not has_expired(task, now_milliseconds):
            found.append(Obstacle(f"{task.agent or 'an agent'} has it"))
        elif task.state in _WHY_NOT:
            found.append(Obstacle(_WHY_NOT[task.state]))
        unfinished = tuple(sorted(other.id for other in node.before if other.is_unfinished))
        missing = tuple(sorted(other.id for other in node.before if other.task is None))
        if node.is_open and unfinished:
            found.append(Obstacle("it needs what is not done", unfinished))
        if node.is_open and missing:
            found.append(Obstacle("it needs what nobody has added", missing))
        return tuple(found)

    def path(self, task_id: str) -> Path:
        """The longest chain of unfinished work that begins with a task, by duration; ties go to the older task."""
        node: Node | None = self.node(task_id)
        seconds, tasks = self.node(task_id).path_seconds, []
        while node is not None and node.is_unfinished:
            tasks.append(node.id)
            node = min(node.after, key=lambda other: (-other.path_seconds, other.rank), default=None)
        return Path(tuple(tasks), seconds)

    def critical_path(self) -> Path:
        """The longest chain of unfinished work: nothing finishes all of it sooner, with any number of workers."""
        first = min(self.unfinished(), key=lambda node: (-node.path_seconds, node.rank), default=None)
        return self.path(first.id) if first else Path((), 0.0)

    def statistics(self) -> GraphStatistics:
        """Sizes, missing targets and edges set aside."""
        return GraphStatistics(
            tasks=len(self),
            unfinished=sum(node.is_unfinished for node in self._nodes.values()),
            edges=len(self._edges),
            missing=tuple(sorted(node.id for node in self._nodes.values() if node.task is None and _has_edges(node))),
            aside=tuple(self._aside),
        )

    # -- what changes it ------------------------------------------------------------------------------------------

    def put(self, task: Task) -> AbstractSet[str]:
        """Add a task, or replace the one of its id: whatever has become of it, finished and reopened included."""
        return self._replace(self._named(task.id), task)

    def remove(self, task_id: str) -> AbstractSet[str]:
        """Forget a task; edges that name it stay, and what needs it is blocked by its absence."""
        self[task_id]
        return self._replace(self._nodes[task_id], None)

    def link(self, edge: Edge) -> AbstractSet[str]:
        """Add a dependency; one that is known already changes nothing, one that would close a cycle is set aside."""
        if edge in self._edges:
            return set()
        self._edges[edge] = None
        before, after = self._named(edge.before), self._named(edge.after)
        if edge.kind == "^" and _leads_to(after, before):
            self._aside[edge] = None
            return set()
        _connect(before, after, edge.kind)
        return {after.id, before.id} | self._measure_from(before)

    def unlink(self, edge: Edge) -> AbstractSet[str]:
        """Remove a dependency; an unknown one changes nothing. What a cycle had set aside is judged anew."""
        if edge not in self._edges:
            return set()
        del self._edges[edge]
        if self._aside:
            self._build([node.task for node in self._nodes.values() if node.task])
            return self._nodes.keys()
        before, after = self._nodes[edge.before], self._nodes[edge.after]
        _disconnect(before, after, edge.kind)
        return {after.id, before.id} | self._measure_from(before)

    # -- how ------------------------------------------------------------------------------------------------------

    def _named(self, task_id: str) -> Node:
        node = self._nodes.get(task_id)
        if node is None:
            node = self._nodes[task_id] = Node(task_id)
        return node

    def _replace(self, node: Node, task: Task | None) -> AbstractSet[str]:
        was_open, was_unfinished, old = node.is_open, node.is_unfinished, node.task
        node.hold(task)
        changed = {node.id}
        if node.is_open != was_open:
            for other in node.after:
                other.waits += node.is_open - was_open
            changed.update(other.id for other in node.after)
        if node.is_unfinished != was_unfinished:
            for other in node.before:
                other.blocks += node.is_unfinished - was_unfinished
            changed.update(other.id for other in (*node.before, *node.soft_after))
        guesses = self.durations.guesses()
        if self.durations.replace(old, task) and self.durations.guesses() != guesses:
            self._upset()
            return self._nodes.keys()
        return changed | self._measure_from(node)

    def _build(self, tasks: Iterable[Task]) -> None:
        """Make every node and connection anew, in the order of the edges, without those that would close a cycle."""
        self._nodes: dict[str, Node] = {}
        self._aside: dict[Edge, None] = {}
        self._upset()
        for task in tasks:
            self._named(task.id).hold(task)
        self.durations = Durations(node.task for node in self._nodes.values() if node.task)
        for before, after, kind in self._edges:
            _connect(self._named(before), self._named(after), kind)
        knot = self._weigh_all()
        if knot:
            hard = {(e.before, e.after): n for n, e in enumerate(self._edges) if e.kind == "^" and e.after in knot}
            for before, after in closing(hard, hard.__getitem__):
                self._aside[Edge(before, after)] = None
                _disconnect(self._nodes[before], self._nodes[after], "^")
            self._weigh_all()

    def _upset(self) -> None:
        """Let every path be measured anew when somebody next asks, so that many such changes cost as much as one."""
        self._is_settled = False
        self.upheavals += 1

    def _settle(self) -> None:
        if not self._is_settled:
            self._weigh_all()

    def _weigh_all(self) -> set[str]:
        """Measure every path, from the ends of the graph backwards, each edge once; return who leads into a cycle."""
        self._is_settled = True
        nodes = self._nodes.values()
        left = {node: len(node.after) for node in nodes}
        for node in nodes:
            node.path_seconds = 0.0
        ends = [node for node in nodes if not node.after]
        while ends:
            node = ends.pop()  # all behind it are measured: path_seconds holds the longest of their paths
            node.path_seconds = node.path_seconds + self._own_seconds(node) if node.is_unfinished else 0.0
            for other in node.before:
                other.path_seconds = max(other.path_seconds, node.path_seconds)
                left[other] -= 1
                if not left[other]:
                    ends.append(other)
        return {node.id for node, count in left.items() if count}

    def _measure_from(self, start: Node) -> set[str]:
        """Measure the path of `start` anew, and of whoever it changes for; return their ids.

        Paths grow strictly against the direction of edges between unfinished tasks, so that taking nodes by the length
        they had before the change measures each of them once, after all that it leads to.
        """
        changed: set[str] = set()
        queued, waiting = {start.id}, [(0.0, start.id)] if self._is_settled else []
        while waiting:
            node = self._nodes[heappop(waiting)[1]]
            queued.discard(node.id)
            seconds = 0.0
            if node.is_unfinished:
                seconds = self._own_seconds(node) + max((other.path_seconds for other in node.after), default=0.0)
            if seconds == node.path_seconds:
                continue
            node.path_seconds = seconds
            changed.add(node.id)
            for other in node.before:
                if other.is_unfinished and other.id not in queued:
                    queued.add(other.id)
                    heappush(waiting, (other.path_seconds, other.id))
        return changed

    def _own_seconds(self, node: Node) -> float:
        assert node.task is not None, "what is missing has no duration"
        return self.duration_seconds(node.task)


def has_expired(task: Task, now_milliseconds: int) -> bool:
    """Whether the lease on a claimed task has ended; a claim without an end never does."""
    return task.lease_expires is not None and task.lease_expires <= now_milliseconds


def _has_edges(node: Node) -> bool:
    return bool(node.before or node.after or node.soft_before or node.soft_after)


def _connect(before: Node, after: Node, kind: str) -> None:
    if kind == "^":
        before.after.append(after)
        after.before.append(before)
        after.waits += before.is_open
        before.blocks += after.is_unfinished
    else:
        before.soft_after.append(after)
        after.soft_before.append(before)


def _disconnect(before: Node, after: Node, kind: str) -> None:
    if kind == "^":
        before.after.remove(after)
        after.before.remove(before)
        after.waits -= before.is_open
        before.blocks -= after.is_unfinished
    else:
        before.soft_after.remove(after)
        after.soft_before.remove(before)


def _leads_to(start: Node, goal: Node) -> bool:
    """Whether hard edges lead from `start` to `goal`; a node leads to itself."""
    seen, waiting = {start}, [start]
    while waiting:
        node = waiting.pop()
        if node is goal:
            return True
        fresh = [other for other in node.after if other not in seen]
        seen.update(fresh)
        waiting.extend(fresh)
    return False
