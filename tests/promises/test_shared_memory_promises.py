"""What shared memory promises, end to end: nothing acknowledged is lost, nothing half done is kept, all of it replays.

Tellers in this process move money in a memory that another process serves and journals; that process is killed.
"""

import random
import subprocess
import sys
import threading
from pathlib import Path

import serving_node
from serving_node import KEY

from colony.journal.sqlite import audit_file
from colony.memory.named_memory import NamedMemory, commits, hash_of, replay
from colony.memory.remote.remote_memory import RemoteMemory
from colony.node.memories import JOURNAL, open_memory, read_memory, read_past
from colony.primitives.clock import SystemClock
from colony.primitives.errors import MemoryGoneError

ACCOUNTS = [f"account {number}" for number in range(4)]
START = 100
TELLERS = 3


class Teller(threading.Thread):
    """Moves money until the node is gone; knows what was acknowledged, and what may have been made besides."""

    def __init__(self, path, number, enough):
        super().__init__(daemon=True)
        self.path, self.number, self.enough = path, number, enough
        self.acknowledged = self.uncertain = 0
        self.start()

    def run(self):
        chance = random.Random(self.number)
        with RemoteMemory(self.path) as memory:
            mine = memory.variable(f"transfers {self.number}", 0)

            def transfer(t):
                source, target = (memory.variable(name, START) for name in chance.sample(ACCOUNTS, 2))
                amount = chance.randint(0, t.read(source))
                t.write(source, t.read(source) - amount)
                t.write(target, t.read(target) + amount)
                t.write(mine, t.read(mine) + 1)
                return t.read(mine)

            try:
                while True:
                    self.acknowledged = memory.atomically(transfer, agent=f"teller {self.number}")
                    self.enough.release()
            except MemoryGoneError as error:
                self.uncertain = int(error.is_outcome_unknown)


def serve_until_killed(folder, path, transfers):
    """Start the node and tellers, and kill the node after so many transfers; return the tellers."""
    command = [sys.executable, str(Path(serving_node.__file__)), str(folder), str(path)]
    enough = threading.Semaphore(0)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdout.readline() == "ready\n"
        tellers = [Teller(path, number, enough) for number in range(TELLERS)]
        for _ in range(transfers):
            assert enough.acquire(timeout=60)
        node.kill()
    for teller in tellers:
        teller.join(60)
        assert not teller.is_alive()
    return tellers


def test_a_node_killed_while_others_commit_keeps_exactly_what_it_acknowledged(tmp_path):
    """After each kill the next node has all acknowledged commits, at most those under way, and all of the money."""
    folder, path = tmp_path / "m", tmp_path / "s" / "s"
    for transfers in (1, 40, 90):
        tellers = serve_until_killed(folder, path, transfers)
        state = read_memory(folder)
        for teller in tellers:
            made = state.get(f"transfers {teller.number}", 0)
            assert teller.acknowledged <= made <= teller.acknowledged + teller.uncertain
        assert sum(state.get(name, START) for name in ACCOUNTS) == START * len(ACCOUNTS)
    told = list(commits(read_past(folder)))
    assert {len(commit.changes) for commit in told if commit.agent != "node"} == {3}
    assert sum(commit.agent != "node" for commit in told) == sum(state[f"transfers {n}"] for n in range(TELLERS))
    assert audit_file(folder / JOURNAL).ok


def test_the_memory_that_is_rebuilt_is_the_memory_that_lived(tmp_path):
    """The hash of the living memory, of its replay, and of the memory that goes on from there are one."""
    with open_memory(tmp_path / "m", KEY, SystemClock()) as living:
        a, b = living.variable("a", 0), living.variable("b", {"best": None})
        for number in range(20):
            living.atomically(lambda t, number=number: t.write(a, t.read(a) + number * 0.1))
        living.atomically(lambda t: t.write(b, {"best": (t.read(a), "x"), "many": [1, 2.0, 1e300]}))
        told = living.state_hash()
    records = list(read_past(tmp_path / "m"))
    assert hash_of(replay(records)) == told
    assert NamedMemory(values=replay(records)).state_hash() == told
    with open_memory(tmp_path / "m", KEY, SystemClock()) as again:
        assert again.state_hash() == told
