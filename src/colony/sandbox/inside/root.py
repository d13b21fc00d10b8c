"""The first process of a sandbox: it gives up root, starts the zygote, and ends everything when the engine is gone.

It runs no code of the host and no candidate. Where there is a process namespace its own end is the end of all others;
elsewhere it hunts down whoever is below it. Started as `python -c STARTER <folder of this package> <plan>`.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import time
from typing import Final

from . import confine, zygote

GRACE_SECONDS: Final = 0.5
SWEEPS: Final = 50


def main() -> None:
    """Read the plan `{control, lifeline, confined}` (two descriptors and a flag), and never return."""
    plan = json.loads(sys.argv[2])
    if plan["confined"]:
        if os.geteuid() == 0:
            confine.become_nobody()
        confine.new_namespaces(confine.NEW_USERS | confine.NEW_PROCESSES)
    else:
        confine.adopt_orphans()
    child = os.fork()
    if child == 0:
        os.close(plan["lifeline"])
        zygote.serve(socket.socket(fileno=plan["control"]), confined=plan["confined"])
        os._exit(0)
    os.close(plan["control"])
    _guard(child, plan["lifeline"])
    if not plan["confined"]:
        _end_all(child)
    os._exit(0)


def _guard(child: int, lifeline: int) -> None:
    """Wait until the zygote ends or the engine lets go of the lifeline."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        while (ended := _reap()) != 0:
            if ended in (child, -1):
                return
        ready, _, _ = select.select([lifeline, woken], [], [])
        if lifeline in ready:
            return
        os.read(woken, 512)


def _reap() -> int:
    """Return the process that has just ended, 0 if none has, -1 if there is no child."""
    try:
        return os.waitpid(-1, os.WNOHANG)[0]
    except ChildProcessError:
        return -1


def _end_all(child: int) -> None:
    """Without a process namespace: let the zygote end its own, then kill everybody below, and who was adopted since."""
    deadline = time.monotonic() + GRACE_SECONDS
    while _reap() == 0 and time.monotonic() < deadline:
        time.sleep(0.005)
    confine.end_tree(child)
    for _ in range(SWEEPS):
        for adopted in confine.children(os.getpid()):
            confine.end_tree(adopted)
        while _reap() > 0:
            pass
        if not confine.children(os.getpid()):
            return
        time.sleep(0.002)
