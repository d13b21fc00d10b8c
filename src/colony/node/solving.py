"""A run from its first record to its last: opens what it needs, attacks the evaluator, searches, settles, concludes.

The order is: isolate, record who acts, measure the seed and its noise, attack the evaluator, search, verify, score the
hold-out, measure the baseline, record the end with the state's hash. This is the one place where adapters are built.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import colony
from colony.agents.plain import baselines
from colony.agents.portfolio import portfolio
from colony.agents.proposer import Proposer
from colony.governance.budget import BudgetAccount, Spent
from colony.journal.committer import GroupCommitter
from colony.journal.record import Author
from colony.journal.sqlite import SqliteLog
from colony.memory.archive import archive_settings
from colony.memory.run_state import RunState
from colony.memory.shared_memory import Emission, SharedMemory
from colony.node.home import Home, RunFolder, snapshot_folder
from colony.node.settings import Settings
from colony.node.workshop import Workshop, open_workshop, opener
from colony.primitives.clock import Clock, HybridClock, SystemClock
from colony.primitives.encoding import canonical, sha256
from colony.primitives.errors import ProblemError, WeakEvaluatorError
from colony.primitives.keys import Key
from colony.problems.metric import Budget
from colony.problems.problem import Problem
from colony.swarm.allocation import Allocator, trust_for
from colony.swarm.baseline import STREAMS, Baseline, measure_baseline
from colony.swarm.blackboard import Blackboard
from colony.swarm.claims import Claims
from colony.swarm.experiment import Spine
from colony.swarm.grants import Grants
from colony.swarm.pool import Pool
from colony.swarm.recorder import EVALUATOR, NODE, VERIFIER, Recorder
from colony.swarm.run import Pace, Run, Standing
from colony.swarm.stopping import Stopping
from colony.verification.attacks import AttackReport, attack
from colony.verification.verifier import REEVALUATIONS_MAX, Noise, measure_noise


class Observer(Protocol):
    """Who watches a run: told when a phase begins, and given the run to look at."""

    def phase(self, name: str, run: Solving) -> None:
        """A phase began: attack, search, settle, baseline, report."""
        ...


class Unwatched:
    """Nobody watches."""

    def phase(self, name: str, run: Solving) -> None:
        """Do nothing."""


class Solving:
    """One run in progress. Build it with `begin`; `execute` takes it to its end; always `close` it."""

    def __init__(  # what begin has put together
        self, problem: Problem, settings: Settings, folder: RunFolder, key: Key, clock: Clock, workshop: Workshop
    ) -> None:
        self.problem = problem
        self.settings = settings
        self.folder = folder
        self.clock = clock
        self.workshop = workshop
        self.state = RunState()
        self._key = key
        self._stack = ExitStack()
        self._hybrid = HybridClock(clock)
        self.log = self._stack.enter_context(SqliteLog(folder.journal, key.child(f"{folder.name}/journal")))
        self._committer = GroupCommitter(self.log)
        self._stack.callback(self._committer.close)
        self.agents: dict[str, Proposer] = {}
        self.recorder: Recorder
        self.noise = Noise(())
        self.offers: frozenset[str] = frozenset()
        self.spine: Spine | None = None
        self.run: Run | None = None

    # -- putting together ----------------------------------------------------------------------------------------

    def enlist(self, offers: frozenset[str]) -> None:
        """Make the agents and everybody's keys; each author goes on where the journal has left it.

        `offers` are the optional functions that the problem has, which shape the choice of agents.
        """
        settings, self.offers = self.settings, offers
        made = portfolio(self.problem, settings.agents, settings.seed, offers=offers, only=settings.only)
        self.agents = {agent.name: agent for agent in made}
        authors = {}
        for name in (NODE, EVALUATOR, VERIFIER, *self.agents):
            key = self._key.child(f"{self.folder.name}/{name}")
            authors[name] = Author(key, self._hybrid, self.log.tip(key.did))
        self.recorder = Recorder(authors, self._committer.submit, self.log)

    async def commit(self, kind: str, body: Mapping[str, Any]) -> None:
        """Fold one record and make it durable."""
        full = {"run": self.folder.name, **body}
        self.state.apply(kind, full)
        await asyncio.wrap_future(self.recorder.append([Emission(kind, full)]))

    async def introduce(self) -> None:
        """Record who acts for whom, and what the run is about."""
        delegates = self.recorder.dids()
        statement = sha256(canonical({"run": self.folder.name, "delegates": delegates}))
        await self.commit(
            "identity.delegated/1",
            {"root": self._key.did, "delegates": delegates, "signature": self._key.sign(statement).hex()},
        )
        problem, settings = self.problem, self.settings
        await self.commit(
            "run.started/1",
            {
                "colony": colony.__version__,
                "problem": problem.as_record(),
                "seed": settings.seed,
                "settings": settings.as_record(),
                "budget": settings.budget_for(problem).as_record(),
                "agents": [{"name": a.name, "kind": a.kind, "did": delegates[a.name]} for a in self.agents.values()],
                "archive": archive_settings(problem),
                "offers": sorted(self.offers),
                "isolation": self.workshop.verifier.isolation.as_record(),
            },
        )

    async def examine(self) -> None:
        """Measure the seed and its noise, and attack the evaluator; record both.

        Raises:
            ProblemError: the evaluator fails on the seed and on everything else.
            WeakEvaluatorError: a cheat won, and the user has not said that it may.

        """
        verifier, problem = self.workshop.verifier, self.problem
        budget = self.settings.budget_for(problem)
        most = None if budget.evaluations is None else max(1, budget.evaluations // 4)
        noise = await asyncio.to_thread(measure_noise, verifier, problem.seed, most)
        report = await asyncio.to_thread(attack, verifier, problem, noise.mean)
        self.noise = noise
        if noise.mean is None and not report.anything_scored:
            raise ProblemError(
                f"{problem.name}: the evaluator fails on the seed: {noise.failures[0]}; correct evaluate"
            )
        await self.commit("evaluator.attacked/1", self._examination(noise, report))
        if report.winners and not self.settings.accept_weak_evaluator:
            raise WeakEvaluatorError(
                f"{problem.name}: the evaluator believes a cheat ({report.winners[0]}), so its scores mean nothing;"
                " mend it, or go on all the same with --accept-weak-evaluator"
            )

    def _examination(self, noise: Noise, report: AttackReport) -> dict[str, Any]:
        seed = self.problem.seed
        return {
            "attacks": [a.as_record() for a in report.attacks],
            "winners": report.winners,
            "accepted": self.settings.accept_weak_evaluator,
            "noise": noise.as_record(),
            "evaluations": noise.evaluations + report.evaluations,
            "seed": {"candidate": seed.hash, "content": dict(seed.content), "value": noise.mean},
        }

    def equip(self) -> Run:
        """Put the organs of the search together, in the state that the journal has led to."""
        problem, settings = self.problem, self.settings
        budget = settings.budget_for(problem)
        kept = 0
        if budget.evaluations is not None:
            kept = min(budget.evaluations // 4, 2 * REEVALUATIONS_MAX if self.noise.is_noisy else 2)
        account = BudgetAccount(budget, kept_evaluations=kept)
        account.restore(Spent(self.state.counts["experiments"], self.state.evaluations, self.state.cpu_seconds))
        blackboard = Blackboard(SharedMemory(self.recorder.append))
        self.spine = Spine(
            run=self.folder.name,
            problem=problem,
            state=self.state,
            agents=self.agents,
            allocator=Allocator(
                {a.name: a.kind for a in self.agents.values()},
                use_seconds=not settings.deterministic,
                trust=trust_for(self.offers),
            ),
            account=account,
            blackboard=blackboard,
            isolation=self.workshop.verifier.isolation.grade,
        )
        self.pool = Pool(self.workshop.workers)
        self.claims = Claims(self.spine, self.workshop.verifier, self.noise)
        self.run = Run(
            spine=self.spine,
            pool=self.pool,
            claims=self.claims,
            stopping=Stopping(problem.metric, settings.target_for(problem)),
            grants=Grants(
                agents=len(self.agents),
                deterministic=settings.deterministic,
                first_seconds=self.noise.wall_seconds / self.noise.evaluations if self.noise.evaluations else None,
            ),
            pace=Pace.of(settings.workers, deterministic=settings.deterministic),
            clock=self.clock,
        )
        return self.run

    def extend_budget(self, budget: Budget) -> None:
        """Put what the user gave in the place of the run's own budget, from now on."""
        self.settings = replace(self.settings, budget=budget)
        if self.spine is not None:
            self.spine.account.budget = self.settings.budget_for(self.problem)

    def count_wall_from(self, seconds: float) -> None:
        """Count wall time from what the earlier part of the run has used."""
        if self.run is not None:
            self.run.continue_from(seconds)

    # -- the course of the run -----------------------------------------------------------------------------------

    async def execute(self, observer: Observer, standing: Standing | None = None) -> str:
        """From the first record (or from where a resumed run stands) to the last; returns why it ended."""
        if standing is None:
            self.enlist(await asyncio.to_thread(self.workshop.verifier.offers))
            await self.introduce()
        else:
            await self.commit("run.resumed/1", {"budget": self.settings.budget_for(self.problem).as_record()})
        if not self.state.attack:
            observer.phase("attack", self)
            await self.examine()
        run = self.run or self.equip()
        with _interrupts(run.stop):
            observer.phase("search", self)
            reason = await run.execute(standing)
            if reason == "interrupted":
                return reason
            await self.claims.score_holdout()
            if self.settings.baseline and self.state.counts["experiments"]:
                observer.phase("baseline", self)
                await self._measure_baselines(run)
                if run.is_stopped:
                    return "interrupted"
        await self._finish(reason, run.wall_seconds())
        return reason

    async def _measure_baselines(self, run: Run) -> None:
        """Each plain method alone at the same number of evaluations, for no longer than the search took."""
        evaluations, timed = self.state.counts["evaluations"], not self.settings.deterministic
        seconds = run.wall_seconds()
        if self.pool.is_closed:
            self.pool = Pool(await asyncio.to_thread(self.workshop.renew))
        found: list[Baseline] = []
        for name, make in baselines(self.problem):
            end = self.clock.monotonic_seconds() + seconds
            seeds = range(self.settings.seed + 1, self.settings.seed + 1 + STREAMS)
            agents = [make(f"baseline-{name}-{seed}", self.problem, seed) for seed in seeds]
            late = _deadline(self.clock, end) if timed else _never
            is_over = partial(_any, late, lambda: run.is_stopped)
            found.append(
                await measure_baseline(self.problem, self.pool, name, agents, evaluations, is_over=is_over, timed=timed)
            )
        scored = [b for b in found if b.value is not None]
        if not scored or run.is_stopped:
            return
        best = min(scored, key=lambda b: self.problem.metric.sign * (b.value or 0.0))
        await self.commit("baseline.measured/1", {**best.as_record(), "all": [b.as_record() for b in found]})

    async def _finish(self, reason: str, wall_seconds: float) -> None:
        await self.commit(
            "run.finished/1",
            {
                "reason": reason,
                "state_hash": self.state.state_hash(),
                "wall_seconds": round(wall_seconds, 3),
                "cpu_seconds": round(self.state.cpu_seconds, 3),
                "experiments": self.state.counts["experiments"],
                "evaluations": self.state.evaluations,
            },
        )

    def wall_seconds(self) -> float:
        """How long the run has taken, earlier parts included."""
        return self.run.wall_seconds() if self.run is not None else 0.0

    def diversity(self) -> dict[str, Any]:
        """How diverse the run has been lately; empty before it began."""
        return self.spine.diversity_record() if self.spine is not None else {}

    def picture(self) -> Mapping[str, Any] | None:
        """What the problem draws of the best candidate, where it draws."""
        claim = self.state.verified or self.state.best
        if claim is None or "picture" not in self.workshop.verifier.offers():
            return None
        result = self.workshop.verifier.ask("picture", claim.candidate)
        return result.value if result.status == "ok" else None

    def close(self) -> None:
        """End everything this run has started; the journal stays, unless nothing was ever written to it."""
        if self.run is not None:
            self.claims.close()
            self.pool.close()
        self.workshop.close()
        is_empty = self.log.head().size == 0
        self._stack.close()
        self.folder.discard(is_empty=is_empty)


def begin(problem: Problem, settings: Settings, home: Home, clock: Clock | None = None) -> Solving:
    """Open everything a new run needs; nothing is written before the sandbox stands.

    Raises:
        ColonyError: what stands in the way, each with its next step.

    """
    clock = clock or SystemClock()
    settings.budget_for(problem)
    settings.target_for(problem)
    opener(problem, allow_unsandboxed=settings.allow_unsandboxed)
    key = home.replica_key()
    folder = home.create_run(problem.name, clock)
    with ExitStack() as undo:
        undo.callback(folder.discard)
        if problem.evaluator.folder is not None:
            snapshot_folder(problem.evaluator.folder, folder.problem)
            problem = with_folder(problem, folder)
        workshop = open_workshop(problem, settings)
        undo.callback(workshop.close)
        solving = Solving(problem, settings, folder, key, clock, workshop)
        undo.pop_all()
        return solving


def in_own_loop(main: Callable[[], Any]) -> Any:
    """Run a coroutine function to its end, also where the caller is inside an event loop (a notebook)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(main())
    box: dict[str, Any] = {}

    def target() -> None:
        try:
            box["value"] = asyncio.run(main())
        except BaseException as error:  # noqa: BLE001  # handed over to the caller's thread
            box["error"] = error

    thread = threading.Thread(target=target, name="colony-solve")
    thread.start()
    thread.join()
    if "error" in box:
        raise box["error"]
    return box.get("value")


class _interrupts:  # noqa: N801  # reads as a verb at its one call
    """While entered, Ctrl-C and SIGTERM ask the run to stop instead of killing it."""

    def __init__(self, stop: Callable[[str], None]) -> None:
        self._stop = stop
        self._installed: list[signal.Signals] = []

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError, ValueError):
                loop.add_signal_handler(number, self._stop, "interrupted")
                self._installed.append(number)

    def __exit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for number in self._installed:
            loop.remove_signal_handler(number)


def _deadline(clock: Clock, end: float) -> Callable[[], bool]:
    return lambda: clock.monotonic_seconds() >= end


def _never() -> bool:
    return False


def _any(*conditions: Callable[[], bool]) -> bool:
    return any(condition() for condition in conditions)


def with_folder(problem: Problem, folder: RunFolder) -> Problem:
    """The problem read from its snapshot in the run's folder."""
    return replace(problem, evaluator=replace(problem.evaluator, folder=folder.problem))
