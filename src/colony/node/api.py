"""The library's face: `solve` a problem, `resume` a run, and get a result."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from colony.node.home import Home
from colony.node.matrix.own_work import as_task, own_work, verified
from colony.node.report import result_of, write_report
from colony.node.result import Result
from colony.node.resuming import reopen
from colony.node.settings import AGENTS_DEFAULT, Settings
from colony.node.solving import Observer, Solving, Unwatched, begin, in_own_loop
from colony.primitives.errors import InterruptedRunError, NothingVerifiedError, ProposalsFailedError
from colony.problems.metric import Budget, budget_from
from colony.problems.problem import Problem
from colony.swarm.run import Standing


def solve(  # noqa: PLR0913  # the face of the library: one keyword each
    problem: Problem,
    *,
    budget: str | Budget | None = None,
    seed: int = 0,
    agents: int = AGENTS_DEFAULT,
    workers: int | None = None,
    target: float | str | None = None,
    deterministic: bool = False,
    baseline: bool = True,
    only: Sequence[str] = (),
    accept_weak_evaluator: bool = False,
    allow_unsandboxed: bool = False,
    home: str | Path | None = None,
    resume: str | None = None,
    report: bool = False,
    observer: Observer | None = None,
) -> Result:
    """Let a colony improve a problem, and return what it came to.

    `budget` is text such as "300e" (evaluations), "60s", "2000x,5m"; without one, the problem's own or 60 seconds.
    `best` of the result is None where nothing beat the seed beyond noise. `resume` names an earlier run of a problem
    that was given in Python.

    Raises:
        ColonyError: what stood in the way, each with its next step (see `colony.primitives.errors`).

    """
    settings = Settings(
        seed=seed,
        agents=agents,
        workers=(os.cpu_count() or 1) if workers is None else workers,
        budget=budget_from(budget),
        deterministic=deterministic,
        target=target,
        only=tuple(only),
        baseline=baseline,
        accept_weak_evaluator=accept_weak_evaluator,
        allow_unsandboxed=allow_unsandboxed,
    )
    place = Home(Path(home)) if home is not None else Home.default()
    watcher = observer or Unwatched()
    if resume is not None:
        extra = settings.budget if budget is not None else None
        solving, standing = reopen(place.find_run(resume), place, problem=problem, budget=extra, workers=workers)
        return conclude(solving, watcher, standing, report=report)
    return conclude(begin(problem, settings, place), watcher, report=report)


def conclude(solving: Solving, observer: Observer, standing: Standing | None = None, *, report: bool = True) -> Result:
    """Take an opened run to its end, a resumed one from where it stands, and make its result; always closes it.

    Raises:
        InterruptedRunError: somebody stopped it; everything is kept.
        ProposalsFailedError: every experiment failed.

    """

    async def main() -> tuple[str, float]:
        reason = await solving.execute(observer, standing)
        assert solving.run is not None, "a run that has ended was equipped"
        return reason, solving.wall_seconds()

    clock, run = solving.clock, solving.folder.name
    work = own_work(Path.cwd(), clock, run, f"Improve {solving.problem.name}")
    with as_task(work, run, clock):
        try:
            reason, wall_seconds = _unwrapped(main)
            result = result_of(solving, reason, wall_seconds)
            if report:
                observer.phase("report", solving)
                write_report(solving, result)
        finally:
            solving.close()
        raise_for(result)
    is_verified = result.best is not None and result.best.status == "verified"
    verified(work, is_verified=is_verified, reason=f"nothing verified: {result.reason}")
    return result


def raise_for(result: Result) -> None:
    """Turn an end that is no success into its exception.

    Raises:
        InterruptedRunError, ProposalsFailedError: see the class.

    """
    if result.reason == "interrupted":
        raise InterruptedRunError(
            f"stopped; everything is kept in {result.folder}; go on with: colony resume {result.run}"
        )
    if result.failures and sum(result.failures.values()) >= result.experiments > 0:
        worst = max(result.failures, key=lambda reason: result.failures[reason])
        raise ProposalsFailedError(
            f"{result.problem}: all {result.experiments} experiments failed, most often: {worst}"
        )


def refuse_unverified(result: Result) -> None:
    """For commands: nothing verified is a failure, with its reason.

    Raises:
        NothingVerifiedError: the run has no verified best.

    """
    if result.best is None or result.best.status != "verified":
        why = "nothing beat the seed beyond noise" if result.best is None else "the best could not be verified in time"
        raise NothingVerifiedError(
            f"{result.problem}: {why} in {result.experiments} experiments; give it a larger --budget"
        )


def _unwrapped(main: Any) -> Any:
    """Run the loop; a single exception inside task groups comes out as itself."""
    try:
        return in_own_loop(main)
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None
