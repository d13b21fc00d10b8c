"""Group commit: one thread that appends whatever is queued as one group, so that many producers share one sync.

What this file does not do: sign records, or mend a chain. After a failed group, records already queued behind it are
refused too, since they leave a gap; their authors resume from `log.tip` and write them anew.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final, Self, TypeAlias

import msgspec

from colony.primitives.errors import JournalError, LimitError
from colony.primitives.limits import RECORDS_PER_APPEND_MAX, RECORDS_QUEUED_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from colony.journal.log import Head, Log
    from colony.journal.record import SignedRecord

_Submission: TypeAlias = "tuple[Sequence[SignedRecord], Future[Head]]"
_GROUP_RECORDS: Final = 4_096  # beyond this a larger group is not faster, only later


class CommitterStatistics(msgspec.Struct, frozen=True):
    """What a committer did: groups appended, records in them, groups refused, records waiting now."""

    groups: int
    records: int
    groups_refused: int
    records_queued: int


class GroupCommitter:
    """The only appender of `log`. Records are kept in the order of their submission.

    An event loop awaits `asyncio.wrap_future(committer.submit(records))`; cancelling that wait does not take the
    records back. `close` appends what is queued, and joins the thread.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._queue: queue.SimpleQueue[_Submission | None] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._closed = False
        self._groups = self._records = self._groups_refused = self._records_queued = 0
        self._thread = threading.Thread(target=self._run, name="journal-committer")
        self._thread.start()

    def submit(self, records: Sequence[SignedRecord]) -> Future[Head]:
        """Queue `records`, all or none of which will be appended, and return at once.

        The future gives the head after the group they became part of, or the error that refused the group.

        Raises:
            JournalError: the committer was closed.
            LimitError: too many records at once, or too many are waiting.
        """
        if len(records) > RECORDS_PER_APPEND_MAX - _GROUP_RECORDS:
            raise LimitError(f"{len(records)} records at once are too many; submit them in parts")
        future: Future[Head] = Future()
        future.set_running_or_notify_cancel()  # from here on nobody can take a link out of a chain
        with self._guard:
            if self._closed:
                raise JournalError("the committer was closed; open the journal again")
            if self._records_queued + len(records) > RECORDS_QUEUED_MAX:
                raise LimitError(f"{self._records_queued} records wait for the disk; wait for some of them first")
            self._records_queued += len(records)
            self._queue.put((records, future))
        return future

    def statistics(self) -> CommitterStatistics:
        """Return what was done since the start."""
        with self._guard:
            return CommitterStatistics(self._groups, self._records, self._groups_refused, self._records_queued)

    def close(self) -> None:
        """Append what is queued and end the thread. May be called twice."""
        with self._guard:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        while group := self._next_group():
            records = [record for submitted, _ in group for record in submitted]
            try:
                head = self._log.append(records, expected=self._log.head().size)
            except Exception as error:  # noqa: BLE001  whatever it is, those who wait must hear of it
                self._note(len(records), refused=True)
                for _, future in group:
                    future.set_exception(error)
            else:
                self._note(len(records), refused=False)
                for _, future in group:
                    future.set_result(head)

    def _next_group(self) -> list[_Submission]:
        """Wait for a submission, and return it with those behind it; nothing once the committer is closed."""
        group: list[_Submission] = []
        records = 0
        while records < _GROUP_RECORDS and not (group and self._queue.empty()):
            submission = self._queue.get()
            if submission is None:
                self._queue.put(None)  # the next call ends at once
                break
            group.append(submission)
            records += len(submission[0])
        return group

    def _note(self, records: int, *, refused: bool) -> None:
        with self._guard:
            self._records_queued -= records
            if refused:
                self._groups_refused += 1
            else:
                self._groups += 1
                self._records += records
