"""What importing and exporting share: the tasks found, what was wrong with the file, and what could not be carried.

What this file does not do: read or write files (callers hand over their text), know a format (organic.py, beads.py), or
sign the records that an import comes to.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from colony.primitives.clock import parse_timestamp
from colony.primitives.errors import UsageError
from colony.tasks.shards.chains import Fault
from colony.tasks.state import records
from colony.tasks.state.reading import valid_fields
from colony.tasks.state.records import Draft
from colony.tasks.task import Edge, State, Task, checked_id

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MARKERS: Final = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
"""How the lines begin that git leaves in a file with a conflict."""


class Loss(NamedTuple):
    """Something that the other side has no place for: how often, and the first task with it."""

    what: str
    times: int
    example: str


class Imported(NamedTuple):
    """What the files of another system came to."""

    tasks: tuple[Task, ...]
    edges: tuple[Edge, ...]
    deleted: tuple[str, ...]
    faults: tuple[Fault, ...]
    losses: tuple[Loss, ...]

    @property
    def drafts(self) -> list[Draft]:
        """The records that say so, ready to be signed: as few as their size allows."""
        return [*records.added(self.tasks), *records.linked(self.edges), *records.deleted(self.deleted)]


class Exported(NamedTuple):
    """The files of another system, by name, and what they could not carry."""

    files: Mapping[str, str]
    losses: tuple[Loss, ...]


class Item(NamedTuple):
    """One object of a file, and the line on which it begins."""

    file: str
    line: int
    fields: Mapping[str, Any]


class Losses:
    """Counts what cannot be carried."""

    def __init__(self) -> None:
        self._tasks: dict[str, list[str]] = {}

    def note(self, what: str, task: Any) -> None:
        """Take note that something of a task is lost."""
        self._tasks.setdefault(what, []).append(str(task))

    def told(self) -> tuple[Loss, ...]:
        """Return each loss once."""
        return tuple(Loss(what, len(tasks), tasks[0]) for what, tasks in sorted(self._tasks.items()))


class Intake:
    """Collects the tasks and dependencies of one import; the first of two tasks with one id counts."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.edges: dict[Edge, None] = {}
        self.deleted: list[str] = []
        self.faults: list[Fault] = []
        self.losses = Losses()

    def add(self, item: Item, name: Any, fields: Mapping[str, Any]) -> None:
        """Add a task from values under our fields' names; what makes no sense is left out and reported.

        A task in a state that nobody knows is paused, lest somebody takes it.
        """
        wrong: list[tuple[str, str, str]] = []
        valid = valid_fields(name, {key: value for key, value in fields.items() if value is not None}, wrong)
        if "title" not in valid:
            wrong.append(("", "", "no title; its id stands for one"))
        for _, _, detail in wrong:
            self.fault(item, f"task {name!s:.80}: {detail}")
        if "state" in fields and "state" not in valid:
            valid["state"] = State.PAUSED
        if valid.get("state") is State.HUMAN_HELD:
            valid |= {"state": State.PENDING, "held": True}
        try:
            task = Task(**{"id": checked_id(str(name)), "title": str(name), **valid})
        except UsageError as error:
            self.fault(item, str(error))
            return
        if task.id in self.tasks:
            self.fault(item, f"task {task.id} stands here a second time; the first counts")
        else:
            self.tasks[task.id] = task

    def link(self, item: Item, edge: tuple[Any, Any, Any]) -> None:
        """Add a dependency; report one that is none."""
        before, after, strength = edge
        if strength not in ("^", ";") or before == after:
            self.fault(item, f"no dependency: {before!r:.80} {strength!r:.80} {after!r:.80}")
            return
        try:
            self.edges[Edge(checked_id(str(before)), checked_id(str(after)), strength)] = None
        except UsageError as error:
            self.fault(item, str(error))

    def fault(self, item: Item, what: str) -> None:
        """Report something that is wrong with an object of a file."""
        self.faults.append(Fault(item.file, item.line, what))

    def result(self) -> Imported:
        """Return everything that was collected; a dependency of a task that is nowhere is reported and kept."""
        known = self.tasks.keys() | set(self.deleted)
        for edge in self.edges:
            if not known >= {edge.before, edge.after}:
                self.losses.note("a dependency names a task that is not in the import", edge.after)
        return Imported(
            tuple(self.tasks.values()),
            tuple(self.edges),
            tuple(self.deleted),
            tuple(self.faults),
            self.losses.told(),
        )


def together(found: Any, more: list[str]) -> Any:
    """Return a list that a file holds with some more items; anything else as it is, to be found wrong."""
    return [*(found or ()), *more] if found is None or isinstance(found, list) else found


def timestamp(text: Any) -> str | None:
    """Return an ISO 8601 time as a hybrid timestamp, UTC where it says no zone; None if it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    milliseconds = (moment - _EPOCH) // timedelta(milliseconds=1)
    return f"{milliseconds:012x}-0000" if milliseconds >= 0 else None


def iso(at: str) -> str:
    """Return a hybrid timestamp as an ISO 8601 time in UTC; the epoch if it is empty."""
    milliseconds = parse_timestamp(at)[0] if at else 0
    return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
