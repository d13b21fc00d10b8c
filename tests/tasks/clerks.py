"""Clerks write records about tasks for tests: real keys and signatures, a clock that each test sets."""

from __future__ import annotations

from functools import cache

from colony.journal.record import Author
from colony.primitives.clock import HybridClock, ManualClock
from colony.primitives.keys import Key
from colony.tasks.state.matrix_state import MatrixState
from colony.tasks.state.roles import Roles

NOW_MILLISECONDS = 1_800_000_000_000


@cache
def key(name):
    return Key.derive(b"tests of the task matrix".ljust(32), name)


class Clerk:
    """One author; records are written one millisecond after another, from `NOW_MILLISECONDS` on unless told."""

    def __init__(self, name, at_milliseconds=NOW_MILLISECONDS):
        self.clock = ManualClock(at_milliseconds)
        self.author = Author(key(name), HybridClock(self.clock))
        self.did = self.author.did

    def write(self, *drafts):
        """Sign drafts; lists of drafts too, as builders of batches return them."""
        flat = [one for draft in drafts for one in (draft if isinstance(draft, list) else [draft])]
        return [self.author.write(*draft) for draft in flat]

    def at(self, moment_milliseconds):
        """Set the clock; the next record is of this moment or of just after the last one."""
        self.clock.set_wall(NOW_MILLISECONDS + moment_milliseconds)
        return self


def roles_of(**names):
    """The roles of clerks by name: roles_of(hana="human", ada="agent")."""
    return Roles.of({key(name).did: role for name, role in names.items()})


def fold(*batches, roles=None, now_milliseconds=None):
    """The state of lists of records."""
    records = [record for batch in batches for record in batch]
    return MatrixState.of(records, roles=roles, now_milliseconds=now_milliseconds)


def whats(state, task=None):
    """The reports' keys, of one task or of all."""
    return [report.what for report in state.reports if task in (None, report.task)]
