"""Copies of folders that the user inside may not read, when the engine runs as root.

Root's own files are often closed to others (a temporary folder has mode 0700), and inside there is no root. What is
shown of the caller's is copied with readable modes; the interpreter is too large for that, so closed ones are refused
with the command that mends it.
What this file does not do: follow links out of the folder.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from colony.primitives.errors import IsolationError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import ExitStack

COPIED_BYTES_MAX: Final = 256 * 1024 * 1024
COPIED_FILES_MAX: Final = 5_000


def readable(shown: Iterable[Path], interpreter: Iterable[Path], staged: ExitStack) -> dict[Path, Path]:
    """For each closed path among `shown`, a copy that anybody can read. Raises: IsolationError."""
    for path in interpreter:
        if not _open_to_others(path):
            raise IsolationError(
                f"{path} is closed to other users, so it cannot be shown inside: run `chmod -R o+rX {path}`"
            )
    return {path: _copy(path, staged) for path in set(shown) if path.exists() and not _all_open(path)}


def _open_to_others(path: Path) -> bool:
    mode = path.stat().st_mode
    needed = stat.S_IROTH | stat.S_IXOTH if stat.S_ISDIR(mode) else stat.S_IROTH
    return mode & needed == needed


def _all_open(path: Path) -> bool:
    """Whether others may read a path and everything below it; a tree too large to copy is taken at its word."""
    below = [path]
    for count, current in enumerate(below):
        if count > COPIED_FILES_MAX:
            return True
        if not _open_to_others(current):
            return False
        if current.is_dir():
            below += [Path(entry) for entry in os.scandir(current) if not entry.is_symlink()]
    return True


def _copy(path: Path, staged: ExitStack) -> Path:
    target = Path(staged.enter_context(tempfile.TemporaryDirectory(prefix="colony-"))) / "copy"
    files = [path] if path.is_file() else [entry for entry in path.rglob("*") if entry.is_file()]
    size = sum(file.lstat().st_size for file in files)
    if size > COPIED_BYTES_MAX or len(files) > COPIED_FILES_MAX:
        raise IsolationError(f"{path} is closed to other users and too large to copy: run `chmod -R o+rX {path}`")
    if path.is_file():
        shutil.copyfile(path, target)
    else:
        shutil.copytree(path, target, symlinks=True)
    for entry in (target, *target.rglob("*")):
        if not entry.is_symlink():
            entry.chmod(0o755 if entry.is_dir() else 0o644 | (entry.stat().st_mode & 0o111))
    return target
