"""The audit finds every fault, and proofs hold without the journal."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony.journal import MemoryLog, MerkleTree
from colony.journal.audit import Fault, Row, audit, proof, verify_proof
from colony.journal.heads import SignedHead
from colony.journal.log import leaf_of
from colony.primitives import limits
from colony.primitives.errors import JournalCorruptError, UsageError
from colony.primitives.keys import Key
from colony.testing.log_contract import CONTRACT_KINDS, KIND, changed, make_author, write

KEY = Key.derive(b"test", "node")


def make_log():
    """Nine records of three authors in turn."""
    log = MemoryLog(kinds=CONTRACT_KINDS)
    authors = [make_author(name) for name in ("first", "second", "third")]
    log.append([author.write(KIND, {"value": 1}) for author in authors * 3], expected=0)
    return log


LOG = make_log()
ROWS = [Row(entry.seq, entry.id, entry.payload, entry.signature) for entry in LOG.read()]
TREE = MerkleTree(leaf_of(entry) for entry in LOG.read())
SIXTH = list(LOG.read())[6]
HEADS = [SignedHead.sign(KEY, size=size, root=TREE.root(size)) for size in (3, 6, 9)]


def row_of(signed, seq):
    return Row(seq, signed.id, signed.payload, signed.signature)


def faults(rows, heads=None, witness=None):
    return audit(rows, heads, witness, kinds=CONTRACT_KINDS).faults


def test_an_intact_log_has_no_faults():
    """Counts and root of the report are those of the log."""
    report = audit(ROWS, HEADS, HEADS[1], kinds=CONTRACT_KINDS)
    assert report.ok
    assert (report.records, report.authors, report.root) == (9, 3, LOG.head().root)
    assert report.signers == (KEY.did,)
    assert audit(LOG.read(), kinds=CONTRACT_KINDS) == audit(ROWS, kinds=CONTRACT_KINDS)


@given(st.data())
def test_any_flipped_bit_is_found_where_it_is(data):
    """One bit of any record's bytes or signature flipped: the first fault names that record."""
    seq = data.draw(st.integers(0, 8))
    field = data.draw(st.sampled_from(["payload", "signature"]))
    stored = bytearray(getattr(ROWS[seq], field))
    bit = data.draw(st.integers(0, 8 * len(stored) - 1))
    stored[bit // 8] ^= 1 << bit % 8
    rows = [*ROWS]
    rows[seq] = msgspec.structs.replace(rows[seq], **{field: bytes(stored)})
    assert faults(rows)[0].seq == seq
    assert faults(rows, HEADS)[0].seq == seq


def test_equivocation_is_reported():
    """Two well-signed records of one author with one number are both named."""
    other = make_author("first", start_milliseconds=9_000)
    rows = [*ROWS, row_of(write(other, 1)[0], 9)]
    (fault,) = faults(rows)
    assert (fault.seq, fault.id) == (9, rows[9].id)
    assert "equivocation" in fault.what
    assert "at 0 too" in fault.what


@pytest.mark.parametrize(
    ("rows", "seq", "what"),
    [
        ([*ROWS[:4], *ROWS[5:]], 4, "gap"),
        ([*ROWS[:6], row_of(changed(SIXTH, "second"), 6)], 6, "signature"),
        ([*ROWS[:6], row_of(changed(SIXTH, "first", prev="0" * 64), 6)], 6, "prev"),
        (
            [*ROWS[:6], row_of(changed(SIXTH, "first", at="000000000000-0000"), 6)],
            6,
            "time",
        ),
        ([*ROWS, row_of(make_author("fourth").write("test.unheard_of/1", {}), 9)], 9, "kind"),
        ([*ROWS, row_of(make_author("fourth").write(KIND, {}), 9)], 9, "field"),
        ([*ROWS, row_of(make_author("fourth").write(KIND, {"value": 1}), 11)], 9, "gap"),
    ],
)
def test_each_rule_is_checked(rows, seq, what):
    """A missing record, a foreign signature, a wrong link, a step back in time, an unknown kind, a missing field."""
    assert any(fault.seq == seq and what in fault.what for fault in faults(rows))


def test_every_fault_is_listed():
    """The audit does not stop at the first one."""
    rows = [*ROWS]
    for seq in (1, 4, 8):
        rows[seq] = msgspec.structs.replace(rows[seq], signature=bytes(64))
    assert [fault.seq for fault in faults(rows)] == [1, 4, 8]


def test_heads_find_what_records_cannot():
    """Records of different authors that changed places are all well signed; the heads say from where on."""
    rows = [*ROWS]
    rows[4], rows[5] = (msgspec.structs.replace(rows[5], seq=4), msgspec.structs.replace(rows[4], seq=5))
    assert faults(rows) == ()
    (fault,) = faults(rows, HEADS)
    assert fault.seq == 3
    assert "another root" in fault.what
    assert [fault.seq for fault in faults(rows, None, HEADS[2])] == [0]


def test_heads_must_be_signed_and_reach_the_end():
    """An unsigned head, a head beyond the end, and records beyond the last head are faults."""
    unsigned = msgspec.structs.replace(HEADS[2], signature=bytes(64))
    assert "not signed" in faults(ROWS, [*HEADS[:2], unsigned])[0].what
    assert faults(ROWS[:8], HEADS)[0] == Fault(8, None, "the signed head counts 9 records, and only 8 are there")
    assert faults(ROWS, HEADS[:2])[0].seq == 6
    assert faults(ROWS, [])[0].seq == 0
    assert faults(ROWS[:6], HEADS[:2], HEADS[2])[0].what.startswith("the acknowledged head counts 9")


def test_rows_that_cannot_be_read_end_the_audit():
    """Where the storage fails, what was read so far is audited and the failure is the last fault."""

    def rows():
        yield from ROWS[:5]
        raise JournalCorruptError("the page is gone", 5)

    report = audit(rows(), kinds=CONTRACT_KINDS)
    assert (report.records, report.faults) == (5, (Fault(5, None, "the page is gone"),))


def test_the_list_of_faults_has_a_limit():
    """A journal of rubbish is counted, not listed without end."""
    count = limits.FAULTS_REPORTED_MAX + 50
    report = audit((Row(seq, "", b"", b"") for seq in range(count)), kinds=CONTRACT_KINDS)
    assert len(report.faults) == limits.FAULTS_REPORTED_MAX
    assert report.faults_total >= count


@pytest.mark.parametrize("head", [None, *HEADS])
def test_a_proof_holds_by_itself(head):
    """A proof survives JSON and gives back the very record, under the log's root, with or without a signed head."""
    for seq in range(head.size if head else 9):
        given_away = json.loads(json.dumps(proof(LOG, seq, head)))
        assert verify_proof(given_away).id == ROWS[seq].id
        assert given_away["root"] == TREE.root(head.size if head else None).hex()


def test_there_is_no_proof_of_what_is_not_there():
    """Asking for a record beyond the head is the caller's error."""
    with pytest.raises(UsageError):
        proof(LOG, 9)
    with pytest.raises(UsageError):
        proof(LOG, 3, HEADS[0])


@pytest.mark.parametrize("field", ["v", "seq", "size", "root", "path", "payload", "signature", "head"])
def test_a_changed_proof_proves_nothing(field):
    """Each part of a proof matters: changed, of another type, or missing, it is refused without an exception."""
    good = proof(LOG, 4, HEADS[2])
    other = proof(LOG, 5, HEADS[1])
    wrong = [7, None, "zz", [], other[field] if other[field] != good[field] else {}]
    for value in wrong if field != "head" else [7, "zz", [], {}, {"author": KEY.did, "signature": "00" * 64}]:
        assert verify_proof(good | {field: value}) is None
    del good[field]
    assert verify_proof(good) is None


def test_a_proof_of_a_forged_record_fails():
    """A record in a tree is not proven unless its author signed it."""
    log = MemoryLog(kinds=CONTRACT_KINDS)
    record = write(make_author(), 1)[0]
    log.append([record], expected=0)
    log._kept = [changed(record, "forger")]
    assert verify_proof(proof(log, 0)) is None
