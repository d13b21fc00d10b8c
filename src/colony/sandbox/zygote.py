"""The engine's side of fork mode: each request in a fresh process, several side by side, results as they end.

The zygote keeps the deadlines; here is only the second watch, should the zygote itself stop answering.
What this file does not do: shut in.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

from colony.primitives.errors import IsolationError
from colony.sandbox.loaded import Loaded, as_order
from colony.sandbox.process import ANSWER_SECONDS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from colony.sandbox.protocol import Isolation, Limits, Result, Statistics

RUNS_PER_LOAD_MAX: Final = 20_000
PARALLEL_MAX: Final = 256
LOSSES_MAX: Final = 3


class ForkExecutor:
    """A zygote and its children. See `protocol.Executor`."""

    def __init__(self, loaded: Loaded, isolation: Isolation) -> None:
        self._loaded = loaded
        self._isolation = isolation
        self._runs = 0
        loaded.process()

    @property
    def isolation(self) -> Isolation:
        """What the canary found."""
        return self._isolation

    def run(
        self, requests: Sequence[Any], limits: Limits, *, parallel: int = 1, seed: int | None = None
    ) -> list[Result]:
        """See `protocol.Executor.run`."""
        results = dict(self.stream(requests, limits, parallel=parallel, seed=seed))
        return [results[index] for index in range(len(requests))]

    def stream(
        self, requests: Iterable[Any], limits: Limits, *, parallel: int = 1, seed: int | None = None
    ) -> Iterator[tuple[int, Result]]:
        """Yield each result with the number of its request, as they end; a request is taken when a lane is free for it.

        So an endless iterable keeps all lanes busy: a hanging request holds one of them, and no batch waits for it.
        Closing the generator ends what is under way. Raises: as `run`.
        """
        parallel = max(1, min(parallel, PARALLEL_MAX))
        source = enumerate(requests)
        under_way: dict[int, Any] = {}
        losses = 0
        try:
            while True:
                fresh = dict(itertools.islice(source, parallel - len(under_way)))
                under_way |= fresh
                if not under_way:
                    return
                try:
                    self._send(under_way if losses else fresh, len(under_way), limits, seed)
                    index, result = self._receive(limits)
                except (OSError, EOFError) as error:
                    self._loaded.end()  # with the zygote all answers under way are lost: ask again
                    losses += 1
                    if losses > LOSSES_MAX:
                        raise IsolationError("the sandbox does not stay alive; run `colony doctor`") from error
                    continue
                losses = 0
                del under_way[index]
                yield index, self._loaded.count(result)
        finally:
            if under_way:
                self._loaded.end()

    def statistics(self) -> Statistics:
        """Return the counts so far."""
        return self._loaded.statistics()

    def close(self) -> None:
        """End everything."""
        self._loaded.close()

    def _send(self, requests: dict[int, Any], lanes: int, limits: Limits, seed: int | None) -> None:
        if self._runs >= RUNS_PER_LOAD_MAX and len(requests) == lanes:
            self._runs = 0
            self._loaded.end()
        process = self._loaded.process()
        self._loaded.lanes(lanes, limits)
        if requests:
            process.send({"do": "run", "limits": as_order(limits), "seed": seed, "requests": list(requests.items())})

    def _receive(self, limits: Limits) -> tuple[int, Result]:
        head, body = self._loaded.process().receive(limits.wall_seconds + ANSWER_SECONDS_MAX)
        self._runs += 1
        self._loaded.forks += 1
        return head["index"], self._loaded.result(head, body, limits)
