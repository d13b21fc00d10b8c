"""The spine: one batch of experiments on its way through the colony.

    observe -> propose -> decide (rules, budget) -> record the decision -> evaluate in the sandbox -> judge -> record
    -> shared memory, archive, claims -> tell the agent

Nothing runs before its decision is durable, and nobody learns of a result before the result is. `turn` is held from a
change of the state to the end of its append, so that the journal has the order in which the state was made. A failed
experiment is data; a failed machine is an exception. This file neither schedules (`run`) nor verifies (`claims`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from colony.agents.proposer import Outcome, Proposer, View
from colony.governance.budget import BudgetAccount
from colony.memory.run_state import Known, RunState
from colony.memory.shared_memory import Emission
from colony.primitives.limits import BATCH_EXPERIMENTS_MAX
from colony.problems.problem import Problem
from colony.problems.proposal import Proposal, experiment_id
from colony.swarm.allocation import Allocator
from colony.swarm.blackboard import Blackboard, board_of
from colony.swarm.diversity import Diversity
from colony.verification.evaluator import Measured

ELITES_MAX = 16


@dataclass(frozen=True, slots=True)
class Experiment:
    """One proposal under its id; `refused` is the reason why it may not run, or ""."""

    id: str
    proposal: Proposal
    refused: str = ""
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What one agent proposed at one time; `grant` is what it was offered, in evaluations."""

    number: int
    agent: str
    grant: int
    proposals_max: int
    experiments: tuple[Experiment, ...]
    elites: tuple[Any, ...] = field(default=(), repr=False)

    @property
    def admitted(self) -> list[Experiment]:
        """The experiments that may run."""
        return [e for e in self.experiments if not e.refused]

    @property
    def reserved(self) -> tuple[int, int]:
        """Experiments and evaluations that are set aside for it."""
        admitted = self.admitted
        return len(admitted), sum(e.proposal.evaluations for e in admitted)


class Spine:
    """Carries batches through; holds the run's state, agents, allocator, account and blackboard together."""

    def __init__(  # noqa: PLR0913  # the organs of a run; assembled in one place only
        self,
        *,
        run: str,
        problem: Problem,
        state: RunState,
        agents: Mapping[str, Proposer],
        allocator: Allocator,
        account: BudgetAccount,
        blackboard: Blackboard,
        isolation: str,
    ) -> None:
        self.run = run
        self.problem = problem
        self.state = state
        self.agents = agents
        self.allocator = allocator
        self.account = account
        self.blackboard = blackboard
        self.diversity = Diversity()
        self.claim_made = asyncio.Event()
        self.turn = asyncio.Lock()
        self._isolation = isolation

    def diversity_record(self) -> dict[str, float]:
        """How diverse the run has been lately, JSON-able."""
        archive = self.state.archive
        lineages = [archive.lineage(elite) for elite in archive.elites()]
        return {**self.diversity.statistics(lineages, archive.spacing()).as_record(), "niches": len(archive)}

    # -- observe, propose, decide --------------------------------------------------------------------------------

    def view(self, proposals_max: int) -> View:
        """What an agent sees now."""
        return View(
            self.state.archive.elites(ELITES_MAX),
            self.state.evaluations,
            self.account.evaluations_left(),
            proposals_max,
            self.state.archive.visits,
        )

    def propose(self, agent: str, grant: int, proposals_max: int) -> Batch | None:
        """Ask one agent and decide on what it proposes; None where it has nothing to propose now."""
        proposals = self.agents[agent].ask(self.view(proposals_max), grant)
        if not proposals:
            return None
        first = self.state.next_number(agent)
        experiments = [
            self._decide(experiment_id(self.problem.hash, agent, first + i, proposal), proposal)
            for i, proposal in enumerate(proposals[:BATCH_EXPERIMENTS_MAX])
        ]
        batch = Batch(self.state.batches, agent, grant, proposals_max, tuple(experiments))
        self.state.apply("experiment.proposed/1", self._proposed(batch))
        return batch

    def _decide(self, experiment: str, proposal: Proposal) -> Experiment:
        candidate = proposal.candidate
        if candidate is not None:
            if faults := self.problem.faults(candidate):
                return Experiment(experiment, proposal, faults[0])
            known = self.state.known.get(candidate.hash) if proposal.method is None else None
            if known is not None:
                return Experiment(experiment, proposal, f"already evaluated as {known.experiment}", known)
        if not self.account.reserve(experiments=1, evaluations=proposal.evaluations):
            return Experiment(experiment, proposal, "the budget refuses")
        return Experiment(experiment, proposal)

    async def record_decisions(self, units: Sequence[Sequence[Batch]]) -> None:
        """Make proposals and decisions durable; only then may they run. A unit is what travels to a worker together."""
        batches = [batch for unit in units for batch in unit]
        emissions = [Emission("experiment.proposed/1", self._proposed(batch)) for batch in batches]
        decided = {
            "run": self.run,
            "isolation": self._isolation,
            "units": [[batch.number for batch in unit] for unit in units],
            "batches": [
                {
                    "batch": batch.number,
                    "reserved": list(batch.reserved),
                    "refused": {e.id: e.refused for e in batch.experiments if e.refused},
                }
                for batch in batches
            ],
        }
        await self.blackboard.commit([*emissions, Emission("experiment.decided/1", decided)])

    def _proposed(self, batch: Batch) -> dict[str, Any]:
        return {
            "run": self.run,
            "batch": batch.number,
            "agent": batch.agent,
            "grant": batch.grant,
            "proposals_max": batch.proposals_max,
            "experiments": [e.proposal.as_record(e.id) for e in batch.experiments],
        }

    # -- conclude ------------------------------------------------------------------------------------------------

    async def conclude(self, done: Sequence[tuple[Batch, Sequence[Measured]]]) -> None:
        """Record results in one append, publish what they lead to, then tell the agents."""
        async with self.turn:
            parts = [self._evaluated(batch, measured) for batch, measured in done]
            body = {"run": self.run, "isolation": self._isolation, "batches": parts}
            self.fold([batch for batch, _ in done], body)
            await self._publish([Emission("experiment.evaluated/1", body), *self._claim()])
            for batch, measured in done:
                self.agents[batch.agent].tell(outcomes_of(batch, measured))

    async def conclude_verdict(self, verdict: Emission) -> None:
        """Record a verdict; where it refutes, the next best may become a claim."""
        async with self.turn:
            self.state.apply(verdict.kind, verdict.body)
            self.account.spend_check(verdict.body["evaluations"], verdict.body["cpu_seconds"])
            await self._publish([verdict, *self._claim()])

    async def _publish(self, emissions: Sequence[Emission]) -> None:
        """One append, then the board that the state amounts to."""
        await self.blackboard.commit(emissions, board_of(self.state, self.allocator.shares(), ELITES_MAX))

    def _evaluated(self, batch: Batch, measured: Sequence[Measured]) -> dict[str, Any]:
        results = [result_record(e, m) for e, m in zip(batch.admitted, measured, strict=True)]
        return {
            "batch": batch.number,
            "agent": batch.agent,
            "results": results,
            "evaluations": sum(m.evaluations for m in measured),
            "wall_seconds": round(sum(m.wall_seconds for m in measured), 6),
            "cpu_seconds": round(sum(m.cpu_seconds for m in measured), 6),
        }

    def fold(self, batches: Sequence[Batch], body: Mapping[str, Any]) -> None:
        """Bring state, account, allocator and diversity up to date with the results of some batches."""
        for batch, part in zip(batches, body["batches"], strict=True):
            before = self._top_value()
            self.state.apply_results(part)
            self.account.settle(
                reserved=batch.reserved, evaluations=part["evaluations"], cpu_seconds=part["cpu_seconds"]
            )
            self.allocator.observe(
                batch.agent,
                evaluations=max(1, part["evaluations"]),
                seconds=part["wall_seconds"],
                gain=self._gain(before, self._top_value()),
            )
            self.diversity.observe(batch.agent, [e.proposal.operator for e in batch.admitted])

    def _top_value(self) -> float | None:
        """The best value seen so far, claimed or not."""
        progress = self.state.progress
        return progress[-1][1] if progress else self.state.seed_value

    def _gain(self, before: float | None, after: float | None) -> float:
        """What a batch gained as a share of everything gained so far, which is free of scale; 1 for the first."""
        if after is None or after == before:
            return 0.0
        seed = self.state.seed_value
        first = seed if seed is not None else self.state.progress[0][1]
        if before is None or first == after:
            return 1.0
        return min(1.0, abs(after - before) / abs(after - first))

    def _claim(self) -> list[Emission]:
        """A claim for a new best, if there is one, folded and to be recorded."""
        elites = self.state.archive.elites(1)
        standing = self.state.best
        if not elites:
            return []
        top, metric = elites[0], self.problem.metric
        reference = standing.value if standing is not None else self.state.seed_value
        if reference is not None and not metric.better(top.value, reference):
            return []
        if any(c.experiment == top.experiment for c in self.state.claims):
            return []
        body = {
            "run": self.run,
            "experiment": top.experiment,
            "agent": top.agent,
            "value": top.value,
            "candidate": top.candidate.hash,
            "content": dict(top.candidate.content),
        }
        self.state.apply("candidate.claimed/1", body)
        self.claim_made.set()
        return [Emission("candidate.claimed/1", body)]


def result_record(experiment: Experiment, measured: Measured) -> dict[str, Any]:
    """The JSON-able result of one experiment; what is at its default is left out."""
    evaluation = measured.evaluation
    record: dict[str, Any] = {"id": experiment.id, "status": evaluation.status}
    if evaluation.value is not None:
        record["value"] = evaluation.value
    if evaluation.violation:
        record["violation"] = evaluation.violation
    if measured.evaluations != 1:
        record["evaluations"] = measured.evaluations
    if evaluation.reason:
        record["reason"] = evaluation.reason
    if experiment.proposal.method is not None and measured.candidate is not None:
        record.update(candidate=measured.candidate.hash, content=dict(measured.candidate.content))
    if measured.notes is not None:
        record["notes"] = measured.notes
    return record


def outcomes_of(batch: Batch, measured: Sequence[Measured]) -> list[Outcome]:
    """What the agent is told: one outcome for each of its proposals, refused ones included."""
    answers = iter(measured)
    return [_refused(e) if e.refused else _outcome(e, next(answers)) for e in batch.experiments]


def _outcome(experiment: Experiment, measured: Measured) -> Outcome:
    evaluation = measured.evaluation
    return Outcome(
        experiment.id,
        experiment.proposal,
        evaluation.status,
        evaluation.value,
        measured.candidate,
        evaluation.violation,
        measured.evaluations,
        evaluation.reason,
        measured.notes,
    )


def _refused(experiment: Experiment) -> Outcome:
    proposal, known = experiment.proposal, experiment.known
    if known is None:
        return Outcome(
            experiment.id, proposal, "refused", candidate=proposal.candidate, evaluations=0, reason=experiment.refused
        )
    return Outcome(
        experiment.id,
        proposal,
        known.status,
        known.value,
        proposal.candidate,
        known.violation,
        0,
        experiment.refused,
    )
