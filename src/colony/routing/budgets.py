"""Hard limits on money for each task, day and month: reserved before a call, settled after it, and failing closed.

Money is whole microdollars. A reservation is the most that a call can cost, and counts as spent until it is settled, so
a crash in between leaves it counted: `spending_of` folds the journaled entries back. All of it is one transactional
variable, so reservations of many threads happen one after the other, and `reserving` composes with other changes (a
lease, say) in one transaction. Days and months are those of UTC; a call counts where its reservation was made.
What this file does not do: know prices (prices.py), tell the time, or store anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from colony.primitives.errors import BudgetError, UsageError
from colony.routing.table import Limits
from colony.stm import Body, Memory, Transaction, TVar, atomically

MICRODOLLARS: Final = 1_000_000
"""Microdollars of a dollar."""


class Reservation(NamedTuple):
    """Money set aside for one call."""

    id: str
    task: str
    at_milliseconds: int
    microdollars: int


class Settlement(NamedTuple):
    """What the call of a reservation really cost; 0 where it was never made."""

    id: str
    microdollars: int


Entry: TypeAlias = Reservation | Settlement
"""What happened to the money, as it is journaled: `entry._asdict()` is JSON."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What is spent, and what is reserved and not yet settled."""

    spent: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Microdollars by account, reservations included: `task:ID`, `day:YYYY-MM-DD`, `month:YYYY-MM`."""
    open: Mapping[str, Reservation] = field(default_factory=lambda: MappingProxyType({}))

    def after(self, entry: Entry) -> Spending:
        """The spending with one more entry.

        Raises:
            UsageError: an id is reserved twice, or what is settled is not open.

        """
        if isinstance(entry, Reservation):
            if entry.id in self.open:
                raise UsageError(f"reservation {entry.id!r} is open already; settle it, or choose another id")
            return Spending(self._changed(entry, entry.microdollars), MappingProxyType({**self.open, entry.id: entry}))
        if entry.id not in self.open:
            raise UsageError(f"reservation {entry.id!r} is not open: it was never made, or is settled already")
        reserved = self.open[entry.id]
        rest = {name: each for name, each in self.open.items() if name != entry.id}
        return Spending(self._changed(reserved, entry.microdollars - reserved.microdollars), MappingProxyType(rest))

    def _changed(self, reservation: Reservation, microdollars: int) -> Mapping[str, int]:
        accounts = accounts_of(reservation)
        return MappingProxyType({**self.spent, **{a: self.spent.get(a, 0) + microdollars for a in accounts}})


def accounts_of(reservation: Reservation) -> tuple[str, str, str]:
    """The task, the day and the month that a reservation is booked on."""
    when = datetime.fromtimestamp(reservation.at_milliseconds / 1000, UTC)
    return f"task:{reservation.task}", f"day:{when:%Y-%m-%d}", f"month:{when:%Y-%m}"


def spending_of(entries: Iterable[Entry]) -> Spending:
    """Fold entries in the order they were journaled; what was reserved and never settled counts as spent.

    Raises:
        UsageError: they contradict each other.

    """
    spending = Spending()
    for entry in entries:
        spending = spending.after(entry)
    return spending


class Budgets:
    """The limits of one node and what is spent of them. Safe under threads.

    `record` is called with each entry after it is booked and before the call it is for may begin; where it raises, the
    entry stays booked: rather too much counted than too little.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        spending: Spending | None = None,
        memory: Memory | None = None,
        record: Callable[[Entry], None] | None = None,
    ) -> None:
        self.limits = limits
        self._memory = Memory() if memory is None else memory
        self._spending = TVar(spending or Spending(), "spending", memory=self._memory)
        self._record = record

    @property
    def spending(self) -> Spending:
        """What is spent and reserved now."""
        return self._spending.value

    def left(self, task: str, at_milliseconds: int) -> int | None:
        """The microdollars that may still be reserved for this task at this moment; None where nothing limits them."""
        left = [amount for _, amount in self._left(self.spending, Reservation("", task, at_milliseconds, 0))]
        return min(left) if left else None

    def reserve(self, reservation: Reservation) -> None:
        """Set the money aside, in a transaction of its own.

        Raises:
            BudgetError: a limit would be passed; nothing is set aside, and the message names the limit.
            UsageError: a negative amount, or an id that is open already.

        """
        atomically(self.reserving(reservation), memory=self._memory)
        self._recorded(reservation)

    def reserving(self, reservation: Reservation) -> Body[None]:
        """The body of `reserve`, to be part of a larger transaction; what it booked is not given to `record`."""
        if reservation.microdollars < 0:
            raise UsageError(f"a reservation of {reservation.microdollars} microdollars; it must be at least 0")

        def body(transaction: Transaction) -> None:
            spending = transaction.read(self._spending)
            for name, left in self._left(spending, reservation):
                if reservation.microdollars > left:
                    raise BudgetError(
                        f"{reservation.task}: {dollars(reservation.microdollars)} would pass the limit of the {name}, "
                        f"which has {dollars(max(left, 0))} left; raise {name}_dollars under [limits], or wait"
                    )
            transaction.write(self._spending, spending.after(reservation))

        return body

    def settle(self, id: str, microdollars: int) -> None:  # noqa: A002 - the word of the record
        """Book what the call really cost; the rest of the reservation is free again. More than was reserved counts too.

        Raises:
            UsageError: no such reservation is open, or the amount is negative.

        """
        if microdollars < 0:
            raise UsageError(f"a settlement of {microdollars} microdollars; it must be at least 0")
        entry = Settlement(id, microdollars)

        def body(transaction: Transaction) -> None:
            transaction.write(self._spending, transaction.read(self._spending).after(entry))

        atomically(body, memory=self._memory)
        self._recorded(entry)

    def release(self, id: str) -> None:  # noqa: A002 - as above
        """Give a reservation back: its call was never made.

        Raises:
            UsageError: no such reservation is open.

        """
        self.settle(id, 0)

    def statistics(self) -> dict[str, Any]:
        """What is spent on each account and what is open, JSON-able."""
        spending = self.spending
        return {
            "spent_microdollars": dict(spending.spent),
            "open": [each._asdict() for each in spending.open.values()],
        }

    def _left(self, spending: Spending, reservation: Reservation) -> list[tuple[str, int]]:
        limits = (self.limits.task_dollars, self.limits.day_dollars, self.limits.month_dollars)
        named = zip(("task", "day", "month"), limits, accounts_of(reservation), strict=True)
        return [
            (name, math.floor(limit * MICRODOLLARS) - spending.spent.get(account, 0))
            for name, limit, account in named
            if limit is not None
        ]

    def _recorded(self, entry: Entry) -> None:
        if self._record is not None:
            self._record(entry)


def dollars(microdollars: int) -> str:
    """An amount for people: $0.0123."""
    return f"${microdollars / MICRODOLLARS:.4f}"
