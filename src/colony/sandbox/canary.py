"""Finds out what a sandbox really stops, by trying: a limit that was set is not yet a limit that holds.

Everything it attacks is its own: a file in the home folder, one in a temporary folder, two listeners, processes under
a name. Whatever ends otherwise than by being stopped counts as gone through.
What this file does not do: measure strength against an attacker of the kernel.
"""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from colony.primitives.errors import IsolationError
from colony.sandbox.protocol import Executor, Host, Isolation, Limits, Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colony.sandbox.protocol import Hold

HOST: Final = Host(factory="colony_inside.attacks:build")
FORKS: Final = 40
MEMORY_BYTES: Final = 32 * 1024 * 1024
SPREAD: Final = 6
LIMITS: Final = Limits(wall_seconds=10, cpu_seconds=3, memory_bytes=MEMORY_BYTES, processes=FORKS // 2)
HANG: Final = Limits(wall_seconds=0.1, cpu_seconds=3, memory_bytes=MEMORY_BYTES, processes=FORKS // 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bait:
    """What is laid out for the attacks."""

    secret: str
    secret_file: Path
    outside_file: Path
    port: int
    socket_file: Path
    name: str


def probe(executor: Executor, *, tier: str, engine: str) -> Isolation:
    """Attack a sandbox that has loaded `HOST`. Raises: IsolationError if it answers nothing at all."""
    with ExitStack() as laid_out:
        bait = _lay_out(laid_out)
        attacks = _attacks(bait)
        results = dict(zip(attacks, executor.run(list(attacks.values()), LIMITS), strict=True))
        results["hang"] = executor.run([{"attack": "hang", "name": bait.name}], HANG)[0]
        if all(result.status != "ok" for result in results.values()):
            raise IsolationError(f"nothing runs in {engine}: {results['cpu'].error}; run `colony doctor`")
        return _judge(results, bait, tier=tier, engine=engine)


def _lay_out(laid_out: ExitStack) -> Bait:
    secret = secrets.token_hex(16)
    outside = Path(laid_out.enter_context(tempfile.TemporaryDirectory(prefix="colony-canary-")))
    hidden = (Path.home() if os.access(Path.home(), os.W_OK) else outside) / f".colony-canary-{secret[:8]}"
    laid_out.callback(hidden.unlink, missing_ok=True)
    hidden.write_text(secret)
    hidden.chmod(0o644)  # hidden by its place, not by its mode
    tcp = laid_out.enter_context(socket.create_server(("127.0.0.1", 0)))
    unix = laid_out.enter_context(socket.socket(socket.AF_UNIX))
    unix.bind(str(outside / "socket"))
    unix.listen()
    return Bait(
        secret=secret,
        secret_file=hidden,
        outside_file=outside / "written",
        port=tcp.getsockname()[1],
        socket_file=outside / "socket",
        name=f"canary-{secret[:8]}",
    )


def _attacks(bait: Bait) -> dict[str, dict[str, Any]]:
    return {
        "cpu": {"attack": "cpu"},
        "read": {"attack": "read", "path": str(bait.secret_file)},
        "write": {"attack": "write", "path": str(bait.outside_file)},
        "connect": {"attack": "connect", "port": bait.port},
        "call": {"attack": "call", "path": str(bait.socket_file)},
        "fork": {"attack": "fork", "count": FORKS},
        "allocate": {"attack": "allocate", "size_bytes": 4 * MEMORY_BYTES},
        "spread": {"attack": "spread", "size_bytes": MEMORY_BYTES * 3 // 4, "processes": SPREAD},
        "daemon": {"attack": "daemon", "name": bait.name},
    }


def _judge(results: dict[str, Result], bait: Bait, *, tier: str, engine: str) -> Isolation:
    stopped = {name: _stopped(result) for name, result in results.items()}
    one_process = results["allocate"].status in {"memory", "crashed"}
    together = results["spread"].status == "memory" or _fewer(results["spread"], SPREAD)
    left = _alive(bait.name)
    return Isolation(
        tier=tier,
        engine=engine,
        filesystem=_all([stopped["read"], stopped["write"] and not bait.outside_file.exists()]),
        network=_all([stopped["connect"]]),
        sockets=_all([stopped["call"]]),
        memory=_all([one_process, together]),
        processes=_all([_fewer(results["fork"], FORKS)]),
        cpu="partial" if _fewer(results["cpu"], LIMITS.cpu_seconds + 2) else "none",
        deadline=_all([results["hang"].status == "timeout" and left <= 0]),
        daemons=_all([results["daemon"].status == "ok" and left == 0]),
        saw=tuple(f"{name}: {_told(result)}" for name, result in results.items()),
    )


def _stopped(result: Result) -> bool:
    return result.status == "ok" and str(result.value).startswith("stopped")


def _fewer(result: Result, than: float) -> bool:
    """Whether an attack that counts was held below a number (-1, no limit, is none below)."""
    return result.status == "ok" and isinstance(result.value, int) and 0 <= result.value < than


def _told(result: Result) -> str:
    text = str(result.value) if result.status == "ok" else f"{result.status} {result.error}"
    return text[:80]


def _all(stopped: Sequence[bool]) -> Hold:
    if all(stopped):
        return "enforced"
    return "partial" if any(stopped) else "none"


def _alive(name: str) -> int:
    """How many processes bear the name; -1 where the system does not tell, so that no daemon can be said to be dead."""
    if not Path("/proc/self/comm").exists():
        return -1
    return sum(_comm(folder) == name for folder in Path("/proc").iterdir() if folder.name.isdigit())


def _comm(folder: Path) -> str:
    try:
        return (folder / "comm").read_text().strip()
    except OSError:
        return ""
