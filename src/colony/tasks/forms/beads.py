"""Issues of Beads as JSON Lines, read and written: one object per line, as in `.beads/issues.jsonl`.

Beads counts priorities from 0 (highest) to 4, we from 5 to 1. `blocks` and its like are hard dependencies; the others
(parent-child, related, discovered-from, ...) say nothing about order and become labels such as `parent-child:bd-7`,
from which they are written again. Descriptions, notes and comments have no place here and are told as lost. What this
file does not do: touch the disk.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from colony.tasks.forms.interchange import MARKERS, Exported, Imported, Intake, Item, Losses, iso, timestamp, together
from colony.tasks.shards.chains import Fault
from colony.tasks.task import Edge, State, Task

FILE: Final = "issues.jsonl"
_STATES: Final[Mapping[str, State]] = MappingProxyType(
    {
        "open": State.PENDING,
        "in_progress": State.AGENT_EXECUTING,
        "hooked": State.AGENT_ASSIGNED,
        "blocked": State.AWAITING_INPUT,
        "deferred": State.PAUSED,
        "pinned": State.HUMAN_HELD,
        "closed": State.DONE,
    }
)
_STATUSES: Final[Mapping[State, str]] = MappingProxyType(
    {state: status for status, state in _STATES.items()}
    | {State.HUMAN_ASSIGNED: "hooked", State.HUMAN_WORKING: "in_progress", State.FAILED: "blocked"}
)
_ORDERING: Final = frozenset({"blocks", "conditional-blocks", "waits-for"})
_NAMING: Final = frozenset(
    {"parent-child", "related", "discovered-from", "relates-to", "duplicates", "supersedes", "replies-to"}
)
_CARRIED: Final = frozenset(
    {"id", "title", "status", "priority", "issue_type", "assignee", "labels", "estimated_minutes", "external_ref"}
    | {"created_at", "dependencies"}
)
_DERIVED: Final = frozenset({"updated_at", "closed_at", "content_hash", "dependency_count", "dependent_count"})


def read_beads(text: str, *, file: str = FILE) -> Imported:
    """Return the tasks and dependencies of Beads' JSON Lines; a line that is none is reported, the others count."""
    intake = Intake()
    for line, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        try:
            fields = json.loads(content)
        except (json.JSONDecodeError, RecursionError) as error:
            is_mark = content[:7] in MARKERS
            what = "a conflict that nobody resolved" if is_mark else f"no JSON: {getattr(error, 'msg', 'too deep')}"
            intake.faults.append(Fault(file, line, what))
            continue
        if isinstance(fields, dict):
            _take(Item(file, line, fields), intake)
        else:
            intake.faults.append(Fault(file, line, "no object"))
    return intake.result()


def write_beads(
    tasks: Iterable[Task], edges: Iterable[Edge], closed: Callable[[str], str | None] = lambda _: None
) -> Exported:
    """Return Beads' JSON Lines; `closed` gives the hybrid timestamp at which a task was finished, if it is known."""
    losses = Losses()
    needs: dict[str, list[str]] = {}
    for edge in sorted(edges):
        if edge.kind == "^":
            needs.setdefault(edge.after, []).append(edge.before)
        else:
            losses.note("a soft dependency", edge.after)
    lines = [
        json.dumps(_given(task, needs.get(task.id, []), closed(task.id), losses), ensure_ascii=False)
        for task in sorted(tasks, key=lambda task: task.id)
    ]
    return Exported({FILE: "".join(line + "\n" for line in lines)}, losses.told())


def _take(item: Item, intake: Intake) -> None:
    """Take in one issue."""
    raw = item.fields
    name, status = raw.get("id"), raw.get("status", "open")
    if status == "tombstone":
        intake.deleted.append(str(name))
        return
    reference = [f"external_ref:{raw['external_ref']}"] if raw.get("external_ref") else []
    fields: dict[str, Any] = {
        "title": raw.get("title"),
        "state": _STATES.get(status, status) if isinstance(status, str) else status,
        "agent": raw.get("assignee") or None,
        "kind": None if raw.get("issue_type") == "task" else raw.get("issue_type"),
        "labels": together(raw.get("labels"), [*_links(item, intake), *reference]),
        "created": timestamp(raw.get("created_at")),
    }
    priority, minutes = raw.get("priority"), raw.get("estimated_minutes")
    fields["priority"] = 5 - priority if isinstance(priority, int) else priority
    fields["estimate_seconds"] = minutes * 60 if isinstance(minutes, int) and minutes > 0 else None
    for key in raw.keys() - _CARRIED - _DERIVED:
        if raw[key]:
            intake.losses.note(f"the field {key!r}", name)
    intake.add(item, name, fields)


def _links(item: Item, intake: Intake) -> list[str]:
    """Take in the dependencies that order, and return the others as labels."""
    labels = []
    links = item.fields.get("dependencies") or []
    for link in links if isinstance(links, list) else [links]:
        kind, other = (str(link.get("type")), link.get("depends_on_id")) if isinstance(link, dict) else (None, None)
        if kind in _ORDERING:
            intake.link(item, (other, item.fields.get("id"), "^"))
            if kind != "blocks":
                intake.losses.note(f"that a dependency is of the type {kind!r}", item.fields.get("id"))
        elif kind in _NAMING:
            labels.append(f"{kind}:{other}")
        else:
            intake.fault(item, f"no dependency: {link!r:.120}")
    return labels


def _given(task: Task, needs: Iterable[str], closed: str | None, losses: Losses) -> dict[str, Any]:
    """Return a task as Beads has it; what was closed at an unknown time was closed when it was made."""
    split = [label.split(":", 1) for label in task.labels]
    named = [(kind, other) for kind, *rest in split for other in rest if kind in _NAMING]
    references = [rest[0] for kind, *rest in split if kind == "external_ref" and rest]
    plain = [label for label in task.labels if label.split(":", 1)[0] not in _NAMING | {"external_ref"}]
    is_held = task.held and task.state is not State.DONE
    links = [*(("blocks", other) for other in needs), *named]
    at = iso(task.created)
    given = {
        "id": task.id,
        "title": task.title,
        "status": "pinned" if is_held else _STATUSES[task.state],
        "priority": 5 - task.priority,
        "issue_type": "task" if task.kind == "work" else task.kind,
        "assignee": task.agent,
        "labels": plain,
        "estimated_minutes": max(1, round(task.estimate_seconds / 60)) if task.estimate_seconds else None,
        "external_ref": references[0] if references else None,
        "created_at": at,
        "updated_at": iso(closed) if closed else at,
        "closed_at": (iso(closed) if closed else at) if task.state is State.DONE else None,
        "dependencies": [
            {"issue_id": task.id, "depends_on_id": other, "type": kind, "created_at": at, "created_by": "colony"}
            for kind, other in links
        ],
    }
    _lose(task, losses)
    return {key: value for key, value in given.items() if value not in (None, [])}


def _lose(task: Task, losses: Losses) -> None:
    """Tell what of a task Beads has no place for."""
    for key in ("stars", "scope", "size", "secure", "hints", "heat", "complexity", "commit"):
        if getattr(task, key):
            losses.note(f"the field {key!r}", task.id)
    if task.state in (State.HUMAN_ASSIGNED, State.HUMAN_WORKING, State.FAILED):
        losses.note(f"the state {task.state.value!r}", task.id)
    if task.held and task.state not in (State.DONE, State.PENDING):
        losses.note("the state under a hold", task.id)
    if task.estimate_seconds and task.estimate_seconds % 60:
        losses.note("the seconds of an estimate", task.id)
