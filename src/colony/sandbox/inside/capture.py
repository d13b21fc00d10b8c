"""Where standard output and error go: a file in memory that never blocks its writer, of which the tail is kept.

What this file does not do: bound the file; the limit on file sizes does.
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Final

TAIL_BYTES: Final = 4_096


def memory_file() -> int:
    """Return a descriptor of an empty file without a name."""
    if sys.platform == "linux":
        return os.memfd_create("colony")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def redirect(descriptor: int) -> None:
    """Send what this process prints into the file; read nothing from standard input."""
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)


def empty(descriptor: int) -> None:
    """Make the file empty again."""
    if os.fstat(descriptor).st_size:
        os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)


def tail(descriptor: int) -> str:
    """Return the last of what was written."""
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, TAIL_BYTES, max(0, size - TAIL_BYTES)).decode(errors="replace") if size else ""
