"""Floor 2: the append-only, signed, hash-chained journal; the only durable truth. Adapters (`sqlite`) stand apart."""

from colony.journal.events import KINDS, Body, Kind, check, upcast
from colony.journal.log import Entry, Head, Log, MemoryLog
from colony.journal.merkle import MerkleTree, verify_consistency, verify_inclusion
from colony.journal.record import Author, FreshRecord, Record, SignedRecord, Tip, decode, is_signed

__all__ = [
    "KINDS",
    "Author",
    "Body",
    "Entry",
    "FreshRecord",
    "Head",
    "Kind",
    "Log",
    "MemoryLog",
    "MerkleTree",
    "Record",
    "SignedRecord",
    "Tip",
    "check",
    "decode",
    "is_signed",
    "upcast",
    "verify_consistency",
    "verify_inclusion",
]
