"""Files of records believed in nothing: every damage is found at its line, and the good part is good."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repositories import START_MILLISECONDS, key

from colony.journal.record import Author, SignedRecord
from colony.primitives.clock import HybridClock, ManualClock
from colony.primitives.encoding import canonical
from colony.tasks.shards import chains
from colony.tasks.shards.chains import Chain, Piece, continued, joined, line_of, pieces_of, read_chain

ANN = key("ann")


def written(count, *, author=ANN, body="work", tip=None, start=START_MILLISECONDS):
    writer = Author(author, HybridClock(ManualClock(start)), tip)
    return [writer.write("task.set/1", {"settings": [{"task": f"{body}-{i}", "fields": {}}]}) for i in range(count)]


def signed_by(signer, **fields):
    """A record with any fields, signed by any key."""
    payload = canonical(fields)
    return SignedRecord(None, sha256(payload).hexdigest(), payload, signer.sign(sha256(payload).digest()))


def read(*lines, author=ANN):
    return read_chain(author.did, [Piece("f", b"".join(lines))])


def whats(chain):
    return [(fault.line, fault.what.split(":")[0].split(";")[0]) for fault in chain.faults]


RECORDS = written(6)
LINES = [line_of(record) for record in RECORDS]
EVES = written(1, author=key("eve"))[0]
IDS = [record.id for record in RECORDS]


def test_a_line_is_the_json_of_the_signed_bytes():
    """Anybody can read it: the object's `record` in canonical form is what was signed."""
    line = json.loads(LINES[2])
    assert canonical(line["record"]) == RECORDS[2].payload
    assert bytes.fromhex(line["signature"]) == RECORDS[2].signature


def test_a_whole_chain_is_read_the_quick_way(monkeypatch):
    """One signature is checked, the last: it vouches for all before it."""
    checked = []
    monkeypatch.setattr(chains, "is_signed", lambda signed: checked.append(signed.id) or True)
    chain = read(*LINES)
    assert [record.id for record in chain.records] == IDS
    assert (chain.faults, checked) == ((), IDS[-1:])


def test_a_chain_goes_on_with_further_files():
    """Reading on gives what reading all gives, and another's line breaks it off."""
    whole = read(*LINES)
    part = continued(Chain(ANN.did, []), [Piece("f", b"".join(LINES[:3]))])
    assert continued(part, [Piece("g", b"".join(LINES[3:]))]).records == whole.records
    assert continued(part, [Piece("g", b"".join(LINES[4:]))]) is None


DAMAGES = {
    "a line cut off": ([*LINES[:5], LINES[5][:80]], 6, "no whole record", IDS[:5]),
    "a line cut short": ([*LINES[:2], LINES[2][:80] + b"\n", *LINES[3:]], 3, "no whole record", IDS[:2] + IDS[3:]),
    "a byte changed": ([*LINES[:2], LINES[2].replace(b"rk-2", b"rk-9"), *LINES[3:]], 3, "forged", IDS[:2] + IDS[3:]),
    "a forged last record": ([*LINES[:5], LINES[5].replace(b"work-5", b"work-9")], 6, "forged", IDS[:5]),
    "a conflict marker": ([*LINES[:2], b"<<<<<<< ours\n", *LINES[2:]], 3, "a conflict marker", IDS),
    "nothing": ([*LINES[:2], b"\n", *LINES[2:]], 3, "an empty line", IDS),
    "no JSON": ([*LINES[:2], b"rubbish\n", *LINES[2:]], 3, "no whole record", IDS),
    "another's record": ([*LINES, line_of(EVES)], 7, "a record of another author, did", IDS),
    "the same record again": ([*LINES, LINES[1]], 7, "the same record stands here already, a line before", IDS),
    "the wrong order": ([LINES[0], LINES[2], LINES[1], *LINES[3:]], 3, "out of order", IDS),
    "a gap": ([*LINES[:2], *LINES[3:]], 3, "a gap", IDS[:2] + IDS[3:]),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_found_where_it_is(name):
    """Named with its line; all that the author signed stays."""
    lines, at, what, kept = DAMAGES[name]
    chain = read(*lines)
    assert (at, what) in whats(chain)
    assert sorted(record.id for record in chain.records) == sorted(kept)
    assert all(fault.file == "f" for fault in chain.faults)


def test_a_forged_record_vouches_for_nothing():
    """Behind a forged last line the search goes back to the last that was signed."""
    forged = written(2, author=key("eve"), tip=RECORDS[3].record and read(*LINES[:4]).tip)
    lines = [line_of(record).replace(key("eve").did.encode(), ANN.did.encode()) for record in forged]
    chain = read(*LINES[:4], *lines)
    assert [record.id for record in chain.records] == IDS[:4]
    assert [line for line, what in whats(chain) if what == "forged"] == [5, 6]
    assert len(chain.rejected) == 2


def test_two_records_with_one_number_are_kept_and_reported():
    """Equivocation: both are its author's, and nobody can say which is the true one."""
    other = written(2, body="other", tip=read(*LINES[:4]).tip)
    chain = read(*LINES, *map(line_of, other))
    assert {record.id for record in chain.records} == {*IDS, *(record.id for record in other)}
    assert [what for _, what in whats(chain)].count("equivocation") == 2


def test_a_record_of_a_newer_version_is_kept_unread():
    """It stays in the chain and in the file; what follows it stays linked."""
    newer = signed_by(ANN, v=2, author=ANN.did, n=6, prev=IDS[5], at="later", kind="x", body=[], more=True)
    chain = read(*LINES, line_of(newer))
    assert (7, "version 2 is of a newer Colony") in whats(chain)
    assert chain.records[-1].payload == newer.payload
    assert [record.id for record in chain.readable] == IDS
    assert b"".join(pieces_of(chain.records)) == b"".join([*LINES, line_of(newer)])


@pytest.mark.parametrize(
    "change", [{"v": 0}, {"n": -1}, {"kind": "no kind"}, {"at": "now"}, {"author": "did:key:zQ3shX"}]
)
def test_what_is_signed_and_breaks_the_rules_is_no_record(change):
    """A signature does not make a record of any text."""
    fields = {"v": 1, "author": ANN.did, "n": 6, "prev": IDS[5], "at": "01a0c2d1a3f0-0000", "kind": "a.b/1", "body": {}}
    chain = read(*LINES, line_of(signed_by(ANN, **(fields | change))))
    assert [record.id for record in chain.records] == IDS
    assert [fault.line for fault in chain.faults] == [7]


def test_bytes_in_another_form_are_no_record():
    """A record has one form; its like with a blank, a repeated key or 1.0 for 1 is refused, though signed."""
    plain = written(1)[0].payload
    for odd in (
        plain.replace(b":", b": ", 1),
        plain.replace(b'"n":0', b'"n":0,"n":0'),
        plain.replace(b'"n":0', b'"n":0.0'),
    ):
        signature = ANN.sign(sha256(odd).digest())
        chain = read(line_of(SignedRecord(None, sha256(odd).hexdigest(), odd, signature)))
        assert not chain.records
        assert len(chain.rejected) == 1


def test_too_large_and_too_deep_lines_are_refused():
    """A line beyond the limit is not decoded, nor one that nests without end."""
    deep = b'{"record":{"body":' + b"[" * 5000 + b"]" * 5000 + b'},"signature":"' + b"0" * 128 + b'"}\n'
    long = b'{"record":"' + b"x" * (9 * 1024 * 1024) + b'","signature":"' + b"0" * 128 + b'"}\n'
    chain = read(LINES[0], deep, long)
    assert [fault.line for fault in chain.faults] == [2, 3]
    assert "nests deeper" in chain.faults[0].what
    assert "a record has at most" in chain.faults[1].what


def test_of_very_many_faults_the_first_are_reported():
    """A file full of nothing costs no more than it must, and the records in it are found."""
    chain = read(*LINES, b"\n" * 5000)
    assert len(chain.faults) == 1001
    assert chain.faults[-1].what == "4000 more faults up to here"
    assert len(chain.records) == 6


@given(st.lists(st.integers(0, 5)), st.lists(st.integers(0, 5)))
def test_joining_copies_is_set_union(one, other):
    """Whatever two copies hold, and in whatever order they are joined."""
    ours, theirs = [RECORDS[i] for i in sorted({*one})], [RECORDS[i] for i in sorted({*other})]
    union = joined(ours, theirs)
    assert [record.id for record in union] == [record.id for record in joined(theirs, ours)]
    assert [record.id for record in union] == [IDS[i] for i in sorted({*one, *other})]


@given(st.binary(max_size=40), st.integers(0, sum(map(len, LINES))), st.integers(0, 300))
def test_any_damage_leaves_what_is_whole(junk, at, cut):
    """Bytes replaced anywhere: what is read was signed, and nothing that stands whole and linked is lost."""
    data = b"".join(LINES)
    damaged = data[:at] + junk + data[at + cut :]
    chain = read(damaged)
    assert {record.id for record in chain.records} <= {*IDS}
    untouched = data[:at].count(b"\n")
    assert {record.id for record in chain.records} >= {*IDS[:untouched]}


@given(st.integers(0, 30), st.integers(0, 30))
def test_a_whole_chain_has_the_same_files_however_it_grew(first, more):
    """Cut anew or continued, the same records stand in the same files."""
    records = written(first + more)
    assert b"".join(pieces_of(records)) == b"".join(map(line_of, records))
