"""One run: keeps a window of batches under way until something ends it, then settles claims.

A window of units (a few batches that travel to a worker together) is in flight; when some are done they are concluded
and the window is filled again. In a
deterministic run the window, the number concluded at a time and their order are fixed, so that the course of the run
does not depend on how many workers there are or how quick they are. Otherwise batches are concluded as they come.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from colony.memory.run_state import RunState
from colony.primitives.clock import Clock
from colony.swarm.claims import Claims
from colony.swarm.experiment import Batch, Spine
from colony.swarm.grants import GRANT_MIN, Grants
from colony.swarm.pool import Pool
from colony.swarm.stopping import Stopping
from colony.verification.evaluator import Measured

STOP_GRACE_SECONDS = 2.0
UNIT_BATCHES_MAX = 256


@dataclass(frozen=True, slots=True)
class Pace:
    """How many units are in flight, how many are concluded at a time, and whether in fixed order."""

    window: int
    round: int
    deterministic: bool

    @classmethod
    def of(cls, workers: int, *, deterministic: bool) -> Pace:
        """The default pace; a deterministic one does not depend on the number of workers."""
        return (
            cls(4, 2, deterministic=True)
            if deterministic
            else cls(workers + max(1, workers // 2), 1, deterministic=False)
        )


@dataclass(slots=True)
class Unit:
    """A few batches that travel to a worker together, and the task that measures them."""

    batches: Sequence[Batch]
    task: asyncio.Task[list[list[Measured]]]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a stopped run stands: the units that were decided and never evaluated, and the last step it recorded."""

    units: Sequence[Sequence[Batch]] = ()
    step: str = ""


class Run:
    """Runs batches through a spine until `Stopping` says so; `stop` asks it to end from outside."""

    def __init__(  # the organs of a run; assembled in one place only
        self, *, spine: Spine, pool: Pool, claims: Claims, stopping: Stopping, grants: Grants, pace: Pace, clock: Clock
    ) -> None:
        self._spine = spine
        self._pool = pool
        self._claims = claims
        self._stopping = stopping
        self._grants = grants
        self._pace = pace
        self._clock = clock
        self._started = clock.monotonic_seconds()
        self._seconds_before = 0.0
        self._stop_reason: str | None = None
        self._flight: list[Unit] = []
        self._stop_event = asyncio.Event()
        self._is_over = False

    @property
    def state(self) -> RunState:
        """The state that the run has reached."""
        return self._spine.state

    def continue_from(self, wall_seconds: float) -> None:
        """Count wall time from what an earlier part of the run has used."""
        self._seconds_before = wall_seconds

    def wall_seconds(self) -> float:
        """How long the run has been going."""
        return self._seconds_before + self._clock.monotonic_seconds() - self._started

    def stop(self, reason: str) -> None:
        """End the run soon: nothing new is proposed, what is under way gets a moment to finish."""
        self._stop_reason = self._stop_reason or reason
        self._stop_event.set()

    async def execute(self, standing: Standing | None = None) -> str:
        """Run to the end and return the reason; a resumed run takes the step that comes after its last one."""
        self._started = self._clock.monotonic_seconds()
        standing = standing or Standing()
        async with asyncio.TaskGroup() as group:
            verifying = group.create_task(self._verify_continually()) if not self._pace.deterministic else None
            for unit in standing.units:
                self._launch(group, unit)
            if standing.step == "experiment.evaluated/1":
                await self._settle_in_turn()
            reason = await self._turn(group)
            await self._drain(is_interrupted=reason == "interrupted")
            if verifying is not None:
                self._end(verifying, is_interrupted=reason == "interrupted")
        if reason != "interrupted":
            await self._claims.settle_all()
        return reason

    @property
    def is_stopped(self) -> bool:
        """Whether somebody has asked it to stop."""
        return self._stop_reason is not None

    async def _turn(self, group: asyncio.TaskGroup) -> str:
        while True:
            reason = self._stop_reason or self._stopping.reason(self.state, self._spine.account, self.wall_seconds())
            if reason is not None:
                return reason
            async with self._spine.turn:
                units = self._propose()
                if units:
                    await self._spine.record_decisions(units)
            for unit in units:
                self._launch(group, unit)
            if not self._flight:
                return self._nothing_left()
            await self._conclude(await self._some_done())

    def _nothing_left(self) -> str:
        """Why no agent proposes although nothing is under way."""
        if self._spine.account.evaluations_left() == 0 or self._spine.account.experiments_left() == 0:
            return "budget: evaluations" if self._spine.account.evaluations_left() == 0 else "budget: experiments"
        return "agents have nothing left to try"

    def _propose(self) -> list[list[Batch]]:
        """Fill the window with units, until no agent has anything to propose."""
        units: list[list[Batch]] = []
        under_way: Counter[str] = Counter()
        for flight in self._flight:
            for batch in flight.batches:
                under_way[batch.agent] += batch.reserved[1]
        dry: set[str] = set()
        is_thrifty = self._is_thrifty()
        while len(self._flight) + len(units) < (1 if is_thrifty else self._pace.window):
            unit = self._propose_unit(under_way, dry, is_thrifty=is_thrifty)
            if not unit:
                break
            units.append(unit)
        return units

    def _is_thrifty(self) -> bool:
        """Whether evaluations are few and quick: then one batch at a time, so that each builds on all before it."""
        account = self._spine.account
        is_scarce = account.budget.evaluations is not None and not self._pace.deterministic
        return is_scarce and self._grants.is_quick(account.evaluations_left())

    def _propose_unit(self, under_way: Counter[str], dry: set[str], *, is_thrifty: bool) -> list[Batch]:
        """Batches worth about one grant; the allocator chooses who is asked, who has no proposal is passed over.

        A thrifty unit is one batch of what the allocator means its agent to have.
        """
        unit: list[Batch] = []
        spine, account = self._spine, self._spine.account
        offer = self._grants.offer(account.evaluations_left(), account.experiments_left())
        evaluations, proposals = offer.evaluations, offer.proposals
        while len(unit) < (1 if is_thrifty else UNIT_BATCHES_MAX) and min(evaluations, proposals) > 0:
            if 0 in (account.evaluations_left(), account.experiments_left()):
                break
            waiting = spine.agents.keys() - dry
            if not waiting:
                break
            agent = spine.allocator.choose(waiting, under_way=under_way)
            share = spine.allocator.grant(offer.each, agent)
            grant = share if is_thrifty else min(evaluations, max(GRANT_MIN, share))
            batch = spine.propose(agent, grant, self._grants.share(proposals))
            if batch is None:
                dry.add(agent)
                continue
            unit.append(batch)
            used = sum(e.proposal.evaluations for e in batch.experiments)
            under_way[agent] += used
            evaluations -= used
            proposals -= len(batch.experiments)
        return unit

    def _launch(self, group: asyncio.TaskGroup, batches: Sequence[Batch]) -> None:
        self._flight.append(Unit(batches, group.create_task(self._measure(batches))))

    async def _measure(self, batches: Sequence[Batch]) -> list[list[Measured]]:
        """Measure the admitted experiments of all batches in one go, and give each batch its own."""
        counts = [len(batch.admitted) for batch in batches]
        proposals = [e.proposal for batch in batches for e in batch.admitted]
        measured = iter(await self._pool.measure(proposals, self._seconds_max()) if proposals else [])
        return [list(islice(measured, count)) for count in counts]

    def _seconds_max(self) -> float | None:
        """How long one search may take: none may outlive the wall budget; no limit in a deterministic run."""
        if self._pace.deterministic:
            return None
        limit = self._spine.account.budget.wall_seconds
        if limit is None:
            return self._grants.seconds_max
        return max(0.05, min(self._grants.seconds_max, limit - self.wall_seconds()))

    async def _some_done(self) -> list[Unit]:
        """The batches to conclude next: a fixed round in order, or whatever is done; none where the run must end."""
        if self._pace.deterministic:
            await self._wait([f.task for f in self._flight[: self._pace.round]], asyncio.ALL_COMPLETED)
            done = self._flight[: self._pace.round]
            done = done if all(f.task.done() for f in done) else []
        else:
            await self._wait([f.task for f in self._flight], asyncio.FIRST_COMPLETED)
            done = [f for f in self._flight if f.task.done()]
        self._flight = [f for f in self._flight if f not in done]
        return done

    async def _wait(self, tasks: Sequence[asyncio.Task[list[list[Measured]]]], when: str) -> None:
        """Wait for tasks, but no longer than until somebody stops the run or its wall time is up."""
        limit = self._spine.account.budget.wall_seconds
        timeout = None if limit is None else max(0.0, limit - self.wall_seconds())
        stopped = asyncio.ensure_future(self._stop_event.wait())
        joint = asyncio.ensure_future(asyncio.wait(tasks, return_when=when))
        try:
            await asyncio.wait({joint, stopped}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (stopped, joint):
                each.cancel()

    async def _conclude(self, done: Sequence[Unit]) -> None:
        if not done:
            return
        results = [pair for unit in done for pair in zip(unit.batches, unit.task.result(), strict=True)]
        await self._spine.conclude(results)
        for _batch, measured in results:
            self._grants.observe(sum(m.evaluations for m in measured), sum(m.wall_seconds for m in measured))
        await self._settle_in_turn()

    async def _settle_in_turn(self) -> None:
        """In a deterministic run claims are settled between rounds, one at a time."""
        claim = self._claims.affordable() if self._pace.deterministic else None
        if claim is not None:
            await self._claims.settle(claim)

    async def _drain(self, *, is_interrupted: bool) -> None:
        """Give what is under way a moment; conclude what finished, leave the rest decided but open.

        Time decides nothing in a deterministic run: all that is under way counts, or none where somebody stopped it.
        """
        if not self._flight:
            return
        grace: float | None = STOP_GRACE_SECONDS
        if self._pace.deterministic:
            grace = 0.0 if is_interrupted else None
        await asyncio.wait([f.task for f in self._flight], timeout=grace)
        late = [f for f in self._flight if not f.task.done()]
        done = [] if self._pace.deterministic and is_interrupted else [f for f in self._flight if f not in late]
        self._flight = []
        if late:
            for each in late:
                each.task.cancel()
            await asyncio.wait([f.task for f in late])
            await asyncio.to_thread(self._pool.close)
        await self._conclude(done)

    async def _verify_continually(self) -> None:
        """Beside the search: verify the best standing claim whenever there is one."""
        while not self._is_over:
            claim = self._claims.affordable()
            if claim is not None:
                await self._claims.settle(claim)
            else:
                await self._spine.claim_made.wait()
                self._spine.claim_made.clear()

    def _end(self, verifying: asyncio.Task[None], *, is_interrupted: bool) -> None:
        """Let a verification that is under way come to its verdict, so that no evaluation goes unrecorded."""
        self._is_over = True
        self._spine.claim_made.set()
        if is_interrupted:
            verifying.cancel()
