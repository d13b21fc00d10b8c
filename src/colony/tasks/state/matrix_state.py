"""The task matrix as a pure fold over records: the same set of records gives the same bytes, in any order or grouping.

Records are known by their id, so a duplicate changes nothing. Each task is folded from what was said of it, in the
order (at, author, n, id), and only when something new was said (folding.py); dependencies are an add-remove set without
circles (edges.py). Time enters once: given `now_milliseconds`, records of a time too far ahead wait and are reported.
The state root does not depend on that: it is the root of all records taken at their word, so that replicas with the
same records have the same root whatever their clocks say; where nothing waits, that is the root of what is shown.

What this file does not do: check signatures or chains (whoever reads records does), keep anything, or rank tasks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from colony.journal.record import SignedRecord
from colony.primitives.encoding import canonical
from colony.primitives.limits import CLOCK_AHEAD_SECONDS_MAX
from colony.tasks.state.edges import EdgeSet
from colony.tasks.state.folding import Folded, Said, fold
from colony.tasks.state.reading import read
from colony.tasks.state.records import Stamp
from colony.tasks.state.reports import Report
from colony.tasks.state.roles import Roles
from colony.tasks.task import Edge, Task

_encode: Final = msgspec.json.Encoder(order="sorted").encode


class Changes(NamedTuple):
    """What some records changed: the tasks that came, changed or went, and what came into or out of `edges`."""

    tasks: frozenset[str]
    linked: tuple[Edge, ...]
    unlinked: tuple[Edge, ...]


class Statistics(NamedTuple):
    """Counts, for a page or a command."""

    records: int
    waiting: int
    authors: int
    tasks: int
    deleted: int
    edges: int


class MatrixState:
    """The tasks and dependencies that a set of records comes to; grows by `apply`. Not for several threads."""

    def __init__(self, roles: Roles | None = None) -> None:
        self.roles = roles or Roles()
        self._records: set[str] = set()
        self._waiting: dict[str, SignedRecord] = {}
        self._authors: set[str] = set()
        self._numbers: dict[tuple[str, int], str] = {}
        self._said: dict[str, list[Said]] = {}
        self._tasks: dict[str, Task] = {}
        self._special: dict[str, Folded] = {}
        """What is more than a task: with completions, holds or reports, or deleted."""
        self._deleted: set[str] = set()
        self._edges = EdgeSet(lambda author: self.roles.may(author, "override"))
        self._reports: set[Report] = set()

    @classmethod
    def of(
        cls, records: Iterable[SignedRecord], *, roles: Roles | None = None, now_milliseconds: int | None = None
    ) -> MatrixState:
        """Return the state of verified records, in any order."""
        state = cls(roles)
        state._grow(records, now_milliseconds)
        state._edges.settle()
        return state

    def apply(self, records: Iterable[SignedRecord], *, now_milliseconds: int | None = None) -> Changes:
        """Take in more verified records, in any order, known ones too; fold again what they touch and nothing else.

        Records of a time more than `CLOCK_AHEAD_SECONDS_MAX` after `now_milliseconds` wait; each call takes in those
        whose time has come.
        """
        tasks = self._grow(records, now_milliseconds)
        came, went = self._edges.settle()
        linked, unlinked = (sorted(Edge(*pair, strength) for pair, strength in pairs) for pairs in (came, went))
        return Changes(frozenset(tasks), tuple(linked), tuple(unlinked))

    def _grow(self, records: Iterable[SignedRecord], now_milliseconds: int | None) -> list[str]:
        """Take records in and fold the tasks that they touch; return those that are others than before."""
        horizon = _horizon(now_milliseconds)
        touched: dict[str, None] = {}
        for signed in [*self._waiting.values(), *records] if self._waiting else records:
            if signed.id in self._records:
                continue
            if horizon is not None and signed.record.at > horizon:
                self._waiting[signed.id] = signed
            else:
                self._waiting.pop(signed.id, None)
                self._take(signed, touched)
        changed = [name for name in touched if self._refold(name)]
        self._edges.drop([name for name in touched if name in self._deleted])
        return changed

    @property
    def tasks(self) -> Mapping[str, Task]:
        """The tasks that there are, in no particular order."""
        return MappingProxyType(self._tasks)

    @property
    def edges(self) -> Iterator[Edge]:
        """The dependencies that count, of tasks that were not deleted; the first of two may not exist (it blocks)."""
        for pair, strength in self._edges.shown.items():
            yield Edge(*pair, strength)

    @property
    def aside(self) -> tuple[Edge, ...]:
        """The hard dependencies set aside because they close a circle."""
        return tuple(Edge(*pair, "^") for pair in sorted(self._edges.aside))

    @property
    def reports(self) -> tuple[Report, ...]:
        """Everything that was set aside, lost or waits, in one order on every replica."""
        waiting = [
            Report("ahead", "", signed.record.author, signed.id, signed.record.at) for signed in self._waiting.values()
        ]
        return tuple(sorted([*waiting, *self._settled_reports()]))

    @property
    def waiting(self) -> Mapping[str, SignedRecord]:
        """The records whose time has not come, by id."""
        return MappingProxyType(self._waiting)

    def is_deleted(self, task: str) -> bool:
        """Tell whether somebody deleted the task."""
        return task in self._deleted

    def completions(self, task: str) -> dict[str, str | None]:
        """Return the records that finished a task, each with its commit: what a reopening has to name."""
        folded = self._special.get(task)
        return {one.stamp.id: one.commit for one in folded.completions} if folded else {}

    def finished(self, task: str) -> str | None:
        """Return the hybrid timestamp of the record that finished a task; None if it is not done."""
        folded = self._special.get(task)
        return folded.completions[0].stamp.at if folded and folded.completions else None

    def holds(self, task: str) -> tuple[str, ...]:
        """Return the records that hold a task: what a lift has to name."""
        folded = self._special.get(task)
        return folded.holds if folded else ()

    def links(self, edge: Edge) -> tuple[str, ...]:
        """Return the records that make a dependency: what an unlink has to name."""
        return self._edges.records(edge)

    def history(self, task: str) -> tuple[Said, ...]:
        """Return all that was said of a task, in order: the values that lost are here."""
        return tuple(sorted(self._said.get(task, ()), key=_stamp))

    def statistics(self) -> Statistics:
        """Return the counts; cheap, also for a large state."""
        return Statistics(
            records=len(self._records),
            waiting=len(self._waiting),
            authors=len(self._authors),
            tasks=len(self._tasks),
            deleted=len(self._deleted),
            edges=len(self._edges.shown),
        )

    @property
    def canonical(self) -> bytes:
        """The state as canonical JSON (RFC 8785); what waits for its time is not in it."""
        special = sorted(self._special.items())
        members = (
            (b'{"aside":', canonical([list(edge) for edge in self.aside])),
            (b',"completions":', canonical({name: _completions(folded) for name, folded in special})),
            (b',"deleted":', canonical(sorted(self._deleted))),
            (b',"edges":', msgspec.json.encode(sorted(self.edges))),
            (b',"holds":', canonical({name: list(folded.holds) for name, folded in special if folded.holds})),
            (b',"reports":', canonical([list(msgspec.structs.astuple(report)) for report in self._settled_reports()])),
            (b',"tasks":[', b",".join(_task(self._tasks[name]) for name in sorted(self._tasks))),
        )
        return b"".join(part for member in members for part in member) + b"]}"

    @property
    def root(self) -> str:
        """The state root: the SHA-256, in hexadecimal, of the canonical state of all records, waiting ones included."""
        state = self
        if self._waiting:
            state = self._copy()
            state.apply(())
        return sha256(state.canonical).hexdigest()

    def _take(self, signed: SignedRecord, touched: dict[str, None]) -> None:
        """Note what a record says, under the tasks that it says it of."""
        record, said = signed.record, self._said
        stamp = Stamp(record.at, record.author, record.n, signed.id)
        self._records.add(signed.id)
        self._authors.add(record.author)
        first = self._numbers.setdefault((record.author, record.n), signed.id)
        if first != signed.id:
            for one in (first, signed.id):
                self._reports.add(Report("equivocation", "", record.author, one, f"n = {record.n}"))
        items, links, unlinks, faults = read(record)
        for item in items:
            name = item.id if isinstance(item, Task) else item.task
            touched[name] = None
            if (known := said.get(name)) is None:
                said[name] = [(stamp, item)]
            else:
                known.append((stamp, item))
        for what, task, detail in faults:
            self._reports.add(Report(what, task, record.author, signed.id, detail))
        self._edges.link(links, stamp)
        self._edges.unlink(unlinks, stamp)

    def _settled_reports(self) -> list[Report]:
        """Return the reports that follow from what was taken in."""
        found = self._reports.union(self._edge_reports(), *(folded.reports for folded in self._special.values()))
        return sorted(found)

    def _refold(self, name: str) -> bool:
        """Fold one task again; tell whether it is another than before."""
        said = self._said[name]
        before = self._tasks.pop(name, None)
        self._special.pop(name, None)
        if len(said) > 1:
            said.sort(key=_stamp)
        folded = fold(name, said, self.roles)
        if isinstance(folded, Folded):
            self._special[name] = folded
            if folded.is_deleted:
                self._deleted.add(name)
        task = folded.task if isinstance(folded, Folded) else folded
        if task is not None:
            self._tasks[name] = task
        return before != task

    def _edge_reports(self) -> Iterator[Report]:
        """Yield what is odd about dependencies."""
        for pair, stamp in self._edges.aside.items():
            yield _edge_report("cycle", pair, stamp)
        for pair, stamp in self._edges.refused():
            yield _edge_report("forbidden", pair, stamp)
        for pair, stamp in self._edges.dangling():
            yield _edge_report("dangling", pair, stamp)
        for pair, strength in self._edges.shown.items():
            if pair[0] not in self._tasks or pair[1] not in self._tasks:
                is_blocking = strength == "^" and pair[1] in self._tasks
                stamp = self._edges.first(Edge(*pair, strength))
                yield _edge_report("missing" if is_blocking else "dangling", pair, stamp)

    def _copy(self) -> MatrixState:
        """Return a state that can grow without this one."""
        other = MatrixState(self.roles)
        other._records = self._records.copy()
        other._waiting = self._waiting.copy()
        other._authors = self._authors.copy()
        other._numbers = self._numbers.copy()
        other._said = {name: said.copy() for name, said in self._said.items()}
        other._tasks = self._tasks.copy()
        other._special = self._special.copy()
        other._deleted = self._deleted.copy()
        other._edges = self._edges.copy()
        other._reports = self._reports.copy()
        return other


def _stamp(said: Said) -> Stamp:
    return said[0]


def _horizon(now_milliseconds: int | None) -> str | None:
    """Return the largest timestamp that is believed; None if all are."""
    if now_milliseconds is None:
        return None
    return f"{now_milliseconds + CLOCK_AHEAD_SECONDS_MAX * 1_000:012x}-ffff"


def _edge_report(what: str, pair: tuple[str, str], stamp: Stamp) -> Report:
    return Report(what, pair[1], stamp.author, stamp.id, f"{pair[0]} before {pair[1]}")


def _completions(folded: Folded) -> list[list[str | None]]:
    return [[one.stamp.id, one.commit] for one in folded.completions]


def _task(task: Task) -> bytes:
    """Return the canonical JSON of a task; only floats need the slow way."""
    if task.heat is None and task.complexity is None and task.estimate_seconds is None:
        return _encode(task)
    return canonical(msgspec.to_builtins(task))
