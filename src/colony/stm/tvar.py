"""Transactional variables and the memory they live in: versioned cells, one clock, one short lock, counters.

A variable's state is one tuple (value, version), replaced whole and never changed, so a reader without a lock sees a
value together with its version. The memory's clock is the version of the last complete publication; the cells of a
publication are stored before the clock is. That is all this asks of the interpreter: a load or a store of one attribute
is atomic, and stores become visible in the order they were made. Everything else happens under the memory's lock.

What this file does not do: read or write inside a transaction (transaction.py), or wait (waiting.py).
"""

from __future__ import annotations

import reprlib
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from colony.primitives.limits import TRANSACTION_LOSSES_MAX

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony.stm.waiting import Hold, Waiter

TURN_COMMITS: Final = 1_000  # after so many a thread lets others commit: 1.3 ms of small transactions

T = TypeVar("T")
Cell = tuple[T, int]


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a memory has done since it was made; every figure is exact."""

    commits: int
    """Transactions that committed."""
    conflicts: int
    """Runs of a body thrown away because a variable they had read was changed."""
    retries: int
    """Runs of a body that ended in `retry`."""
    waits: int
    """Times a transaction was put to sleep, for a change or behind a hold."""
    longest_wait_seconds: float
    """The longest of the waits that have ended."""
    reads: int
    """Distinct variables read, summed over commits."""
    writes: int
    """Variables written, summed over commits."""
    exclusives: int
    """Transactions that lost so often that they were given the memory to themselves."""
    most_losses: int
    """The most runs that one transaction lost in a row."""


class Memory:
    """Variables that can change together. Variables of two memories never meet in one transaction.

    A transaction that has lost `losses_max` runs is given the memory to itself; a longer patience is for experiments
    with unfairness. `statistics` is for callers; the rest belongs to the transactions.
    The lock is held for a few microseconds at a commit, never while a body runs, a record is written, or anybody waits.
    """

    __slots__ = (
        "clock",
        "commits",
        "conflicts",
        "exclusives",
        "holds",
        "lock",
        "longest_wait_seconds",
        "losses_max",
        "monotonic",
        "most_losses",
        "reads",
        "retries",
        "turn_commits",
        "turn_ends",
        "waits",
        "writes",
    )

    def __init__(
        self, *, losses_max: int = TRANSACTION_LOSSES_MAX, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.clock = 0
        self.turn_ends = self.turn_commits = TURN_COMMITS
        self.lock = threading.Lock()
        self.holds: list[Hold] = []
        self.losses_max = losses_max
        self.monotonic = monotonic
        self.commits = self.conflicts = self.retries = self.waits = self.reads = self.writes = 0
        self.exclusives = self.most_losses = 0
        self.longest_wait_seconds = 0.0

    def statistics(self) -> Statistics:
        """Return the counters, taken at one instant."""
        with self.lock:
            return Statistics(**{name: getattr(self, name) for name in Statistics.__slots__})


DEFAULT: Final = Memory()


class TVar(Generic[T]):
    """A variable that changes only in transactions. Give it values that are never changed in place.

    `name` appears in error messages. `cell` and `waiters` belong to the transactions.
    """

    __slots__ = ("cell", "memory", "name", "waiters")

    def __init__(self, value: T, name: str | None = None, *, memory: Memory | None = None) -> None:
        self.memory = DEFAULT if memory is None else memory
        self.name = name
        self.cell: Cell[T] = (value, 0)
        self.waiters: set[Waiter] | None = None

    @property
    def value(self) -> T:
        """The committed value now: a transaction of one read, without the cost of one. For use outside a body."""
        return self.cell[0]

    def __repr__(self) -> str:
        return f"TVar({self.name or 'unnamed'}={reprlib.repr(self.cell[0])})"
