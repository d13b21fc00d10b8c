"""Real deaths and real full disks, in child processes."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys

import pytest

from colony.journal import MerkleTree
from colony.journal.log import leaf_of
from colony.journal.sqlite import SqliteLog, SqliteReader, audit_file
from colony.primitives.keys import Key
from colony.testing.log_contract import CONTRACT_KINDS

DEATHS = 12
KEY = Key.derive(b"test", "node")

START = """
import resource, sys, pathlib
from colony.journal import Author, Kind
from colony.journal.sqlite import SqliteLog
from colony.primitives.clock import HybridClock, SystemClock
from colony.primitives.errors import JournalFullError
from colony.primitives.keys import Key

path, file_bytes_max = pathlib.Path(sys.argv[1]), int(sys.argv[2])
if file_bytes_max:
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes_max, file_bytes_max))
key = Key.derive(b"test", "node")
log = SqliteLog(path, key, kinds={"test.happened/1": Kind("Something was tested.", {"value": int})})
author = Author(key.child("author"), HybridClock(SystemClock()))
author.resume(log.tip(author.did))

def append(count, ballast):
    size = log.head().size
    group = [author.write("test.happened/1", {"value": size, "ballast": "x" * ballast}) for _ in range(count)]
    return log.append(group, expected=size)
"""

WRITER = f"""{START}
while True:
    head = append(1 + log.head().size % 7, 2_000)
    print(head.size, head.root, flush=True)
"""

FILLER = f"""{START}
try:
    while True:
        append(3, 20_000)
except JournalFullError:
    pass
head = log.head()
assert len(list(log.read())) == head.size, "reading goes on"
print(head.size, head.root, flush=True)
log.close()
"""


def python(script, *arguments, before=()):
    """Start a script in a process of its own."""
    command = [*before, sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_every_acknowledged_record_survives_kill_9(tmp_path):
    """A writer is killed a dozen times at random instants; each time all that it acknowledged is there, in order."""
    path, moments = tmp_path / "journal.db", random.Random(20_261_120)
    for _ in range(DEATHS):
        with python(WRITER, path, 0) as child:
            acknowledged = [child.stdout.readline() for _ in range(moments.randint(1, 40))]
            child.kill()
            acknowledged += child.stdout.readlines()
        whole = [line.split() for line in acknowledged if line.endswith("\n")]
        tree = MerkleTree(
            leaf_of(entry) for entry in SqliteReader(path, trusted=(KEY.did,), kinds=CONTRACT_KINDS).read()
        )
        for size, root in whole:
            assert tree.root(int(size)).hex() == root
    with SqliteLog(path, KEY, kinds=CONTRACT_KINDS) as log:
        assert log.head().size == tree.size
    assert audit_file(path, kinds=CONTRACT_KINDS).ok


def check_full(path, output):
    """What was acknowledged before the disk was full is there and intact, and nothing else."""
    size, root = output.split()
    head = SqliteReader(path, trusted=(KEY.did,), kinds=CONTRACT_KINDS).head()
    assert (head.size, head.root) == (int(size), root)
    assert head.size > 0
    assert head.size % 3 == 0


def test_a_file_that_may_not_grow(tmp_path):
    """Where the system refuses larger files, the group is absent as a whole and the rest is intact."""
    with python(FILLER, tmp_path / "journal.db", 2_000_000) as child:
        output, _ = child.communicate(timeout=60)
    assert child.returncode == 0
    check_full(tmp_path / "journal.db", output)


@pytest.mark.skipif(not shutil.which("unshare"), reason="needs a mount namespace for a small disk")
def test_a_disk_that_is_full(tmp_path):
    """On a real full disk of two megabytes the same holds."""
    disk, copy = tmp_path / "disk", tmp_path / "copy"
    disk.mkdir()
    copy.mkdir()
    mounted = f'mount -t tmpfs -o size=2m none {disk} || exit 77; "$@" && cp {disk}/journal.db* {copy}'
    before = ["unshare", "--mount", "sh", "-c", mounted, "sh"]
    with python(FILLER, disk / "journal.db", 0, before=before) as child:
        output, _ = child.communicate(timeout=60)
    if child.returncode in {1, 77} and not output:
        pytest.skip("this user may not mount a small disk")
    assert child.returncode == 0
    check_full(copy / "journal.db", output)
