"""What all that was said of one task comes to; a pure function of the set of items and of the roles.

Each field has its last value by (at, author, n, id); the life of the task is a register of its own (lifecycle.py); a
hold stands until a lift names it; a deletion stands for good; of two additions with one id the first counts, though a
completion or a hold that the other brought along counts too. What this file does not do: know other tasks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from colony.tasks.state.lifecycle import Completion, live
from colony.tasks.state.records import SETTABLE, Deletion, Hold, Item, Move, Setting, Stamp
from colony.tasks.state.reports import Report
from colony.tasks.state.roles import Act, Roles
from colony.tasks.task import State, Task

Said: TypeAlias = tuple[Stamp, Item]
_SIZES: Final = (None, "small", "medium", "large", "critical")
_GUARDED: Final = ("stars", "heat", "complexity", "size", "secure")
"""The fields that a tier follows from: whose role may not raise, may lower them at most."""


class Folded(NamedTuple):
    """One task; None if it was deleted or never added."""

    task: Task | None
    completions: tuple[Completion, ...] = ()
    holds: tuple[str, ...] = ()
    reports: tuple[Report, ...] = ()
    is_deleted: bool = False


def fold(name: str, said: Sequence[Said], roles: Roles) -> Folded | Task:
    """Return what was said of the task `name`, in the order of the stamps, taken together; often only the task."""
    if len(said) == 1 and (plain := _plain(*said[0], roles)) is not None:
        return plain
    folded = _Fold(name, roles).of(said)
    is_plain = not (folded.completions or folded.holds or folded.reports)
    return folded.task if is_plain and folded.task else folded


def is_raised(field: str, old: Any, new: Any) -> bool:
    """Tell whether a new value of a field may lead to a higher tier, or from local models to remote ones."""
    if field == "secure":
        return bool(old and not new)
    if field == "size":
        return old != new and (new is None or _SIZES.index(new) > _SIZES.index(old))
    if field in _GUARDED:
        return bool(old != new and (old is None or new is None or new > old))
    return False


def _plain(stamp: Stamp, item: Item, roles: Roles) -> Folded | Task | None:
    """Return what one addition comes to, where nothing about it needs thought; nearly always, in a large import."""
    if type(item) is not Task or item.held or roles.role(stamp.author) == "agent":
        return None
    is_done = item.state is State.DONE
    task = msgspec.structs.replace(item, **_origin(stamp, item), commit=item.commit if is_done else None)
    return Folded(task, (_brought(stamp, item),)) if is_done else task


def _origin(stamp: Stamp, item: Task) -> dict[str, Any]:
    """Return the fields that an addition has from its record, whatever it says itself."""
    return {
        "created": item.created or stamp.at,
        "author": stamp.author,
        "epoch": 0,
        "fence": 0,
        "lease_expires": None,
    }


class _Fold:
    """One pass over what was said of one task; it collects reports on the way."""

    def __init__(self, name: str, roles: Roles) -> None:
        self._name = name
        self._roles = roles
        self._reports: set[Report] = set()

    def of(self, said: Sequence[Said]) -> Folded:
        allowed = [one for one in said if self._is_allowed(*one)]
        additions = [(stamp, item) for stamp, item in allowed if isinstance(item, Task)]
        if _is_deleted(allowed):
            return Folded(None, reports=self._told(), is_deleted=True)
        if not additions:
            for stamp, _ in allowed:
                self._note("unadded", stamp)
            return Folded(None, reports=self._told())
        stamp, first = additions[0]
        for other, item in additions[1:]:
            if _stated(item) != _stated(first):
                self._note("duplicate", other, item.title)
        task = self._set(self._begun(stamp, first), allowed)
        holds = _holds(allowed, self._roles)
        finished = [_brought(*addition) for addition in additions if addition[1].state is State.DONE]
        life = live(
            (stamp, task),
            [(at, item) for at, item in allowed if isinstance(item, Move)],
            finished,
            lambda author: self._roles.may(author, "override"),
            self._note,
        )
        task = msgspec.structs.replace(
            task,
            state=life.state,
            agent=life.agent,
            epoch=life.epoch,
            fence=life.fence,
            lease_expires=life.lease_expires,
            commit=life.commit,
            held=bool(holds),
        )
        return Folded(task, life.completions, holds, self._told())

    def _is_allowed(self, stamp: Stamp, item: Item) -> bool:
        acts = _acts(item)
        missing = [act for act in acts if not self._roles.may(stamp.author, act)]
        if missing:
            self._note("forbidden", stamp, f"{self._roles.role(stamp.author)} may not {missing[0]}")
        return not missing

    def _begun(self, stamp: Stamp, item: Task) -> Task:
        """Return the task as it was added; without what its author may not give it."""
        usual = {name: getattr(_USUAL, name) for name in _GUARDED if self._is_too_much(stamp, item, name)}
        if item.created and not self._roles.may(stamp.author, "raise"):
            usual["created"] = stamp.at
        for name in usual:
            self._note("forbidden", stamp, f"{self._roles.role(stamp.author)} may not state {name}")
        return msgspec.structs.replace(item, **(_origin(stamp, item) | usual))

    def _is_too_much(self, stamp: Stamp, item: Task, name: str) -> bool:
        old, new = getattr(_USUAL, name), getattr(item, name)
        return old != new and is_raised(name, old, new) and not self._roles.may(stamp.author, "raise")

    def _set(self, task: Task, said: Sequence[Said]) -> Task:
        """Return the task with the last permitted value of each field."""
        fields: dict[str, Any] = {name: getattr(task, name) for name in SETTABLE}
        for stamp, item in said:
            for name, value in item.fields.items() if isinstance(item, Setting) else ():
                if is_raised(name, fields[name], value) and not self._roles.may(stamp.author, "raise"):
                    self._note("forbidden", stamp, f"{self._roles.role(stamp.author)} may not raise {name}")
                else:
                    fields[name] = value
        return msgspec.structs.replace(task, **fields)

    def _note(self, what: str, stamp: Stamp, detail: str = "") -> None:
        self._reports.add(Report(what, self._name, stamp.author, stamp.id, detail))

    def _told(self) -> tuple[Report, ...]:
        return tuple(sorted(self._reports))


_USUAL: Final = Task(id="", title="")


def _acts(item: Item) -> tuple[Act, ...]:
    """Return what somebody does who says this."""
    match item:
        case Task():
            done: tuple[Act, ...] = ("done",) if item.state is State.DONE else ()
            return ("add", *done, *(("hold",) if item.held else ()))
        case Setting():
            return ("set",)
        case Move():
            return (item.move,)
        case Hold():
            return ("hold",) if item.held else ("lift",)
        case Deletion():
            return ("delete",)


def _is_deleted(said: Sequence[Said]) -> bool:
    return any(isinstance(item, Deletion) for _, item in said)


def _stated(item: Task) -> Mapping[str, Any]:
    return msgspec.structs.asdict(item)


def _brought(stamp: Stamp, item: Task) -> Completion:
    """Return the completion that an addition brought along."""
    return Completion(0, 0, stamp, item.commit, item.agent)


def _holds(said: Sequence[Said], roles: Roles) -> tuple[str, ...]:
    """Return the records whose hold stands; only who may lift any hold ends one of somebody who may too."""
    holds = {stamp.id: stamp.author for stamp, item in said if isinstance(item, (Hold, Task)) and item.held}
    for stamp, item in said:
        for name in item.lifts if isinstance(item, Hold) and not item.held else ():
            owner = holds.get(name)
            if owner is not None and (roles.may(stamp.author, "lift_any") or not roles.may(owner, "lift_any")):
                del holds[name]
    return tuple(sorted(holds))
