"""Shared memory by name: each variable has a unique name, each commit tells a journal what it wrote and who acted.

With a journal, a commit that wrote named variables appends what the body emitted and one `memory.committed/1` record
with the new values, all in one append; so the names and values are a fold over records (`replay`), and a memory that
is made from them goes on where the journal ends. Without a journal it is plain transactional memory at the same price.

What this file does not do: open a journal (node/memories.py), reach other processes (remote/), or record a default: a
variable that was never written is known to the program, not to the past. A variable of the same memory that has no name
here, as inside a container, is shared and gone with the process.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from colony.journal.events import upcast
from colony.memory.shared_memory import (
    Append,
    DurableBody,
    DurableTransaction,
    Emission,
    SharedMemory,
    unchanged_emitting,
)
from colony.memory.values import frozen
from colony.primitives.encoding import canonical, sha256
from colony.primitives.errors import EncodingError, LimitError
from colony.primitives.limits import VARIABLE_NAME_CHARACTERS_MAX, VARIABLES_MAX
from colony.stm.tvar import Memory, Statistics, TVar
from colony.stm.verbs import Snapshot, snapshot

T = TypeVar("T")
KIND: Final = "memory.committed/1"


class NamedMemory:
    """Variables with unique names, transactions on them, and their past.

    `append` is that of a `SharedMemory`; None means that nothing is recorded, and that an emission goes nowhere. `run`
    stands in every record. `values` are restored: where a journal has left the variables. Safe to use from several
    threads. With a journal values are checked and frozen as they are committed; without one they are taken as they are,
    and checked where they leave the process.
    """

    def __init__(
        self,
        append: Append | None = None,
        *,
        run: str = "",
        values: Mapping[str, Any] | None = None,
    ) -> None:
        self.run = run
        self._shared = SharedMemory(append or _forget)
        self._is_recorded = append is not None
        self._variables: dict[str, TVar[Any]] = {}
        self._guard = threading.Lock()
        if values:
            restored: dict[TVar[Any], Any] = {
                self.variable(name): frozen(value, name) for name, value in values.items()
            }
            self._shared.atomically(partial(_write_all, restored))

    @property
    def memory(self) -> Memory:
        """The transactional memory below, for containers and for `memory=` arguments."""
        return self._shared.memory

    def variable(self, name: str, default: T | None = None) -> TVar[T]:
        """Return the variable of this name, made with `default` the first time; inside a body too.

        Raises:
            EncodingError: the name is no text; or the default is no value (see `values.frozen`).
            LimitError: the name is empty or too long, the default too large, or there are too many variables.
        """
        known = self._variables.get(name)
        if known is None:
            known = self._make(name, default)
        return known

    def variables(self, defaults: Mapping[str, Any]) -> dict[str, TVar[Any]]:
        """Return the variable of each of these names, made with its default the first time."""
        return {name: self.variable(name, default) for name, default in defaults.items()}

    def names(self) -> tuple[str, ...]:
        """The names of all variables made so far, in their order."""
        with self._guard:
            return tuple(sorted(self._variables))

    def atomically(self, body: DurableBody[T], *, agent: str = "", wait_seconds_max: float | None = None) -> T:
        """Run `body` as one transaction of `agent` and return what it returned, once it is durable.

        Raises:
            Exception: whatever left the body, or `append` raised; then nothing was published.
            EncodingError, LimitError: a value that a journal cannot carry; names the variable.
            TransactionError: as `colony.stm.atomically` does.
        """
        return self._shared.atomically(self._recorded(body, agent), wait_seconds_max=wait_seconds_max)

    async def atomically_async(
        self, body: DurableBody[T], *, agent: str = "", wait_seconds_max: float | None = None
    ) -> T:
        """Do as `atomically`, on the same variables, with neither a wait nor the append blocking the event loop."""
        return await self._shared.atomically_async(self._recorded(body, agent), wait_seconds_max=wait_seconds_max)

    def snapshot(self, variables: Iterable[TVar[Any]]) -> Snapshot:
        """Read `variables` as they are together now, for `commit_if_unchanged` after slow work."""
        return snapshot(variables)

    def commit_if_unchanged(
        self, seen: Snapshot, writes: Mapping[TVar[Any], Any], emissions: Iterable[Emission] = (), *, agent: str = ""
    ) -> bool:
        """Commit `writes` and `emissions` if no variable in `seen` was written since, and say whether."""
        return self.atomically(unchanged_emitting(seen, writes, tuple(emissions)), agent=agent)

    async def commit_if_unchanged_async(
        self, seen: Snapshot, writes: Mapping[TVar[Any], Any], emissions: Iterable[Emission] = (), *, agent: str = ""
    ) -> bool:
        """Do as `commit_if_unchanged`, without blocking the event loop."""
        return await self.atomically_async(unchanged_emitting(seen, writes, tuple(emissions)), agent=agent)

    async def hold_async(self, variables: Iterable[TVar[Any]]) -> DurableTransaction:
        """Keep all others from writing `variables`; see `SharedMemory.hold_async`."""
        return await self._shared.hold_async(variables)

    async def commit_held_async(self, held: DurableTransaction, body: DurableBody[T], *, agent: str = "") -> T:
        """Commit `body`, which may use only what is held, and end the hold."""
        return await self._shared.commit_held_async(held, self._recorded(body, agent))

    def state(self) -> dict[str, Any]:
        """Every variable that was ever written, by name, sorted, as they were together at one instant.

        Raises:
            EncodingError, LimitError: a value that JSON cannot carry was written where nothing is recorded.
        """
        with self._guard:
            named = dict(sorted(self._variables.items()))
        cells = snapshot(named.values()).cells
        return {name: frozen(cells[variable][0], name) for name, variable in named.items() if cells[variable][1]}

    def state_hash(self) -> str:
        """Hex SHA-256 of `state()`: equal for the living memory and for one that was rebuilt from its records."""
        return hash_of(self.state())

    def statistics(self) -> Statistics:
        """Return the counters of the memory, taken at one instant; a restoration counts as one commit."""
        return self._shared.statistics()

    def _make(self, name: str, default: Any) -> TVar[Any]:
        check_name(name)
        value = frozen(default, name)
        with self._guard:
            if len(self._variables) >= VARIABLES_MAX and name not in self._variables:
                raise LimitError(f"variable {name!r}: there are {VARIABLES_MAX} already; use fewer, larger values")
            return self._variables.setdefault(name, self._shared.variable(value, name))

    def _recorded(self, body: DurableBody[T], agent: str) -> DurableBody[T]:
        """Make a body that also emits what it wrote, where there is a journal to tell."""
        if not self._is_recorded:
            return body

        def recorded(t: DurableTransaction) -> T:
            result = body(t)
            changes = {}
            for variable, value in t.writes.items():
                if variable.name and self._variables.get(variable.name) is variable:
                    changes[variable.name] = t.writes[variable] = frozen(value, variable.name)
            if changes:
                t.emit(KIND, {"run": self.run, "agent": agent, "changes": changes})
            return result

        return recorded


class Told(Protocol):
    """What a fold reads of a record: its kind and its body. A record has these, and an emission too."""

    @property
    def kind(self) -> str:
        """The stable name of what it states."""
        ...

    @property
    def body(self) -> Mapping[str, Any]:
        """The statement."""
        ...


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of the past: who acted, and the new values by name."""

    run: str
    agent: str
    changes: Mapping[str, Any]


def commits(records: Iterable[Told]) -> Iterator[Commit]:
    """Yield every commit of named memory among `records`, in order; records about other things are passed over."""
    for record in records:
        if record.kind.startswith("memory."):
            kind, body = upcast(record.kind, dict(record.body))
            if kind == KIND:
                changes = {name: frozen(value, name) for name, value in body["changes"].items()}
                yield Commit(body["run"], body["agent"], changes)


def replay(records: Iterable[Told]) -> dict[str, Any]:
    """Fold `records`, in their order, to the last value of each variable; give it to a `NamedMemory` as `values`."""
    values: dict[str, Any] = {}
    for commit in commits(records):
        values.update(commit.changes)
    return dict(sorted(values.items()))


def hash_of(state: Mapping[str, Any]) -> str:
    """Hex SHA-256 of the canonical JSON of names and values."""
    return sha256(canonical(dict(state))).hex()


def check_name(name: str) -> str:
    """Return `name`, if a variable may have it.

    Raises:
        EncodingError: it is no text that UTF-8 can carry.
        LimitError: it is empty or too long.
    """
    if not isinstance(name, str):
        raise EncodingError(f"a variable's name is a text, not {type(name).__name__}")
    if not 0 < len(name) <= VARIABLE_NAME_CHARACTERS_MAX:
        raise LimitError(f"{name!r:.60}: a name has from 1 to {VARIABLE_NAME_CHARACTERS_MAX} characters")
    frozen(name, name)
    return name


def _write_all(values: Mapping[TVar[Any], Any], t: DurableTransaction) -> None:
    for variable, value in values.items():
        t.write(variable, value)


def _forget(_: tuple[Emission, ...]) -> None:
    """Take emissions that nobody records."""
