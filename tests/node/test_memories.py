"""A memory with a journal: opened again it is what it was, also after a kill at any moment; a failed append heals."""

import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import killed_memory
import pytest
from killed_memory import ACCOUNTS, KEY, START, THREADS

from colony.journal.committer import GroupCommitter
from colony.journal.log import MemoryLog
from colony.journal.record import Author
from colony.journal.sqlite import audit_file
from colony.memory.named_memory import commits, replay
from colony.memory.shared_memory import Emission
from colony.node.memories import JOURNAL, Pen, open_memory, read_memory, read_past
from colony.primitives.clock import HybridClock, ManualClock
from colony.primitives.errors import JournalBusyError, JournalError, JournalFullError, LimitError


def opened(folder):
    return open_memory(folder, KEY, ManualClock())


def put(variable, value, t):
    t.write(variable, value)


def add(variable, t):
    t.write(variable, t.read(variable) + 1)


def records_of(folder):
    return list(read_past(folder))


def test_what_was_committed_is_there_when_it_is_opened_again(tmp_path):
    """Values, their hash and the order of commits survive; the second time goes on in the same chain."""
    folder = tmp_path / "m"
    with opened(folder) as memory:
        a, b = memory.variable("a", 0), memory.variable("b", {"x": (1, 2.5)})
        memory.atomically(partial(add, a), agent="ann")
        memory.atomically(lambda t: t.write(b, {**t.read(b), "y": None}), agent="bob")
        state, digest = memory.state(), memory.state_hash()
    with opened(folder) as memory:
        assert (memory.state(), memory.state_hash()) == (state, digest)
        memory.atomically(partial(add, memory.variable("a", 0)), agent="eve")
    assert read_memory(folder) == {"a": 2, "b": {"x": (1, 2.5), "y": None}}
    assert [commit.agent for commit in commits(records_of(folder))] == ["ann", "bob", "eve"]
    assert audit_file(folder / JOURNAL).ok


def test_the_record_of_a_memory_says_for_whom_its_key_acts(tmp_path):
    """The first record ties the key that signs commits to the replica's key; it is written once."""
    for _ in range(2):
        with opened(tmp_path / "m") as memory:
            memory.atomically(partial(put, memory.variable("a", 0), 1))
    kinds = [record.kind for record in records_of(tmp_path / "m")]
    assert kinds == ["identity.delegated/1", "memory.committed/1", "memory.committed/1"]
    first, second, _ = records_of(tmp_path / "m")
    assert (first.body["root"], first.body["delegates"]) == (KEY.did, {"memory": second.author})


def test_one_process_at_a_time(tmp_path):
    """A second writer is refused; a reader is not."""
    with opened(tmp_path / "m") as memory:
        memory.atomically(partial(put, memory.variable("a", 0), 1))
        with pytest.raises(JournalBusyError), opened(tmp_path / "m"):
            pass
        assert read_memory(tmp_path / "m") == {"a": 1}


def test_a_folder_that_cannot_be_made(tmp_path):
    """The error names the folder."""
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="file"), opened(tmp_path / "file" / "m"):
        pass


def test_an_emission_that_no_record_can_hold_is_refused_and_the_chain_goes_on(tmp_path):
    """An unknown kind, a wrong body and a body too large leave nothing behind, in memory or in the journal."""
    with opened(tmp_path / "m") as memory:
        a = memory.variable("a", 0)
        many = memory.variables({f"v{number}": "" for number in range(3)})

        def emit(kind, body, t):
            add(a, t)
            t.emit(kind, body)

        def too_much(t):
            t.emit("run.resumed/1", {"run": "m", "budget": {}})
            for variable in many.values():
                t.write(variable, "x" * 3_000_000)

        for kind, body in (("no.such/1", {}), ("run.resumed/1", {"run": 3})):
            with pytest.raises(JournalError):
                memory.atomically(partial(emit, kind, body))
        with pytest.raises(LimitError):
            memory.atomically(too_much)
        memory.atomically(partial(add, a))
        assert memory.state() == {"a": 1}
    assert read_memory(tmp_path / "m") == {"a": 1}
    assert audit_file(tmp_path / "m" / JOURNAL).ok


class FullLog(MemoryLog):
    """A log whose disk is full now and then."""

    def __init__(self):
        super().__init__()
        self.refusals = 0

    def append(self, records, *, expected):
        if self.refusals:
            self.refusals -= 1
            raise JournalFullError("the disk is full")
        return super().append(records, expected=expected)


def test_after_a_refused_append_the_chain_goes_on_where_the_journal_ends():
    """What was queued behind a refused group is refused with it; all that was acknowledged is in the log, in order."""
    log, key = FullLog(), KEY
    acknowledged = []
    with GroupCommitter(log) as committer, ThreadPoolExecutor(4) as pool:
        pen = Pen(Author(key, HybridClock(ManualClock())), committer.submit, log)

        def write(number):
            body = {"run": "m", "agent": "ann", "changes": {f"v{number}": number}}
            with suppress(JournalFullError, JournalError):
                pen.append([Emission("memory.committed/1", body)]).result()
                acknowledged.append(number)

        for number in range(60):
            if number % 20 == 10:
                log.refusals = 1
            pool.submit(write, number)
        pool.shutdown()
        log.refusals = 0
        write(100)
    kept = replay(entry.record for entry in log.read())
    assert kept == {f"v{number}": number for number in acknowledged}
    assert 100 in acknowledged


def kill_after(folder, lines):
    """Start the process, kill it after so many acknowledged commits; return the last that each thread knew."""
    command = [sys.executable, str(Path(killed_memory.__file__)), str(folder)]
    seen = {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        for _ in range(lines):
            note(seen, process.stdout.readline())
        process.kill()
        for line in process.stdout.read().splitlines(keepends=True):
            if line.endswith("\n"):
                note(seen, line)
    return seen


def note(seen, line):
    number, count = map(int, line.split())
    seen[number] = max(seen.get(number, 0), count)


def test_after_kill_9_the_variables_hold_exactly_the_acknowledged_commits(tmp_path):
    """Killed at any moment: all acknowledged commits, at most the ones in flight, never a part; no money is lost."""
    folder, chance = tmp_path / "m", random.Random()
    known = dict.fromkeys(range(THREADS), 0)
    for _ in range(5):
        known.update(kill_after(folder, chance.randint(1, 150)))
        with opened(folder) as memory:
            state = memory.state()
        for number, acknowledged in known.items():
            count = state.get(f"commits {number}", 0)
            assert acknowledged <= count <= acknowledged + 1
            known[number] = count
        assert sum(state.get(name, START) for name in ACCOUNTS) == START * len(ACCOUNTS)
    told = list(commits(records_of(folder)))
    assert all(len(commit.changes) == 3 for commit in told)
    assert len(told) == sum(known.values())
    assert {commit.agent for commit in told} <= {f"agent {number}" for number in range(THREADS)}
    assert audit_file(folder / JOURNAL).ok
