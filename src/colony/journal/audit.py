"""The audit: everything in a journal recomputed from its bytes, every fault named; and proofs for outsiders.

What this file does not do: stop at the first fault, repair anything, or re-execute an experiment (`verification`).
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import msgspec

from colony.journal.events import KINDS, Kind, check
from colony.journal.heads import SignedHead
from colony.journal.log import Entry, LogReader, leaf_of
from colony.journal.merkle import MerkleTree, leaf_hash, verify_inclusion
from colony.journal.record import Record, SignedRecord, decode
from colony.primitives.errors import ColonyError, JournalCorruptError
from colony.primitives.keys import verify
from colony.primitives.limits import FAULTS_REPORTED_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_PROOF_VERSION: Final = 1


class Row(msgspec.Struct, frozen=True, gc=False):
    """A stored record as it lies there, believed in nothing: `id` is hex, `payload` may be anything."""

    seq: int
    id: str
    payload: bytes
    signature: bytes


class Fault(msgspec.Struct, frozen=True):
    """One thing that is broken: at which record (None: no single one), and what."""

    seq: int | None
    id: str | None
    what: str


class AuditReport(msgspec.Struct, frozen=True):
    """What an audit found.

    `signers` are the keys that signed heads; `faults` are in order of discovery, the first `FAULTS_REPORTED_MAX` of
    `faults_total`.
    """

    records: int
    authors: int
    root: str
    signers: tuple[str, ...]
    faults: tuple[Fault, ...]
    faults_total: int

    @property
    def ok(self) -> bool:
        """Whether nothing is broken."""
        return self.faults_total == 0


def audit(
    rows: Iterable[Row | Entry],
    heads: Iterable[SignedHead] | None = None,
    witness: SignedHead | None = None,
    *,
    kinds: Mapping[str, Kind] = KINDS,
) -> AuditReport:
    """Recompute sequence, ids, canonical form, kinds, signatures, chains, the tree and its signed heads.

    `heads` come in order of their size; None where the log signs none. Where `rows` itself raises
    JournalCorruptError, that is the last fault found in it.
    """
    auditor = _Auditor(kinds)
    try:
        for row in rows:
            auditor.take(row)
    except JournalCorruptError as error:
        auditor.blame(error.sequence, None, str(error))
    signed = [*heads] if heads is not None else []
    auditor.compare(signed, witness, complete=heads is not None)
    return auditor.report({head.author for head in (*signed, *([witness] if witness else ()))})


class _Auditor:
    """The state of one audit."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self._kinds = kinds
        self._tree = MerkleTree()
        self._places: dict[tuple[str, int], int] = {}  # (author, n) -> seq
        self._ends: dict[str, tuple[Record, str]] = {}
        self._ids: list[str] = []
        self._faults: list[Fault] = []
        self._faults_total = 0

    def blame(self, seq: int | None, record_id: str | None, what: str) -> None:
        self._faults_total += 1
        if len(self._faults) < FAULTS_REPORTED_MAX:
            self._faults.append(Fault(seq, record_id, what))

    def take(self, row: Row | Entry) -> None:
        """Check one stored record by itself and against its predecessors."""
        if row.seq != len(self._ids):
            self.blame(len(self._ids), None, f"the sequence has a gap: {row.seq} follows {len(self._ids) - 1}")
        self._ids.append(row.id)
        self._tree.extend([leaf_hash(row.payload + row.signature)])
        digest = sha256(row.payload)
        if digest.hexdigest() != row.id:
            self.blame(row.seq, row.id, "its id is not the hash of its bytes")
        try:
            record = decode(row.payload, row.signature).record
        except ColonyError as error:
            self.blame(row.seq, row.id, str(error))
            return
        if not verify(record.author, digest.digest(), row.signature):
            self.blame(row.seq, row.id, f"its signature is not by {record.author}")
        try:
            check(record.kind, record.body, kinds=self._kinds)
        except ColonyError as error:
            self.blame(row.seq, row.id, str(error))
        self._follow_chain(row, record)

    def _follow_chain(self, row: Row | Entry, record: Record) -> None:
        place = self._places.setdefault((record.author, record.n), row.seq)
        if place != row.seq:
            self.blame(row.seq, row.id, f"equivocation: {record.author} signed record {record.n} at {place} too")
            return
        before, before_id = self._ends.get(record.author, (None, None))
        self._ends[record.author] = (record, row.id)
        expected = before.n + 1 if before else 0
        if record.n != expected:
            self.blame(row.seq, row.id, f"its author's chain has a gap: {record.n} instead of {expected}")
        elif record.prev != before_id:
            self.blame(row.seq, row.id, f"its prev is not the id of its author's record {expected - 1}")
        elif before and record.at <= before.at:
            self.blame(row.seq, row.id, f"its time {record.at} is not after {before.at}, its author's record before")

    def compare(self, heads: Sequence[SignedHead], witness: SignedHead | None, *, complete: bool) -> None:
        """Compare the tree with what was signed; `complete` says that the last head must cover every record."""
        size = self._tree.size
        trusted = 0  # up to here the tree is what was signed
        for head in heads:
            if self._differs(head, trusted):
                break
            trusted = head.size
        if complete and size > max((head.size for head in heads), default=0):
            self.blame(trusted, self._id(trusted), f"no signed head covers the records from {trusted} on")
        if witness:
            self._differs(witness, 0, name="the acknowledged head")

    def report(self, signers: set[str]) -> AuditReport:
        """Return all that was found."""
        return AuditReport(
            records=self._tree.size,
            authors=len(self._ends),
            root=self._tree.root().hex(),
            signers=tuple(sorted(signers)),
            faults=tuple(self._faults),
            faults_total=self._faults_total,
        )

    def _differs(self, head: SignedHead, trusted: int, *, name: str = "the signed head") -> bool:
        """Blame the first record that `head` contradicts, and tell whether there is one."""
        size = self._tree.size
        if not head.is_signed():
            self.blame(None, None, f"{name} over {head.size} records is not signed by {head.author}")
        elif head.size > size:
            self.blame(size, None, f"{name} counts {head.size} records, and only {size} are there")
        elif self._tree.root(head.size) != head.root:
            known = (fault.seq for fault in self._faults if fault.seq is not None)
            culprit = min((seq for seq in known if trusted <= seq < head.size), default=trusted)
            what = f"{name} over {head.size} records has another root: something from {trusted} on was changed"
            self.blame(culprit, self._id(culprit), what)
        else:
            return False
        return True

    def _id(self, seq: int) -> str | None:
        return self._ids[seq] if seq < len(self._ids) else None


def first_fault(report: AuditReport) -> Fault:
    """Return the fault at the lowest sequence; those at no single record come last."""
    nothing = Fault(None, None, "its hashes do not agree")
    return min(report.faults, key=lambda fault: (fault.seq is None, fault.seq or 0), default=nothing)


def proof(log: LogReader, seq: int, head: SignedHead | None = None) -> dict[str, Any]:
    """Return a JSON-able proof that record `seq` is in `log`: the record, its audit path, the root, the signed `head`.

    Time and memory are linear in the log, for it recomputes the tree.

    Raises:
        UsageError: there is no record `seq`.
    """
    size = head.size if head else log.head().size
    entries = {}
    tree = MerkleTree()
    for entry in log.read(0, size):
        tree.extend([leaf_of(entry)])
        if entry.seq == seq:
            entries[seq] = entry
    path = tree.inclusion(seq)
    return {
        "v": _PROOF_VERSION,
        "seq": seq,
        "size": size,
        "root": tree.root().hex(),
        "path": [node.hex() for node in path],
        "payload": entries[seq].payload.decode(),
        "signature": entries[seq].signature.hex(),
        "head": head and {"author": head.author, "signature": head.signature.hex()},
    }


def verify_proof(given: Mapping[str, Any]) -> SignedRecord | None:
    """Return the record that a proof proves, or None where anything in it is wrong or missing.

    Whoever knows the root from elsewhere compares it with `given["root"]`; whoever knows the journal's key compares it
    with `given["head"]["author"]`. Without either, the proof says only that record and root belong together.
    """
    try:
        payload, signature, root = (
            given["payload"].encode(),
            bytes.fromhex(given["signature"]),
            bytes.fromhex(given["root"]),
        )
        signed = decode(payload, signature)
        proven = given["v"] == _PROOF_VERSION and verify_inclusion(
            leaf_of(signed),
            index=given["seq"],
            size=given["size"],
            path=[bytes.fromhex(node) for node in given["path"]],
            root=root,
        )
        if (by := given["head"]) is not None:
            head = SignedHead(given["size"], root, by["author"], bytes.fromhex(by["signature"]))
            proven = proven and head.is_signed()
    except (ColonyError, KeyError, TypeError, ValueError, AttributeError):
        return None
    author = signed.record.author
    return signed if proven and verify(author, sha256(payload).digest(), signature) else None
