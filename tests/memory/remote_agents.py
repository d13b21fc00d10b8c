"""Agents in processes of their own, for the tests of a memory that is shared between processes.

    python remote_agents.py SOCKET ROLE [ARGUMENTS]

Each prints what its test asks for, a line at a time. A role is a function of the memory and of the rest of the line.
"""

import os
import random
import signal
import sys
import threading
from functools import partial
from pathlib import Path

from colony.memory.remote.remote_memory import RemoteMemory
from colony.stm import check

ACCOUNTS = [f"account {number}" for number in range(5)]
START = 100


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def add(variable, t):
    t.write(variable, t.read(variable) + 1)


def count(memory, times):
    """Increment one variable."""
    variable = memory.variable("count", 0)
    for _ in range(int(times)):
        memory.atomically(partial(add, variable), agent=f"process {os.getpid()}")


def move(accounts, chance, t):
    source, target = chance.sample(accounts, 2)
    amount = chance.randint(0, t.read(source))
    t.write(source, t.read(source) - amount)
    t.write(target, t.read(target) + amount)


def transfer(memory, times, seed):
    """Move money; print each acknowledged transfer."""
    accounts = list(memory.variables(dict.fromkeys(ACCOUNTS, START)).values())
    mine, chance = memory.variable(f"transfers {seed}", 0), random.Random(int(seed))
    for number in range(int(times)):
        memory.atomically(lambda t: (move(accounts, chance, t), add(mine, t)), agent=f"teller {seed}")
        say(number + 1)


def audit(memory, times):
    """Print the sum of all accounts, each time as a body sees it, one variable after the other."""
    sums = set()
    for _ in range(int(times)):
        memory.atomically(lambda t: sums.add(sum(t.read(memory.variable(name, START)) for name in ACCOUNTS)))
    say(*sums)


def doctor(memory, name, other, rounds):
    """In each round go off call if the other one is on call: both must never be off."""
    mine, theirs = (memory.variable(each, True) for each in (name, other))
    done, now = memory.variable(f"done {name}", 0), memory.variable("round", 0)
    for number in range(1, int(rounds) + 1):
        memory.atomically(lambda t, number=number: check(t.read(now) == number))
        memory.atomically(lambda t: t.read(theirs) and t.write(mine, False))
        memory.atomically(lambda t, number=number: t.write(done, number))


def follow(memory, name, times):
    """Sleep until the variable has its next number; print each."""
    variable = memory.variable(name, 0)
    for number in range(1, int(times) + 1):
        say(memory.atomically(lambda t, number=number: check(t.read(variable) >= number) or t.read(variable)))


def write(memory, name, value):
    """Write a number, once."""
    memory.atomically(lambda t: t.write(memory.variable(name, 0), int(value)))


def stall(memory, name):
    """Lose until it is one's turn, since somebody else writes in the middle of each run; then wait to be killed."""
    variable = memory.variable(name, 0)

    def body(t):
        t.write(variable, t.read(variable) + 1000)
        if memory.statistics().turns:
            say("turn")
            signal.pause()
        other = threading.Thread(target=memory.atomically, args=(partial(add, variable),))
        other.start()
        other.join()

    memory.atomically(body)


def main():
    path, role, *arguments = sys.argv[1:]
    with RemoteMemory(Path(path)) as memory:
        globals()[role](memory, *arguments)


if __name__ == "__main__":
    main()
