"""Go on with a run that stopped: the same course again from the journal, then further.

Every agent is asked again what it was asked, and told again what it was told, in the journal's order; results come
from the records instead of the sandbox. So agents, archive, allocator and budget stand exactly where they stood. What
was decided but never evaluated is evaluated first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from colony.journal.events import upcast
from colony.journal.sqlite import SqliteReader
from colony.node.home import Home, RunFolder
from colony.node.settings import Settings
from colony.node.solving import Solving, with_folder
from colony.node.workshop import open_workshop
from colony.primitives.clock import Clock, SystemClock, parse_timestamp
from colony.primitives.errors import ColonyError, ProblemError, UsageError
from colony.problems.candidate import Candidate
from colony.problems.evaluation import Evaluation
from colony.problems.foreign import load
from colony.problems.metric import Budget
from colony.problems.problem import Problem
from colony.problems.proposal import Proposal
from colony.swarm.experiment import Batch, Spine, outcomes_of
from colony.swarm.run import Standing
from colony.verification.evaluator import Measured, ParameterEvaluator
from colony.verification.verifier import Noise


def reopen(
    folder: RunFolder,
    home: Home,
    *,
    problem: Problem | None = None,
    budget: Budget | None = None,
    workers: int | None = None,
    clock: Clock | None = None,
) -> tuple[Solving, Standing]:
    """Open a stopped run and lead it to where it stood; returns it with what was decided and is still to be evaluated.

    Raises:
        ProblemError: the problem is not the one the run began with. UsageError: it was given in Python and is missing.
        JournalError: the journal cannot be trusted or is in use.

    """
    clock = clock or SystemClock()
    with ExitStack() as undo:
        started = _started(folder)
        problem = with_folder(load(folder.problem), folder) if folder.problem.is_dir() else problem
        if problem is None:
            raise UsageError(
                f"{folder.name}: its problem was given in Python; resume it there: colony.solve(..., resume=...)"
            )
        if problem.hash != started["problem"]["hash"]:
            raise ProblemError(f"{folder.name}: the problem has changed since the run began; start a new run with it")
        settings = _settings(started, workers)
        workshop = open_workshop(problem, settings)
        undo.callback(workshop.close)
        solving = Solving(problem, settings, folder, home.replica_key(), clock, workshop)
        undo.pop_all()
    undo.callback(solving.close)
    with undo:
        standing = Retracing(solving).lead()
        if budget is not None:
            solving.extend_budget(budget)
        undo.pop_all()
    return solving, standing


def _started(folder: RunFolder) -> Mapping[str, Any]:
    for entry in SqliteReader(folder.journal).read(0, 8):
        if entry.record.kind == "run.started/1":
            return entry.record.body
    raise UsageError(f"{folder.name}: the run stopped before it began; start a new one")


def _settings(started: Mapping[str, Any], workers: int | None) -> Settings:
    kept = dict(started["settings"])
    kept["only"] = tuple(kept["only"])
    if workers is not None:
        kept["workers"] = workers
    return Settings(seed=started["seed"], budget=Budget(**started["budget"]), **kept)


_STEPS = ("experiment.decided/1", "experiment.evaluated/1", "verdict.given/1")


class Retracing:
    """Leads a run's agents and state along its own records."""

    def __init__(self, solving: Solving) -> None:
        self._solving = solving
        self._spine: Spine | None = None
        self._open: dict[int, Batch] = {}
        self._units: list[Sequence[int]] = []
        self._step = ""

    def lead(self) -> Standing:
        """Retrace every record; returns where the run stands.

        Raises:
            ColonyError: an agent proposes something else than it did, so the run cannot be continued faithfully.

        """
        solving = self._solving
        first = last = None
        for entry in solving.log.read():
            kind, body = upcast(entry.record.kind, entry.record.body)
            self._retrace(kind, body)
            first, last = first or entry.record.at, entry.record.at
        if first is not None and last is not None:
            solving.count_wall_from((parse_timestamp(last)[0] - parse_timestamp(first)[0]) / 1000)
        if isinstance(solving.workshop.verifier, ParameterEvaluator):
            solving.workshop.verifier.skip(solving.state.counts["checks"])
        units = [[self._open[number] for number in unit] for unit in self._units if unit[0] in self._open]
        return Standing(units, self._step)

    def _retrace(self, kind: str, body: Mapping[str, Any]) -> None:
        if kind in _STEPS:
            self._step = kind
        match kind:
            case "run.started/1":
                self._solving.enlist(frozenset(body["offers"]))
                self._solving.state.apply(kind, body)
            case "experiment.decided/1":
                self._units += body["units"]
            case "experiment.proposed/1":
                self._ask_again(body)
            case "experiment.evaluated/1":
                self._tell_again(body)
            case "run.resumed/1":
                self._solving.state.apply(kind, body)
                self._solving.extend_budget(Budget(**body["budget"]))
            case "verdict.given/1":
                self._solving.state.apply(kind, body)
                self._spined().account.spend_check(body["evaluations"], body["cpu_seconds"])
            case "evaluator.attacked/1":
                self._solving.state.apply(kind, body)
                noise = body["noise"]
                self._solving.noise = Noise(tuple(noise["values"]), tuple(noise["failures"]))
            case _:
                self._solving.state.apply(kind, body)

    def _spined(self) -> Spine:
        if self._spine is None:
            self._solving.equip()
            self._spine = self._solving.spine
        assert self._spine is not None
        return self._spine

    def _ask_again(self, body: Mapping[str, Any]) -> None:
        batch = self._spined().propose(body["agent"], body["grant"], body["proposals_max"])
        recorded = [e["id"] for e in body["experiments"]]
        if batch is None or [e.id for e in batch.experiments] != recorded:
            raise ColonyError(
                f"{self._solving.folder.name}: {body['agent']} now proposes something else than it did in batch "
                f"{body['batch']} (another version?), so the run cannot go on faithfully; start a new one"
            )
        self._open[batch.number] = batch

    def _tell_again(self, body: Mapping[str, Any]) -> None:
        batches = [self._open.pop(part["batch"]) for part in body["batches"]]
        spine = self._spined()
        spine.fold(batches, body)
        for batch, part in zip(batches, body["batches"], strict=True):
            results = {r["id"]: r for r in part["results"]}
            measured = [measured_from(results[e.id], e.proposal, spine.problem) for e in batch.admitted]
            spine.agents[batch.agent].tell(outcomes_of(batch, measured))


def measured_from(result: Mapping[str, Any], proposal: Proposal, problem: Problem) -> Measured:
    """What was measured, from its record; a search that found nothing has no candidate."""
    candidate = proposal.candidate if proposal.method is None else None
    if "content" in result:
        candidate = Candidate(problem.seed.kind, result["content"])
    violation = {"recorded": result["violation"]} if "violation" in result else {}
    evaluation = Evaluation(result["status"], result.get("value"), violation, reason=result.get("reason", ""))
    return Measured(evaluation, candidate, result.get("evaluations", 1), notes=result.get("notes"))
