"""The plain baseline: one ordinary method alone, without a colony, at the same number of evaluations.

Streams of the same method share nothing but the evaluations; the best of them counts. A run that does not beat this
number has shown nothing, so every report prints it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from colony.agents.proposer import Outcome, Proposer, View
from colony.memory.elite import Elite
from colony.problems.problem import Problem
from colony.problems.proposal import Proposal
from colony.swarm.pool import Pool
from colony.verification.evaluator import Measured

STREAMS = 2
GRANT_MAX = 4_096
PROPOSALS_MAX = 64
BATCH_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Baseline:
    """What one method reached alone; `value` is None where it found nothing feasible."""

    name: str
    value: float | None
    evaluations: int
    cpu_seconds: float

    def as_record(self) -> dict[str, Any]:
        """The JSON-able form."""
        return {
            "name": self.name,
            "value": self.value,
            "evaluations": self.evaluations,
            "cpu_seconds": round(self.cpu_seconds, 6),
        }


class Stream:
    """One agent alone with its share of the evaluations."""

    def __init__(self, problem: Problem, agent: Proposer, evaluations: int) -> None:
        self._metric = problem.metric
        self._agent = agent
        self._left = evaluations
        self.evaluations = 0
        self.cpu_seconds = 0.0
        self.value: float | None = None
        self._elites: tuple[Elite, ...] = ()

    async def run(self, pool: Pool, is_over: Callable[[], bool], seconds_max: float | None) -> None:
        """Ask, measure, tell, until the share is spent, time is over or the agent has nothing left."""
        while self._left > 0 and not is_over():
            grant = min(self._left, GRANT_MAX)
            proposals = self._agent.ask(
                View(self._elites, self.evaluations, self._left, min(grant, PROPOSALS_MAX)), grant
            )
            if not proposals:
                return
            measured = await pool.measure(proposals, seconds_max)
            self._book(proposals, measured)

    def _book(self, proposals: Sequence[Proposal], measured: Sequence[Measured]) -> None:
        outcomes = []
        for index, (proposal, m) in enumerate(zip(proposals, measured, strict=True)):
            self._left -= max(1, m.evaluations)
            self.evaluations += m.evaluations
            self.cpu_seconds += m.cpu_seconds
            e = m.evaluation
            name = f"baseline-{self.evaluations}-{index}"
            if e.status == "ok" and e.value is not None and m.candidate is not None:
                self._note(Elite(name, m.candidate, e.value, self._agent.name))
            outcomes.append(
                Outcome(name, proposal, e.status, e.value, m.candidate, e.violation, m.evaluations, e.reason, m.notes)
            )
        self._agent.tell(outcomes)

    def _note(self, elite: Elite) -> None:
        """Keep the stream's own best, which is all that it may build on."""
        if self.value is None or self._metric.better(elite.value, self.value):
            self.value, self._elites = elite.value, (elite,)


async def measure_baseline(
    problem: Problem,
    pool: Pool,
    name: str,
    agents: Sequence[Proposer],
    evaluations: int,
    *,
    is_over: Callable[[], bool],
    timed: bool,
) -> Baseline:
    """Run `agents` of one kind side by side on `evaluations` in all; `timed` bounds each search in seconds too."""
    share = max(1, evaluations // len(agents))
    streams = [Stream(problem, agent, share) for agent in agents]
    async with asyncio.TaskGroup() as group:
        for stream in streams:
            group.create_task(stream.run(pool, is_over, BATCH_SECONDS if timed else None))
    values = [s.value for s in streams if s.value is not None]
    best = min(values, key=lambda v: problem.metric.sign * v, default=None)
    return Baseline(name, best, sum(s.evaluations for s in streams), sum(s.cpu_seconds for s in streams))
