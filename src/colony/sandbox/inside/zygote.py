"""Loads the host once, then forks: a child for each program, or a warm worker for many requests.

It holds no secrets, runs no candidate itself, and keeps the wall deadline of its children. The engine speaks to it on
one socket: `slot` (a lane in which one process at a time runs, with its control groups), `run`, `worker`, `kill`.
What this file does not do: isolation of itself; `root` and the engine's launcher did that before it began.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from . import capture, child, confine, handle, wire

if TYPE_CHECKING:
    from collections.abc import Callable

SLOT_DESCRIPTORS_MAX: Final = 8
SWEEPS: Final = 100


def serve(control: socket.socket, *, confined: bool) -> None:
    """Load the host, then serve one engine until it closes the socket."""
    payload = wire.receive(control)
    if payload is None:
        return
    host, _ = wire.split(payload)
    try:
        call = handle.load(host)
    except BaseException as error:  # noqa: BLE001  (the host's code; the engine says it in its own words)
        control.sendall(wire.frame(wire.encode({"failed": handle.describe(error)})))
        return
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    zygote = Zygote(control, call, confined=confined, keep=tuple(host["keep"]))
    control.sendall(wire.frame(b'{"ready":true}'))
    zygote.serve()


@dataclass(slots=True)
class Slot:
    """A lane: the files a process writes to and the control groups it joins, used again by the next one."""

    number: int
    groups: tuple[int, ...]
    prints: int = field(default_factory=capture.memory_file)
    answers: int = field(default_factory=capture.memory_file)


@dataclass(slots=True)
class Running:
    """A forked process: which request it runs (-1: a warm worker), in which lane, and when it is overdue."""

    index: int
    slot: Slot
    started: float
    deadline: float
    gate: int
    output_bytes: int
    overdue: bool = False


class Zygote:
    """The loop: start what the engine asks for, end what is overdue, report what has ended."""

    def __init__(
        self, control: socket.socket, call: Callable[[Any], Any], *, confined: bool, keep: tuple[str, ...]
    ) -> None:
        self._control = control
        self._call = call
        self._confined = confined
        self._keep = keep
        self._process_fd = os.pidfd_open(os.getpid()) if confined else -1
        self._slots: list[Slot] = []
        self._running: dict[int, Running] = {}
        self._mapped_bytes = confine.address_space_bytes()
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        if not confined:
            confine.adopt_orphans()
        gc.collect()
        gc.freeze()

    def serve(self) -> None:
        """Run until the engine is gone; then end whatever still runs."""
        while True:
            ready, _, _ = select.select([self._control.fileno(), self._woken], [], [], self._patience())
            if self._control.fileno() in ready and not self._obey():
                break
            if self._woken in ready:
                os.read(self._woken, 4096)
            self._reap()
            self._end_overdue()
        self._end_all()

    def _obey(self) -> bool:
        payload = wire.receive(self._control)
        if payload is None:
            return False
        order, _ = wire.split(payload)
        match order["do"]:
            case "slot":
                _, groups, _, _ = socket.recv_fds(self._control, 1, SLOT_DESCRIPTORS_MAX)
                self._slots.append(Slot(len(self._slots), tuple(groups)))
            case "run":
                for index, request in order["requests"]:
                    self._start(index, request, order["limits"], order["seed"])
            case "worker":
                self._start_worker(order["limits"])
            case "kill":
                self._end_all()
        return True

    def _start(self, index: int, request: Any, limits: dict[str, Any], seed: int | None) -> None:
        """Fork for a request; the engine never asks for more of them at once than there are lanes."""
        busy = {running.slot.number for running in self._running.values()}
        slot = next(slot for slot in self._slots if slot.number not in busy)
        cell = self._cell(slot, slot.answers, limits)
        started = time.monotonic()
        process, gate = self._fork(cell, lambda cell: child.run(cell, self._call, request, seed))
        self._running[process] = Running(
            index, slot, started, started + limits["wall_seconds"], gate, limits["output_bytes"]
        )

    def _start_worker(self, limits: dict[str, Any]) -> None:
        theirs, ours = socket.socketpair()
        cell = self._cell(self._slots[0], ours.fileno(), limits)
        process, gate = self._fork(cell, lambda cell: child.work(cell, self._call))
        self._running[process] = Running(-1, self._slots[0], time.monotonic(), float("inf"), gate, 0)
        ours.close()
        self._control.sendall(wire.frame(b'{"worker":true}'))
        socket.send_fds(self._control, [b"+"], [theirs.fileno()])
        theirs.close()

    def _cell(self, slot: Slot, answers: int, limits: dict[str, Any]) -> child.Cell:
        capture.empty(slot.prints)
        capture.empty(slot.answers)
        return child.Cell(
            prints=slot.prints,
            answers=answers,
            gate=-1,
            groups=slot.groups,
            keep=self._keep,
            limits=limits,
            mapped_bytes=self._mapped_bytes,
            confined=self._confined,
        )

    def _fork(self, cell: child.Cell, live: Callable[[child.Cell], None]) -> tuple[int, int]:
        """Fork into a process namespace of its own; the process and the gate that tells whether it got inside."""
        passed, gate = os.pipe()
        if self._confined:
            confine.new_namespaces(confine.NEW_PROCESSES)
        process = os.fork()
        if process == 0:
            try:
                live(replace(cell, gate=gate))
            finally:
                os._exit(child.SETUP_FAILED)
        if self._confined:
            confine.children_stay_here(self._process_fd)
        os.close(gate)
        return process, passed

    def _patience(self) -> float | None:
        """Seconds until the next deadline, None if there is none."""
        deadline = min((running.deadline for running in self._running.values()), default=float("inf"))
        return None if deadline == float("inf") else max(0.0, deadline - time.monotonic())

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for process, running in self._running.items():
            if now >= running.deadline:
                running.overdue, running.deadline = True, float("inf")
                self._kill(process)

    def _end_all(self) -> None:
        for process in self._running:
            self._kill(process)

    def _kill(self, process: int) -> None:
        """End a process and all it started: by its namespace, or as far as we can find them."""
        if self._confined:
            os.kill(process, signal.SIGKILL)
        else:
            confine.end_tree(process)

    def _reap(self) -> None:
        while True:
            try:
                process, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if process == 0:
                return
            running = self._running.pop(process, None)
            if running is not None:
                if not self._confined:
                    self._end_escaped(process)
                self._report(
                    running, os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss
                )

    def _end_escaped(self, process: int) -> None:
        """Without a namespace: end the group of an ended process, and whoever left it and was adopted by us."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process, signal.SIGKILL)
        for _ in range(SWEEPS):
            adopted = [child for child in confine.children(os.getpid()) if child not in self._running]
            if not adopted:
                return
            for escaped in adopted:
                confine.end_tree(escaped)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(escaped, 0)

    def _report(self, running: Running, code: int, cpu_seconds: float, peak: int) -> None:
        entered = os.read(running.gate, 1) == b"1"
        os.close(running.gate)
        slot = running.slot
        head = {
            "index": running.index,
            "slot": slot.number,
            "code": child.SIGNALLED - code if running.index < 0 and code > child.SIGNALLED else code,
            "entered": entered,
            "overdue": running.overdue,
            "wall_seconds": time.monotonic() - running.started,
            "cpu_seconds": cpu_seconds,
            "peak_bytes": peak * (1 if sys.platform == "darwin" else 1024),
            "printed": capture.tail(slot.prints),
        }
        answer = b""
        if code == 0 and running.index >= 0:
            answer = os.pread(slot.answers, running.output_bytes + child.FORGIVEN_BYTES, 0)
        self._control.sendall(wire.frame(wire.encode(head), answer))
