"""Bubblewrap: namespaces without a daemon or an image. A read-only file system of what Python needs and nothing else.

Started by root, the inside leaves root for user 65534 before any code of a host runs; started by anybody else it is
that user outside and 65534 inside. Everything shown is shown read-only under its own name; folders above are made
anew, so a folder below a closed one (root's home) can be seen while its neighbours cannot. What user 65534 may not
read is copied (`staging`).
What this file does not do: limits; those are kept inside and by control groups.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from colony.primitives.errors import IsolationError
from colony.sandbox import interpreter
from colony.sandbox.adapter import Adapter
from colony.sandbox.process import Launch
from colony.sandbox.staging import readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import ExitStack

    from colony.sandbox.protocol import Host

SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")
SYSTEM_FILES: Final = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime")
INSTALL: Final = "apt-get install bubblewrap"
FOLDER_BYTES: Final = 256 * 1024 * 1024

CLOSED_BY: Final = (
    ("kernel.unprivileged_userns_clone", "0", "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
    ("user.max_user_namespaces", "0", "sudo sysctl -w user.max_user_namespaces=15000"),
    (
        "kernel.apparmor_restrict_unprivileged_userns",
        "1",
        "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)

_ALONE: Final = ("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
_PRIVATE: Final = (
    *("--proc", "/proc", "--dev", "/dev"),
    *("--perms", "1777", "--size", str(FOLDER_BYTES), "--tmpfs", "/tmp"),  # noqa: S108
    *("--perms", "1777", "--size", str(FOLDER_BYTES), "--tmpfs", "/dev/shm"),  # noqa: S108
)


def engine() -> str:
    """Name and version. Raises: IsolationError naming the command that would provide it."""
    if sys.platform != "linux":
        raise IsolationError("bubblewrap needs Linux: run Colony inside a Linux machine or container")
    program = shutil.which("bwrap")
    if program is None:
        raise IsolationError(f"bubblewrap is not installed: run `{INSTALL}`")
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.strip()


def sandbox() -> Adapter:
    """Bubblewrap as a sandbox."""
    return Adapter("bubblewrap", engine, launch)


def launch(host: Host, staged: ExitStack) -> Launch:
    """Return the command for a host; what had to be copied for it lives as long as `staged`. Raises: IsolationError."""
    program = shutil.which("bwrap")
    if program is None:
        raise IsolationError(f"bubblewrap is not installed: run `{INSTALL}`")
    shown = [Path(os.path.abspath(name)) for name in (*host.read_only, *host.path)]  # noqa: PTH100  (links stay)
    copies = readable(shown, interpreter.visible(), staged) if os.geteuid() == 0 else {}
    mounts = _outermost([*interpreter.visible(), *shown])
    command = [program, *_ALONE, "--as-pid-1", *_identity(), "--clearenv", *_system(), *_PRIVATE]
    for folder in _parents(mounts):
        command += ["--perms", "0755", "--dir", str(folder)]
    for mount in mounts:
        command += ["--ro-bind", str(copies.get(mount, mount)), str(mount)]
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]  # noqa: S108
    for name, value in {**interpreter.ENVIRONMENT, **host.environment}.items():
        command += ["--setenv", name, value]
    keep = [str(mount) for mount in mounts if mount.is_relative_to("/tmp")]  # noqa: S108
    return Launch(
        command=[*command, "--", *interpreter.command()],
        environment={},
        confined=True,
        keep=keep,
        remedy=remedy(),
        info=True,
    )


def remedy(settings: Path = Path("/proc/sys")) -> str:
    """Return the command that lets user namespaces in, where a setting of the kernel keeps them out."""
    for name, closed, command in CLOSED_BY:
        try:
            if (settings / name.replace(".", "/")).read_text().strip() == closed:
                return command
        except OSError:
            continue
    return "colony doctor"


def _identity() -> list[str]:
    if os.geteuid() == 0:
        return ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    return ["--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"]


def _system() -> Iterator[str]:
    for name in SYSTEM:
        if Path(name).is_symlink():
            yield from ("--symlink", str(Path(name).readlink()), name)
        elif Path(name).exists():
            yield from ("--ro-bind", name, name)
    yield from ("--perms", "0755", "--dir", "/etc")
    for name in SYSTEM_FILES:
        yield from ("--ro-bind-try", name, name)


def _outermost(paths: Iterable[Path]) -> list[Path]:
    """Each existing path once, without those below another or already shown with the system."""
    chosen: list[Path] = []
    for path in sorted(set(paths)):
        above = (*chosen, *map(Path, SYSTEM))
        if path.exists() and not any(path.is_relative_to(parent) for parent in above):
            chosen.append(path)
    return chosen


def _parents(mounts: Iterable[Path]) -> list[Path]:
    """Return the folders above all mounts, outermost first; not the root and not what is already there."""
    there = {Path("/"), Path("/tmp")}  # noqa: S108
    return sorted({parent for mount in mounts for parent in mount.parents} - there)
