"""The journal on SQLite: opening, refusing, reading beside a writer."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from colony.journal import schema
from colony.journal.heads import SignedHead, Witness
from colony.journal.sqlite import SqliteLog, SqliteReader, SqliteStatistics, audit_file
from colony.primitives.errors import (
    JournalBusyError,
    JournalCorruptError,
    JournalError,
    JournalFullError,
    JournalVersionError,
)
from colony.primitives.keys import Key
from colony.testing.log_contract import CONTRACT_KINDS, KIND, changed, make_author, write

KEY = Key.derive(b"test", "node")
CHANGED = "CAST(replace(CAST(payload AS TEXT), ':4}', ':5}') AS BLOB)"


def open_log(path, key=KEY, **options):
    return SqliteLog(path, key, kinds=CONTRACT_KINDS, **options)


def read_log(path, trusted=(KEY.did,)):
    return SqliteReader(path, trusted=trusted, kinds=CONTRACT_KINDS)


def contents(folder):
    """Everything in a folder: names, bytes and times of change. The lock is no part of a journal."""
    return {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.iterdir()
        if not path.name.endswith(".lock")
    }


def edit(path, *statements):
    """Change a journal behind its back."""
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(*statement) if isinstance(statement, tuple) else connection.execute(statement)
    connection.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A closed journal of eight records by two authors in turn, in two groups."""
    path = tmp_path_factory.mktemp("template") / "journal.db"
    first, second = make_author("first"), make_author("second")
    with open_log(path) as log:
        for start in (0, 4):
            group = [author.write(KIND, {"value": start}) for author in (first, second) * 2]
            log.append(group, expected=start)
    return path


@pytest.fixture
def journal(template, tmp_path):
    """A copy of the template that a test may break."""
    folder = tmp_path / "copy"
    shutil.copytree(template.parent, folder)
    return folder / template.name


def refuse(path, error, sequence=None):
    """See that neither way of opening accepts the journal, and that neither changes anything."""
    before = contents(path.parent)
    for opening in (open_log, read_log):
        with pytest.raises(error) as caught:
            opening(path)
        assert contents(path.parent) == before
        if error is JournalCorruptError:
            assert caught.value.sequence == sequence
    return str(caught.value)


class TestOpening:
    """What an intact journal gives back."""

    def test_everything_is_there_after_reopening(self, journal):
        """Head, records and chains of a reopened journal are those that were acknowledged."""
        reader = read_log(journal)
        with open_log(journal) as log:
            assert log.head() == reader.head()
            assert log.head().size == len(list(log.read())) == 8
            author = make_author("first")
            author.resume(log.tip(author.did))
            log.append(write(author, 1), expected=8)
            assert log.statistics() == SqliteStatistics(9, 1, 1, 0)
        assert [entry.seq for entry in read_log(journal).read(7)] == [7, 8]

    def test_reading_leaves_nothing_behind(self, journal):
        """Opening, reading and auditing a closed journal add no file and change none."""
        before = contents(journal.parent)
        assert len(list(read_log(journal).read())) == 8
        assert audit_file(journal, kinds=CONTRACT_KINDS).ok
        assert contents(journal.parent) == before

    def test_a_reader_beside_a_writer_sees_one_moment(self, journal):
        """A reader opened while the journal is held sees what was acknowledged then, also while more is appended."""
        author = make_author("third")
        with open_log(journal) as log:
            reader = read_log(journal)
            entries = reader.read()
            next(entries)
            log.append(write(author, 3), expected=8)
            assert len(list(entries)) == 7
            assert len(list(reader.read())) == reader.head().size == 8
            assert read_log(journal).head() == log.head()
            assert audit_file(journal, kinds=CONTRACT_KINDS).records == 11

    def test_a_copy_opened_by_another_key_is_audited_and_accepted(self, journal):
        """A head signed by somebody else's key vouches for nothing, so each signature is verified; good ones pass."""
        with open_log(journal, Key.derive(b"test", "other node")) as log:
            log.append(write(make_author("third"), 1), expected=8)
        assert len(audit_file(journal, kinds=CONTRACT_KINDS).signers) == 2
        assert read_log(journal, trusted=()).head().size == 9

    def test_the_view_shows_what_the_bytes_say(self, journal):
        """Anybody with the sqlite3 program sees author, number, time, kind and body."""
        connection = sqlite3.connect(journal)
        rows = connection.execute("SELECT seq, author, n, kind, body FROM event WHERE seq = 5").fetchall()
        connection.close()
        assert rows == [(5, make_author("second").did, 2, KIND, '{"value":4}')]

    def test_the_signed_head_covers_the_log(self, journal):
        """The head is signed by the journal's key over size and root."""
        with open_log(journal) as log:
            signed = log.signed_head()
            assert signed.is_signed()
            assert (signed.size, signed.root.hex(), signed.author) == (8, log.head().root, KEY.did)
        assert read_log(journal).signed_head() == signed

    def test_a_creation_that_was_killed_is_begun_again(self, journal, tmp_path):
        """Whatever a killed creation left, a new journal starts empty."""
        path = tmp_path / "fresh" / "new.db"
        path.parent.mkdir()
        for suffix in ("", "-wal", "-shm"):
            shutil.copy(journal, schema.sibling(path, ".new" + suffix))
        with open_log(path) as log:
            assert log.head().size == 0
        assert sorted(contents(path.parent)) == ["new.db", "new.db.head"]

    def test_every_commit_is_synced(self, journal):
        """The writer's connection syncs its write-ahead log at each commit (a power cut cannot be tried here)."""
        with open_log(journal) as log:
            assert log._connection.execute("PRAGMA synchronous").fetchone() == (2,)
            assert log._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    def test_a_closed_log_takes_nothing(self, journal):
        """After `close` an append is an error; closing again is none."""
        log = open_log(journal)
        log.close()
        log.close()
        with pytest.raises(JournalError, match="closed"):
            log.append([], expected=8)

    def test_there_is_nothing_to_read_where_there_is_no_journal(self, tmp_path):
        """A reader does not make a journal."""
        with pytest.raises(JournalError, match="no journal"):
            read_log(tmp_path / "none.db")
        assert list(tmp_path.iterdir()) == []

    def test_a_place_that_cannot_be_written_is_named(self, tmp_path):
        """Where the folder is missing, the error is ours and names the path."""
        with pytest.raises(JournalError, match="missing"):
            open_log(tmp_path / "missing" / "journal.db")


class TestLock:
    """One writer at a time."""

    def test_a_second_log_is_refused_and_the_first_goes_on(self, journal):
        """The second opener learns who holds the journal."""
        with open_log(journal) as log:
            with pytest.raises(JournalBusyError, match=f"process {os.getpid()} "):
                open_log(journal)
            log.append(write(make_author("third"), 1), expected=8)
        open_log(journal).close()

    def test_another_process_is_refused(self, journal):
        """The lock holds between processes, and dies with its holder."""
        script = (
            "import sys, pathlib; from colony.journal.sqlite import SqliteLog; from colony.primitives.keys import Key\n"
            "log = SqliteLog(pathlib.Path(sys.argv[1]), Key.derive(b'test', 'node'))\n"
            "print('held', flush=True); sys.stdin.read()"
        )
        command = [sys.executable, "-c", script, str(journal)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout.readline() == b"held\n"
            with pytest.raises(JournalBusyError, match=f"process {child.pid} "):
                open_log(journal)
            child.kill()
        open_log(journal).close()

    def test_a_refused_opening_gives_the_lock_back(self, journal):
        """After a corrupt journal was refused and restored, it can be opened in the same process."""
        good = journal.read_bytes()
        edit(journal, "DELETE FROM record WHERE seq = 3")
        with pytest.raises(JournalCorruptError):
            open_log(journal)
        journal.write_bytes(good)
        open_log(journal).close()


class TestRefusal:
    """Journals that are not opened, and not touched."""

    def test_a_newer_version(self, journal):
        """A journal of a newer format is left as it is, byte for byte, with nothing beside it."""
        edit(journal, f"PRAGMA user_version = {schema.VERSION + 1}")
        assert "newer Colony" in refuse(journal, JournalVersionError)

    @pytest.mark.parametrize(
        "content", [b"", b"not a database, but a letter\n" * 100, b"SQLite format 3\0", bytes(65_536)]
    )
    def test_what_is_no_database(self, journal, content):
        """An empty file, a text, a bare header and zeros are no journals."""
        journal.write_bytes(content)
        refuse(journal, JournalCorruptError)

    def test_a_database_of_somebody_else(self, tmp_path):
        """A database of another program is not taken for a journal."""
        edit(tmp_path / "other.db", "CREATE TABLE t (x)")
        assert "not a journal" in refuse(tmp_path / "other.db", JournalCorruptError)

    @pytest.mark.parametrize(
        ("statements", "sequence"),
        [
            ([f"UPDATE record SET payload = {CHANGED} WHERE seq = 5"], 5),
            (["UPDATE record SET payload = x'7b7d' WHERE seq = 2"], 2),
            (["UPDATE record SET signature = zeroblob(64) WHERE seq = 6"], 6),
            (["UPDATE record SET id = zeroblob(32) WHERE seq = 7"], 7),
            (["DELETE FROM record WHERE seq = 5"], 5),
            (["DELETE FROM record WHERE seq = 7"], 7),
            (["DELETE FROM record"], 0),
            (["UPDATE record SET seq = -1 WHERE seq = 4", "UPDATE record SET seq = 4 WHERE seq = 5",
              "UPDATE record SET seq = 5 WHERE seq = -1"], 4),
            (["UPDATE record SET seq = 9 WHERE seq = 7"], 7),
            (["DELETE FROM head WHERE size = 8"], 4),
            (["DELETE FROM head"], 0),
            (["UPDATE head SET root = zeroblob(32) WHERE size = 8"], None),
            (["UPDATE head SET size = 9 WHERE size = 8"], None),
            (["DROP TABLE record"], 0),
        ],
    )  # fmt: skip
    def test_tampered_rows(self, journal, statements, sequence):
        """Changed, missing, moved and swapped records and heads are found, and the first at fault is named.

        The witness is away, so that the signed head alone must find them.
        """
        schema.sibling(journal, ".head").unlink()
        edit(journal, *statements)
        refuse(journal, JournalCorruptError, sequence)

    def test_a_record_added_behind_the_back(self, journal):
        """A record that fits its chain and is well signed, but was never acknowledged here, is found."""
        author = make_author("third")
        (extra,) = write(author, 1)
        values = (8, bytes.fromhex(extra.id), extra.payload, extra.signature)
        edit(journal, ("INSERT INTO record VALUES (?, ?, ?, ?)", values))
        refuse(journal, JournalCorruptError, 8)

    def test_a_forger_with_a_key_of_his_own(self, journal):
        """Who rewrites a record, its hash, the heads and the witness, but lacks the author's key, is found by audit."""
        entries = list(read_log(journal).read())
        forged = changed(entries[7], "forger", body={"value": 99})
        entries[7] = msgspec.structs.replace(entries[7], payload=forged.payload, signature=forged.signature)
        edit(
            journal,
            ("UPDATE record SET id = ?, payload = ?, signature = ? WHERE seq = 7",
             (bytes.fromhex(forged.id), forged.payload, forged.signature)),
        )  # fmt: skip
        forger = Key.derive(b"contract", "forger")
        tree = schema_tree(entries)
        for size in (4, 8):
            head = SignedHead.sign(forger, size=size, root=tree.root(size))
            values = (head.root, head.author, head.signature, size)
            edit(journal, ("UPDATE head SET root = ?, author = ?, signature = ? WHERE size = ?", values))
        schema.sibling(journal, ".head").unlink()
        assert "signature" in refuse(journal, JournalCorruptError, 7)

    @pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.999])
    def test_a_truncated_file(self, journal, share):
        """A file cut anywhere is refused."""
        size = int(journal.stat().st_size * share)
        os.truncate(journal, size)
        before = contents(journal.parent)
        for opening in (open_log, read_log):
            with pytest.raises(JournalCorruptError):
                opening(journal)
        assert contents(journal.parent) == before

    @given(st.data())
    @settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_any_flipped_bit_of_the_file_is_refused_or_harmless(self, template, tmp_path, data):
        """One flipped bit anywhere in the file: refused and untouched, or everything reads as it was."""
        good = template.read_bytes()
        bit = data.draw(st.integers(0, 8 * len(good) - 1))
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        path = tmp_path / "journal.db"
        path.write_bytes(bad)
        shutil.copy(schema.sibling(template, ".head"), schema.sibling(path, ".head"))
        try:
            entries = list(read_log(path).read())
        except JournalError:
            pass
        else:
            assert entries == list(read_log(template).read())
        assert path.read_bytes() == bad


def schema_tree(entries):
    """The tree over entries."""
    from colony.journal import MerkleTree
    from colony.journal.log import leaf_of

    return MerkleTree(map(leaf_of, entries))


class TestLostTail:
    """What a database forgives and a journal must not: acknowledged records that are gone."""

    @pytest.fixture
    def crashed(self, tmp_path):
        """What a killed writer leaves: the file, its write-ahead log with three groups, the witness."""
        (tmp_path / "live").mkdir()
        with open_log(tmp_path / "live" / "journal.db") as log:
            author = make_author()
            for start in range(0, 12, 4):
                log.append(write(author, 4), expected=start)
            shutil.copytree(tmp_path / "live", tmp_path / "crashed")
        return tmp_path / "crashed" / "journal.db"

    def test_a_crash_loses_nothing(self, crashed):
        """With its write-ahead log the journal holds everything, for readers and for the next writer."""
        assert read_log(crashed).head().size == 12
        with open_log(crashed) as log:
            assert log.head().size == 12

    def test_the_shared_index_may_be_gone(self, crashed):
        """After a power cut the index file is missing, and made again."""
        schema.sibling(crashed, "-shm").unlink()
        with open_log(crashed) as log:
            assert log.head().size == 12

    def test_a_tail_cut_off_with_its_heads(self, journal):
        """A journal cut back to an earlier signed head is intact in itself; the witness knows better."""
        edit(journal, "DELETE FROM record WHERE seq > 3", "DELETE FROM head WHERE size > 4")
        refuse(journal, JournalCorruptError, 4)

    def test_a_deleted_write_ahead_log(self, crashed):
        """SQLite opens such a file without a word; the witness knows that twelve records were acknowledged."""
        schema.sibling(crashed, "-wal").unlink()
        schema.sibling(crashed, "-shm").unlink()
        assert "12" in refuse(crashed, JournalCorruptError, 0)

    def test_a_damaged_write_ahead_log(self, crashed):
        """SQLite silently drops groups from the first bad frame on; the journal is refused, and the log kept."""
        log = schema.sibling(crashed, "-wal")
        data = bytearray(log.read_bytes())
        data[len(data) - 100] ^= 1
        log.write_bytes(data)
        before = (crashed.read_bytes(), log.read_bytes())
        for opening in (open_log, read_log):
            with pytest.raises(JournalCorruptError) as caught:
                opening(crashed)
            assert caught.value.sequence == 8
            assert (crashed.read_bytes(), log.read_bytes()) == before

    def test_a_truncated_write_ahead_log(self, crashed):
        """The same for a log whose end is missing."""
        log = schema.sibling(crashed, "-wal")
        os.truncate(log, log.stat().st_size // 2)
        with pytest.raises(JournalCorruptError):
            open_log(crashed)

    def test_a_journal_that_is_gone(self, journal):
        """Where the witness remembers records, no new journal is made in place of the old one."""
        journal.unlink()
        with pytest.raises(JournalCorruptError, match="8 acknowledged"):
            open_log(journal)
        assert not journal.exists()

    def test_an_orphaned_write_ahead_log(self, crashed):
        """No new journal is made beside another one's write-ahead log."""
        crashed.unlink()
        schema.sibling(crashed, ".head").unlink()
        with pytest.raises(JournalCorruptError, match="gone"):
            open_log(crashed)

    def test_a_witness_that_fell_behind(self, journal, template):
        """An older, an empty, a zeroed and a missing witness are what a power cut may leave: the journal opens."""
        witness = schema.sibling(journal, ".head")
        older = SignedHead.sign(KEY, size=4, root=schema_tree(read_log(template).read(0, 4)).root())
        keeper = Witness(witness)
        keeper.open()
        keeper.write(older)
        keeper.close()
        assert read_log(journal).head().size == 8
        for content in (b"", bytes(512)):
            witness.write_bytes(content)
            assert read_log(journal).head().size == 8
        witness.unlink()
        with open_log(journal) as log:
            log.append(write(make_author("third"), 1), expected=8)
        assert Witness(witness).read().size == 9

    @pytest.mark.parametrize("content", [b"{}", b"garbage", b"[1]" + bytes(9), b'{"size":8}'])
    def test_a_forged_witness(self, journal, content):
        """A witness that is no signed head is refused."""
        schema.sibling(journal, ".head").write_bytes(content)
        assert "no signed head" in refuse(journal, JournalCorruptError)

    def test_a_witness_of_another_history(self, journal):
        """A journal that is intact in itself, but not the one that was acknowledged, is refused."""
        keeper = Witness(schema.sibling(journal, ".head"))
        keeper.open()
        keeper.write(SignedHead.sign(KEY, size=6, root=b"\x01" * 32))
        keeper.close()
        refuse(journal, JournalCorruptError, 0)


class TestFull:
    """A disk without room."""

    def fill(self, log, author):
        """Append large groups until the journal is full."""
        while True:
            group = [author.write(KIND, {"value": 1, "ballast": "x" * 50_000}) for _ in range(3)]
            log.append(group, expected=log.head().size)

    def test_a_full_journal_keeps_what_it_acknowledged(self, tmp_path):
        """The group that did not fit is absent as a whole, reading goes on, and small groups still fit."""
        path, author = tmp_path / "journal.db", make_author()
        with open_log(path, bytes_max=1_000_000) as log:
            with pytest.raises(JournalFullError, match="room"):
                self.fill(log, author)
            head = log.head()
            assert head.size == len(list(log.read())) > 0
            assert head.size % 3 == 0
            author.resume(log.tip(author.did))
            log.append(write(author, 1), expected=head.size)
        with open_log(path) as log:
            author.resume(log.tip(author.did))
            log.append(write(author, 10), expected=head.size + 1)
        assert audit_file(path, kinds=CONTRACT_KINDS).ok
