"""The contract of every log, as tests: subclass `LogContract`, give it a fixture `log`, and pytest runs them all.

    class TestMyLog(LogContract):
        @pytest.fixture
        def log(self, tmp_path):
            return MyLog(tmp_path, kinds=CONTRACT_KINDS)

What this file does not do: test durability, locks or files; these belong to each adapter.
"""

from __future__ import annotations

import threading
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec
import pytest

from colony.journal import Author, Head, Kind, MerkleTree, Record, SignedRecord, Tip, decode
from colony.journal.log import leaf_of
from colony.primitives.clock import HybridClock, ManualClock
from colony.primitives.errors import JournalConflictError, JournalError, LimitError
from colony.primitives.keys import Key
from colony.primitives.limits import RECORDS_PER_APPEND_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from colony.journal import FreshRecord, Log

KIND: Final = "test.happened/1"
CONTRACT_KINDS: Final[Mapping[str, Kind]] = MappingProxyType({KIND: Kind("Something was tested.", {"value": int})})


def make_author(name: str = "author", *, start_milliseconds: int = 1_000) -> Author:
    """Return an author with a key made from `name` and a clock of its own."""
    return Author(Key.derive(b"contract", name), HybridClock(ManualClock(start_milliseconds)))


def write(author: Author, count: int) -> list[FreshRecord]:
    """Return the author's next `count` records."""
    return [author.write(KIND, {"value": value}) for value in range(count)]


def foreign(signed: SignedRecord) -> SignedRecord:
    """Return a record as it comes from elsewhere: nothing of it is trusted."""
    return decode(signed.payload, signed.signature)


def changed(signed: SignedRecord, name: str = "author", **fields: object) -> SignedRecord:
    """Return a record with some fields changed and signed again, by the key of the author called `name`."""
    record: Record = msgspec.structs.replace(signed.record, **fields)
    digest = sha256(record.payload)
    signature = Key.derive(b"contract", name).sign(digest.digest())
    return SignedRecord(record, digest.hexdigest(), record.payload, signature)


class LogContract:
    """What every log does. The log under test starts empty and knows `CONTRACT_KINDS`."""

    @pytest.fixture
    def log(self) -> Log:
        """Return an empty log; the subclass says which."""
        raise NotImplementedError

    def test_a_new_log_is_empty(self, log: Log) -> None:
        """A new log has no records, no last id, and the root of the empty tree."""
        assert log.head() == Head(0, MerkleTree().root().hex(), None)
        assert list(log.read()) == []
        assert log.tip(make_author().did) is None

    def test_records_come_back_in_order_of_arrival(self, log: Log) -> None:
        """What was appended is read back, byte for byte, with a sequence from 0 without gaps."""
        first, second = make_author("first"), make_author("second")
        records = [*write(first, 3), *write(second, 2), *write(first, 1)]
        log.append(records[:4], expected=0)
        head = log.append(records[4:], expected=4)
        entries = list(log.read())
        assert [entry.seq for entry in entries] == list(range(6))
        assert [(e.record, e.id, e.payload, e.signature) for e in entries] == [
            (r.record, r.id, r.payload, r.signature) for r in records
        ]
        assert head == log.head() == Head(6, MerkleTree(map(leaf_of, records)).root().hex(), records[-1].id)

    def test_an_empty_group_changes_nothing(self, log: Log) -> None:
        """Appending nothing is allowed and returns the head."""
        log.append(write(make_author(), 2), expected=0)
        assert log.append([], expected=2) == log.head()

    def test_a_moved_sequence_is_a_conflict(self, log: Log) -> None:
        """A writer that takes the log for shorter or longer than it is gets a conflict, and nothing is kept."""
        author = make_author()
        log.append(write(author, 2), expected=0)
        for expected in (0, 1, 3):
            self.refuse(log, write(make_author("other"), 1), JournalConflictError, expected=expected)

    def test_of_two_writers_one_wins(self, log: Log) -> None:
        """Two threads that append at the same expected size: one succeeds, the other gets a conflict."""
        outcomes: list[str] = []
        together = threading.Barrier(2)

        def append(name: str) -> None:
            records = write(make_author(name), 3)
            together.wait()
            try:
                log.append(records, expected=0)
                outcomes.append("kept")
            except JournalConflictError:
                outcomes.append("conflict")

        threads = [threading.Thread(target=append, args=(name,)) for name in ("one", "two")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["conflict", "kept"]
        assert log.head().size == 3

    def test_a_group_is_kept_as_a_whole_or_not_at_all(self, log: Log) -> None:
        """One bad record at the end of a group, and none of it is kept."""
        author = make_author()
        good = write(author, 3)
        author.write(KIND, {"value": 3})
        self.refuse(log, [*good, author.write(KIND, {"value": 4})], JournalError)

    def test_a_gap_in_a_chain_is_refused(self, log: Log) -> None:
        """Record 0 must be there before record 1."""
        self.refuse(log, write(make_author(), 2)[1:], JournalError)

    def test_a_number_cannot_be_used_twice(self, log: Log) -> None:
        """A second record with a number that its author has used is refused: that is equivocation."""
        log.append(write(make_author(), 2), expected=0)
        self.refuse(log, write(make_author(start_milliseconds=9_000), 1), JournalError, expected=2)

    def test_a_wrong_link_is_refused(self, log: Log) -> None:
        """A record whose prev is not the id of its author's record before is refused."""
        first, second = write(make_author(), 2)
        log.append([first], expected=0)
        self.refuse(log, [changed(second, prev="0" * 64)], JournalError, expected=1)

    def test_time_never_goes_back_in_a_chain(self, log: Log) -> None:
        """A record that is not later than its author's record before is refused."""
        first, second = write(make_author(), 2)
        log.append([first], expected=0)
        self.refuse(log, [changed(second, at=first.record.at)], JournalError, expected=1)

    def test_only_known_kinds_with_their_fields_are_kept(self, log: Log) -> None:
        """A kind outside the list, a missing field, and a field of another type are refused."""
        for kind, body in (
            ("test.unheard_of/1", {"value": 1}),
            (KIND, {}),
            (KIND, {"value": "1"}),
            (KIND, {"value": True}),
        ):
            self.refuse(log, [make_author().write(kind, body)], JournalError)

    def test_a_foreign_record_needs_its_authors_signature(self, log: Log) -> None:
        """A record from elsewhere is kept if its author signed it, and refused if somebody else did."""
        (record,) = write(make_author(), 1)
        self.refuse(log, [changed(record, "somebody else")], JournalError)
        log.append([foreign(record)], expected=0)
        assert log.head().last == record.id

    def test_a_foreign_record_needs_the_hash_of_its_bytes(self, log: Log) -> None:
        """A record from elsewhere whose id is not the hash of its bytes is refused."""
        record = foreign(write(make_author(), 1)[0])
        self.refuse(log, [msgspec.structs.replace(record, id="0" * 64)], JournalError)

    def test_too_large_a_group_is_refused(self, log: Log) -> None:
        """A group beyond the limit is refused before anything is looked at."""
        self.refuse(log, write(make_author(), 1) * (RECORDS_PER_APPEND_MAX + 1), LimitError)

    def test_an_author_resumes_without_a_gap(self, log: Log) -> None:
        """After a refused append the author resumes from the log, and the next record takes the lost one's number."""
        author = make_author()
        log.append(write(author, 2), expected=0)
        self.refuse(log, write(author, 2), JournalConflictError, expected=7)
        author.resume(log.tip(author.did))
        log.append(write(author, 1), expected=2)
        assert [entry.record.n for entry in log.read()] == [0, 1, 2]

    def test_a_tip_is_the_last_record_of_its_author(self, log: Log) -> None:
        """`tip` gives number, id and time of the last kept record of one author, whoever came after."""
        first, second = make_author("first"), make_author("second")
        kept = write(first, 2)
        log.append([*kept, *write(second, 1)], expected=0)
        assert log.tip(first.did) == Tip(1, kept[1].id, kept[1].record.at)

    def test_a_part_can_be_read(self, log: Log) -> None:
        """`read(start, stop)` gives exactly that part, and nothing beyond the end."""
        log.append(write(make_author(), 5), expected=0)
        assert [entry.seq for entry in log.read(1, 3)] == [1, 2]
        assert [entry.seq for entry in log.read(3, 99)] == [3, 4]
        assert list(log.read(5)) == []

    def test_a_reader_sees_the_log_as_it_was(self, log: Log) -> None:
        """Records appended after `read` was called are not in what it returns."""
        author = make_author()
        log.append(write(author, 2), expected=0)
        entries = log.read()
        log.append(write(author, 2), expected=2)
        assert [entry.seq for entry in entries] == [0, 1]

    def test_what_is_read_is_what_the_bytes_say(self, log: Log) -> None:
        """A body that its writer changes after signing stays as it was signed."""
        body = {"value": 1, "more": [1.0, 2.5]}
        log.append([make_author().write(KIND, body)], expected=0)
        body["value"] = 2
        assert [entry.record.body for entry in log.read()] == [{"value": 1, "more": [1, 2.5]}]

    @staticmethod
    def refuse(log: Log, records: Sequence[SignedRecord], error: type[Exception], *, expected: int = 0) -> None:
        """Append what must be refused, and see that nothing changed."""
        before = log.head()
        with pytest.raises(error):
            log.append(records, expected=expected)
        assert log.head() == before
        assert len(list(log.read())) == before.size
