"""The shared memory of another process, used as if it were here: the same bodies, with the same guarantees.

This process keeps copies of the variables it uses, in a transactional memory of its own which only the server's answers
change; each answer moves all copies to one later instant. A body runs over the copies as a local transaction, so it
never sees variables as they never were together, and nested parts, `or_else` and `retry` work as ever. What it has
read, written and emitted then goes to the server in one message, which commits it if nothing it has read was written
since, and otherwise answers with what was, and the body runs again. `retry` sleeps at the server. A transaction that
was refused too often asks for its turn, in which nobody else can write what it uses; so a body that comes to an end
within a second does so however busy the others are, once its turns have covered all it reads.

What this file does not do: survive its server. A commit whose answer was lost may have been made; the error says so.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, Self, TypeAlias, TypeVar, cast

from colony.memory.named_memory import check_name
from colony.memory.remote.connection import Connection
from colony.memory.remote.wire import Answer, Commit, Declare, Request, Turn, Wait
from colony.memory.shared_memory import DurableBody, DurableTransaction, Emission, unchanged_emitting
from colony.memory.values import frozen
from colony.primitives.errors import ColonyError, TransactionError
from colony.primitives.limits import REMOTE_LOSSES_MAX, TRANSACTION_ATTEMPTS_MAX
from colony.stm.transaction import LostSignal, RetrySignal, Transaction
from colony.stm.tvar import Memory, TVar
from colony.stm.verbs import Snapshot

T = TypeVar("T")
Asking: TypeAlias = "Generator[Callable[[int], Request], tuple[int, Answer], T]"


@dataclass(frozen=True, slots=True)
class RemoteStatistics:
    """What a process has done to a memory served by another."""

    commits: int
    """Transactions that came to their end, those that only read included."""
    conflicts: int
    """Runs of a body thrown away because a variable they had read was changed."""
    retries: int
    """Runs of a body that ended in `retry`."""
    waits: int
    """Times a transaction was told to sleep by it, and woke."""
    longest_wait_seconds: float
    turns: int
    """Times a transaction was refused so often that it got its turn."""
    requests: int
    """Messages to the server, each with one answer."""


class RemoteMemory:
    """A connection to the memory served at `path`. Safe to use from several threads; close it, or enter it with `with`.

    `TVar.value` of its variables is what this process heard last; only a transaction says what is so now.

    Raises:
        MemoryGoneError: nobody serves a memory at `path`.
        UsageError: the path cannot be that of a socket, or another user serves there.
        LimitError: too many processes use it.
    """

    def __init__(self, path: Path) -> None:
        self._copies = Memory()
        self._clock = TVar(0, "clock of the server", memory=self._copies)
        self._variables: dict[str, TVar[Any]] = {}
        self._order: list[TVar[Any]] = []
        self._numbers: dict[TVar[Any], int] = {}
        self._declaring = threading.Lock()
        self._counting = threading.Lock()
        self._counts = {"commits": 0, "conflicts": 0, "retries": 0, "waits": 0, "turns": 0, "requests": 0}
        self._longest_wait_seconds = 0.0
        self._connection = Connection(path, self._learn)

    @property
    def run(self) -> str:
        """The run that the served memory is of."""
        return self._connection.run

    def variable(self, name: str, default: T | None = None) -> TVar[T]:
        """Return the variable of this name, made with `default` if nobody has made it yet; inside a body too.

        Raises:
            EncodingError, LimitError: as `NamedMemory.variable` does.
            MemoryGoneError: the server is gone.
        """
        return self.variables({name: default})[name]

    def variables(self, defaults: Mapping[str, Any]) -> dict[str, TVar[Any]]:
        """Return the variable of each of these names, with one message for all that are new to this process."""
        if not defaults.keys() <= self._variables.keys():
            with self._declaring:
                self._declare({name: each for name, each in defaults.items() if name not in self._variables})
        return {name: self._variables[name] for name in defaults}

    def atomically(self, body: DurableBody[T], *, agent: str = "", wait_seconds_max: float | None = None) -> T:
        """Run `body` as one transaction of `agent`, and return what it returned once that is committed, and durable.

        `wait_seconds_max` bounds the time it may sleep in `retry`, None for no bound.

        Raises:
            Exception: whatever left the body; nothing was changed.
            MemoryGoneError: the server is gone; `is_outcome_unknown` says if the commit may have been made.
            JournalError: the server's journal refused; nothing was changed.
            TransactionError, EncodingError, LimitError: as `NamedMemory.atomically` does.
        """
        asking = self._transaction(body, agent, wait_seconds_max)
        try:
            make = next(asking)
            while True:
                number, future = self._ask(make)
                make = asking.send((number, future.result()))
        except StopIteration as end:
            result: T = end.value
            return result

    async def atomically_async(
        self, body: DurableBody[T], *, agent: str = "", wait_seconds_max: float | None = None
    ) -> T:
        """Do as `atomically`, without blocking the event loop. Cancelled, it leaves its last request to be done."""
        asking = self._transaction(body, agent, wait_seconds_max)
        try:
            make = next(asking)
            while True:
                number, future = self._ask(make)
                make = asking.send((number, await asyncio.wrap_future(future)))
        except StopIteration as end:
            result: T = end.value
            return result

    def snapshot(self, variables: Iterable[TVar[Any]]) -> Snapshot:
        """Read `variables` as they are together now, for `commit_if_unchanged` after slow work."""
        wanted = tuple(variables)
        cells = self.atomically(lambda t: {variable: t.cell(variable) for variable in wanted})
        return Snapshot(self._copies, MappingProxyType(cells))

    def commit_if_unchanged(
        self, seen: Snapshot, writes: Mapping[TVar[Any], Any], emissions: Iterable[Emission] = (), *, agent: str = ""
    ) -> bool:
        """Commit `writes` and `emissions` if no variable in `seen` was written since, and say whether."""
        return self.atomically(unchanged_emitting(seen, writes, tuple(emissions)), agent=agent)

    def statistics(self) -> RemoteStatistics:
        """Return the counters of this process."""
        with self._counting:
            return RemoteStatistics(**self._counts, longest_wait_seconds=self._longest_wait_seconds)

    def close(self) -> None:
        """End the connection; transactions under way fail with `MemoryGoneError`. May be called twice."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- one transaction ---------------------------------------------------------------------------------------------

    def _transaction(self, body: DurableBody[T], agent: str, wait_seconds_left: float | None) -> Asking[T]:
        """Run `body` until the server has agreed; yield each request, take its number and answer."""
        losses = turn = 0
        touched: set[int] = set()
        for _ in range(TRANSACTION_ATTEMPTS_MAX):
            run = self._run(body)
            touched.update(run.reads, (number for number, _ in run.writes))
            if run.is_blocked:
                self._count("retries")
                since = self._copies.monotonic()
                yield partial(Wait, clock=run.clock, reads=run.reads, turn=turn, seconds_max=wait_seconds_left)
                seconds = self._note_wait(since)
                wait_seconds_left = None if wait_seconds_left is None else max(0.0, wait_seconds_left - seconds)
                losses = turn = 0
                continue
            if not run.is_lost:
                if not run.has_touched_anything:
                    return run.outcome()
                _, answer = yield partial(
                    Commit,
                    clock=run.clock,
                    reads=run.reads,
                    writes=run.writes,
                    emissions=run.emissions,
                    agent=agent,
                    turn=turn,
                )
                turn = 0
                if answer.is_done:
                    self._count("commits")
                    return run.outcome()
            self._count("conflicts")
            losses += 1
            if losses >= REMOTE_LOSSES_MAX and not turn:
                self._count("turns")
                turn, _ = yield partial(Turn, variables=sorted(touched))
        names = ", ".join(repr(self._order[number].name) for number in sorted(touched)[:8])
        raise TransactionError(f"a transaction ran {TRANSACTION_ATTEMPTS_MAX} times without a commit; it used {names}")

    def _run(self, body: DurableBody[T]) -> _Run[T]:
        """Run `body` once over the copies; commit nothing."""
        try:
            DurableTransaction(self._copies).attempt(partial(self._try, body))
        except _Stop as stop:
            return stop.run
        raise AssertionError("a run over copies ends before it commits")

    def _try(self, body: DurableBody[T], t: DurableTransaction) -> None:
        """Run `body` and stop before the local commit. The clock is read last: up to it all that was read stands."""
        run: _Run[T] = _Run()
        try:
            try:
                run.value = body(t)
                run.writes = [(self._number(v), frozen(value, str(v.name))) for v, value in t.writes.items()]
                run.emissions = [(each.kind, frozen(each.body, each.kind)) for each in t.emissions]
            except RetrySignal:
                run.is_blocked = True
            except Exception as error:  # noqa: BLE001  it is raised where the transaction ends
                run.error, run.writes = error, []
            run.clock = t.read(self._clock)
        except LostSignal:
            run.is_lost, run.is_blocked = True, False
        run.reads = [self._number(variable) for variable in t.reads if variable is not self._clock]
        raise _Stop(run)

    def _number(self, variable: TVar[Any]) -> int:
        number = self._numbers.get(variable)
        if number is None:
            raise TransactionError(f"{variable!r} is not shared between processes; make it with `variable(name, ...)`")
        return number

    # -- what the server says ----------------------------------------------------------------------------------------

    def _ask(self, make: Callable[[int], Request]) -> tuple[int, Future[Answer]]:
        self._count("requests")
        return self._connection.request(make)

    def _learn(self, answer: Answer) -> None:
        """Move all copies to the instant of `answer`."""
        if answer.changes:
            move = Transaction(self._copies)
            for number, value in answer.changes:
                variable = self._order[number]
                move.write(variable, frozen(value, str(variable.name)))
            move.write(self._clock, answer.clock)
            move.publish()

    def _declare(self, defaults: Mapping[str, Any]) -> None:
        """Make the copies of variables that are new here; the answer has given them their values when it returns."""
        made = {
            check_name(name): TVar(frozen(value, name), name, memory=self._copies) for name, value in defaults.items()
        }
        first = len(self._order)
        self._order += made.values()
        try:
            declared = [(name, variable.value) for name, variable in made.items()]
            self._ask(partial(Declare, variables=declared))[1].result()
        except ColonyError:
            del self._order[first:]
            raise
        self._numbers.update({variable: number for number, variable in enumerate(made.values(), first)})
        self._variables.update(made)

    def _note_wait(self, since: float) -> float:
        """Count a wait that has ended; return how long it took."""
        seconds = self._copies.monotonic() - since
        self._count("waits")
        with self._counting:
            self._longest_wait_seconds = max(self._longest_wait_seconds, seconds)
        return seconds

    def _count(self, name: str) -> None:
        with self._counting:
            self._counts[name] += 1


@dataclass(slots=True)
class _Run(Generic[T]):
    """What one run of a body has come to."""

    value: T | None = None
    error: Exception | None = None
    is_blocked: bool = False
    is_lost: bool = False
    clock: int = 0
    reads: list[int] = field(default_factory=list)
    writes: list[tuple[int, Any]] = field(default_factory=list)
    emissions: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def has_touched_anything(self) -> bool:
        """Whether the server has to be asked at all."""
        return bool(self.reads or self.writes or self.emissions)

    def outcome(self) -> T:
        """Return what the body returned, or raise what it raised."""
        if self.error is not None:
            raise self.error
        return cast("T", self.value)


class _Stop(BaseException):
    """The run is over, and nothing is committed here. A signal, like those of transactions."""

    def __init__(self, run: _Run[Any]) -> None:
        super().__init__()
        self.run = run
