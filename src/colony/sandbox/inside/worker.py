"""A warm worker: one process, many requests, each result sent as soon as it is known.

It runs the user's own evaluator, which could forge its own results; what must not happen is that a request costs
another one.
What this file does not do: the wall deadline (the engine keeps it) and starting again (the zygote forks another).
"""

from __future__ import annotations

import _thread
import contextlib
import math
import os
import resource
import sys
import time
from typing import TYPE_CHECKING, Any

from . import capture, confine, handle, wire

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable


class Worker:
    """Serves batches from `channel` until it closes. `confined`: we are alone in a process namespace."""

    def __init__(self, channel: socket.socket, call: Callable[[Any], Any], *, prints: int, confined: bool) -> None:
        self._channel = channel
        self._call = call
        self._prints = prints
        self._confined = confined
        self._cpu_limit = 0
        self._threads = _thread._count()  # noqa: SLF001  (the only count that knows every Python thread)
        confine.adopt_orphans()

    def serve(self) -> None:
        """Run batches `{limits, requests, seed}`; a frame for each request: a head and the body.

        The head is `[index, status, wall, cpu, printed, spoiled]`; `spoiled`: the request has left threads behind,
        which nobody can end but with the process.
        """
        while (payload := wire.receive(self._channel)) is not None:
            batch, _ = wire.split(payload)
            limits, seed = batch["limits"], batch["seed"]
            confine.limit(resource.RLIMIT_FSIZE, limits["file_bytes"], hard=False)
            for index, request in enumerate(batch["requests"]):
                if seed is not None:
                    handle.reseed(seed, request)
                self._channel.sendall(self._run(index, request, limits))

    def _run(self, index: int, request: Any, limits: dict[str, Any]) -> bytes:
        cpu, wall = time.process_time(), time.perf_counter()
        self._allow_until(cpu + limits["cpu_seconds"])
        status, body = handle.call(self._call, request, limits["output_bytes"])
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        self._end_leftovers()
        spoiled = _thread._count() > self._threads  # noqa: SLF001
        head = b'[%d,"%s",%.9f,%.9f,%s,%d]' % (index, status.encode(), wall, cpu, self._printed(), spoiled)
        return wire.frame(head, body)

    def _allow_until(self, cpu_seconds: float) -> None:
        """Move the limit on this process's own CPU time; the kernel counts whole seconds."""
        limit = math.ceil(cpu_seconds)
        if limit != self._cpu_limit:
            self._cpu_limit = limit
            confine.limit(resource.RLIMIT_CPU, limit, hard=False)

    def _printed(self) -> bytes:
        with contextlib.suppress(Exception):  # whatever the request has put there
            sys.stdout.flush()
            sys.stderr.flush()
        if os.fstat(self._prints).st_size == 0:
            return b'""'
        text = capture.tail(self._prints)
        capture.empty(self._prints)
        return wire.encode(text)

    def _end_leftovers(self) -> None:
        """End what the request has left behind: it is over with its last process."""
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0] == 0:
                if self._confined:
                    confine.end_everyone_else()
                for child in confine.children(os.getpid()):
                    confine.end_tree(child)
                time.sleep(0.001)
