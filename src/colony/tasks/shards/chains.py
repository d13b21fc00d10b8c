"""An author's records as lines of files: written, read again believing nothing, and joined with another copy.

A line is the JSON object `{"record":<the signed bytes>,"signature":"<r and s in hexadecimal>"}`. The lines of an author
stand in the order of their numbers, so a copy is a set of records and two copies join by union. A signature vouches for
all records before it, since each names the one before by its hash; so where all is well only the last is checked.
What this file does not do: read or write a repository, or know what a record says.
"""

from __future__ import annotations

import gc
import re
from binascii import hexlify, unhexlify
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec

from colony.journal.record import Record, SignedRecord, Tip, decode, is_signed
from colony.primitives.clock import is_timestamp
from colony.primitives.encoding import canonical, parse
from colony.primitives.errors import ColonyError
from colony.primitives.keys import verify
from colony.primitives.limits import (
    FAULTS_REPORTED_MAX,
    JSON_DEPTH_MAX,
    RECORD_BYTES_MAX,
    SHARD_PIECE_BYTES_MAX,
)

_HEAD: Final = b'{"record":'
_MIDDLE: Final = b',"signature":"'
_TAIL: Final = b'"}'
_SIGNATURE_END: Final = -len(_TAIL)
_SIGNATURE_START: Final = _SIGNATURE_END - 128
_PAYLOAD_END: Final = _SIGNATURE_START - len(_MIDDLE)
_PAYLOAD_START: Final = len(_HEAD)
_LINE_BYTES_MAX: Final = RECORD_BYTES_MAX + _PAYLOAD_START - _PAYLOAD_END
_CONFLICT: Final = re.compile(rb"(<{7}|={7}|>{7}|\|{7})( |$)")
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')
_NOT_BRACKETS: Final = bytes({*range(256)} - {*b"[]{}"})
_VERSION: Final = 1
_encode_sorted: Final = msgspec.json.Encoder(order="sorted").encode


def _float(text: str) -> float:
    """Return a float in canonical form, in which whole ones have no point."""
    number = float(text)
    if canonical(number) != text.encode():
        raise ValueError(f"{text} is not how a number is written")
    return number


_decode: Final = msgspec.json.Decoder(Record, float_hook=_float).decode


class Fault(msgspec.Struct, frozen=True, order=True):
    """Something wrong at `line` (from 1) of `file`, or with the file as a whole; `record` is an id, if known."""

    file: str
    line: int | None
    what: str
    record: str | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.what}" + (f" [record {self.record[:12]}]" if self.record else "")


class Piece(NamedTuple):
    """One file of an author's records: its name, for messages, and its bytes."""

    file: str
    data: bytes


class Chain(msgspec.Struct, frozen=True):
    """What holds of one author's files.

    `records` are all that the author signed, by number; those of a newer version have no kind and no body here.
    `starts` says which record each file begins with, where nothing is wrong. `rejected` are the lines that hold nothing
    the author signed, and `large` the files that were not read, to be kept elsewhere.
    """

    author: str
    records: list[SignedRecord]
    starts: tuple[int, ...] = ()
    faults: tuple[Fault, ...] = ()
    rejected: tuple[bytes, ...] = ()
    large: tuple[str, ...] = ()

    @property
    def readable(self) -> list[SignedRecord]:
        """The records of a version that we know."""
        if not self.faults:
            return self.records
        return [signed for signed in self.records if signed.record.v == _VERSION]

    @property
    def tip(self) -> Tip | None:
        """The end of the chain, after which its author goes on."""
        if not self.records:
            return None
        last = self.records[-1]
        return Tip(last.record.n, last.id, last.record.at)


def line_of(signed: SignedRecord) -> bytes:
    """Return the line that holds a record, with its newline."""
    return b"".join((_HEAD, signed.payload, _MIDDLE, hexlify(signed.signature), _TAIL, b"\n"))


def pieces_of(records: Iterable[SignedRecord]) -> Iterator[bytes]:
    """Yield the contents of an author's files: each as long as it must be to pass the limit, the last perhaps shorter.

    The same records always give the same files, and more at the end change the last one alone.
    """
    lines: list[bytes] = []
    size_bytes = 0
    for signed in records:
        lines.append(line_of(signed))
        size_bytes += len(lines[-1])
        if size_bytes >= SHARD_PIECE_BYTES_MAX:
            yield b"".join(lines)
            lines, size_bytes = [], 0
    if lines:
        yield b"".join(lines)


def joined(one: Iterable[SignedRecord], other: Iterable[SignedRecord]) -> list[SignedRecord]:
    """Return the union of two copies of an author's records, in their order."""
    by_id = {signed.id: signed for records in (other, one) for signed in records}
    return sorted(by_id.values(), key=_place)


def read_chain(author: str, pieces: Sequence[Piece]) -> Chain:
    """Return what holds of an author's files, every fault named with its file and line."""
    return continued(Chain(author, []), pieces) or _examined(author, pieces)


def continued(chain: Chain, pieces: Sequence[Piece]) -> Chain | None:
    """Return a faultless chain with the records of further files, or None if something is wrong in them."""
    records, starts = chain.records.copy(), [*chain.starts]
    with uncollected():
        for piece in pieces:
            starts.append(len(records))
            if not _extend(records, chain.author, piece.data):
                return None
    if records and not is_signed(records[-1]):
        return None
    return Chain(chain.author, records, tuple(starts))


@contextmanager
def uncollected() -> Iterator[None]:
    """Make many objects, all of which stay, without a search for garbage after each few hundred."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _place(signed: SignedRecord) -> tuple[int, str]:
    return signed.record.n, signed.id


# -- the quick way: all is well, or nothing is said --------------------------------------------------------------------


def _extend(records: list[SignedRecord], author: str, data: bytes) -> bool:
    """Append the records of a file that go on faultlessly, and tell whether all do; the hot loop of every reading."""
    n, prev, at = len(records), None, ""
    if records:
        prev, at = records[-1].id, records[-1].record.at
    *lines, rest = data.split(b"\n")
    if rest:
        return False
    try:
        for line in lines:
            payload = line[_PAYLOAD_START:_PAYLOAD_END]
            record = _decode(payload)
            if (
                record.n != n
                or record.prev != prev
                or record.author != author
                or record.v != _VERSION
                or record.at <= at
                or not is_timestamp(record.at)
                or not line.startswith(_HEAD)
                or line[_PAYLOAD_END:_SIGNATURE_START] != _MIDDLE
                or line[_SIGNATURE_END:] != _TAIL
                or not _is_canonical(record, payload)
            ):
                return False
            n, prev, at = n + 1, sha256(payload).hexdigest(), record.at
            records.append(SignedRecord(record, prev, payload, unhexlify(line[_SIGNATURE_START:_SIGNATURE_END])))
    except (msgspec.DecodeError, ValueError, RecursionError):
        return False
    return True


def _is_canonical(record: Record, payload: bytes) -> bool:
    """Tell whether the bytes, whose floats are in order, are in canonical form as a whole.

    The encoder writes some floats otherwise than RFC 8785 and knows no limit for nests; then the definition decides.
    """
    if _encode_sorted(record) == payload and len(payload) <= RECORD_BYTES_MAX:
        is_flat = payload.count(b"[") + payload.count(b"{") <= JSON_DEPTH_MAX
        if is_flat or _is_shallow(_STRING.sub(b"", payload)):
            return True
    try:
        decode(payload, b"")
    except ColonyError:
        return False
    return True


def _is_shallow(bare: bytes) -> bool:
    """Tell whether JSON without its strings is not too deep: each pass takes the innermost brackets away."""
    brackets = bare.translate(None, _NOT_BRACKETS)
    for _ in range(JSON_DEPTH_MAX):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return not brackets


# -- the thorough way: what is wrong, and what is right all the same ---------------------------------------------------


class _Line(NamedTuple):
    """A record as it stands somewhere, not yet believed."""

    fault: Fault
    """The place, to be completed with what is wrong."""
    raw: bytes
    signed: SignedRecord


class _Refusal(Exception):  # noqa: N818  # it never leaves this file: what a line is, instead of a record
    """Why a line holds no record."""


class _Envelope(msgspec.Struct, frozen=True):
    """What every version of a record has."""

    v: int
    author: str
    n: int
    prev: str | None


def _examined(author: str, pieces: Sequence[Piece]) -> Chain:
    """Return what holds of files in which something is wrong."""
    faults: list[Fault] = []
    rejected: list[bytes] = []
    lines: dict[str, _Line] = {}
    highest = -1
    for place, raw in _lines(pieces):
        try:
            signed = _parsed(raw, author)
        except _Refusal as refusal:
            faults.append(msgspec.structs.replace(place, what=str(refusal)))
            rejected.append(raw)
            continue
        if signed.id in lines:
            faults.append(_said(place, signed, "the same record stands here already, a line before"))
            continue
        if signed.record.n < highest:
            faults.append(_said(place, signed, "out of order: records stand by their numbers"))
        highest = max(highest, signed.record.n)
        lines[signed.id] = _Line(place, raw, signed)
    trusted = _vouched(lines, faults, rejected)
    faults += _broken_links(trusted, lines)
    records = [line.signed for line in trusted]
    return Chain(author, records, faults=_reported(faults), rejected=tuple(rejected))


def _reported(faults: list[Fault]) -> tuple[Fault, ...]:
    """Return the faults by file and line, the first of them if they are too many."""
    faults = sorted(faults, key=_by_place)
    if len(faults) <= FAULTS_REPORTED_MAX:
        return tuple(faults)
    more = len(faults) - FAULTS_REPORTED_MAX
    return (*faults[:FAULTS_REPORTED_MAX], msgspec.structs.replace(faults[-1], what=f"{more} more faults up to here"))


def _by_place(fault: Fault) -> tuple[str, int]:
    return fault.file, fault.line or 0


def _lines(pieces: Sequence[Piece]) -> Iterator[tuple[Fault, bytes]]:
    for piece in pieces:
        for number, raw in enumerate(piece.data.removesuffix(b"\n").split(b"\n"), 1):
            yield Fault(piece.file, number, ""), raw


def _parsed(raw: bytes, author: str) -> SignedRecord:
    if _CONFLICT.match(raw):
        raise _Refusal("a conflict marker; both sides' records are taken, the marker is set aside")
    if len(raw) > _LINE_BYTES_MAX:
        raise _Refusal(f"a line of {len(raw)} bytes; a record has at most {RECORD_BYTES_MAX}")
    if not (raw.startswith(_HEAD) and raw.endswith(_TAIL) and raw[_PAYLOAD_END:_SIGNATURE_START] == _MIDDLE):
        raise _Refusal("no whole record: the line was cut off, or changed" if raw else "an empty line")
    payload = raw[_PAYLOAD_START:_PAYLOAD_END]
    try:
        signature = unhexlify(raw[_SIGNATURE_START:_SIGNATURE_END])
        signed = _newer(payload, signature) or decode(payload, signature)
    except (ColonyError, ValueError) as error:
        raise _Refusal(str(error)) from None
    if signed.record.author != author:
        raise _Refusal(f"a record of another author, {signed.record.author[:80]}")
    return signed


def _newer(payload: bytes, signature: bytes) -> SignedRecord | None:
    """Return a stand-in for a record of a later version, which is kept though it cannot be read."""
    parse(payload)
    try:
        envelope = msgspec.json.decode(payload, type=_Envelope)
    except msgspec.DecodeError:
        return None
    if envelope.v <= _VERSION:
        return None
    record = Record(envelope.v, envelope.author, envelope.n, envelope.prev, "", "", {})
    return SignedRecord(record, sha256(payload).hexdigest(), payload, signature)


def _vouched(lines: dict[str, _Line], faults: list[Fault], rejected: list[bytes]) -> list[_Line]:
    """Return, by number, the lines whose record is signed or named by a later one that is trusted."""
    named: set[str | None] = set()
    trusted = []
    for line in sorted(lines.values(), key=lambda line: _place(line.signed), reverse=True):
        signed = line.signed
        if signed.id in named or verify(signed.record.author, sha256(signed.payload).digest(), signed.signature):
            named.add(signed.record.prev)
            trusted.append(line)
        else:
            faults.append(_said(line.fault, signed, "forged: its signature is not by its author"))
            rejected.append(line.raw)
    return trusted[::-1]


def _broken_links(trusted: list[_Line], lines: dict[str, _Line]) -> Iterator[Fault]:
    """Yield what the author, or a loss, did to the chain; the records stay."""
    before = -1
    for line in trusted:
        record = line.signed.record
        previous = lines.get(record.prev or "")
        if record.v != _VERSION:
            yield _said(line.fault, line.signed, f"version {record.v} is of a newer Colony; kept, and not read")
        if record.n == before:
            yield _said(line.fault, line.signed, f"equivocation: its author signed another record {record.n} too")
        elif previous is None and record.n > 0:
            yield _said(line.fault, line.signed, f"a gap: record {record.n - 1} of its author is missing")
        elif previous is not None and record.n != previous.signed.record.n + 1:
            yield _said(line.fault, line.signed, "its number does not follow that of the record before")
        elif previous is not None and record.v == _VERSION and record.at <= previous.signed.record.at:
            yield _said(line.fault, line.signed, "its time does not follow that of the record before")
        before = record.n


def _said(place: Fault, signed: SignedRecord, what: str) -> Fault:
    return Fault(place.file, place.line, what, signed.id)
