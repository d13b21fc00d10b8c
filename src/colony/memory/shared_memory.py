"""Shared memory with a past: a transaction may emit records, and commits when one append has made them durable.

The order of a commit is: check the reads, hold the footprint, append once, publish. Until the append has returned
nobody can read a value whose records are not durable; if it raises, nothing is published. Meanwhile nobody is kept from
reading (the old values), nor from committing what the holder neither read nor writes; so independent commits can share
one flush of a journal that groups them. A durable transaction takes effect at its publication. Two whose appends
overlap touch nothing in common, so folding their records in either order gives the same values, provided that what a
fold reads, the body has read.

What this file does not do: know a journal (the caller gives `append`), rebuild values (the caller folds the same
records), or keep what a body wrote without emitting anything: that is shared, and gone with the process.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from colony.stm.transaction import Transaction
from colony.stm.tvar import Memory, Statistics, TVar
from colony.stm.verbs import Snapshot, finish, finish_async, if_unchanged

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Emission:
    """What is to become a record: a kind of event, and its body."""

    kind: str
    body: Mapping[str, Any]


Append: TypeAlias = Callable[[tuple[Emission, ...]], Future[Any] | None]
DurableBody: TypeAlias = "Callable[[DurableTransaction], T]"


class DurableTransaction(Transaction):
    """A transaction whose body may also `emit`."""

    __slots__ = ()

    def emit(self, kind: str, body: Mapping[str, Any]) -> None:
        """Record `body` as a `kind` of event if, and only if, this run commits. Do not change `body` afterwards."""
        self.emissions.append(Emission(kind, body))


class SharedMemory:
    """Variables, and transactions on them that are durable.

    `append(emissions)` is called once for each commit that emits: with all its emissions, in order, from the committing
    thread (from a worker thread for `atomically_async`). It returns None when they are durable, or a future that is
    done when they are; it raises, or its future does, if they will not be. Commits that have nothing in common call it
    at the same time, from different threads. It must not commit to this memory: it would wait for its own caller.
    """

    def __init__(self, append: Append, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.memory = Memory(monotonic=monotonic)
        self._append = append

    def variable(self, value: T, name: str | None = None) -> TVar[T]:
        """Make a variable of this memory."""
        return TVar(value, name, memory=self.memory)

    def atomically(self, body: DurableBody[T], *, wait_seconds_max: float | None = None) -> T:
        """Run `body` as one transaction, durable if it emitted; return what it returned.

        `wait_seconds_max` bounds the time it may sleep, None for no bound.

        Raises:
            Exception: whatever `append` raised; then nothing was published.
            TransactionError: as `colony.stm.atomically` does.
        """
        transaction = DurableTransaction(self.memory, wait_seconds_max=wait_seconds_max)
        result = finish(transaction, body)
        if transaction.emissions:
            self._settle(transaction)
        return result

    async def atomically_async(self, body: DurableBody[T], *, wait_seconds_max: float | None = None) -> T:
        """Do as `atomically`, on the same variables, with neither a wait nor the append blocking the event loop.

        A task cancelled during the append leaves it to go on: what becomes durable is published.
        """
        transaction = DurableTransaction(self.memory, wait_seconds_max=wait_seconds_max)
        result = await finish_async(transaction, body)
        if transaction.emissions:
            await asyncio.shield(self._settle_elsewhere(transaction))
        return result

    def commit_if_unchanged(
        self, seen: Snapshot, writes: Mapping[TVar[Any], Any], emissions: Iterable[Emission] = ()
    ) -> bool:
        """Commit `writes` and record `emissions` if no variable in `seen` was written since, and say whether."""
        return self.atomically(unchanged_emitting(seen, writes, tuple(emissions)))

    async def commit_if_unchanged_async(
        self, seen: Snapshot, writes: Mapping[TVar[Any], Any], emissions: Iterable[Emission] = ()
    ) -> bool:
        """Do as `commit_if_unchanged`, without blocking the event loop."""
        return await self.atomically_async(unchanged_emitting(seen, writes, tuple(emissions)))

    async def hold_async(self, variables: Iterable[TVar[Any]]) -> DurableTransaction:
        """Keep all others from writing `variables` until the result is committed (`commit_held_async`) or released.

        For somebody far away who would lose each time: they can be read meanwhile, and `result.read` gives the values
        that will stand. Its owner bounds the time.
        """
        held = DurableTransaction(self.memory)
        await finish_async(held, partial(_touch, tuple(variables)))
        return held

    async def commit_held_async(self, held: DurableTransaction, body: DurableBody[T]) -> T:
        """Run `body`, which may use only what is held, commit it as `atomically_async` does, and end the hold."""
        try:
            held.writes.clear()
            held.emissions.clear()
            result = body(held)
        except BaseException:
            held.release()
            raise
        if held.emissions:
            await asyncio.shield(self._settle_elsewhere(held))
        else:
            held.publish()
        return result

    def statistics(self) -> Statistics:
        """Return the counters of the memory, taken at one instant."""
        return self.memory.statistics()

    def _settle(self, transaction: DurableTransaction) -> None:
        try:
            appended = self._append(tuple(transaction.emissions))
            if appended is not None:
                appended.result()
        except BaseException:
            transaction.release()
            raise
        transaction.publish()

    def _settle_elsewhere(self, transaction: DurableTransaction) -> asyncio.Future[None]:
        try:
            return asyncio.get_running_loop().run_in_executor(None, self._settle, transaction)
        except BaseException:  # the loop is closing and takes no more work
            transaction.release()
            raise


def _touch(variables: Iterable[TVar[Any]], t: DurableTransaction) -> None:
    """Read and write each variable, and emit, which makes the transaction hold its footprint."""
    for variable in variables:
        t.write(variable, t.read(variable))
    t.emit("", {})


def unchanged_emitting(
    seen: Snapshot, writes: Mapping[TVar[Any], Any], emissions: tuple[Emission, ...]
) -> DurableBody[bool]:
    """Make a body as `if_unchanged` does that also emits, if nothing was written since."""
    unchanged = if_unchanged(seen, writes)

    def body(transaction: DurableTransaction) -> bool:
        if not unchanged(transaction):
            return False
        for emission in emissions:
            transaction.emit(emission.kind, emission.body)
        return True

    return body
