"""A socket in the file system that only its owner can use: where it lies, who listens there, and who has come.

The folder is 0700 and the socket 0600, and where the system can tell (Linux) both ends check that the other one is the
same user. What this file does not do: say anything over a connection (wire.py).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from colony.primitives.errors import MemoryGoneError, UsageError
from colony.primitives.limits import REMOTE_GREETING_SECONDS_MAX, SOCKET_PATH_BYTES_MAX

_CREDENTIALS: Final = struct.Struct("3i")  # struct ucred of Linux: process, user, group


@contextlib.contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """Listen at `path` while entered, and remove it afterwards; what a process that died has left there is replaced.

    Raises:
        UsageError: the path is too long, its folder is open to others, something else lies there, or somebody listens.
    """
    address = _address(path)
    with contextlib.ExitStack() as undo:
        listener = undo.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        try:
            with _only_me(path.parent):
                _clear(path, address)
                listener.bind(address)
                undo.callback(_remove, path, path.lstat().st_ino)
                path.chmod(0o600)
                listener.listen(128)
        except OSError as error:
            raise UsageError(f"{path}: no socket can be made here: {error.strerror}; choose another place") from error
        yield listener


def dial(path: Path) -> socket.socket:
    """Return a connection to whoever listens at `path`.

    Raises:
        MemoryGoneError: nobody does.
        UsageError: the path is too long, or the listener is another user.
    """
    address = _address(path)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(REMOTE_GREETING_SECONDS_MAX)
        connection.connect(address)
        refuse_stranger(peer_uid(connection), os.geteuid(), path)
    except OSError as error:
        connection.close()
        raise MemoryGoneError(f"nobody serves shared memory at {path}: {error.strerror or error}; start it") from error
    except BaseException:
        connection.close()
        raise
    return connection


def peer_uid(connection: socket.socket) -> int | None:
    """Return the user at the other end; None where the system does not tell, and the folder alone keeps others out."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    _, uid, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size))
    return int(uid)


def refuse_stranger(theirs: int | None, ours: int, path: Path) -> None:
    """Let in only processes of our own user.

    Raises:
        UsageError: it is another user.
    """
    if theirs is not None and theirs != ours:
        raise UsageError(f"{path}: user {theirs} is at the other end; shared memory is for processes of one user")


def _address(path: Path) -> str:
    size = len(os.fsencode(path))
    if size > SOCKET_PATH_BYTES_MAX:
        raise UsageError(
            f"{path}: the path of a socket has at most {SOCKET_PATH_BYTES_MAX} bytes, this has {size}; "
            "choose a shorter folder"
        )
    return str(path)


@contextlib.contextmanager
def _only_me(folder: Path) -> Iterator[None]:
    """Make `folder` if need be, see that nobody else can enter it, and let one process at a time go on."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
            raise UsageError(f"{folder}: others can enter this folder; choose another one, or: chmod 700 {folder}")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _clear(path: Path, address: str) -> None:
    """Remove a socket that nobody listens at any more."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise UsageError(f"{path}: something else lies here; choose another name for the socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(address)
        except ConnectionRefusedError:
            path.unlink()
            return
    raise UsageError(f"{path}: another process serves shared memory here; use that one, or choose another name")


def _remove(path: Path, inode: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        if path.lstat().st_ino == inode:
            path.unlink()
