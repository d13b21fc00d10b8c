"""The journal of one node: one SQLite file, one writer, each append one durable transaction.

Beside `name` stand `name.lock` (held for life; it names the process) and `name.head` (the witness of the last
acknowledged head). Opening verifies every hash, chain and head, and changes nothing until all hold. Signatures of
records are verified too, unless the last head was signed by a key that the caller trusts: that head covers them. What
this file does not do: sign records, repair, or merge.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import threading
from typing import TYPE_CHECKING, Final, Self

import msgspec

from colony.journal import schema, stored
from colony.journal.audit import AuditReport, Fault, audit
from colony.journal.events import KINDS, Kind
from colony.journal.heads import SignedHead, Witness
from colony.journal.log import Entry, Head, expect, leaf_of
from colony.primitives.errors import (
    JournalBusyError,
    JournalCorruptError,
    JournalError,
    JournalFullError,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from colony.journal.record import SignedRecord, Tip
    from colony.primitives.keys import Key

_INSERT: Final = "INSERT INTO record (seq, id, payload, signature) VALUES (?, ?, ?, ?)"
_INSERT_HEAD: Final = "INSERT INTO head (size, root, author, signature) VALUES (?, ?, ?, ?)"


class SqliteStatistics(msgspec.Struct, frozen=True):
    """What a log did since it was opened: groups and records appended, and witnesses that the disk refused."""

    records: int
    groups_appended: int
    records_appended: int
    witnesses_refused: int


class SqliteReader:
    """A journal as it was when this object was made, verified; for reading beside a writer.

    A last head signed by one of the identities in `trusted` vouches for the signatures under it; otherwise each is
    verified, at about 30 microseconds.

    Raises:
        JournalCorruptError: the bytes are not what was signed; names the first sequence at fault.
        JournalVersionError: a newer Colony wrote it.
        JournalError: there is no such file, or it cannot be read.
    """

    def __init__(self, path: Path, *, trusted: Collection[str] = (), kinds: Mapping[str, Kind] = KINDS) -> None:
        self._path = path
        witness = Witness(schema.sibling(path, ".head")).read()
        self._state = stored.verify(path, witness, kinds=kinds, trusted=trusted)

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[Entry]:
        """Return the records from `start` up to `stop`. See `Log.read`."""
        size = self._state.head.size
        return stored.read(self._path, start, size if stop is None else min(stop, size))

    def head(self) -> Head:
        """Return the state when this object was made."""
        return self._state.head

    def tip(self, author: str) -> Tip | None:
        """Return the last record of `author`, or None."""
        return self._state.chains.tip(author)

    def signed_head(self) -> SignedHead | None:
        """Return the last signed head; None where nothing was appended yet."""
        return self._state.signed


class SqliteLog:
    """The journal at `path`, made if there is none, with this process as its only writer until `close`.

    `key` signs the heads. The file grows to at most `bytes_max`. Safe to use from several threads.

    Raises:
        JournalBusyError: another process holds the journal; the message names it.
        JournalCorruptError: the bytes are not what was signed, or an acknowledged tail is missing.
        JournalVersionError: a newer Colony wrote it.
        JournalError: the place cannot be written to.
    """

    def __init__(
        self, path: Path, key: Key, *, kinds: Mapping[str, Kind] = KINDS, bytes_max: int | None = None
    ) -> None:
        self._path, self._key = path, key
        self._guard = threading.Lock()
        self._groups_appended = self._records_appended = self._witnesses_refused = 0
        self._broken: str | None = None
        with contextlib.ExitStack() as undo:
            undo.callback(os.close, _lock(path))
            self._witness = Witness(schema.sibling(path, ".head"))
            if not path.exists():
                _create(path, self._witness)
            self._state = stored.verify(path, self._witness.read(), kinds=kinds, trusted=(key.did,))
            self._connection = schema.writing(path, bytes_max=bytes_max)
            undo.callback(self._connection.close)
            with schema.translated(path):
                self._witness.open()
            undo.callback(self._witness.close)
            self._undo = undo.pop_all()

    def append(self, records: Sequence[SignedRecord], *, expected: int) -> Head:
        """Append all of `records` or none; on return they survive the death of process and machine. See `Log.append`.

        Raises:
            JournalFullError: the disk is full; nothing of the group was kept, and reading goes on.
        """
        with self._guard:
            state = self._usable()
            expect(state.head.size, expected)
            tips = state.chains.admit(records)
            if not records:
                return state.head
            state.tree.extend(map(leaf_of, records))
            root = state.tree.root()
            signed = SignedHead.sign(self._key, size=expected + len(records), root=root)
            try:
                self._commit(records, signed, expected)
            except BaseException:
                state.tree.truncate(expected)
                raise
            state.chains.follow(tips)
            state.signed, state.head = signed, Head(signed.size, root.hex(), records[-1].id)
            self._acknowledge(signed, len(records))
            return state.head

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[Entry]:
        """Return the records from `start` up to `stop`. See `Log.read`."""
        size = self.head().size
        return stored.read(self._path, start, size if stop is None else min(stop, size))

    def head(self) -> Head:
        """Return the state after the last append."""
        return self._state.head

    def tip(self, author: str) -> Tip | None:
        """Return the last record of `author`, or None."""
        return self._state.chains.tip(author)

    def signed_head(self) -> SignedHead | None:
        """Return the last signed head; None where nothing was appended yet."""
        return self._state.signed

    def statistics(self) -> SqliteStatistics:
        """Return what this log did since it was opened."""
        return SqliteStatistics(
            self.head().size, self._groups_appended, self._records_appended, self._witnesses_refused
        )

    def close(self) -> None:
        """Fold the write-ahead log into the file and let other processes have the journal. May be called twice."""
        with self._guard:
            self._broken = "it was closed; open it again"
            self._undo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _usable(self) -> stored.State:
        if self._broken:
            raise JournalError(f"the journal {self._path} takes no more records: {self._broken}")
        return self._state

    def _commit(self, records: Sequence[SignedRecord], signed: SignedHead, expected: int) -> None:
        """Write one group as one transaction. A failure that may have left a trace makes the log read-only."""
        connection = self._connection
        rows = (
            (seq, bytes.fromhex(each.id), each.payload, each.signature) for seq, each in enumerate(records, expected)
        )
        try:
            with schema.translated(self._path):
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(_INSERT, rows)
                connection.execute(_INSERT_HEAD, (signed.size, signed.root, signed.author, signed.signature))
                connection.execute("COMMIT")
        except BaseException as error:
            try:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            except sqlite3.Error as second:
                self._broken = f"a failed append could not be undone ({second}); open it again"
            if not isinstance(error, (JournalFullError, JournalBusyError)):
                self._broken = f"an append failed ({error}); open it again"
            raise

    def _acknowledge(self, signed: SignedHead, count: int) -> None:
        """Note the durable group. A witness that falls behind is allowed, so a refusal of the disk is only counted."""
        self._groups_appended += 1
        self._records_appended += count
        try:
            self._witness.write(signed)
        except OSError:
            self._witnesses_refused += 1


def audit_file(path: Path, *, kinds: Mapping[str, Kind] = KINDS) -> AuditReport:
    """Audit the journal at `path`, signatures included, whatever its state; see `audit.audit`.

    Raises:
        JournalCorruptError: it is no journal at all.
        JournalVersionError: a newer Colony wrote it.
        JournalError: it cannot be read.
    """
    witness, unreadable = None, []
    try:
        witness = Witness(schema.sibling(path, ".head")).read()
    except JournalCorruptError as error:
        unreadable.append(Fault(None, None, str(error)))
    with schema.reading(path) as connection:
        report = audit(stored.rows(connection), stored.heads(connection), witness, kinds=kinds)
    faults = (*report.faults, *unreadable)
    return msgspec.structs.replace(report, faults=faults, faults_total=report.faults_total + len(unreadable))


def _create(path: Path, witness: Witness) -> None:
    """Make the journal, unless what stands beside says that there was one.

    Raises:
        JournalCorruptError: a journal was here, and is gone.
    """
    head = witness.read()
    if head or schema.sibling(path, "-wal").exists():
        count = f"{head.size} acknowledged" if head else "its"
        raise JournalCorruptError(f"the journal {path} is gone, and {count} records with it; restore it from a copy", 0)
    schema.create(path)


def _lock(path: Path) -> int:
    """Take the lock beside `path` for life, and write our process id into it. Returns its file descriptor.

    Raises:
        JournalBusyError: another process, or another log of this one, holds it.
    """
    with schema.translated(path):
        descriptor = os.open(schema.sibling(path, ".lock"), os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise JournalBusyError(
                f"process {holder} holds the journal {path}; let it finish, or stop it with: kill -INT {holder}"
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor
