"""One agent at work in a repository: it claims tasks, says what came of them, and mends what a crash left half done.

Each step leaves something that the next command understands, wherever it is cut off:

    claim   the claim's ref, then its record. A ref without a record is ours still; `mend` writes the record.
    finish  the record here, then in one push the records there and the end of the claim. Cut off in between, the
            next `mend` pushes; if the claim is another's by then, the record is withdrawn and nobody ever saw it.

What this file does not do: check a task's commit (commits.py), rank tasks, or decide what an agent may do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple

import msgspec

from colony.primitives.clock import Clock
from colony.primitives.errors import ClaimError
from colony.primitives.keys import Key
from colony.tasks.shards.claims import CLAIMS, Claims, Held, Standing, Taken, Terms, Wanted
from colony.tasks.shards.places import Place
from colony.tasks.shards.shards import Shard, Shards
from colony.tasks.shards.syncing import Exchange, Union
from colony.tasks.state import records
from colony.tasks.state.matrix_state import MatrixState
from colony.tasks.state.records import Draft
from colony.tasks.task import State, Task

Obstacle = Callable[[MatrixState, Task], str | None]
"""Says why a task may not be begun, beyond its own state: what it waits for."""


class Mended(NamedTuple):
    """What was left half done and is done now: claims written down, claims ended, and what was pushed."""

    recorded: list[str]
    released: list[str]
    union: Union


class Worker:
    """What an agent does with the tasks of a repository; `place` is where claims are agreed on and records meet."""

    def __init__(  # noqa: PLR0913  # what the one place that builds it has put together
        self,
        shards: Shards,
        place: Place,
        key: Key,
        clock: Clock,
        *,
        agent: str,
        state: MatrixState | None = None,
        terms: Terms | None = None,
        is_person: bool = False,
    ) -> None:
        self.claims: Final = Claims(shards.git, place, key, clock, agent=agent, terms=terms)
        self.state: Final = MatrixState() if state is None else state
        """The tasks as they were when last looked at."""
        self._shards = shards
        self._exchange = Exchange(shards, place, key.did)
        self._key = key
        self._clock = clock
        self._agent = agent
        self._assigned = State.HUMAN_ASSIGNED if is_person else State.AGENT_ASSIGNED
        self._at_work = State.HUMAN_WORKING if is_person else State.AGENT_EXECUTING
        self._read: dict[str, object] = {}

    def refresh(self) -> MatrixState:
        """Return the state of all records, those at the place too.

        Raises:
            RepositoryError: the place or this repository cannot be read.

        """
        return self.look()[1]

    def look(self) -> tuple[Standing, MatrixState]:
        """Return the claims and the state of one moment.

        Raises:
            RepositoryError: the place or this repository cannot be read.

        """
        refs = self._exchange.look(CLAIMS + "*")
        return self.claims.standing(refs), self._folded(self._shards.latest)

    def claim(
        self, tasks: Sequence[str], *, obstacle: Obstacle = lambda _state, _task: None, is_steal: bool = False
    ) -> Taken:
        """Claim tasks, each for itself, and write that down here; others see the claims at once.

        Raises:
            RepositoryError: the place cannot be read, or does not allow it.

        """
        before = dict(self._folded().tasks)
        taken = self.claims.take(
            tasks, lambda names: self._survey(names, obstacle, is_steal=is_steal), is_steal=is_steal
        )
        self._append(self._claimed(held, before.get(held.claim.task)) for held in taken.held)
        return taken

    def begin(self, held: Held) -> Held:
        """Say that work on a task has begun, after which it is not idle; returns the renewed claim.

        Raises:
            ClaimError: the task is another's by now. RepositoryError: the place cannot be written to.

        """
        renewed = self.claims.renew(held)
        task = self._folded().tasks[held.claim.task]
        self._append([records.stepped(task, self._at_work, lease_expires=renewed.claim.expires)])
        return renewed

    def pause(self, held: Held, question: str = "") -> None:
        """Say that work on a task rests, or waits for the answer to a question; `begin` goes on with it.

        Raises:
            ClaimError: the task is another's by now. RepositoryError: the place cannot be read or written to.

        """
        self.claims.check([held])
        task = self._folded().tasks[held.claim.task]
        state = State.AWAITING_INPUT if question else State.PAUSED
        self._append([records.stepped(task, state, lease_expires=held.claim.expires, reason=question)])

    def finish(self, done: Mapping[Held, str | None]) -> None:
        """Say that tasks are done, each with its commit if it has one; all claims must still stand, or nothing is said.

        Raises:
            ClaimError: a claim is stale; no task counts as done by this. RemoteError: the place does not answer or
                allow it; what was done is kept here, and `mend` will push it.

        """
        tasks = self._folded().tasks
        drafts = [records.done(self._under(held, tasks), commit=commit) for held, commit in done.items()]
        self._conclude(list(done), drafts)

    def give_up(self, held: Iterable[Held], reason: str = "", *, has_failed: bool = False) -> None:
        """Give tasks back to whoever wants them, or say that they could not be done.

        Raises:
            ClaimError: a claim is stale. RemoteError: the place does not answer or allow it; `mend` will push it.

        """
        held, tasks, write = list(held), self._folded().tasks, records.failed if has_failed else records.released
        self._conclude(held, [write(self._under(one, tasks), reason) for one in held])

    def mend(self) -> Mended:
        """Complete what earlier commands of this replica were cut off in, and bring both sides to the same records.

        Raises:
            RepositoryError: the place or this repository cannot be read or written.

        """
        standing, state = self.look()
        ours = [held for held in standing.claims.values() if held.claim.did == self._key.did]
        over = [held for held in ours if _is_over(held, state.tasks.get(held.claim.task))]
        unwritten = [
            held for held in ours if held not in over and held.claim.fence > state.tasks[held.claim.task].fence
        ]
        self._append(self._claimed(held, state.tasks[held.claim.task]) for held in unwritten)
        union = self.publish()
        released = self.claims.release(over)
        return Mended(sorted(held.claim.task for held in unwritten), sorted(released), union)

    def publish(self) -> Union:
        """Put what was written here at the place; returns all that came in and went out until now.

        Raises:
            RemoteError: the place refuses or does not answer; all is kept here.

        """
        self._exchange.publish()
        return self._exchange.union

    def _conclude(self, held: Sequence[Held], drafts: Sequence[Draft]) -> None:
        """Write records down and push them in one step with the end of the claims they are about."""
        self.claims.check(held)
        written = self._shards.append(self._key, _together(drafts))
        if not self._exchange.publish(also=[one.end for one in held]):
            self._shards.withdraw(written)
            raise ClaimError(
                f"a claim on {', '.join(one.claim.task for one in held)} went on meanwhile; nothing was said"
            )
        self._folded(self._shards.latest)

    def _append(self, drafts: Iterable[Draft]) -> None:
        self._shards.append(self._key, _together(drafts))
        self._folded(self._shards.latest)

    def _folded(self, shard: Shard | None = None) -> MatrixState:
        """Return the state after what is new in this repository, or in what was read of it just now."""
        now = self._clock.wall_milliseconds()
        for author, chain in (shard or self._shards.read()).chains.items():
            if self._read.get(author) is not chain:
                self.state.apply(chain.readable, now_milliseconds=now)
                self._read[author] = chain
        return self.state

    def _survey(
        self, names: Sequence[str], obstacle: Obstacle, *, is_steal: bool
    ) -> tuple[Standing, Mapping[str, Wanted | str]]:
        (standing, state), now = self.look(), self._clock.wall_milliseconds()
        found: dict[str, Wanted | str] = {}
        for name in names:
            task = state.tasks.get(name)
            reason = self._reason(task, now, is_steal=is_steal) if task else "there is no such task"
            if task and reason is None:
                reason = obstacle(state, task)
            found[name] = reason or Wanted(name, task.epoch, task.fence, task.scope) if task else reason or ""
        return standing, found

    def _reason(self, task: Task, now_milliseconds: int, *, is_steal: bool) -> str | None:
        """Return why the records do not let an agent claim a task; a claim's ref has its say later."""
        if task.held:
            return "a human holds it"
        is_ours = task.agent == self._agent and task.state in (self._assigned, self._at_work)
        if task.state not in (State.PENDING, State.AGENT_ASSIGNED, State.AGENT_EXECUTING) and not is_ours:
            return f"it is {task.state.name.lower().replace('_', ' ')}"
        terms, end = self.claims.terms, task.lease_expires or 0
        if (
            task.state is State.PENDING
            or task.agent == self._agent
            or now_milliseconds > end + terms.skew_seconds * 1000
        ):
            return None
        idle_since = end - (terms.lease_seconds - terms.idle_seconds) * 1000
        if is_steal and task.state is State.AGENT_ASSIGNED and now_milliseconds > idle_since:
            return None
        return f"{task.agent} has it until {end} ms, fence {task.fence}"

    def _claimed(self, held: Held, before: Task | None) -> Draft:
        claim = held.claim
        task = Task(id=claim.task, title="any", epoch=claim.epoch)
        is_steal = before is not None and before.state is not State.PENDING and before.agent != claim.agent
        state = self._at_work if claim.is_working else self._assigned
        return records.claimed(
            task, agent=claim.agent, state=state, lease_expires=claim.expires, fence=claim.fence, is_steal=is_steal
        )

    def _under(self, held: Held, tasks: Mapping[str, Task]) -> Task:
        """Return a task as its claim has it."""
        claim = held.claim
        task = tasks.get(claim.task)
        if task is None:
            raise ClaimError(f"task {claim.task} was deleted; nothing can be said of it")
        return msgspec.structs.replace(task, epoch=claim.epoch, fence=claim.fence, agent=claim.agent)


def _is_over(held: Held, task: Task | None) -> bool:
    """Tell whether nothing is left to do under a claim."""
    claim = held.claim
    return task is None or task.state is State.DONE or (task.epoch, task.fence) > (claim.epoch, claim.fence)


def _together(drafts: Iterable[Draft]) -> list[Draft]:
    """Return the same with neighbours of one kind in one record."""
    together: list[Draft] = []
    for kind, group in groupby(drafts, key=lambda draft: draft[0]):
        bodies = [body for _, body in group]
        together.append((kind, {name: [item for body in bodies for item in body[name]] for name in bodies[0]}))
    return together
