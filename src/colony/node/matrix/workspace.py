"""A repository's matrix, opened: read what its records come to, write more, ask what comes next.

The state is folded once and grows with what this process writes. What `task ready` prints is kept beside the records as
a projection (projection.py), so that the next command need not fold again. What this file does not do: decide who may
do what (the fold does), print, or know commands.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from random import Random
from time import sleep
from typing import TYPE_CHECKING, Any

from colony.node.matrix.projection import Row, keep, kept
from colony.node.matrix.settings import MatrixSettings, read_settings
from colony.primitives.clock import Clock
from colony.primitives.errors import UsageError
from colony.tasks.shards.git import MATRIX_REF, Git

if TYPE_CHECKING:  # what only prints a kept projection loads none of this
    from colony.primitives.keys import Key
    from colony.tasks.order.scoring import Ranking
    from colony.tasks.shards.chains import Fault
    from colony.tasks.shards.shards import Shards
    from colony.tasks.state.matrix_state import MatrixState
    from colony.tasks.state.records import Draft
    from colony.tasks.task import Task


class Workspace:
    """The matrix of the repository that `directory` is in, for one actor: its person, or an agent by its name."""

    def __init__(
        self, directory: Path, clock: Clock, *, agent: str | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        """Find the repository.

        Raises:
            RepositoryError: there is none here. UsageError: its settings cannot be read.

        """
        self.environ = os.environ if environ is None else environ
        self.git = Git(directory, self.environ)
        self.clock = clock
        self.agent = agent

    @cached_property
    def shards(self) -> Shards:
        """The records."""
        from colony.tasks.shards.places import backoff  # noqa: PLC0415
        from colony.tasks.shards.shards import Shards  # noqa: PLC0415

        chance = Random(f"{os.getpid()}/{self.clock.monotonic_seconds()}")  # noqa: S311  # only for how long to wait
        return Shards(self.git, self.clock, pause=backoff(chance.random, sleep))

    @cached_property
    def root(self) -> Path | None:
        """The root of the work tree; None in a bare repository."""
        outcome = self.git.attempt("rev-parse", "--show-toplevel")
        return Path(outcome.out.decode().strip()) if not outcome.code else None

    @cached_property
    def settings(self) -> MatrixSettings:
        """What `colony.toml` says."""
        return read_settings(self.root)

    @cached_property
    def person(self) -> Key:
        """The key of this clone on this machine: its person's."""
        from colony.primitives.keys import KeyStore, default_key_directory, machine_id  # noqa: PLC0415

        store = KeyStore(default_key_directory(self.environ))
        return store.replica_key(self.git.shared_folder, machine=machine_id())

    @property
    def key(self) -> Key:
        """The key of the actor: an agent has one of its own, so it cannot pass for the person."""
        return self.person.child(f"agent/{self.agent}") if self.agent else self.person

    @property
    def actor(self) -> str:
        """Who claims: the agent's name, else the name that the settings have for the person."""
        return self.agent or self.settings.names.get(self.person.did) or "person"

    @property
    def now_milliseconds(self) -> int:
        """The wall clock."""
        return self.clock.wall_milliseconds()

    @cached_property
    def state(self) -> MatrixState:
        """What all records come to."""
        from colony.tasks.shards.chains import uncollected  # noqa: PLC0415
        from colony.tasks.state.matrix_state import MatrixState  # noqa: PLC0415

        with uncollected():
            shard = self.shards.read()
            return MatrixState.of(shard.records, roles=self.settings.roles, now_milliseconds=self.now_milliseconds)

    @property
    def faults(self) -> list[Fault]:
        """What was wrong in the files of records, even if it is in quarantine since; the rest is good."""
        self.shards.read()
        return [*self.shards.faults]

    @property
    def ranking(self) -> Ranking:
        """The order of what is to be done, of the state as it is now."""
        from colony.tasks.order.graph import TaskGraph  # noqa: PLC0415
        from colony.tasks.order.scoring import Ranking  # noqa: PLC0415

        return Ranking(TaskGraph(self.state.tasks.values(), sorted(self.state.edges)))

    def task(self, task_id: str) -> Task:
        """A task.

        Raises:
            UsageError: there is none of this id; similar ones are named.

        """
        found = self.state.tasks.get(task_id)
        if found is None:
            near = sorted(name for name in self.state.tasks if name.startswith(task_id[:3]))[:5]
            gone = "it was deleted" if self.state.is_deleted(task_id) else "there is none of this id"
            raise UsageError(f"task {task_id!r}: {gone}{'; did you mean ' + ', '.join(near) if near else ''}")
        return found

    def write(self, drafts: Iterable[Draft]) -> None:
        """Append records by the actor, durable when this returns, and take them into the state.

        Raises:
            RepositoryError: git cannot write.

        """
        self.state.apply(self.shards.append(self.key, drafts), now_milliseconds=self.now_milliseconds)

    def refresh(self) -> None:
        """Take in what others have written meanwhile."""
        self.state.apply(self.shards.read().records, now_milliseconds=self.now_milliseconds)

    def ready(self) -> list[Row]:
        """What may be claimed now, the most urgent first: from the kept projection where it is current."""
        commit = self.git.refs(MATRIX_REF).get(MATRIX_REF)
        rows = kept(self.git.shared_folder, commit, self.settings)
        if rows is None:
            from colony.node.matrix.ordering import rows_of  # noqa: PLC0415

            rows = rows_of(self.ranking)
            keep(self.git.shared_folder, commit, self.settings, rows)
        now = self.now_milliseconds
        return [row for row in rows if row.is_free(now)]

    def may(self, act: Any) -> bool:
        """Whether the actor's role allows something."""
        return self.settings.roles.may(self.key.did, act)
