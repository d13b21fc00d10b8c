"""Records: bytes, ids, signatures; the author of a chain."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony.journal import Author, FreshRecord, Record, SignedRecord, Tip, decode, is_signed
from colony.journal.record import decode_trusted
from colony.primitives.clock import HybridClock, ManualClock
from colony.primitives.encoding import INTEGER_MAX, canonical
from colony.primitives.errors import EncodingError, LimitError
from colony.primitives.keys import Key
from colony.primitives.limits import RECORD_BYTES_MAX
from colony.testing.log_contract import KIND, make_author, write

numbers = st.one_of(st.integers(-INTEGER_MAX, INTEGER_MAX), st.floats(allow_nan=False, allow_infinity=False))
texts = st.text(st.characters(exclude_categories=["Cs"]))
bodies = st.dictionaries(
    texts,
    st.recursive(st.one_of(st.none(), st.booleans(), numbers, texts), st.lists, max_leaves=9),
)
RECORD = write(make_author(), 2)[1]


@given(bodies)
def test_a_record_comes_back_from_its_bytes(body):
    """Whatever the body: the bytes decode to a record that has the same bytes and the same id again."""
    signed = make_author().write(KIND, body)
    again = decode(signed.payload, signed.signature)
    assert (again.id, again.payload, again.record.payload) == (signed.id, signed.payload, signed.payload)
    assert is_signed(again)


def test_a_number_is_read_by_its_look():
    """A whole float comes back as an integer; `float` of what is read is always the float that was written."""
    written = [0.5, 2.0, -0.0, 5.474996146038557e16, 1e300]
    signed = make_author().write(KIND, {"values": written})
    values = decode(signed.payload, signed.signature).record.body["values"]
    assert [type(value) for value in values] == [float, int, int, int, float]
    assert [float(value) for value in values] == written


def test_the_bytes_are_canonical_and_the_id_is_their_hash():
    """The payload is the canonical JSON of the seven fields, the id the hex SHA-256 of it."""
    fields = {"v": 1, "author": RECORD.record.author, "n": 1, "prev": RECORD.record.prev, "at": RECORD.record.at}
    assert RECORD.payload == canonical(fields | {"kind": KIND, "body": {"value": 1}})
    assert RECORD.id == hashlib.sha256(RECORD.payload).hexdigest()


@given(st.data())
def test_any_flipped_bit_is_found(data):
    """A record with one bit of bytes or signature flipped either does not decode or is not signed."""
    stored = bytearray(RECORD.payload + RECORD.signature)
    bit = data.draw(st.integers(0, 8 * len(stored) - 1))
    stored[bit // 8] ^= 1 << bit % 8
    try:
        signed = decode(bytes(stored[:-64]), bytes(stored[-64:]))
    except EncodingError:
        return
    assert not is_signed(signed)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("v", 2),
        ("author", "did:key:z6Mk"),
        ("author", "me"),
        ("n", -1),
        ("n", 0),
        ("n", 1.5),
        ("n", 2**53),
        ("prev", None),
        ("prev", "A" * 64),
        ("prev", "0" * 63),
        ("at", "now"),
        ("at", ""),
        ("kind", "Test/1"),
        ("kind", "test.happened"),
        ("kind", "test.happened/0"),
        ("kind", "test." + "x" * 70 + "/1"),
        ("body", []),
        ("more", 1),
    ],
)
def test_fields_out_of_shape_are_refused(field, value):
    """Each field of a foreign record must have its shape, and there are no others."""
    fields = msgspec.structs.asdict(RECORD.record) | {field: value}
    with pytest.raises(EncodingError):
        decode(canonical(fields), RECORD.signature)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        RECORD.payload + b" ",
        b" " + RECORD.payload,
        RECORD.payload.replace(b'"v":1', b'"v":1,"v":1'),
        RECORD.payload.replace(b'"v":1', b'"v":1.0'),
        RECORD.payload.replace(b'"value":1', b'"value":1e0'),
        RECORD.payload.replace(b'"value":1', b'"value":0,"value":1'),
    ],
)
def test_bytes_out_of_canonical_form_are_refused(payload):
    """Spaces, repeated keys and other spellings of a number would give one record two ids."""
    with pytest.raises(EncodingError):
        decode(payload, RECORD.signature)


def test_a_record_has_a_limit():
    """A record larger than the limit is neither written nor decoded, and the chain does not move."""
    author = make_author()
    with pytest.raises(LimitError):
        author.write(KIND, {"text": "x" * RECORD_BYTES_MAX})
    assert author.write(KIND, {}).record.n == 0
    with pytest.raises(LimitError):
        decode(b" " * (RECORD_BYTES_MAX + 1), RECORD.signature)


def test_a_body_that_json_cannot_carry_does_not_move_the_chain():
    """A refused body leaves the author where it was."""
    author = make_author()
    with pytest.raises(EncodingError):
        author.write(KIND, {"score": float("nan")})
    assert author.write(KIND, {}).record.prev is None


def test_records_form_a_chain():
    """Each record names the id of the one before, numbers rise by one, and times rise."""
    chain = write(make_author(), 5)
    records = [signed.record for signed in chain]
    assert [record.n for record in records] == list(range(5))
    assert [record.prev for record in records] == [None, *(signed.id for signed in chain[:-1])]
    assert [record.at for record in records] == sorted({record.at for record in records})


def test_an_author_resumes_after_its_tip():
    """A new author object with the same key goes on with number, link and a later time, however slow its clock."""
    key = Key.derive(b"contract", "author")
    tip = Tip(RECORD.record.n, RECORD.id, RECORD.record.at)
    resumed = Author(key, HybridClock(ManualClock(0)), tip).write(KIND, {})
    assert (resumed.record.n, resumed.record.prev) == (2, RECORD.id)
    assert resumed.record.at > RECORD.record.at


def test_only_an_author_makes_fresh_records():
    """What is decoded is never fresh, so no log takes it on trust."""
    assert isinstance(RECORD, FreshRecord)
    again = decode(RECORD.payload, RECORD.signature)
    assert isinstance(again, SignedRecord)
    assert not isinstance(again, FreshRecord)


def test_a_record_is_frozen():
    """Fields cannot be assigned."""
    with pytest.raises(AttributeError):
        RECORD.record.n = 7
    assert isinstance(decode_trusted(RECORD.payload), Record)
