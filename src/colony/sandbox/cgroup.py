"""Control groups, version 1 and 2, where this user may write them: memory and processes of a lane, counted together.

Version 1 has a tree per controller; version 2 has one, and only a folder whose `subtree_control` already hands the
controllers down can hold groups of ours (a session slice of systemd does). Every limit is read back.
What this file does not do: change the groups of the engine itself, or hand down controllers it was not given.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

CONTROLLERS: Final = ("memory", "pids")
SLACK_BYTES: Final = 48 * 1024 * 1024  # page tables, kernel memory and the pages a fork copies
END_SECONDS_MAX: Final = 1.0
PROVIDE: Final = "systemd-run --user --scope -p Delegate=yes"

_numbers = itertools.count()


@dataclass(slots=True)
class Group:
    """One group: a folder per controller (the same one in version 2)."""

    folders: dict[str, Path]
    _set: tuple[int, int] = field(default=(0, 0), init=False)
    _kills: int = field(default=0, init=False)

    def limit(self, memory_bytes: int, processes: int) -> None:
        """Set both limits and read them back. Raises: OSError where they do not hold."""
        if (memory_bytes, processes) == self._set:
            return
        memory, pids = self.folders["memory"], self.folders["pids"]
        ceiling = memory_bytes + SLACK_BYTES
        name, with_swap, swap = ("memory.max", "memory.swap.max", "0")
        if (memory / "memory.limit_in_bytes").exists():  # version 1 counts swap with memory, and never below it
            name, with_swap, swap = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", str(ceiling))
        for file, value in ((with_swap, swap), (name, str(ceiling)), (with_swap, swap)):
            with contextlib.nullcontext() if file == name else contextlib.suppress(OSError):
                (memory / file).write_text(value)
        (pids / "pids.max").write_text(str(processes))
        if int((memory / name).read_text()) > ceiling or (pids / "pids.max").read_text().strip() != str(processes):
            raise OSError(f"{memory} does not hold its limits")
        self._set = (memory_bytes, processes)

    def doors(self) -> list[int]:
        """Descriptors to write "0" to in order to join; the caller closes them."""
        return [os.open(folder / "cgroup.procs", os.O_WRONLY) for folder in dict.fromkeys(self.folders.values())]

    def out_of_memory(self) -> bool:
        """Whether the kernel has killed for memory here since the last question."""
        folder, before = self.folders["memory"], self._kills
        for name in ("memory.oom_control", "memory.events"):
            with contextlib.suppress(OSError):
                counts = dict(line.split() for line in (folder / name).read_text().splitlines())
                self._kills = int(counts.get("oom_kill", 0))
        return self._kills > before

    def end(self) -> None:
        """Kill whatever is inside and remove the group."""
        deadline = time.monotonic() + END_SECONDS_MAX
        for folder in dict.fromkeys(self.folders.values()):
            while folder.exists() and time.monotonic() < deadline:
                with contextlib.suppress(OSError):
                    folder.rmdir()
                    break
                for process in _members(folder):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)
                time.sleep(0.002)


def _members(folder: Path) -> list[int]:
    try:
        return [int(number) for number in (folder / "cgroup.procs").read_text().split() if number != "0"]
    except OSError:
        return []


@dataclass(frozen=True, slots=True)
class Groups:
    """Where groups of ours can be made: a parent folder per controller."""

    parents: dict[str, Path]

    def create(self) -> Group:
        """Return a new group without limits. Raises: OSError."""
        name = f"colony-{os.getpid()}-{next(_numbers)}"
        folders = {controller: parent / name for controller, parent in self.parents.items()}
        for folder in folders.values():
            folder.mkdir(exist_ok=True)
        return Group(folders)

    def end_orphaned(self) -> None:
        """Remove the groups of engines that were killed before they could."""
        for parent in dict.fromkeys(self.parents.values()):
            for folder in parent.glob("colony-*-*"):
                if not Path(f"/proc/{folder.name.split('-')[1]}").exists():
                    Group({"": folder}).end()


def find(root: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")) -> Groups | None:
    """Return the place for our groups, tried out; None where this user has none."""
    try:
        lines = [line.split(":", 2) for line in membership.read_text().splitlines()]
    except OSError:
        return None
    paths = {name: path for _, names, path in lines for name in names.split(",")}
    first = {name: _first_version(root / name, paths[name]) for name in CONTROLLERS if name in paths}
    for parents in (first, dict.fromkeys(CONTROLLERS, _second_version(root, paths.get("", "/")))):
        found = {name: folder for name, folder in parents.items() if folder is not None}
        if len(found) == len(CONTROLLERS) and _works(groups := Groups(found)):
            groups.end_orphaned()
            return groups
    return None


def _first_version(tree: Path, path: str) -> Path | None:
    """Our own group in a controller's tree, or the top of the tree where ours is not shown."""
    return next((folder for folder in (tree / path.lstrip("/"), tree) if folder.is_dir()), None)


def _second_version(root: Path, path: str) -> Path | None:
    """Return the nearest folder from our own group upwards that hands both controllers down and lets us write."""
    own = root / path.lstrip("/")
    for folder in (own, *own.parents):
        if not folder.is_relative_to(root):
            break
        with contextlib.suppress(OSError):
            handed = (folder / "cgroup.subtree_control").read_text().split()
            if set(CONTROLLERS) <= set(handed) and os.access(folder, os.W_OK):
                return folder
    return None


def _works(groups: Groups) -> bool:
    try:
        group = groups.create()
        try:
            group.limit(SLACK_BYTES, 8)
            for door in group.doors():
                os.close(door)
        finally:
            group.end()
    except (OSError, ValueError):
        return False
    return True
