"""The verbs of shared memory: `atomically`, `retry`, `check`, `or_else`, `catch`, `snapshot`, `commit_if_unchanged`.

A body is a function of its transaction: `transaction.read(variable)`, `transaction.write(variable, value)`. It may run
several times, so it is short, pure and synchronous, and leaves every effect for after the commit (an `emit` of
memory.shared_memory is the way to record something). Bodies compose: one calls another and passes its transaction on.

What this file does not do: the work, which is in transaction.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from colony.primitives.limits import TRANSACTION_ATTEMPTS_MAX
from colony.stm.transaction import Body, RetrySignal, Transaction
from colony.stm.tvar import DEFAULT, Cell, Memory, TVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

T = TypeVar("T")
AnyTransaction = TypeVar("AnyTransaction", bound=Transaction)


def atomically(
    body: Body[T],
    *,
    memory: Memory | None = None,
    attempts_max: int = TRANSACTION_ATTEMPTS_MAX,
    wait_seconds_max: float | None = None,
) -> T:
    """Run `body` as one transaction and return what it returned; block while it says `retry`.

    An exception from the body passes through, and nothing it wrote is kept. `wait_seconds_max` bounds the time it may
    sleep in all, None for no bound.

    Raises:
        TransactionError: a variable of another memory, a transaction inside a body, a `retry` that nothing could wake,
            a body that ran `attempts_max` times without committing, or one that waited too long.
        LimitError: the body read too many variables, took too many steps, or nested too deep.
    """
    return finish(Transaction(DEFAULT if memory is None else memory, attempts_max, wait_seconds_max), body)


async def atomically_async(
    body: Body[T],
    *,
    memory: Memory | None = None,
    attempts_max: int = TRANSACTION_ATTEMPTS_MAX,
    wait_seconds_max: float | None = None,
) -> T:
    """Do as `atomically`, on the same variables, from a task: it is the task that waits, never the event loop."""
    return await finish_async(Transaction(DEFAULT if memory is None else memory, attempts_max, wait_seconds_max), body)


def retry() -> NoReturn:
    """Give up this run, and run again once a variable it has read changes."""
    raise RetrySignal


def check(condition: object) -> None:
    """`retry` unless `condition` is true."""
    if not condition:
        raise RetrySignal


def or_else(
    first: Callable[[AnyTransaction], T], second: Callable[[AnyTransaction], T]
) -> Callable[[AnyTransaction], T]:
    """Make a body that is `first`, or, where that says `retry`, `second` with all that `first` wrote undone.

    If both say `retry`, the whole transaction waits for a change of anything either of them read.
    """
    return lambda transaction: transaction.either(first, second)


def catch(
    body: Callable[[AnyTransaction], T],
    handler: Callable[[AnyTransaction, Exception], T],
    *exceptions: type[Exception],
) -> Callable[[AnyTransaction], T]:
    """Make a body that is `body`, or, where one of `exceptions` leaves it, `handler` with all that `body` wrote undone.

    The handler is given the exception. With no `exceptions` named, every Exception is meant.
    """
    caught = exceptions or (Exception,)

    def guarded(transaction: AnyTransaction) -> T:
        try:
            return transaction.nested(body)
        except caught as error:
            return handler(transaction, error)

    return guarded


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Variables as they were together at one instant; `snapshot[variable]` is a value."""

    memory: Memory
    cells: Mapping[TVar[Any], Cell[Any]]

    def __getitem__(self, variable: TVar[T]) -> T:
        value: T = self.cells[variable][0]
        return value


def snapshot(variables: Iterable[TVar[Any]]) -> Snapshot:
    """Read `variables` at one instant.

    Raises:
        TransactionError: they belong to several memories.
        LimitError: there are too many of them.
    """
    wanted = tuple(variables)
    memory = wanted[0].memory if wanted else DEFAULT
    cells = atomically(lambda transaction: {variable: transaction.cell(variable) for variable in wanted}, memory=memory)
    return Snapshot(memory, MappingProxyType(cells))


def if_unchanged(seen: Snapshot, writes: Mapping[TVar[Any], Any]) -> Body[bool]:
    """Make a body that writes `writes` and returns True if nothing in `seen` was written since, else returns False."""

    def body(transaction: Transaction) -> bool:
        if any(transaction.cell(variable) is not cell for variable, cell in seen.cells.items()):
            return False
        for variable, value in writes.items():
            transaction.write(variable, value)
        return True

    return body


def commit_if_unchanged(seen: Snapshot, writes: Mapping[TVar[Any], Any]) -> bool:
    """Commit `writes` if no variable in `seen` was written since, and say whether.

    For slow or impure work between reading and writing: nothing of it is ever run again behind your back.

    Raises:
        TransactionError: a variable of another memory.
    """
    return atomically(if_unchanged(seen, writes), memory=seen.memory)


def finish(transaction: AnyTransaction, body: Callable[[AnyTransaction], T]) -> T:
    """Attempt and wait, until `body` has been committed (or, with emissions, holds its footprint)."""
    while not transaction.attempt(body):
        transaction.wait()
    result: T = transaction.result
    return result


async def finish_async(transaction: AnyTransaction, body: Callable[[AnyTransaction], T]) -> T:
    """Do as `finish`, without blocking the event loop; nothing is awaited between a check and a commit."""
    while not transaction.attempt(body):
        await transaction.wait_async()
    result: T = transaction.result
    return result
