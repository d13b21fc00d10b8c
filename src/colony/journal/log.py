"""The seam of the journal: what every log promises, the checks that all logs share, and the log in memory.

`MemoryLog` is the specification: where another log differs from it, the other one is wrong. What this file does not do:
make anything durable, verify a whole journal (`audit`), or merge two logs.
"""

from __future__ import annotations

import threading
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

import msgspec

from colony.journal.events import KINDS, Kind, check
from colony.journal.merkle import MerkleTree, leaf_hash
from colony.journal.record import FreshRecord, SignedRecord, Tip, decode_trusted, is_signed
from colony.primitives.errors import JournalConflictError, JournalError, LimitError
from colony.primitives.limits import RECORDS_PER_APPEND_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Head(msgspec.Struct, frozen=True):
    """The state of a log: how many records, the root of their tree (hex), the id of the last (None if empty)."""

    size: int
    root: str
    last: str | None


class Entry(SignedRecord, frozen=True, gc=False):
    """A record at its place: `seq` is its number in this log, from 0, without gaps."""

    seq: int


class LogReader(Protocol):
    """Records in the order of their arrival, to be read. Safe to use from several threads."""

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[Entry]:
        """Return the records from `start` up to `stop` (None: the end as it is now), in order.

        Raises:
            JournalCorruptError: stored bytes are not what was appended.
        """
        ...

    def head(self) -> Head:
        """Return the state after the last append."""
        ...

    def tip(self, author: str) -> Tip | None:
        """Return the last record of `author`, or None."""
        ...


class Log(LogReader, Protocol):
    """Where records are kept."""

    def append(self, records: Sequence[SignedRecord], *, expected: int) -> Head:
        """Append all of `records` or none; returns when they are as durable as this log makes them.

        Raises:
            JournalConflictError: the log has not `expected` records; read again and decide again.
            JournalError: a record does not continue its author's chain, or has a wrong id, signature, kind or body.
            LimitError: too many records at once.
        """
        ...


class Chains:
    """The last record of every author, and the rules that the next one must keep."""

    def __init__(self, kinds: Mapping[str, Kind] = KINDS) -> None:
        self._kinds = kinds
        self._tips: dict[str, Tip] = {}

    def tip(self, author: str) -> Tip | None:
        """Return the last record of `author`, or None."""
        return self._tips.get(author)

    def follow(self, tips: Mapping[str, Tip]) -> None:
        """Move the chains on to `tips`, once their records are kept."""
        self._tips.update(tips)

    def admit(self, records: Sequence[SignedRecord]) -> dict[str, Tip]:
        """Return the chains' ends after `records`, changing nothing.

        Raises:
            JournalError: a record breaks a rule; the message names it.
            LimitError: too many records at once.
        """
        if len(records) > RECORDS_PER_APPEND_MAX:
            raise LimitError(f"{len(records)} records at once exceed {RECORDS_PER_APPEND_MAX}; append them in parts")
        tips: dict[str, Tip] = {}
        for signed in records:
            record = signed.record
            before = tips.get(record.author) or self._tips.get(record.author)
            if fault := _break_in_chain(signed, before):
                raise JournalError(f"record {record.n} of {record.author} {fault}")
            check(record.kind, record.body, kinds=self._kinds)
            if not isinstance(signed, FreshRecord):
                _authenticate(signed)
            tips[record.author] = Tip(record.n, signed.id, record.at)
        return tips


class MemoryLog:
    """A log that forgets with the process; the specification of all others. Like them it returns what the bytes say."""

    def __init__(self, *, kinds: Mapping[str, Kind] = KINDS) -> None:
        self._kept: list[SignedRecord] = []
        self._tree = MerkleTree()
        self._chains = Chains(kinds)
        self._lock = threading.Lock()

    def append(self, records: Sequence[SignedRecord], *, expected: int) -> Head:
        """Append all of `records` or none. See `Log.append`."""
        with self._lock:
            expect(len(self._kept), expected)
            self._chains.follow(self._chains.admit(records))
            self._kept += records
            self._tree.extend(map(leaf_of, records))
            return self._head()

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[Entry]:
        """Return the records from `start` up to `stop`. See `Log.read`."""
        kept = enumerate(self._kept[start:stop], start)
        return (Entry(decode_trusted(each.payload), each.id, each.payload, each.signature, seq) for seq, each in kept)

    def head(self) -> Head:
        """Return the state after the last append."""
        with self._lock:
            return self._head()

    def tip(self, author: str) -> Tip | None:
        """Return the last record of `author`, or None."""
        return self._chains.tip(author)

    def _head(self) -> Head:
        return Head(len(self._kept), self._tree.root().hex(), self._kept[-1].id if self._kept else None)


def leaf_of(signed: SignedRecord) -> bytes:
    """Return the hash of a record's leaf: SHA-256(0x00 || record bytes || signature)."""
    return leaf_hash(signed.payload + signed.signature)


def expect(size: int, expected: int) -> None:
    """Compare a log's size with what a writer took it to be.

    Raises:
        JournalConflictError: they differ.
    """
    if size != expected:
        raise JournalConflictError(f"the journal holds {size} records, not {expected}; read again and decide again")


def _break_in_chain(signed: SignedRecord, before: Tip | None) -> str | None:
    """Return how a record fails to continue its author's chain, or None."""
    record = signed.record
    n, prev, at = (before.n + 1, before.id, before.at) if before else (0, None, "")
    if record.n < n:
        return f"comes after its record {n - 1}: one number, two records is equivocation"
    if record.n > n:
        return f"leaves a gap: the next is {n}"
    if record.prev != prev:
        return f"does not continue the chain: its prev is {record.prev}, the last id is {prev}"
    if record.at <= at:
        return f"goes back in time: {record.at} after {at}"
    return None


def _authenticate(signed: SignedRecord) -> None:
    record = signed.record
    if sha256(signed.payload).hexdigest() != signed.id:
        raise JournalError(f"record {record.n} of {record.author} has an id that is not the hash of its bytes")
    if not is_signed(signed):
        raise JournalError(f"record {record.n} of {record.author} is not signed by its author")
