"""The swarm's own work as tasks of the matrix: a run and its verification, leased and routed like any other.

A run of `colony solve` inside a repository that has a matrix is two tasks: the run itself, and the verification of what
it claims, which waits for it. Each is claimed by the swarm, asks the router who does it (solvers, at tier T0), and ends
with an outcome record. A repository without a matrix is left alone. What this file does not do: run anything.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import structlog

from colony.node.matrix.claiming import worker_of
from colony.node.matrix.routing import attempted, routed
from colony.node.matrix.workspace import Workspace
from colony.primitives.clock import Clock
from colony.primitives.errors import ColonyError, RepositoryError
from colony.routing.fingerprints import fingerprint
from colony.routing.outcomes import Outcome
from colony.routing.router import Route
from colony.tasks.shards.claims import Held
from colony.tasks.shards.git import MATRIX_REF
from colony.tasks.shards.working import Worker
from colony.tasks.state.records import added, linked, released
from colony.tasks.task import Edge, State, Task

T = TypeVar("T")
SWARM: Final = "swarm"
LEASE_SECONDS: Final = 6 * 3600.0
"""Longer than runs usually take; a run that is killed is free for others after that."""


@dataclass(frozen=True, slots=True)
class Step:
    """One task of the swarm's own, claimed and routed."""

    task: str
    kind: str
    held: Held
    route: Route


class OwnWork:
    """A run and its verification in the matrix of one repository."""

    def __init__(self, place: Workspace, run: str, title: str) -> None:
        self.place = place
        self.run = run
        self.verification = f"{run}.verification"
        known = place.state.tasks
        if run in known:  # it is resumed
            again = [known[task] for task in (run, self.verification) if known[task].state is State.FAILED]
            place.write([released(task, "resumed") for task in again])
        else:
            tasks = [
                Task(id=run, title=title, kind="run", labels=("swarm",)),
                Task(id=self.verification, title=f"Verify what {run} claims", kind="verification", labels=("swarm",)),
            ]
            place.write([*added(tasks), *linked([Edge(run, self.verification)])])
        self._worker: Worker = worker_of(place, lease_seconds=LEASE_SECONDS)

    def begin(self, task: str) -> Step:
        """Claim a task, ask the router who does it, and say that work has begun.

        Raises:
            ClaimError: somebody else has it.

        """
        taken = self._worker.claim([task])
        if not taken.held:
            raise RepositoryError(f"{task}: {taken.refused.get(task, 'it was not claimed')}")
        held = self._worker.begin(taken.held[0])
        self.place.refresh()
        route, _ = routed(self.place, task)
        return Step(task, self.place.task(task).kind, held, route)

    def end(self, step: Step, *, seconds: float, success: bool | None, error: str | None = None) -> None:
        """Say how a task ended, with its outcome; without success it is given back as failed."""
        print_of = fingerprint(error) if error else None
        outcome = Outcome(
            task=step.task,
            kind=step.kind,
            agent=step.route.agent,
            model=step.route.model,
            tier=step.route.tier,
            seconds=seconds,
            success=success,
            fingerprint=str(print_of) if print_of else None,
            error=print_of.text if print_of else None,
        )
        self.place.write([attempted(outcome)])
        if success:
            self._worker.finish({step.held: None})
        else:
            self._worker.give_up([step.held], error or "", has_failed=True)
        self.place.refresh()


def own_work(directory: Path, clock: Clock, run: str, title: str) -> OwnWork | None:
    """The run as tasks of the matrix around `directory`; None if there is no repository, or it has no matrix."""
    try:
        place = Workspace(directory, clock, agent=SWARM)
        if not place.git.refs(MATRIX_REF):
            return None
    except RepositoryError:
        return None
    return _told(partial(OwnWork, place, run, title))


@contextmanager
def as_task(work: OwnWork | None, task: str, clock: Clock) -> Iterator[None]:
    """Do something as a task of the matrix: claimed before, and afterwards done, or failed if it raises.

    A matrix that cannot be told, since its remote does not answer, keeps nobody from working.
    """
    step = _told(partial(work.begin, task)) if work else None
    start = clock.monotonic_seconds()
    error = ""
    try:
        yield
    except BaseException as failure:
        error = str(failure)[:200] or type(failure).__name__
        raise
    finally:
        if work and step:
            seconds = clock.monotonic_seconds() - start
            _told(partial(work.end, step, seconds=seconds, success=not error, error=error or None))


def verified(work: OwnWork | None, *, is_verified: bool, reason: str) -> None:
    """Say what became of the verification of a run, which the verifier made on the way."""
    step = _told(partial(work.begin, work.verification)) if work else None
    if work and step:
        _told(partial(work.end, step, seconds=0.0, success=is_verified, error=None if is_verified else reason))


def _told(action: Callable[[], T]) -> T | None:
    """Do something to the matrix; where that fails, say so on standard error and go on without."""
    try:
        return action()
    except ColonyError as error:
        structlog.wrap_logger(structlog.WriteLogger(sys.stderr)).warning("matrix.not_told", error=str(error))
        return None
