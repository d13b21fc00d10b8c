"""Containers built on TVar alone: a place for one value, queues, a semaphore. Each method takes the transaction first.

They mean what TMVar, TQueue, TBQueue and TSem mean in Haskell's stm package. A method that cannot go on says `retry`,
so `or_else` makes any of them not wait, and several of them in one body happen together or not at all.

What this file does not do: promise an order among those who wait (whoever commits first is served), or hold anything
outside transactions: there is no `with semaphore`, since what it would guard takes place between two commits.
"""

from __future__ import annotations

from typing import Generic, TypeAlias, TypeVar

from colony.primitives.errors import TransactionError
from colony.stm.transaction import Transaction
from colony.stm.tvar import Memory, TVar
from colony.stm.verbs import check

T = TypeVar("T")
Chain: TypeAlias = "tuple[T, Chain[T]] | None"  # the first item and the rest: shared between versions, never changed


class TMVar(Generic[T]):
    """A place that holds one value or none: `TMVar(value)` is full, `TMVar()` is empty.

    Raises:
        TransactionError: more than one value to begin with.
    """

    __slots__ = ("_content",)

    def __init__(self, *content: T, name: str | None = None, memory: Memory | None = None) -> None:
        if len(content) > 1:
            raise TransactionError(f"a TMVar holds one value at most, and was given {len(content)}")
        self._content = TVar(content, name, memory=memory)

    def is_empty(self, t: Transaction) -> bool:
        """Return whether there is no value."""
        return not t.read(self._content)

    def read(self, t: Transaction) -> T:
        """Return the value and leave it; wait for one."""
        content = t.read(self._content)
        check(content)
        return content[0]

    def take(self, t: Transaction) -> T:
        """Return the value and leave the place empty; wait for one."""
        value = self.read(t)
        t.write(self._content, ())
        return value

    def put(self, t: Transaction, value: T) -> None:
        """Fill the place; wait until it is empty."""
        check(self.is_empty(t))
        t.write(self._content, (value,))

    def swap(self, t: Transaction, value: T) -> T:
        """Replace the value and return the one that was there; wait for one."""
        had = self.read(t)
        t.write(self._content, (value,))
        return had

    def try_take(self, t: Transaction) -> T | None:
        """Do as `take`, but return None rather than wait."""
        return None if self.is_empty(t) else self.take(t)

    def try_put(self, t: Transaction, value: T) -> bool:
        """Do as `put`, but return False rather than wait."""
        if not self.is_empty(t):
            return False
        self.put(t, value)
        return True


class TQueue(Generic[T]):
    """A queue without a bound: first in, first out, each operation O(1) on average.

    Two chains: items are put at the head of one and taken from the head of the other, which is the first one reversed
    whenever it runs out. So putting and taking touch one variable each and seldom the same. (Okasaki 1998, chapter 5.)
    """

    __slots__ = ("_back", "_front")

    def __init__(self, *, name: str | None = None, memory: Memory | None = None) -> None:
        self._front: TVar[Chain[T]] = TVar(None, name and f"{name}.front", memory=memory)
        self._back: TVar[Chain[T]] = TVar(None, name and f"{name}.back", memory=memory)

    def is_empty(self, t: Transaction) -> bool:
        """Return whether there is nothing to take."""
        return t.read(self._front) is None and t.read(self._back) is None

    def put(self, t: Transaction, item: T) -> None:
        """Add `item` at the end."""
        t.write(self._back, (item, t.read(self._back)))

    def peek(self, t: Transaction) -> T:
        """Return the first item and leave it; wait for one."""
        return self._first(t)[0]

    def take(self, t: Transaction) -> T:
        """Return the first item and remove it; wait for one."""
        item, rest = self._first(t)
        t.write(self._front, rest)
        return item

    def try_take(self, t: Transaction) -> T | None:
        """Do as `take`, but return None rather than wait."""
        return None if self.is_empty(t) else self.take(t)

    def flush(self, t: Transaction) -> list[T]:
        """Return all items in order and leave the queue empty; never wait."""
        items = []
        while not self.is_empty(t):
            items.append(self.take(t))
        return items

    def _first(self, t: Transaction) -> tuple[T, Chain[T]]:
        front = t.read(self._front)
        if front is None:
            back = t.swap(self._back, None)
            while back is not None:
                item, back = back
                front = item, front
            t.write(self._front, front)
        check(front)
        assert front is not None
        return front


class TBoundedQueue(TQueue[T]):
    """A queue of at most `capacity` items; `put` waits while it is full.

    Room is counted in two variables, what those who put have left and what those who take have freed since, so that the
    two sides meet only when the first runs out.

    Raises:
        TransactionError: a capacity below 1.
    """

    __slots__ = ("_freed", "_room", "capacity")

    def __init__(self, capacity: int, *, name: str | None = None, memory: Memory | None = None) -> None:
        if capacity < 1:
            raise TransactionError(f"a queue of capacity {capacity} could never hold anything; give it 1 or more")
        super().__init__(name=name, memory=memory)
        self.capacity = capacity
        self._room = TVar(capacity, name and f"{name}.room", memory=memory)
        self._freed = TVar(0, name and f"{name}.freed", memory=memory)

    def length(self, t: Transaction) -> int:
        """Return how many items there are."""
        return self.capacity - t.read(self._room) - t.read(self._freed)

    def is_full(self, t: Transaction) -> bool:
        """Return whether `put` would wait."""
        return self.length(t) == self.capacity

    def put(self, t: Transaction, item: T) -> None:
        """Add `item` at the end; wait for room."""
        room = t.read(self._room) or t.swap(self._freed, 0)
        check(room)
        t.write(self._room, room - 1)
        super().put(t, item)

    def take(self, t: Transaction) -> T:
        """Return the first item and remove it, which makes room; wait for one."""
        item = super().take(t)
        t.write(self._freed, t.read(self._freed) + 1)
        return item


class TSemaphore:
    """A number of permits, `count` to begin with.

    Raises:
        TransactionError: a negative count.
    """

    __slots__ = ("_count",)

    def __init__(self, count: int, *, name: str | None = None, memory: Memory | None = None) -> None:
        if count < 0:
            raise TransactionError(f"a semaphore cannot have {count} permits; give it 0 or more")
        self._count = TVar(count, name, memory=memory)

    def value(self, t: Transaction) -> int:
        """Return how many permits are left."""
        return t.read(self._count)

    def acquire(self, t: Transaction) -> None:
        """Take a permit; wait for one."""
        count = t.read(self._count)
        check(count)
        t.write(self._count, count - 1)

    def release(self, t: Transaction) -> None:
        """Give a permit back, or a new one."""
        t.write(self._count, t.read(self._count) + 1)
