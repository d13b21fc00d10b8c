"""What records say about tasks: the typed items in their bodies, and a builder for each command.

A record holds a list of items, so that an import of a hundred thousand tasks is a handful of records. Whatever undoes
something names what it saw: a step its claim's fence, a lift its holds, an unlink the records that linked, a reopening
the completions. What this file does not do: sign a record, read one (reading.py), or say what it changes (folding.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import Meta

from colony.primitives.errors import UsageError
from colony.primitives.limits import (
    INTEGER_MAX,
    TASK_BATCH_BYTES_MAX,
    TASK_ID_CHARACTERS_MAX,
    TASK_REASON_CHARACTERS_MAX,
    TASK_WORD_CHARACTERS_MAX,
)
from colony.tasks.task import Edge, State, Task, checked, checked_id

Draft: TypeAlias = tuple[str, dict[str, Any]]
"""A kind and a body: what `Author.write` takes."""

Id = Annotated[str, Meta(min_length=1, max_length=TASK_ID_CHARACTERS_MAX)]
_Word = Annotated[str, Meta(max_length=TASK_WORD_CHARACTERS_MAX)]
_Reason = Annotated[str, Meta(max_length=TASK_REASON_CHARACTERS_MAX)]
_Count = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]

CLAIMED: Final = frozenset({State.HUMAN_ASSIGNED, State.HUMAN_WORKING, State.AGENT_ASSIGNED, State.AGENT_EXECUTING})
STEPPED: Final = CLAIMED | {State.AWAITING_INPUT, State.PAUSED}
SETTABLE: Final = frozenset(
    {"title", "priority", "stars", "scope", "labels", "size", "secure", "hints", "heat", "complexity", "kind"}
    | {"estimate_seconds"}
)
"""The fields that a setting may change; the others follow from moves and holds."""
ADDABLE: Final = SETTABLE | {"id", "state", "agent", "held", "created", "commit"}


class Stamp(NamedTuple):
    """Whose record it is and of when: the order in which a fold takes records, alike on every replica."""

    at: str
    author: str
    n: int
    id: str


class Setting(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """New values for fields of a task."""

    task: Id
    fields: dict[str, Any]


class Move(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """A step in the life of a task, seen at `epoch` and `fence`.

    A claim or a steal takes a larger fence, and a reopening the next epoch. `state` is the one that a claim, a steal or
    a step leads to; `cites` names the completions that a reopening undoes, by their records' ids and by their commits.
    """

    task: Id
    move: Literal["claim", "steal", "step", "release", "fail", "done", "reopen"]
    epoch: _Count
    fence: _Count
    state: State | None = None
    agent: _Word | None = None
    lease_expires: _Count | None = None
    commit: _Word | None = None
    cites: tuple[_Word, ...] = ()
    reason: _Reason = ""

    @property
    def is_sensible(self) -> bool:
        """Whether the state fits the move."""
        if self.move in ("claim", "steal"):
            return self.state in CLAIMED and self.fence > 0
        return self.state in STEPPED if self.move == "step" else self.state is None


class Hold(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A human's hold on a task, or the end of the holds that `lifts` names by their records' ids."""

    task: Id
    held: bool
    lifts: tuple[_Word, ...] = ()
    reason: _Reason = ""


class Deletion(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A tombstone: the task is gone for good; another may come under another id."""

    task: Id
    reason: _Reason = ""


class Unlink(NamedTuple):
    """The end of what `records` said of a dependency; a link by a record that is not named stands."""

    before: Id
    after: Id
    kind: Literal["^", ";"]
    records: tuple[_Word, ...]


Item: TypeAlias = Task | Setting | Move | Hold | Deletion
"""What a record says of one task."""


def added(tasks: Iterable[Task]) -> list[Draft]:
    """Return the records that add tasks: as few as their size allows.

    Raises:
        UsageError: a field of a task is out of range.

    """
    return [("task.added/1", {"tasks": batch}) for batch in _batches(_addition(checked(task)) for task in tasks)]


def changed(task: str, **fields: Any) -> Draft:
    """Return the record that gives fields of a task new values.

    Raises:
        UsageError: there is no such field to set, or a value is out of range.

    """
    if not fields or not fields.keys() <= SETTABLE:
        raise UsageError(f"task {task}: {sorted(fields.keys() - SETTABLE)} cannot be set; {sorted(SETTABLE)} can")
    checked(msgspec.structs.replace(Task(id=task, title="any"), **fields))
    return "task.set/1", {"settings": [{"task": task, "fields": msgspec.to_builtins(fields)}]}


def claimed(
    task: Task,
    *,
    agent: str,
    state: State = State.AGENT_ASSIGNED,
    lease_expires: int | None = None,
    fence: int | None = None,
    is_steal: bool = False,
) -> Draft:
    """Return the record by which `agent` takes a task; `fence` is the one that the home of claims gave out, if any."""
    return _moved(
        Move(
            task=task.id,
            move="steal" if is_steal else "claim",
            epoch=task.epoch,
            fence=task.fence + 1 if fence is None else fence,
            state=state,
            agent=agent,
            lease_expires=lease_expires,
        )
    )


def stepped(task: Task, state: State, *, lease_expires: int | None = None, reason: str = "") -> Draft:
    """Return the record by which whoever holds a task says where it stands, or renews the lease; else it goes on."""
    lease = task.lease_expires if lease_expires is None else lease_expires
    move = Move(task=task.id, move="step", epoch=task.epoch, fence=task.fence, state=state)
    return _moved(msgspec.structs.replace(move, lease_expires=lease, reason=reason))


def released(task: Task, reason: str = "") -> Draft:
    """Return the record that gives a task back; it is pending again, a failed one too."""
    return _moved(Move(task=task.id, move="release", epoch=task.epoch, fence=task.fence, reason=reason))


def failed(task: Task, reason: str = "") -> Draft:
    """Return the record that says that whoever held the task could not do it."""
    return _moved(Move(task=task.id, move="fail", epoch=task.epoch, fence=task.fence, reason=reason))


def done(task: Task, *, commit: str | None = None, agent: str | None = None) -> Draft:
    """Return the record that finishes a task, with the commit that did it if there is one."""
    by = agent if agent is not None else task.agent
    return _moved(Move(task=task.id, move="done", epoch=task.epoch, fence=task.fence, agent=by, commit=commit))


def reopened(task: Task, completions: Mapping[str, str | None], reason: str = "") -> Draft:
    """Return the record that makes a task pending again; `completions` are those it undoes, as the state knows them.

    A completion that is not cited, since nobody here had heard of it, keeps the task closed.
    """
    cites = (*completions, *(commit for commit in completions.values() if commit))
    move = Move(task=task.id, move="reopen", epoch=task.epoch + 1, fence=task.fence, cites=cites, reason=reason)
    return _moved(move)


def held(task: str, reason: str = "") -> Draft:
    """Return the record by which a human stops a task, whoever works on it."""
    return "task.held/1", {"holds": [msgspec.to_builtins(Hold(checked_id(task), held=True, reason=reason))]}


def lifted(task: str, holds: Collection[str], reason: str = "") -> Draft:
    """Return the record that ends the holds (ids of records) that were seen; one that was not seen stands."""
    hold = Hold(checked_id(task), held=False, lifts=tuple(sorted(holds)), reason=reason)
    return "task.held/1", {"holds": [msgspec.to_builtins(hold)]}


def linked(edges: Iterable[Edge]) -> list[Draft]:
    """Return the records that make tasks wait for others.

    Raises:
        UsageError: a task would wait for itself, or an id is none.

    """
    return [("task.linked/1", {"edges": batch}) for batch in _batches(map(_link, edges))]


def unlinked(edges: Mapping[Edge, Collection[str]]) -> list[Draft]:
    """Return the records that end dependencies, each with the records that linked it, as the state knows them."""
    items = ([*edge, sorted(records)] for edge, records in edges.items())
    return [("task.unlinked/1", {"edges": batch}) for batch in _batches(items)]


def deleted(tasks: Iterable[str], reason: str = "") -> list[Draft]:
    """Return the records that delete tasks for good."""
    items = (msgspec.to_builtins(Deletion(checked_id(task), reason)) for task in tasks)
    return [("task.deleted/1", {"deletions": batch}) for batch in _batches(items)]


def _moved(move: Move) -> Draft:
    if not move.is_sensible:
        raise UsageError(f"task {move.task}: a {move.move} cannot lead to {move.state.name if move.state else 'this'}")
    return "task.moved/1", {"moves": [msgspec.to_builtins(move)]}


def _addition(task: Task) -> dict[str, Any]:
    """Return what a record needs to hold of a new task: the fields that it may state and that are not as usual."""
    usual = Task(id="", title="")
    fields = {name: getattr(task, name) for name in sorted(ADDABLE)}
    return {name: msgspec.to_builtins(value) for name, value in fields.items() if value != getattr(usual, name)}


def _link(edge: Edge) -> list[str]:
    if checked_id(edge.before) == checked_id(edge.after):
        raise UsageError(f"task {edge.after} cannot wait for itself")
    return list(edge)


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield the items in lists whose JSON is smaller than `TASK_BATCH_BYTES_MAX`, unless one item alone is larger."""
    batch: list[Any] = []
    size_bytes = 0
    for item in items:
        item_bytes = len(msgspec.json.encode(item)) + 1
        if batch and size_bytes + item_bytes > TASK_BATCH_BYTES_MAX:
            yield batch
            batch, size_bytes = [], 0
        batch.append(item)
        size_bytes += item_bytes
    if batch:
        yield batch
