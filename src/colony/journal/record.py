"""One record: its fields, canonical bytes, id and signature; and the author, who is the single writer of a chain.

What this file does not do: check a body against its kind (`events`), order or store records (`log`), or merge chains.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any, Final

import msgspec

from colony.primitives.clock import HybridClock, is_timestamp
from colony.primitives.encoding import canonical, parse
from colony.primitives.errors import EncodingError, LimitError
from colony.primitives.keys import Key, is_did, verify
from colony.primitives.limits import INTEGER_MAX, KIND_CHARACTERS_MAX, RECORD_BYTES_MAX

_VERSION: Final = 1
_ID: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_KIND: Final = re.compile(r"[a-z]+(?:\.[a-z_]+)+/[1-9][0-9]*", re.ASCII)


class Record(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The unit of everything that is kept or shared. `prev` is the id of the author's record n-1, None at n = 0."""

    v: int
    author: str
    n: int
    prev: str | None
    at: str
    kind: str
    body: dict[str, Any]

    @property
    def payload(self) -> bytes:
        """The canonical bytes: what is hashed, signed and stored."""
        return canonical(msgspec.structs.asdict(self))


class SignedRecord(msgspec.Struct, frozen=True, gc=False):
    """A record with its id (hex SHA-256 of `payload`), its canonical bytes and its author's 64-byte signature."""

    record: Record
    id: str
    payload: bytes
    signature: bytes


class FreshRecord(SignedRecord, frozen=True, gc=False):
    """A record that an `Author` of this process has just signed.

    Logs take its id and signature on trust instead of recomputing them; the type is the only mark of that trust, and
    nothing that was read from a file or a network has it.
    """


class Tip(msgspec.Struct, frozen=True, gc=False):
    """The last record of a chain: its number, id and time."""

    n: int
    id: str
    at: str


class Author:
    """The single writer of one chain.

    `write` takes it for granted that the record will be appended. Where the append fails, the log still holds the
    truth: call `resume(log.tip(author.did))`, and the next record takes the number that the lost one had. An author is
    used by one thread at a time.
    """

    def __init__(self, key: Key, clock: HybridClock, tip: Tip | None = None) -> None:
        self._key = key
        self._clock = clock
        self.resume(tip)

    @property
    def did(self) -> str:
        """The name under which this author signs."""
        return self._key.did

    def resume(self, tip: Tip | None) -> None:
        """Go on after `tip`, the author's last record in the log; None where there is none yet."""
        self._n = tip.n + 1 if tip else 0
        self._prev = tip.id if tip else None
        if tip:
            self._clock.observe(tip.at)

    def write(self, kind: str, body: dict[str, Any]) -> FreshRecord:
        """Return the next record of the chain, signed.

        Raises:
            EncodingError: the body is no JSON.
            LimitError: the record is too large.
        """
        record = Record(_VERSION, self.did, self._n, self._prev, self._clock.now(), kind, body)
        payload = record.payload
        if len(payload) > RECORD_BYTES_MAX:
            raise LimitError(f"a {kind} of {len(payload)} bytes exceeds {RECORD_BYTES_MAX}; split it")
        digest = sha256(payload)
        signed = FreshRecord(record, digest.hexdigest(), payload, self._key.sign(digest.digest()))
        self._n, self._prev = self._n + 1, signed.id
        return signed


decode_trusted: Final = msgspec.json.Decoder(Record).decode
"""Return the record of bytes whose hash a log has checked: typed, but without the rules of `decode`.

Raises msgspec.DecodeError or ValueError where the fields are missing or of another type.
"""


def decode(payload: bytes, signature: bytes) -> SignedRecord:
    """Return the record of bytes that came from elsewhere; every rule is checked but the signature (`is_signed`).

    Raises:
        EncodingError: the bytes are no record, or not in canonical form.
        LimitError: too many bytes, or too deep a body.
    """
    parse(payload)
    try:
        record = decode_trusted(payload)
    except msgspec.DecodeError as error:
        raise EncodingError(f"the bytes are no record: {error}") from error
    if fault := _fault(record):
        raise EncodingError(f"the bytes are no record: {fault}")
    if record.payload != payload:
        raise EncodingError("the bytes are no record: they are not in canonical form")
    return SignedRecord(record, sha256(payload).hexdigest(), payload, signature)


def is_signed(signed: SignedRecord) -> bool:
    """Tell whether the signature is by the record's author, over the bytes as they are."""
    return verify(signed.record.author, sha256(signed.payload).digest(), signed.signature)


def _fault(record: Record) -> str | None:
    """Return what is wrong with the fields, or None."""
    first, prev = record.n == 0, record.prev
    rules = (
        (record.v == _VERSION, f"version {record.v} is unknown"),
        (is_did(record.author), f"author {record.author!r} is no secp256k1 did:key"),
        (0 <= record.n <= INTEGER_MAX, f"n = {record.n} is out of range"),
        (first if prev is None else not first and _ID.fullmatch(prev), f"prev = {prev!r} does not fit n = {record.n}"),
        (len(record.kind) <= KIND_CHARACTERS_MAX and _KIND.fullmatch(record.kind), f"{record.kind!r} is no kind"),
        (is_timestamp(record.at), f"at = {record.at!r} is no timestamp"),
    )
    return next((fault for holds, fault in rules if not holds), None)
