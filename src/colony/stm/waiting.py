"""Whoever waits, and what keeps others from committing: waiters for threads and event loops, and holds.

A waiter is rung at most a few times and waits once; ringing is safe from any thread. Nothing here polls.
What this file does not do: decide who waits for what, or when a ring is due (transaction.py).
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection


class Waiter(Protocol):
    """Somebody to wake."""

    def ring(self) -> None:
        """Wake it, from any thread; ringing again does nothing. Never blocks, never raises."""


class ThreadWaiter:
    """A thread that waits."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = threading.Event()

    def ring(self) -> None:
        """Wake the thread."""
        self._event.set()

    def wait(self, seconds_max: float | None = None) -> bool:
        """Block this thread until the ring, or until the time is over; say whether it was the ring."""
        return self._event.wait(seconds_max)


class LoopWaiter:
    """A task that waits on the running event loop, which goes on with other tasks meanwhile."""

    __slots__ = ("_future", "_loop")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[None] = self._loop.create_future()

    def ring(self) -> None:
        """Wake the task; a loop that was closed has nobody left to wake."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if not self._future.done():
            self._future.set_result(None)

    async def wait(self, seconds_max: float | None = None) -> bool:
        """Suspend this task until the ring, or until the time is over; say whether it was the ring."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds_max):
                await self._future
        return self._future.done() and not self._future.cancelled()


class Hold:
    """What nobody else may commit to for a while: a footprint of variables, or everything.

    `reads` and `writes` are the footprint, None for everything; `waiters` are rung at the release.
    """

    __slots__ = ("reads", "waiters", "writes")

    def __init__(self, reads: Collection[object] | None, writes: Collection[object] | None) -> None:
        self.reads = reads
        self.writes = writes
        self.waiters: set[Waiter] = set()

    def bars(self, reads: Collection[object], writes: Collection[object]) -> bool:
        """Whether a commit that writes `writes`, and whose place in the order depends on `reads`, has to wait.

        No write may touch what the holder read or writes, and `reads` may not hold what the holder will publish.
        """
        if self.reads is None or self.writes is None:
            return True
        mine, theirs = self.reads, self.writes
        return any(var in theirs or var in mine for var in writes) or any(var in theirs for var in reads)
