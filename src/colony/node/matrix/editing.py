"""What commands do to tasks and ask of them, on an open workspace: add, link, describe, explain.

What this file does not do: claim or finish (claiming.py), or print.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from colony.node.matrix.workspace import Workspace
from colony.primitives.encoding import canonical
from colony.primitives.errors import UsageError
from colony.tasks.order.graph import TaskGraph
from colony.tasks.order.scopes import collisions
from colony.tasks.state.history import story
from colony.tasks.state.records import added, linked, unlinked
from colony.tasks.state.reports import Report
from colony.tasks.task import FINAL, Edge, State, Task


def add_task(place: Workspace, task: Task, *, after: Sequence[str] = ()) -> Task:
    """Add a task, with a made-up id if it has none, and what it waits for; returns it as it now is.

    Raises:
        UsageError: the id is taken, a field is out of range, or something it should wait for is not there.

    """
    if not task.id:
        task = msgspec.structs.replace(task, id=_made_up(place, task))
    if task.id in place.state.tasks or place.state.is_deleted(task.id):
        raise UsageError(f"task {task.id}: there is, or was, one of this id; choose another")
    for before in after:
        place.task(before)
    place.write([*added([task]), *linked(Edge(before, task.id) for before in after)])
    return place.task(task.id)


def link(place: Workspace, edges: Sequence[Edge]) -> None:
    """Make tasks wait for others.

    Raises:
        UsageError: a task is not there, or the dependency would close a circle.

    """
    for edge in edges:
        place.task(edge.before)
        place.task(edge.after)
    probe = place.ranking.graph
    for edge in edges:
        if probe.link(edge) == set() and edge in probe.statistics().aside:
            raise UsageError(f"{edge.after} already has to come before {edge.before}: that would be a circle")
    place.write(linked(edges))


def unlink(place: Workspace, edges: Sequence[Edge]) -> None:
    """End dependencies.

    Raises:
        UsageError: one is not there.

    """
    known = {edge: place.state.links(edge) for edge in edges}
    for edge, records in known.items():
        if not records:
            raise UsageError(f"{edge.after} does not wait for {edge.before} ({edge.kind})")
    place.write(unlinked(known))


def state_named(text: str) -> State:
    """The state of a symbol or a name.

    Raises:
        UsageError: there is none.

    """
    for state in State:
        if text in (state.value, state.name.lower(), state.name.lower().replace("_", "-")):
            return state
    known = ", ".join(f"{state.name.lower().replace('_', '-')} ({state.value})" for state in State)
    raise UsageError(f"{text!r}: no state; there are {known}")


def described(place: Workspace, task_id: str) -> dict[str, Any]:
    """Everything about a task, JSON-able."""
    task = place.task(task_id)
    edges = sorted(place.state.edges)
    record: dict[str, Any] = msgspec.to_builtins(task)
    record["author"] = place.settings.name(task.author)
    record["waits_for"] = [f"{edge.before} {edge.kind}" for edge in edges if edge.after == task_id]
    record["blocks"] = [f"{edge.after} {edge.kind}" for edge in edges if edge.before == task_id]
    record["obstacles"] = _obstacles(place, place.ranking.graph, task)
    record["reports"] = [str(report) for report in reports_of(place, task_id)]
    return record


def told(place: Workspace, task_id: str) -> list[dict[str, Any]]:
    """All that was said of a task, the oldest first, and what became of it."""
    place.task(task_id)
    return [
        {
            "at": said.stamp.at,
            "by": place.settings.name(said.stamp.author),
            "record": said.stamp.id,
            "what": said.words,
            "remark": said.remark,
        }
        for said in story(place.state, task_id)
    ]


def explained(place: Workspace, task_id: str, *, literal: bool) -> dict[str, Any]:
    """Every term of a task's score, and what keeps it from being claimed."""
    from colony.tasks.order.scoring import explain, explain_literally  # noqa: PLC0415

    task = place.task(task_id)
    graph, now = place.ranking.graph, place.now_milliseconds
    found = explain_literally(graph, task_id) if literal else explain(graph, task_id, now)
    return {
        "task": task_id,
        "score": found.score,
        "literal": literal,
        "terms": [term._asdict() for term in found.terms],
        "obstacles": _obstacles(place, graph, task),
    }


def scored(place: Workspace, *, literal: bool, limit: int) -> tuple[list[dict[str, Any]], int]:
    """The unfinished tasks of the highest scores, with the points of each term; and how many there are in all."""
    from colony.tasks.order.scoring import explain, explain_literally, rank_literally  # noqa: PLC0415

    ranking, now = place.ranking, place.now_milliseconds
    graph = ranking.graph
    order = rank_literally(graph) if literal else ranking.every(now)
    rows = []
    for task in (each.task for each in order[:limit]):
        found = explain_literally(graph, task.id) if literal else explain(graph, task.id, now)
        rows.append(
            {
                "id": task.id,
                "title": task.title,
                "symbol": task.symbol,
                "agent": task.agent,
                "score": found.score,
                "terms": {term.name: term.points for term in found.terms},
                "ready": graph.is_runnable(task.id, now),
            }
        )
    return rows, len(order)


def reports_of(place: Workspace, task_id: str) -> Iterable[Report]:
    """What the fold has to say about a task."""
    return (report for report in place.state.reports if report.task == task_id)


def _obstacles(place: Workspace, graph: TaskGraph, task: Task) -> list[str]:
    """What keeps a task from being claimed now, in words: its state, what it waits for, whose scope it would touch."""
    now = place.now_milliseconds
    found = [f"{o.reason}: {', '.join(o.tasks)}" if o.tasks else o.reason for o in graph.obstacles(task.id, now)]
    touched = collisions(task, place.state.tasks.values(), now) if task.state not in FINAL else ()
    return [*found, *(f"its scope touches that of {other.id}, which {other.agent} has" for other in touched)]


def _made_up(place: Workspace, task: Task) -> str:
    """A short id that nobody has: letters and digits of a hash of the title, the author and the time."""
    for attempt in range(1000):
        seed = canonical([task.title, place.key.did, place.now_milliseconds, attempt])
        name = f"t-{int.from_bytes(sha256(seed).digest()[:8]) % 36**5:05d}"
        if name not in place.state.tasks and not place.state.is_deleted(name):
            return name
    raise UsageError("no free id was found; give one with --id")
