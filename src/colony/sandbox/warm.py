"""The engine's side of a warm worker: batches in, results one by one, and a new worker after each that had to be ended.

What this file does not do: shut in; and it believes the user's own evaluator about values, not about time.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from colony.primitives.errors import IsolationError
from colony.sandbox.inside import wire
from colony.sandbox.loaded import Loaded, as_order, decode
from colony.sandbox.process import ANSWER_SECONDS_MAX, Reader
from colony.sandbox.protocol import Isolation, Limits, Result, Statistics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

HEAD_BYTES_MAX: Final = 64 * 1024  # the head of a result with what was printed, and the error
STARTS_MAX: Final = 3
ENDING_SECONDS: Final = 0.5  # between the end of a worker's channel and the report of its own end


class WarmExecutor:
    """One worker at a time. See `protocol.Executor`."""

    def __init__(self, loaded: Loaded, isolation: Isolation) -> None:
        self._loaded = loaded
        self._isolation = isolation
        self._worker: Reader | None = None
        self._limits = Limits()
        loaded.process()

    @property
    def isolation(self) -> Isolation:
        """What the canary found."""
        return self._isolation

    def run(
        self, requests: Sequence[Any], limits: Limits, *, parallel: int = 1, seed: int | None = None
    ) -> list[Result]:
        """See `protocol.Executor.run`; `parallel` has no meaning for one worker."""
        del parallel
        results: list[Result] = []
        idle = 0
        while len(results) < len(requests):
            try:
                got = self._batch(requests[len(results) :], limits, seed)
            except BaseException:
                self._forget()  # whoever interrupts us leaves no half-read answers behind
                self._loaded.end()
                raise
            results += map(self._loaded.count, got)
            idle = 0 if got else idle + 1
            if idle >= STARTS_MAX:
                raise IsolationError("the sandbox does not keep a worker alive; run `colony doctor`")
        return results

    def stream(
        self, requests: Iterable[Any], limits: Limits, *, parallel: int = 1, seed: int | None = None
    ) -> Iterator[tuple[int, Result]]:
        """See `protocol.Executor.stream`; one worker takes one request at a time."""
        for index, request in enumerate(requests):
            yield index, self.run([request], limits, parallel=parallel, seed=seed)[0]

    def statistics(self) -> Statistics:
        """Return counts so far."""
        return self._loaded.statistics()

    def close(self) -> None:
        """End everything."""
        self._forget()
        self._loaded.close()

    def _batch(self, requests: Sequence[Any], limits: Limits, seed: int | None) -> list[Result]:
        """Return results up to the first request that cost its worker, with that one's; none if there was no worker."""
        order = wire.frame(wire.encode({"limits": as_order(limits), "requests": list(requests), "seed": seed}))
        results: list[Result] = []
        try:
            worker = self._ready(limits)
            worker.channel.settimeout(ANSWER_SECONDS_MAX)
            worker.channel.sendall(order)
        except (OSError, EOFError):
            self._forget()
            self._loaded.end()
            return []
        while self._worker is worker and len(results) < len(requests):
            results.append(self._next(worker, len(results), limits))
        return results

    def _next(self, worker: Reader, index: int, limits: Limits) -> Result:
        """Return the next result; silence, noise or something left behind spoils the worker, and costs it."""
        started = time.monotonic()
        try:
            result, spoiled = _answer(worker.frame(started + limits.wall_seconds, _bound(limits)), index, limits)
        except TimeoutError:
            return self._stop(Result(status="timeout", error=f"no result within {limits.wall_seconds:g} s"), started)
        except (ValueError, TypeError, RecursionError) as error:
            return self._stop(Result(status="protocol", error=f"spoiled answer: {error}"), started)
        except (EOFError, OSError):
            return self._ended(limits, started)
        if spoiled:
            self._end_worker()
        return result

    def _ready(self, limits: Limits) -> Reader:
        """Return a worker with these limits: they are set when it is forked, so other limits mean another worker."""
        if self._worker is not None and limits != self._limits:
            self._end_worker()
        if self._worker is None:
            process = self._loaded.process()
            self._loaded.lanes(1, limits)
            self._loaded.forget_kills()
            process.send({"do": "worker", "limits": as_order(limits)})
            self._worker = Reader(process.receive_worker())
            self._limits = limits
            self._loaded.forks += 1
        return self._worker

    def _stop(self, result: Result, started: float) -> Result:
        """End the worker; the result, with what it had printed until then."""
        head = self._end_worker()
        return replace(result, printed=head["printed"] if head else "", wall_seconds=time.monotonic() - started)

    def _ended(self, limits: Limits, started: float) -> Result:
        """Return the result of a request whose worker has ended, or has closed its channel and will never answer."""
        head = self._end_worker(ENDING_SECONDS)
        if head is None:
            return Result(status="crashed", error="the sandbox ended", wall_seconds=time.monotonic() - started)
        result = self._loaded.result(head, b"", limits)
        return replace(result, wall_seconds=time.monotonic() - started, peak_bytes=None)

    def _end_worker(self, patience_seconds: float = 0.0) -> dict[str, Any] | None:
        """Return the report of a worker's end: its own if it comes in time, else on our order; None if all is lost."""
        self._forget()
        try:
            process = self._loaded.process()
            with contextlib.suppress(TimeoutError):
                return process.receive(patience_seconds)[0]
            process.send({"do": "kill"})
            return process.receive(ANSWER_SECONDS_MAX)[0]
        except (OSError, EOFError):
            self._loaded.end()
            return None

    def _forget(self) -> None:
        if self._worker is not None:
            self._worker.channel.close()
            self._worker = None


def _bound(limits: Limits) -> int:
    return limits.output_bytes + HEAD_BYTES_MAX


def _answer(payload: bytes, index: int, limits: Limits) -> tuple[Result, bool]:
    """Read a result and whether its worker is spoiled. Raises: ValueError where it is none, or answers another."""
    head, body = wire.split(payload)
    answered, said, wall, cpu, printed, spoiled = head
    if answered != index:
        raise ValueError(f"it answers request {answered!r}")
    status, value, error = decode(str(said).encode(), body, limits)
    if status == "protocol":
        raise ValueError(error)
    result = Result(
        status=status,
        value=value,
        error=error,
        printed=str(printed),
        wall_seconds=float(wall),
        cpu_seconds=float(cpu),
    )
    return result, bool(spoiled)
