"""What the canary tries from inside a sandbox, each as a request: it answers with what it achieved.

What this file does not do: harm. It touches only what the canary has laid out, and what it starts ends by itself.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LINGER_SECONDS: Final = 20
_SET_NAME: Final = 15


def build(_argument: Any) -> Callable[[dict[str, Any]], Any]:
    """Return the handle: a request `{attack, ...}` names one of the functions below and its arguments."""
    return attempt


def attempt(request: dict[str, Any]) -> Any:
    """Return what the attack achieved, or "stopped: why"."""
    arguments = dict(request)
    try:
        return ATTACKS[arguments.pop("attack")](**arguments)
    except OSError as error:
        return f"stopped: {error.strerror or error}"


def read(path: str) -> str:
    """Read a file that lies in the home folder."""
    return Path(path).read_text()


def write(path: str) -> str:
    """Write a file outside."""
    Path(path).write_text("canary")
    return "written"


def connect(port: int) -> str:
    """Reach a listener on the loopback address."""
    with socket.create_connection(("127.0.0.1", port), 1):
        return "connected"


def call(path: str) -> str:
    """Reach a listener on a Unix socket, such as a container engine's."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        client.connect(path)
        return "connected"


def fork(count: int) -> int:
    """How many processes can be started."""
    started: list[int] = []
    try:
        while len(started) < count:
            started.append(_linger())
    except OSError:
        pass
    for process in started:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    return len(started)


def _linger() -> int:
    process = os.fork()
    if process == 0:
        time.sleep(LINGER_SECONDS)
        os._exit(0)
    return process


def allocate(size_bytes: int) -> str:
    """Use memory in one process."""
    return f"allocated {len(bytearray(b'1') * size_bytes)}"


def spread(size_bytes: int, processes: int) -> int:
    """Use memory in several processes; how many hold theirs when all have got it or were killed."""
    done, held = os.pipe()
    started = [_hold(size_bytes, held) for _ in range(processes)]
    os.close(held)
    os.read(done, 1)  # the end of the stream: nobody is still asking
    alive = [process for process in started if os.waitpid(process, os.WNOHANG)[0] == 0]
    for process in alive:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
    return len(alive)


def _hold(size_bytes: int, held: int) -> int:
    process = os.fork()
    if process == 0:
        try:
            memory = bytearray(b"1") * size_bytes
            os.close(held)
            time.sleep(LINGER_SECONDS)
            del memory
        finally:
            os._exit(0)
    return process


def hang(name: str) -> None:
    """Outlive the deadline, under a name by which the canary can find us."""
    _call_ourselves(name)
    time.sleep(LINGER_SECONDS)


def daemon(name: str) -> str:
    """Leave a process behind that belongs to no group or session of ours."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            _call_ourselves(name)
            time.sleep(LINGER_SECONDS)
        os._exit(0)
    os.wait()
    return "left behind"


def _call_ourselves(name: str) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_NAME, name.encode(), 0, 0, 0)


def cpu() -> int:
    """Return the limit on our CPU seconds, as the kernel holds it."""
    return resource.getrlimit(resource.RLIMIT_CPU)[0]


ATTACKS: Final[dict[str, Callable[..., Any]]] = {
    function.__name__: function for function in (read, write, connect, call, fork, allocate, spread, hang, daemon, cpu)
}
