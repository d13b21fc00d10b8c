"""The SQLite side of a journal file: its tables, its connections, and its errors in our words.

Only what was signed is stored: a record's bytes, id and signature, and one signed head for each group. Author, number
and kind are columns of a view computed from the bytes, so they cannot disagree with them. What this file does not do:
hold a lock, verify records, or decide what to append (`sqlite`).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING, Final

from colony.primitives.errors import (
    JournalBusyError,
    JournalCorruptError,
    JournalError,
    JournalFullError,
    JournalVersionError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APPLICATION_ID: Final = 0x436F6C6E  # "Coln", in bytes 68-71 of the file
VERSION: Final = 1
PAGE_BYTES: Final = 8_192  # measured: large groups go in faster than with 4,096, single records not slower
CHECKPOINT_PAGES: Final = 2_000

_CREATE: Final = """
CREATE TABLE record (
    seq INTEGER PRIMARY KEY, id BLOB NOT NULL, payload BLOB NOT NULL, signature BLOB NOT NULL
) STRICT;
CREATE TABLE head (
    size INTEGER PRIMARY KEY, root BLOB NOT NULL, author TEXT NOT NULL, signature BLOB NOT NULL
) STRICT;
CREATE VIEW event AS
    SELECT seq, json ->> '$.author' AS author, json ->> '$.n' AS n, json ->> '$.at' AS at, json ->> '$.kind' AS kind,
           json -> '$.body' AS body
    FROM (SELECT seq, CAST(payload AS TEXT) AS json FROM record);
PRAGMA journal_mode = WAL;
"""

_FULL: Final = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}
_CORRUPT: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH}
_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def create(path: Path) -> None:
    """Make an empty journal at `path`: whole or not at all, and durable.

    Raises:
        JournalError: the place cannot be written to.
    """
    draft = sibling(path, ".new")
    with translated(path):
        for left_over in ("", "-wal", "-shm", "-journal"):  # of a creation that was killed
            sibling(draft, left_over).unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.executescript(_CREATE)
        draft.replace(path)
        _sync(path)
        _sync(path.parent)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open `path` for reading one state of it, unchanged, and check that it is a journal of our version.

    Without a write-ahead log nobody is writing: SQLite is told so, and leaves no file beside it. With one, there is a
    writer (or one died), and SQLite uses the shared index, making it again if it is gone.

    Raises:
        JournalCorruptError: it is no journal.
        JournalVersionError: a newer Colony wrote it.
        JournalError: it cannot be opened.
    """
    with translated(path):
        if not path.is_file():
            raise JournalError(f"there is no journal at {path}; check the path, or start a run")
        mode = "mode=ro" if sibling(path, "-wal").exists() else "mode=ro&immutable=1"
        uri = f"{path.absolute().as_uri()}?{mode}"
        with contextlib.closing(
            sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        ) as connection:
            connection.text_factory = lambda text: text.decode(errors="replace")  # damage is for `verify` to name
            _check_format(connection, path)
            connection.execute("BEGIN")
            yield connection


def writing(path: Path, *, bytes_max: int | None) -> sqlite3.Connection:
    """Open `path`, verified and locked by the caller, for appending; the file grows to at most `bytes_max`.

    Raises:
        JournalError: it cannot be opened for writing.
    """
    with translated(path):
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS syncs to the disk's cache only; elsewhere it says nothing
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        if bytes_max is not None:
            connection.execute(f"PRAGMA max_page_count = {max(bytes_max // PAGE_BYTES, 1)}")
        connection.execute("SELECT count(*) FROM sqlite_schema")  # makes the log, by which readers know of a writer
        return connection


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise what SQLite and the system report as errors of our tree."""
    try:
        yield
    except sqlite3.Error as error:
        raise translation(error, f"the journal {path}") from error
    except OSError as error:
        raise JournalError(
            f"the journal {path} cannot be used: {error.strerror}; mend the file or its folder"
        ) from error


def sibling(path: Path, suffix: str) -> Path:
    """Return the file beside `path` whose name ends with `suffix`."""
    return path.with_name(path.name + suffix)


def _check_format(connection: sqlite3.Connection, path: Path) -> None:
    ((application_id,),) = connection.execute("PRAGMA application_id")
    ((version,),) = connection.execute("PRAGMA user_version")
    if application_id != APPLICATION_ID:
        raise JournalCorruptError(f"{path} is not a journal of Colony; choose another path")
    if path.stat().st_size % PAGE_BYTES and version == VERSION:
        missing = _first_missing(connection)
        raise JournalCorruptError(
            f"the journal {path} was cut off: record {missing} is the first that is missing; restore it from a copy",
            missing,
        )
    if version > VERSION:
        raise JournalVersionError(f"{path} has format {version}, this Colony knows {VERSION}; install a newer Colony")


def _first_missing(connection: sqlite3.Connection) -> int:
    """Return the sequence of the first record that a file which was cut off no longer yields."""
    found = 0
    with contextlib.suppress(sqlite3.Error):
        for _payload in connection.execute("SELECT payload FROM record ORDER BY seq"):
            found += 1
    return found


def translation(error: Exception, what: str, sequence: int | None = None) -> JournalError:
    """Return the error of our tree for one that `what` raised; all but refusals of the machine mean wrong bytes."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    if code in _FULL:
        return JournalFullError(f"the disk has no room for {what}: {error}; free some and append again")
    if code & 0xFF in _BUSY:
        return JournalBusyError(f"another program holds {what}: {error}; close it")
    if code & 0xFF in _CORRUPT:
        return JournalCorruptError(f"{what} cannot be read back: {error}; restore it from a copy", sequence)
    return JournalError(f"{what} cannot be used: {error}; mend the file or its folder")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
