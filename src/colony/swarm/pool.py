"""Evaluators side by side: each batch waits for a free one and runs on a thread of its own.

The pool owns its threads and evaluators and ends both. It neither orders nor judges results.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from colony.problems.proposal import Proposal
from colony.verification.evaluator import Evaluator, Measured


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """How many evaluators there are and how many batches they have run."""

    evaluators: int
    batches: int
    busy: int


class Pool:
    """A fixed number of evaluators, handed out first come first served."""

    def __init__(self, evaluators: Sequence[Evaluator]) -> None:
        assert evaluators, "a pool needs an evaluator"
        self._all = list(evaluators)
        self._idle: asyncio.Queue[Evaluator] = asyncio.Queue()
        for evaluator in self._all:
            self._idle.put_nowait(evaluator)
        self._threads = ThreadPoolExecutor(len(self._all), thread_name_prefix="colony-evaluator")
        self._batches = 0
        self.is_closed = False

    @property
    def size(self) -> int:
        """How many batches can run at the same time."""
        return len(self._all)

    async def measure(self, proposals: Sequence[Proposal], seconds_max: float | None = None) -> list[Measured]:
        """Score proposals on the next free evaluator."""
        evaluator = await self._idle.get()
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, evaluator.measure, proposals, seconds_max)
        finally:
            self._batches += 1
            self._idle.put_nowait(evaluator)

    def statistics(self) -> PoolStatistics:
        """A frozen picture of the pool."""
        return PoolStatistics(len(self._all), self._batches, len(self._all) - self._idle.qsize())

    def close(self) -> None:
        """End all evaluators, also in the middle of a batch, then their threads."""
        self.is_closed = True
        for evaluator in self._all:
            evaluator.close()
        self._threads.shutdown(wait=True, cancel_futures=True)
