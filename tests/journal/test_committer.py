"""Group commit: order, sharing, failure, closing, and its use from an event loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from colony.journal import MemoryLog
from colony.journal.committer import GroupCommitter
from colony.primitives import limits
from colony.primitives.errors import JournalError, JournalFullError, LimitError
from colony.testing.log_contract import CONTRACT_KINDS, KIND, make_author, write


class GatedLog(MemoryLog):
    """A log that appends only while its gate is open, and counts groups; it can be told to fail once."""

    def __init__(self):
        super().__init__(kinds=CONTRACT_KINDS)
        self.gate, self.entered = threading.Event(), threading.Event()
        self.sizes, self.failure = [], None

    def append(self, records, *, expected):
        self.entered.set()
        assert self.gate.wait(10)
        failure, self.failure = self.failure, None
        if failure:
            raise failure
        self.sizes.append(len(records))
        return super().append(records, expected=expected)


def test_what_queues_up_becomes_one_group():
    """While one group is being written the next ones gather, and go out together, in order."""
    log, author = GatedLog(), make_author()
    with GroupCommitter(log) as committer:
        futures = [committer.submit(write(author, 1))]
        assert log.entered.wait(10)
        futures += [committer.submit(write(author, 2)) for _ in range(5)]
        log.gate.set()
        heads = [future.result(10) for future in futures]
        statistics = committer.statistics()
    assert log.sizes == [1, 10]
    assert [head.size for head in heads] == [1] + [11] * 5
    assert (statistics.groups, statistics.records, statistics.records_queued) == (2, 11, 0)
    assert [entry.record.n for entry in log.read()] == list(range(11))


def test_many_producers_lose_nothing():
    """Eight threads with an author each: every acknowledged record is there, each chain in order."""
    log = MemoryLog(kinds=CONTRACT_KINDS)
    with GroupCommitter(log) as committer:

        def produce(name):
            author = make_author(name)
            for future in [committer.submit([author.write(KIND, {"value": value})]) for value in range(50)]:
                future.result(10)

        threads = [threading.Thread(target=produce, args=(f"author {number}",)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert log.head().size == 400


def test_a_failed_group_fails_all_its_futures_and_breaks_no_order():
    """The group fails as one, what was already queued behind it is refused, and authors go on after resuming."""
    log, author = GatedLog(), make_author()
    log.failure = JournalFullError("full")
    with GroupCommitter(log) as committer:
        failed = committer.submit(write(author, 1))
        assert log.entered.wait(10)
        behind = [committer.submit(write(author, 1)) for _ in range(3)]
        log.gate.set()
        assert isinstance(failed.exception(10), JournalFullError)
        assert all(isinstance(future.exception(10), JournalError) for future in behind)
        author.resume(log.tip(author.did))
        assert committer.submit(write(author, 2)).result(10).size == 2
        assert committer.statistics().groups_refused == 2
    assert [entry.record.n for entry in log.read()] == [0, 1]


def test_closing_appends_what_is_queued():
    """Nothing submitted before `close` is lost; afterwards nothing is taken."""
    log, author = GatedLog(), make_author()
    committer = GroupCommitter(log)
    futures = [committer.submit(write(author, 1)) for _ in range(3)]
    log.gate.set()
    committer.close()
    committer.close()
    assert [future.done() for future in futures] == [True] * 3
    with pytest.raises(JournalError, match="closed"):
        committer.submit(write(author, 1))


def test_an_event_loop_can_wait():
    """A task awaits durability; a cancelled wait does not take the records out of the chain."""
    log, author = GatedLog(), make_author()

    async def produce(committer):
        task = asyncio.ensure_future(asyncio.wrap_future(committer.submit(write(author, 1))))
        await asyncio.sleep(0)
        task.cancel()
        log.gate.set()
        return await asyncio.wrap_future(committer.submit(write(author, 1)))

    with GroupCommitter(log) as committer:
        assert asyncio.run(produce(committer)).size == 2


def test_the_queue_has_a_limit(monkeypatch):
    """More waiting records than the limit are refused at once, before anything is queued."""
    monkeypatch.setattr("colony.journal.committer.RECORDS_QUEUED_MAX", 5)
    log, author = GatedLog(), make_author()
    with GroupCommitter(log) as committer:
        committer.submit(write(author, 4))
        with pytest.raises(LimitError):
            committer.submit(write(make_author("other"), 2))
        log.gate.set()
    assert log.head().size == 4


def test_one_submission_has_a_limit():
    """A submission that no append would take is refused at once."""
    with GroupCommitter(MemoryLog(kinds=CONTRACT_KINDS)) as committer, pytest.raises(LimitError):
        committer.submit(write(make_author(), 1) * limits.RECORDS_PER_APPEND_MAX)
