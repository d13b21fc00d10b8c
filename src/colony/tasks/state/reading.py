"""A record's body as typed items, and the faults of what in it makes no sense to this version.

One bad item does not spoil the others, nor one bad field its item: what cannot be read is left out and reported. What
this file does not do: check signatures or chains, or say what an item changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import msgspec

from colony.journal.events import KINDS, upcast
from colony.journal.record import Record
from colony.primitives.clock import is_timestamp
from colony.tasks.state.records import ADDABLE, SETTABLE, Deletion, Hold, Id, Item, Move, Setting, Unlink
from colony.tasks.task import State, Task, is_id

Fault: TypeAlias = tuple[str, str, str]
"""What (a key of `reports.WHATS`), the task or nothing, and a detail."""
Link: TypeAlias = tuple[Id, Id, Literal["^", ";"]]
_TYPES: Final[Mapping[str, Any]] = MappingProxyType({f.name: f.type for f in msgspec.structs.fields(Task)})
_ITEMS: Final[Mapping[str, tuple[str, type[Setting | Move | Hold | Deletion]]]] = MappingProxyType(
    {
        "task.set/1": ("settings", Setting),
        "task.moved/1": ("moves", Move),
        "task.held/1": ("holds", Hold),
        "task.deleted/1": ("deletions", Deletion),
    }
)


class Contents(NamedTuple):
    """What a record says: of tasks, of dependencies made and ended; and what could not be read."""

    items: list[Item]
    links: list[Link]
    unlinks: list[Unlink]
    faults: list[Fault]


def read(record: Record) -> Contents:
    """Return what a record says of tasks; nothing, if it is about something else."""
    contents = Contents([], [], [], [])
    kind, body = upcast(record.kind, record.body)
    faults = contents.faults
    if kind == "task.added/1":
        contents.items.extend(_added(body.get("tasks"), faults))
    elif kind in _ITEMS:
        field, item = _ITEMS[kind]
        known = frozenset(item.__struct_fields__)
        contents.items.extend(_sensible(_each(body.get(field), item, faults, known), faults))
    elif kind == "task.linked/1":
        contents.links.extend(_each(body.get("edges"), Link, faults))
    elif kind == "task.unlinked/1":
        contents.unlinks.extend(_each(body.get("edges"), Unlink, faults))
    elif kind not in KINDS:
        faults.append(("unknown-kind", "", kind))
    return contents


def _each(
    found: Any,
    wanted: Any,
    faults: list[Fault],
    known: frozenset[str] | None = None,
    salvage: Callable[[Any, list[Fault]], Any] = lambda _item, _faults: None,
) -> list[Any]:
    """Return the items that are `wanted`, in one go if all are; `salvage` makes what it can of any other."""
    if not isinstance(found, list):
        faults.append(("unreadable", "", "the body holds no list of items"))
        return []
    try:
        items = msgspec.convert(found, list[wanted])
    except msgspec.ValidationError:
        items = [item for raw in found if (item := _one(raw, wanted, faults, salvage)) is not None]
    for raw in found if known else ():
        if isinstance(raw, dict) and known and not raw.keys() <= known:
            name = raw.get("task", raw.get("id", ""))
            faults.append(("unknown-field", str(name), ", ".join(sorted(raw.keys() - known))))
    return items


def _one(raw: Any, wanted: Any, faults: list[Fault], salvage: Callable[[Any, list[Fault]], Any]) -> Any:
    try:
        return msgspec.convert(raw, wanted)
    except msgspec.ValidationError as error:
        item = salvage(raw, faults)
        if item is None:
            name = str(raw.get("task", raw.get("id", ""))) if isinstance(raw, dict) else ""
            faults.append(("unreadable", name, str(error)))
        return item


def _added(found: Any, faults: list[Fault]) -> list[Task]:
    """Return the tasks of an addition, without those whose id is none."""
    tasks: list[Task] = _each(found, Task, faults, ADDABLE, _salvaged)
    return [_normal(task) for task in tasks if _has_id(task, faults)]


def _normal(task: Task) -> Task:
    """Return the task; one in the seed's state `#` is pending and held."""
    if task.state is not State.HUMAN_HELD:
        return task
    return msgspec.structs.replace(task, state=State.PENDING, held=True)


def _has_id(task: Task, faults: list[Fault]) -> bool:
    if not is_id(task.id):
        faults.append(("unreadable", task.id, "no task id"))
        return False
    if task.created and not is_timestamp(task.created):
        faults.append(("unreadable", task.id, f"created = {task.created!r}"))
        return False
    return True


def _salvaged(raw: Any, faults: list[Fault]) -> Task | None:
    """Return a task without the fields that make no sense; in an unknown state it is paused, lest somebody takes it."""
    if not isinstance(raw, dict):
        return None
    fields = valid_fields(raw.get("id", ""), {name: raw[name] for name in raw.keys() & ADDABLE}, faults)
    if "id" not in fields or "title" not in fields:
        return None
    if "state" in raw and "state" not in fields:
        fields["state"] = State.PAUSED
    return Task(**fields)


def valid_fields(task: Any, raw: Mapping[str, Any], faults: list[Fault]) -> dict[str, Any]:
    """Return those of a task's fields that have a value in range, typed; the others become faults."""
    fields: dict[str, Any] = {}
    for name, value in sorted(raw.items()):
        try:
            fields[name] = msgspec.convert(value, _TYPES[name])
        except (msgspec.ValidationError, KeyError) as error:
            faults.append(("unknown-field", str(task), f"{name}: {error}"))
    return fields


def _sensible(items: list[Any], faults: list[Fault]) -> list[Any]:
    """Return the items that say something; a setting with its values typed."""
    kept: list[Any] = []
    for item in items:
        if isinstance(item, Move) and not item.is_sensible:
            faults.append(("unreadable", item.task, f"a {item.move} to {item.state}"))
        elif isinstance(item, Setting):
            known = {name: value for name, value in item.fields.items() if name in SETTABLE}
            faults.extend(("unknown-field", item.task, name) for name in item.fields.keys() - SETTABLE)
            kept.append(Setting(item.task, valid_fields(item.task, known, faults)))
        else:
            kept.append(item)
    return kept
