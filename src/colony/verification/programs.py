"""The engine's side of program candidates: each runs in a fork of its own, and another process says what it is worth.

`ProgramEvaluator` serves native problems: candidates return outputs, a warm worker that never saw them scores. In
`ForeignEvaluator` the evaluator of another system runs the candidate itself, so both share a fork and the problem's
record says so. Neither believes a score that a candidate wrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from colony.problems.candidate import Candidate
from colony.problems.problem import Problem
from colony.problems.proposal import Proposal
from colony.sandbox.protocol import Executor, Host, Result, Sandbox
from colony.verification.evaluator import Measured, failed, limits_of

PARALLEL = 16


class ProgramEvaluator:
    """Runs candidates in forks and scores their outputs in a warm worker."""

    def __init__(self, problem: Problem, forks: Executor, scorer: Executor) -> None:
        self._problem = problem
        self._forks = forks
        self._scorer = scorer
        self._limits = limits_of(problem)
        self._cases: dict[str, Any] = {}
        self.isolation = forks.isolation

    @classmethod
    def open(cls, problem: Problem, sandbox: Sandbox, scoring: Sandbox) -> ProgramEvaluator:
        """Open both hosts; the one that runs candidates does not see the problem's folder."""
        program, folder = problem.program, problem.evaluator.folder
        assert program is not None
        assert folder is not None
        forks = sandbox.open(
            Host(factory="colony.problems.program_hosting:open_program", argument={"imports": list(program.imports)}),
            mode="fork",
        )
        host = Host(
            factory="colony.problems.program_hosting:open_scorer",
            argument={"folder": str(folder)},
            read_only=(str(folder),),
        )
        return cls(problem, forks, scoring.open(host, mode="warm"))

    def measure(self, proposals: Sequence[Proposal], seconds_max: float | None = None) -> list[Measured]:  # noqa: ARG002  # no searches
        """Run every candidate, then score what came out."""
        candidates = [p.candidate for p in proposals if p.candidate is not None]
        ran = self._run(candidates, "cases")
        scored = iter(self._score([r.value for r in ran if r.status == "ok"], "score"))
        return [
            self._judged(c, r, next(scored)) if r.status == "ok" else failed(c, r)
            for c, r in zip(candidates, ran, strict=True)
        ]

    def ask(self, op: str, candidate: Candidate) -> Result:
        """The raw score on the hold-out cases; there is no other optional function for programs."""
        assert op == "holdout", "native programs offer a hold-out and nothing else"
        ran = self._run([candidate], "holdout_cases")[0]
        return ran if ran.status != "ok" else self._score([ran.value], "holdout")[0]

    def offers(self) -> frozenset[str]:
        """The names of the optional functions that the problem has."""
        result = self._scorer.run([{"op": "has"}], self._limits)[0]
        return frozenset(result.value) if result.status == "ok" else frozenset()

    def close(self) -> None:
        """End both workers."""
        self._forks.close()
        self._scorer.close()

    def _run(self, candidates: Sequence[Candidate], cases: str) -> list[Result]:
        if cases not in self._cases:
            answer = self._scorer.run([{"op": cases}], self._limits)[0]
            if answer.status != "ok":
                return [answer] * len(candidates)
            self._cases[cases] = answer.value
        assert self._problem.program is not None
        entry = self._problem.program.entry
        requests = [{"files": dict(c.content), "entry": entry, "cases": self._cases[cases]} for c in candidates]
        return self._forks.run(requests, self._limits, parallel=PARALLEL, seed=0)

    def _score(self, outputs: Sequence[Any], op: str) -> list[Result]:
        requests = [{"op": op, "outputs": _outputs(each)} for each in outputs]
        return self._scorer.run(requests, self._limits) if requests else []

    def _judged(self, candidate: Candidate, ran: Result, scored: Result) -> Measured:
        if scored.status != "ok":
            return failed(candidate, scored)
        evaluation = self._problem.rules.judge(scored.value)
        wall, cpu = ran.wall_seconds + scored.wall_seconds, ran.cpu_seconds + scored.cpu_seconds
        return Measured(evaluation, candidate, 1, wall, cpu)


def _outputs(answer: Any) -> Any:
    """What a candidate's process sent; it can be anything, and the scorer has to cope with it."""
    return answer.get("outputs") if isinstance(answer, Mapping) else None


class ForeignEvaluator:
    """Runs the evaluator of another system, and the candidate with it, in a fork for each request."""

    def __init__(self, problem: Problem, forks: Executor) -> None:
        self._problem = problem
        self._forks = forks
        self._limits = limits_of(problem)
        self.isolation = forks.isolation

    @classmethod
    def open(cls, problem: Problem, sandbox: Sandbox) -> ForeignEvaluator:
        """Open the host of the problem's style."""
        evaluator = problem.evaluator
        assert evaluator.folder is not None
        host = Host(
            factory=f"colony.problems.foreign_hosting:open_{evaluator.style}",
            argument={"folder": str(evaluator.folder), **evaluator.options},
            read_only=(str(evaluator.folder),),
        )
        return cls(problem, sandbox.open(host, mode="fork"))

    def measure(self, proposals: Sequence[Proposal], seconds_max: float | None = None) -> list[Measured]:  # noqa: ARG002  # no searches
        """Evaluate every candidate in a fork of its own."""
        candidates = [p.candidate for p in proposals if p.candidate is not None]
        requests = [{"files": dict(c.content)} for c in candidates]
        results = self._forks.run(requests, self._limits, parallel=PARALLEL)
        return [self._judged(c, r) for c, r in zip(candidates, results, strict=True)]

    def ask(self, op: str, candidate: Candidate) -> Result:  # noqa: ARG002  # nothing to ask
        """Foreign evaluators offer nothing but scores."""
        return Result(status="raised", error=f"a foreign evaluator has no {op}")

    def offers(self) -> frozenset[str]:
        """Nothing."""
        return frozenset()

    def close(self) -> None:
        """End the worker."""
        self._forks.close()

    def _judged(self, candidate: Candidate, result: Result) -> Measured:
        if result.status != "ok":
            return failed(candidate, result)
        answer = result.value
        notes = {"artifacts": answer["artifacts"]} if answer.get("artifacts") else None
        judged = self._problem.rules.judge(answer)
        return Measured(judged, candidate, 1, result.wall_seconds, result.cpu_seconds, notes)
