"""The system calls that shut a process in: namespaces, private folders, limits, privileges; also how it cleans up.

What this file does not do: decide what is shut in, or check that it worked; the canary does that.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Final

NEW_MOUNTS: Final = 0x0002_0000
NEW_NAMES: Final = 0x0400_0000
NEW_IPC: Final = 0x0800_0000
NEW_USERS: Final = 0x1000_0000
NEW_PROCESSES: Final = 0x2000_0000
NEW_NETWORK: Final = 0x4000_0000
NOBODY: Final = 65534

_BIND_ALL: Final = 0x1000 | 0x4000  # MS_BIND | MS_REC
_NO_SUID_NO_DEVICES: Final = 0x2 | 0x4
_SET_DUMPABLE: Final = 4
_ADOPT_ORPHANS: Final = 36
_NO_NEW_PRIVILEGES: Final = 38
_CAPABILITY_VERSION_3: Final = 0x2008_0522

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def become_nobody() -> None:
    """Leave root for good; the files to be read must be readable by others."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    _check(_libc.prctl(_SET_DUMPABLE, 1, 0, 0, 0), "prctl dumpable")  # else our own /proc files belong to root


def new_namespaces(flags: int) -> None:
    """Enter new namespaces (a new process namespace holds the children only); with users, keep our own identity."""
    user, group = os.getuid(), os.getgid()
    _check(_libc.unshare(flags), "unshare")
    if flags & NEW_USERS:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def children_stay_here(process_fd: int) -> None:
    """Undo a new process namespace for the children to come; `process_fd` is a pidfd of our own process."""
    _check(_libc.setns(process_fd, NEW_PROCESSES), "setns")


def private_folders(size_bytes: int, keep: list[str]) -> None:
    """Cover /tmp and /dev/shm with empty folders of our own, /proc with nothing; show `keep`, below /tmp, again."""
    kept = [(folder, os.open(folder, os.O_PATH)) for folder in keep]
    for folder in ("/tmp", "/dev/shm"):  # noqa: S108  (these are what is being replaced)
        _mount("tmpfs", folder, "tmpfs", _NO_SUID_NO_DEVICES, f"size={size_bytes},mode=1777")
    for folder, descriptor in kept:
        target = Path(folder)
        with contextlib.suppress(FileExistsError):
            if os.path.isdir(f"/proc/self/fd/{descriptor}"):  # noqa: PTH112  (no Path keeps the trailing link)
                target.mkdir(parents=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.touch()
        _mount(f"/proc/self/fd/{descriptor}", folder, "none", _BIND_ALL, "")
        os.close(descriptor)
    _mount("tmpfs", "/proc", "tmpfs", _NO_SUID_NO_DEVICES, "size=4096,mode=555")
    with contextlib.suppress(OSError):
        os.chdir(os.getcwd())  # noqa: PTH109  (the same name, in the new folder)


def _mount(source: str, target: str, kind: str, flags: int, options: str) -> None:
    arguments = (source.encode(), target.encode(), kind.encode(), flags, options.encode())
    _check(_libc.mount(*arguments), f"mount on {target}")


def drop_privileges() -> None:
    """No capability is left and none can come back: not by a set-user-id program either."""
    _check(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl no_new_privs")
    head = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(head, (ctypes.c_uint32 * 6)()), "capset")


def limit(kind: int, value: int, *, hard: bool) -> None:
    """Lower a limit; where `hard` is false the process itself may raise it again."""
    ceiling = resource.getrlimit(kind)[1]
    if ceiling != resource.RLIM_INFINITY:
        value = min(value, ceiling)
    with contextlib.suppress(ValueError, OSError):  # macOS refuses some; the canary says what holds
        resource.setrlimit(kind, (value, value if hard else ceiling))


def address_space_bytes() -> int:
    """How much memory this process has mapped by now; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except (OSError, ValueError):
        return 0


def adopt_orphans() -> None:
    """Daemons of our descendants become our children, so that they can be found and ended (Linux only)."""
    if sys.platform == "linux":
        _check(_libc.prctl(_ADOPT_ORPHANS, 1, 0, 0, 0), "prctl subreaper")


def end_everyone_else() -> None:
    """Kill all other processes of our own process namespace, where we are the child of its first process."""
    assert (os.getpid(), os.getppid()) == (2, 1), "outside a process namespace of our own this would kill the session"
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)


def children(process: int) -> list[int]:
    """Return the children of a process, by what /proc says; empty where there is none."""
    found = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            found += [int(number) for number in (thread / "children").read_text().split()]
    return found


def end_tree(process: int) -> None:
    """Kill a process and all below it, its group first; whoever escaped is adopted and met on the next call."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)
    below = children(process)
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
    for child in below:
        end_tree(child)
