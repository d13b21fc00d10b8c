"""A node to be killed: it serves a journaled memory and counts in it itself.

    python serving_node.py FOLDER SOCKET

It prints `ready` when it serves, and ends when it is killed or its parent is gone.
"""

import sys
import threading
from pathlib import Path

from colony.memory.remote.served_memory import serve
from colony.node.memories import open_memory
from colony.primitives.clock import SystemClock
from colony.primitives.keys import Key

KEY = Key(b"\x07" * 32)


def count(memory):
    own = memory.variable("node", 0)
    while True:
        memory.atomically(lambda t: t.write(own, t.read(own) + 1), agent="node")


def main():
    folder, path = map(Path, sys.argv[1:])
    with open_memory(folder, KEY, SystemClock()) as memory, serve(memory, path):
        threading.Thread(target=count, args=(memory,), daemon=True).start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
