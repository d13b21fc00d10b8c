"""What lies in a journal file: read fast with its hashes checked, or verified as a whole.

What this file does not do: write, or lock; a writer holds its lock before it verifies.
"""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from colony.journal import schema
from colony.journal.audit import Row, audit, first_fault
from colony.journal.heads import SignedHead
from colony.journal.log import Chains, Entry, Head, leaf_of
from colony.journal.merkle import MerkleTree
from colony.journal.record import Tip, decode_trusted
from colony.primitives.errors import JournalCorruptError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from colony.journal.events import Kind

_ROWS_FETCHED: Final = 256
_END: Final = 2**63 - 1
_SELECT: Final = "SELECT seq, id, payload, signature FROM record WHERE seq >= ? AND seq < ? ORDER BY seq"
_SELECT_HEADS: Final = "SELECT size, root, author, signature FROM head ORDER BY size"
_SELECT_LAST_HEAD: Final = "SELECT size, root, author, signature FROM head ORDER BY size DESC LIMIT 1"


class State:
    """What a verified journal amounts to: the ends of its chains, its tree, its head and that head signed."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.chains = Chains(kinds)
        self.tree = MerkleTree()
        self.signed: SignedHead | None = None
        self.head = Head(0, self.tree.root().hex(), None)


def read(path: Path, start: int, stop: int) -> Iterator[Entry]:
    """Return records `start` to `stop`, each with its hash and its place in its author's chain checked.

    Raises:
        JournalCorruptError: bytes are not what was appended; names the sequence.
    """
    with schema.reading(path) as connection:
        yield from _entries(connection, start, stop, {})


def rows(connection: sqlite3.Connection) -> Iterator[Row]:
    """Return all that is stored, believing nothing, as far as SQLite can read it.

    Raises:
        JournalCorruptError: SQLite cannot read on; names the sequence.
    """
    expected = 0
    try:
        for seq, record_id, payload, signature in connection.execute(_SELECT, (0, _END)):
            yield Row(seq, bytes(record_id).hex(), bytes(payload), bytes(signature))
            expected = seq + 1
    except (sqlite3.Error, ValueError, TypeError) as error:  # ValueError: messages quote bytes that are no text
        raise schema.translation(error, f"record {expected}", expected) from error


def heads(connection: sqlite3.Connection) -> Iterator[SignedHead]:
    """Return the signed heads by size; one that cannot be read ends them, and the audit finds it missing."""
    try:
        for row in connection.execute(_SELECT_HEADS):
            yield SignedHead.stored(*row)
    except (sqlite3.Error, ValueError, JournalCorruptError):
        return


def verify(path: Path, witness: SignedHead | None, *, kinds: Mapping[str, Kind], trusted: Collection[str]) -> State:
    """Return the state of the journal at `path`, all hashes recomputed; signatures too, unless `trusted` signed it.

    Where anything differs, the whole is audited to say which record is the first at fault.

    Raises:
        JournalCorruptError: the bytes are not what was signed, or records that were acknowledged are gone.
        JournalVersionError: a newer Colony wrote it.
    """
    with schema.reading(path) as connection:
        try:
            state = _recompute(connection, kinds)
        except JournalCorruptError:
            state = None
        if state and _agrees(state, witness) and (state.signed is None or state.signed.author in trusted):
            return state
        report = audit(rows(connection), heads(connection), witness, kinds=kinds)
    if state and report.ok:
        return state
    fault = first_fault(report)
    place = "as a whole" if fault.seq is None else f"at record {fault.seq}" + (f" ({fault.id})" if fault.id else "")
    raise JournalCorruptError(
        f"the journal {path} is corrupt {place}: {fault.what}; it was left as it is, so restore it from a copy",
        fault.seq,
    )


def _recompute(connection: sqlite3.Connection, kinds: Mapping[str, Kind]) -> State:
    """Return what the stored records amount to, with the last head as it is stored."""
    state = State(kinds)
    ends: dict[str, Entry] = {}
    leaves = []
    entry = None
    for entry in _entries(connection, 0, _END, ends):
        leaves.append(leaf_of(entry))
    state.tree.extend(leaves)
    state.chains.follow({author: Tip(end.record.n, end.id, end.record.at) for author, end in ends.items()})
    state.head = Head(len(leaves), state.tree.root().hex(), entry.id if entry else None)
    for row in connection.execute(_SELECT_LAST_HEAD):
        state.signed = SignedHead.stored(*row)
    return state


def _agrees(state: State, witness: SignedHead | None) -> bool:
    """Tell whether the records are exactly those under the signed head, and begin with those that were witnessed."""
    signed, tree = state.signed, state.tree
    if signed is None:
        return tree.size == 0 and witness is None
    covered = signed.size == tree.size and signed.root == tree.root() and signed.is_signed()
    return covered and (witness is None or (witness.size <= tree.size and tree.root(witness.size) == witness.root))


def _entries(connection: sqlite3.Connection, start: int, stop: int, ends: dict[str, Entry]) -> Iterator[Entry]:
    """Return entries, and leave each author's last one in `ends`. This is the hot loop of every replay.

    A chain that began before `start` is taken up where it is first met.
    """
    expected = start
    try:
        cursor = connection.execute(_SELECT, (start, stop))
        while fetched := cursor.fetchmany(_ROWS_FETCHED):
            for seq, record_id, payload, signature in fetched:
                digest, record = sha256(payload), decode_trusted(payload)
                author, n = record.author, record.n
                before = ends.get(author)
                continues = n == before.record.n + 1 and record.prev == before.id if before else n == 0 or start
                if not continues or digest.digest() != record_id or seq != expected:
                    raise JournalCorruptError(f"record {expected} is not what was appended", expected)
                ends[author] = entry = Entry(record, digest.hexdigest(), payload, signature, seq)
                yield entry
                expected += 1
    except (sqlite3.Error, msgspec.DecodeError, ValueError, TypeError, RecursionError) as error:
        raise schema.translation(error, f"record {expected}", expected) from error
