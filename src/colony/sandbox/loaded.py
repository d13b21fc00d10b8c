"""A host loaded in a sandbox: the process that holds it, the lanes for requests, and what a report of an end means.

What this file does not do: decide in which mode requests run (`warm`, `zygote`).
"""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from colony.primitives.errors import IsolationError
from colony.sandbox.inside.child import SETUP_FAILED
from colony.sandbox.process import Launch, SandboxProcess
from colony.sandbox.protocol import Host, Limits, Result, Statistics, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from colony.sandbox.cgroup import Group, Groups

ERROR_CHARACTERS: Final = 2_000
FAILURES: Final[dict[bytes, Status]] = {b"raised": "raised", b"memory": "memory", b"output": "output"}


class Loaded:
    """Starts the sandbox when first needed and again after it was ended; keeps the counts over all starts."""

    def __init__(self, launch: Callable[[Host, ExitStack], Launch], host: Host, groups: Groups | None) -> None:
        self._staged = ExitStack()
        with self._staged as staged:
            self._launch = launch(host, staged)
            self._staged = staged.pop_all()  # kept from here on; what fails before leaves no copies behind
        self._host = host
        self._groups = groups
        self._lanes: list[Group | None] = []
        self._process: SandboxProcess | None = None
        self._closed = False
        self._statuses: Counter[str] = Counter()
        self._loads = 0
        self.forks = 0

    def process(self) -> SandboxProcess:
        """Return the running sandbox. Raises: IsolationError, ProblemError."""
        if self._closed:
            raise IsolationError("this executor is closed: open another")
        if self._process is None:
            self._process = SandboxProcess(self._launch, self._host)
            self._loads += 1
        return self._process

    def end(self) -> None:
        """End the sandbox; the next use starts another."""
        if self._process is not None:
            self._process.end()
            self._process = None
        for group in self._lanes:
            if group is not None:
                group.end()
        self._lanes.clear()

    def close(self) -> None:
        """End the sandbox for good."""
        self._closed = True
        self.end()
        self._staged.close()

    def lanes(self, count: int, limits: Limits) -> None:
        """Have at least `count` lanes, all with these limits. Raises: IsolationError if control groups vanish."""
        try:
            while len(self._lanes) < count:
                self._open_lane()
            for group in self._lanes:
                if group is not None:
                    group.limit(limits.memory_bytes, limits.processes)
        except OSError as error:
            raise IsolationError(f"control groups stopped working: {error}; run `colony doctor`") from error

    def forget_kills(self) -> None:
        """Take note of what the kernel has killed for memory until now, so that it is not laid to what runs next."""
        for group in self._lanes:
            if group is not None:
                group.out_of_memory()

    def _open_lane(self) -> None:
        group = self._groups.create() if self._groups is not None else None
        self._lanes.append(group)
        doors = [] if group is None else group.doors()
        try:
            self.process().send({"do": "slot", "groups": len(doors)}, doors)
        finally:
            for door in doors:
                os.close(door)

    def result(self, head: dict[str, Any], body: bytes, limits: Limits) -> Result:
        """Return what a report of an end means. Raises: IsolationError if the process could not be shut in."""
        group = self._lanes[head["slot"]]
        out_of_memory = group is not None and group.out_of_memory()
        if head["code"] == SETUP_FAILED and not head["entered"]:
            raise IsolationError(f"a process could not be shut in: {head['printed'].strip()}; run `colony doctor`")
        status, value, error = _meaning(head, body, limits, out_of_memory=out_of_memory)
        measured = {name: head[name] for name in ("printed", "wall_seconds", "cpu_seconds", "peak_bytes")}
        return Result(status=status, value=value, error=error, **measured)

    def count(self, result: Result) -> Result:
        """Count a result and hand it on."""
        self._statuses[result.status] += 1
        return result

    def statistics(self) -> Statistics:
        """Return counts so far."""
        statuses = dict(self._statuses)
        return Statistics(
            requests=sum(statuses.values()), statuses=MappingProxyType(statuses), loads=self._loads, forks=self.forks
        )


def as_order(limits: Limits) -> dict[str, Any]:
    """Limits as the inside reads them."""
    return asdict(limits)


def decode(status: bytes, body: bytes, limits: Limits) -> tuple[Status, Any, str]:
    """Return a status and a body from inside, believed as little as possible."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return "protocol", None, "the answer is not JSON"
    if status == b"ok":
        if len(body) > limits.output_bytes:
            return "output", None, f"the result has {len(body)} bytes, the limit is {limits.output_bytes}"
        return "ok", value, ""
    if status in FAILURES:
        return FAILURES[status], None, str(value)[-ERROR_CHARACTERS:]
    return "protocol", None, "the answer has no status"


def _meaning(head: dict[str, Any], body: bytes, limits: Limits, *, out_of_memory: bool) -> tuple[Status, Any, str]:
    code = head["code"]
    if head["overdue"]:
        return "timeout", None, f"no result within {limits.wall_seconds:g} s"
    if code == 0 and body:
        status, _, answer = body.partition(b"\n")
        return decode(status, answer, limits)
    if out_of_memory and code == -signal.SIGKILL:
        return "memory", None, f"more than {limits.memory_bytes} bytes"
    # The kernel samples CPU time at its ticks, so what it takes for the limit may be less by the exact clock.
    if code == -signal.SIGXCPU or (code == -signal.SIGKILL and head["cpu_seconds"] >= limits.cpu_seconds / 2):
        return "cpu", None, f"more than {limits.cpu_seconds:g} CPU seconds"
    if -code in set(signal.Signals):
        return "crashed", None, f"ended by {signal.Signals(-code).name}"
    return "crashed", None, f"ended with exit code {code} and no result"
