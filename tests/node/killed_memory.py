"""A process to be killed: threads that move money in a journaled memory and print each acknowledged commit.

    python killed_memory.py FOLDER

A line `thread commits` is printed after the commit was acknowledged. It ends when it is killed, or its parent is gone.
"""

import random
import sys
import threading
from functools import partial
from pathlib import Path

from colony.node.memories import open_memory
from colony.primitives.clock import SystemClock
from colony.primitives.keys import Key

KEY = Key(b"\x07" * 32)
THREADS = 6
ACCOUNTS = [f"account {number}" for number in range(4)]
START = 100


def move(memory, chance, mine, t):
    """Move some money and count it: three variables or more in one commit."""
    source, target = (memory.variable(name, START) for name in chance.sample(ACCOUNTS, 2))
    amount = chance.randint(0, t.read(source))
    t.write(source, t.read(source) - amount)
    t.write(target, t.read(target) + amount)
    t.write(mine, t.read(mine) + 1)
    return t.read(mine)


def work(memory, number):
    mine, chance = memory.variable(f"commits {number}", 0), random.Random(number)
    while True:
        count = memory.atomically(partial(move, memory, chance, mine), agent=f"agent {number}")
        sys.stdout.write(f"{number} {count}\n")
        sys.stdout.flush()


def main():
    with open_memory(Path(sys.argv[1]), KEY, SystemClock()) as memory:
        for number in range(THREADS):
            threading.Thread(target=work, args=(memory, number), daemon=True).start()
        sys.stdin.read()


if __name__ == "__main__":
    main()
