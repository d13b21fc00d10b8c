"""A process that claims and finishes the tasks of a remote until all are done; it may kill itself at a call of git.

    python claiming_worker.py FOLDER NAME KILLED_AT

FOLDER is its clone, KILLED_AT the number of the call before which it ends as by `kill -9`, 0 for none.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

from colony.primitives.clock import SystemClock
from colony.primitives.keys import Key
from colony.tasks.shards.claims import Terms
from colony.tasks.shards.git import Git
from colony.tasks.shards.places import Remote, backoff
from colony.tasks.shards.shards import Shards
from colony.tasks.shards.working import Worker
from colony.tasks.task import State


class Mortal(Git):
    """Git, of which one call is the last that this process did not make."""

    calls_left = 0

    def attempt(self, *arguments, **options):
        self.calls_left -= 1
        if self.calls_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().attempt(*arguments, **options)


def worker_at(folder, name, killed_at=0):
    """An agent with the clone in a folder, as each command would make it anew."""
    git = Mortal(Path(folder), {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull})
    git.calls_left = killed_at
    shards = Shards(git, SystemClock(), pause=backoff(random.Random(name).random, time.sleep))
    key = Key.derive(b"a promise, no secret", name)
    return Worker(shards, Remote(git, "origin"), key, SystemClock(), agent=name, terms=Terms(lease_seconds=3600))


def main():
    folder, name, killed_at = sys.argv[1:]
    worker, chance = worker_at(folder, name, int(killed_at)), random.Random(name)
    worker.mend()
    while True:
        standing, state = worker.look()
        ours = [held for held in standing.claims.values() if held.claim.agent == name]
        free = [t.id for t in state.tasks.values() if t.state is State.PENDING and t.id not in standing.claims]
        if ours:
            worker.finish({ours[0]: None})
        elif free:
            worker.claim(chance.sample(free, min(3, len(free))))
        elif all(task.state is State.DONE for task in state.tasks.values()):
            return
        else:
            time.sleep(0.05)


if __name__ == "__main__":
    main()
