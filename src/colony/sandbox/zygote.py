"""The engine's side of fork mode: each request in a fresh process, several side by side, results as they end.

The zygote keeps the deadlines; here is only the second watch, should the zygote itself stop answering.
What this file does not do: shut in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from colony.primitives.errors import IsolationError
from colony.sandbox.loaded import Loaded, as_order
from colony.sandbox.process import ANSWER_SECONDS_MAX
from colony.sandbox.protocol import Isolation, Limits, Result, Statistics

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNS_PER_LOAD_MAX: Final = 20_000
PARALLEL_MAX: Final = 256
STARTS_MAX: Final = 3


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
        parallel = max(1, min(parallel, PARALLEL_MAX))
        results: dict[int, Result] = {}
        idle = 0
        while len(results) < len(requests):
            before = len(results)
            self._some(requests, limits, results, parallel=parallel, seed=seed)
            idle = 0 if len(results) > before else idle + 1
            if idle >= STARTS_MAX:
                raise IsolationError("the sandbox does not stay alive; run `colony doctor`")
        return [self._loaded.count(results[index]) for index in range(len(requests))]

    def statistics(self) -> Statistics:
        """Counts so far."""
        return self._loaded.statistics()

    def close(self) -> None:
        """End everything."""
        self._loaded.close()

    def _some(
        self, requests: Sequence[Any], limits: Limits, results: dict[int, Result], *, parallel: int, seed: int | None
    ) -> None:
        """Run what has no result yet. If the zygote is lost, so are the answers under way; the next call asks again."""
        if self._runs >= RUNS_PER_LOAD_MAX:
            self._runs = 0
            self._loaded.end()
        todo = [index for index in range(len(requests)) if index not in results]
        order = {"do": "run", "limits": as_order(limits), "parallel": parallel, "seed": seed}
        try:
            process = self._loaded.process()
            self._loaded.lanes(min(parallel, len(todo)), limits)
            process.send({**order, "requests": [requests[index] for index in todo]})
            for _ in todo:
                head, body = process.receive(limits.wall_seconds + ANSWER_SECONDS_MAX)
                results[todo[head["index"]]] = self._loaded.result(head, body, limits)
                self._runs += 1
                self._loaded.forks += 1
        except (OSError, EOFError):
            self._loaded.end()
        except BaseException:
            self._loaded.end()  # whoever interrupts us leaves nothing running
            raise
