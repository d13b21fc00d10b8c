"""Opens a named shared memory whose past is a journal in a folder: restored from it, and going on with it.

    folder/
      journal.sqlite   every commit, signed; the values are a fold over it

What this file does not do: choose the folder, share the memory with other processes (memory/remote/), or sign as its
agents: one author writes the chain, and each record names the agent that acted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from colony.journal.committer import GroupCommitter
from colony.journal.events import check
from colony.journal.log import Head, Log
from colony.journal.record import Author, Record, SignedRecord, Tip
from colony.journal.sqlite import SqliteLog, SqliteReader
from colony.memory.named_memory import NamedMemory, replay
from colony.memory.shared_memory import Emission
from colony.primitives.clock import Clock, HybridClock
from colony.primitives.encoding import canonical, sha256
from colony.primitives.errors import JournalError
from colony.primitives.keys import Key

JOURNAL = "journal.sqlite"


@contextmanager
def open_memory(folder: Path, key: Key, clock: Clock, *, run: str | None = None) -> Iterator[NamedMemory]:
    """Open the memory whose journal is in `folder`, made if there is none; this process is its only writer meanwhile.

    `run` stands in its records and is the folder's name unless given. Commits that are made at the same time share one
    sync of the disk. At the end what is under way is written, and the journal closed.

    Raises:
        JournalBusyError: another process holds the journal.
        JournalCorruptError: the journal is not what was signed.
        JournalError: the folder cannot be written to.
    """
    run = run or folder.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise JournalError(f"{folder}: {error.strerror}; choose another place") from None
    with SqliteLog(folder / JOURNAL, key.child(f"{run}/journal")) as log, GroupCommitter(log) as committer:
        mine = key.child(f"{run}/memory")
        pen = Pen(Author(mine, HybridClock(clock), log.tip(mine.did)), committer.submit, log)
        if log.head().size == 0:
            pen.append([_delegation(key, run, mine.did)]).result()
        yield NamedMemory(pen.append, run=run, values=replay(entry.record for entry in log.read()))


def read_past(folder: Path) -> Iterator[Record]:
    """Return the records in `folder`, verified, in order, beside a writer too.

    Raises:
        JournalError: there is no journal, or it is not what was signed.
    """
    return (entry.record for entry in SqliteReader(folder / JOURNAL).read())


def read_memory(folder: Path) -> dict[str, Any]:
    """Return the values that the records in `folder` have led to; raises as `read_past` does."""
    return replay(read_past(folder))


class Pen:
    """Writes emissions to one author's chain, each call one append, from any thread.

    After an append that failed the chain goes on where the journal ends; what was queued behind it is refused with it.
    """

    def __init__(self, author: Author, submit: Callable[[Sequence[SignedRecord]], Future[Head]], log: Log) -> None:
        self._author = author
        self._submit = submit
        self._log = log
        self._tip = log.tip(author.did)
        self._guard = threading.Lock()

    def append(self, emissions: Sequence[Emission]) -> Future[Head]:
        """Sign and append; the future is done when the records are durable.

        Raises:
            JournalError: a kind is unknown, or a body is not what its kind asks for; nothing was written.
            EncodingError, LimitError: a body that a record cannot hold; nothing was written.
        """
        for emission in emissions:
            check(emission.kind, dict(emission.body))
        with self._guard:
            try:
                signed = [self._author.write(each.kind, dict(each.body)) for each in emissions]
                future = self._submit(signed)
            except BaseException:
                self._author.resume(self._tip)
                raise
            if signed:
                last = signed[-1]
                self._tip = Tip(last.record.n, last.id, last.record.at)
        future.add_done_callback(self._mend)
        return future

    def _mend(self, future: Future[Head]) -> None:
        if future.exception() is not None:
            with self._guard:
                self._tip = self._log.tip(self._author.did)
                self._author.resume(self._tip)


def _delegation(key: Key, run: str, did: str) -> Emission:
    """Say, signed by the replica's key, that the memory's key acts for it in this run."""
    delegates = {"memory": did}
    signature = key.sign(sha256(canonical({"run": run, "delegates": delegates}))).hex()
    body = {"run": run, "root": key.did, "delegates": delegates, "signature": signature}
    return Emission("identity.delegated/1", body)
