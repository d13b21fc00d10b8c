"""What a forked process does first and last: shut itself in, run one request or serve as a warm worker, and be gone.

None of these functions returns: the process ends. Until `_enter` has finished, nothing of the host's handle has run,
and the gate says so to the zygote: what follows cannot take that back.
What this file does not do: deadlines; the zygote and the engine keep those.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import resource
import signal
import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from . import capture, confine, handle
from .worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

HIGH_DESCRIPTOR: Final = 200
DESCRIPTORS_MAX: Final = 256
SETUP_FAILED: Final = 71
SIGNALLED: Final = 128
FORGIVEN_BYTES: Final = 16 * 1024  # the status line and the error of an answer, above the limit on its value
FOLDER_BYTES: Final = 64 * 1024 * 1024
ALONE: Final = confine.NEW_MOUNTS | confine.NEW_NAMES | confine.NEW_IPC | confine.NEW_USERS | confine.NEW_NETWORK


@dataclass(frozen=True, slots=True)
class Cell:
    """How a process is shut in: the files it prints and answers to, the groups it joins, what it may use.

    `answers` is the result file of a child or the channel of a worker; `mapped_bytes` the memory the host itself has
    mapped.
    """

    prints: int
    answers: int
    gate: int
    groups: tuple[int, ...]
    keep: tuple[str, ...]
    limits: dict[str, Any]
    mapped_bytes: int
    confined: bool


def run(cell: Cell, call: Callable[[Any], Any], request: Any, seed: int | None) -> None:
    """Run one request; the answer is a line with the status, then the body."""
    _enter(cell, hard=True)
    handle.reseed(seed, request)
    status, body = handle.call(call, request, cell.limits["output_bytes"])
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os.write(HIGH_DESCRIPTOR, status.encode() + b"\n" + body)
    os._exit(0)


def work(cell: Cell, call: Callable[[Any], Any]) -> None:
    """Serve batches until the channel closes. In a process namespace the first process only waits: signals spare it."""
    if cell.confined:
        _stand_aside_for_second_process()
    _enter(cell, hard=False)
    with contextlib.suppress(OSError):  # the channel is gone: the engine has given us up, or the request closed it
        Worker(socket.socket(fileno=HIGH_DESCRIPTOR), call, prints=1, confined=cell.confined).serve()
    os._exit(0)


def _stand_aside_for_second_process() -> None:
    second = os.fork()
    if second == 0:
        return
    _default_signals()
    os.closerange(0, 65_536)
    while True:
        ended, status = os.wait()
        if ended == second:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else SIGNALLED - code)


def _default_signals() -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _enter(cell: Cell, *, hard: bool) -> None:
    """Join, shut in, limit, give up; or end with the reason where no candidate has run yet."""
    try:
        _default_signals()
        capture.redirect(cell.prints)
        for group in cell.groups:
            os.write(group, b"0")
        if cell.confined:
            confine.new_namespaces(ALONE)
            confine.private_folders(FOLDER_BYTES, list(cell.keep))
        else:
            os.setsid()
        _limit(cell, hard=hard)
        if cell.confined:
            confine.drop_privileges()
        os.write(cell.gate, b"1")
        _keep_only(cell.answers)
    except BaseException as error:  # noqa: BLE001  (whatever it was, the request must not run)
        with contextlib.suppress(OSError):
            os.write(2, handle.describe(error).encode())
        os._exit(SETUP_FAILED)


def _limit(cell: Cell, *, hard: bool) -> None:
    limits = cell.limits
    confine.limit(resource.RLIMIT_CORE, 0, hard=True)
    confine.limit(resource.RLIMIT_NOFILE, DESCRIPTORS_MAX, hard=True)
    confine.limit(resource.RLIMIT_FSIZE, max(limits["file_bytes"], limits["output_bytes"] + FORGIVEN_BYTES), hard=hard)
    confine.limit(resource.RLIMIT_CPU, math.ceil(limits["cpu_seconds"]), hard=hard)
    if sys.platform == "linux":  # elsewhere what is mapped is not known, and the limit not obeyed
        confine.limit(resource.RLIMIT_AS, cell.mapped_bytes + limits["memory_bytes"], hard=hard)
    if cell.confined:  # counted per user namespace, which is ours alone; elsewhere it would count the whole session
        confine.limit(resource.RLIMIT_NPROC, limits["processes"], hard=hard)


def _keep_only(answers: int) -> None:
    """Keep the standard three descriptors and the one that carries the answer, out of the way and not inherited."""
    if answers != HIGH_DESCRIPTOR:
        os.closerange(HIGH_DESCRIPTOR, HIGH_DESCRIPTOR + 1)
        fcntl.fcntl(answers, fcntl.F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR)
    os.closerange(3, HIGH_DESCRIPTOR)
    os.closerange(HIGH_DESCRIPTOR + 1, 65_536)
