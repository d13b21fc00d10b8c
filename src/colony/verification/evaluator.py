"""The engine's side of an evaluation: proposals go into a sandbox as requests, answers come back judged.

An `Evaluator` is synchronous and serves one worker; the swarm runs several side by side. It judges every answer with
the problem's rules, whatever the worker says of itself. A failed evaluation is data; only a broken machine raises.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from colony.primitives.encoding import canonical, parse
from colony.problems.candidate import Candidate
from colony.problems.evaluation import Evaluation
from colony.problems.problem import Problem
from colony.problems.proposal import Proposal
from colony.sandbox.protocol import Executor, Host, Isolation, Limits, Result

SEARCH_GRACE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What one proposal came to. `candidate` is what was scored: the point itself, or the best of a search."""

    evaluation: Evaluation
    candidate: Candidate | None
    evaluations: int
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    notes: Any = None


class Evaluator(Protocol):
    """The seam to whatever scores candidates. Obligations: one Measured per proposal, in order; nothing shared."""

    isolation: Isolation

    def measure(self, proposals: Sequence[Proposal], seconds_max: float | None = None) -> list[Measured]:
        """Score proposals; a search ends itself after `seconds_max`.

        Raises:
            IsolationError: the sandbox is gone.

        """
        ...

    def ask(self, op: str, candidate: Candidate) -> Result:
        """The answer of an optional function of the problem: exact, picture, holdout."""
        ...

    def offers(self) -> frozenset[str]:
        """The names of the optional functions that the problem has."""
        ...

    def close(self) -> None:
        """End the worker."""
        ...


def limits_of(problem: Problem) -> Limits:
    """The sandbox limits that a problem asks for."""
    return replace(
        Limits(),
        wall_seconds=problem.timeout_seconds,
        cpu_seconds=problem.timeout_seconds,
        memory_bytes=problem.memory_bytes,
    )


def parameter_host(problem: Problem) -> Host:
    """What a worker loads once to score the parameter candidates of a problem."""
    assert problem.space is not None, "a parameter problem has a space"
    evaluator = problem.evaluator
    argument: dict[str, Any] = {
        "space": problem.space.as_record(),
        "metric": problem.metric.as_record(),
        "tolerances": dict(problem.tolerances),
    }
    if evaluator.folder is not None:
        argument["folder"] = str(evaluator.folder)
    pickled = _by_value(evaluator.functions) if evaluator.style == "function" else None
    return Host(
        factory="colony.problems.hosting:open_parameters",
        argument=argument,
        pickled=pickled,
        read_only=(str(evaluator.folder),) if evaluator.folder is not None else (),
    )


def _by_value(functions: Mapping[str, Any]) -> bytes:
    """The functions with whatever of the user's own modules they use: inside the sandbox these cannot be imported."""
    import cloudpickle  # noqa: PLC0415  # only functions given in Python need it

    own = [module for module in list(sys.modules.values()) if _is_users(module)]
    for module in own:
        cloudpickle.register_pickle_by_value(module)
    try:
        return bytes(cloudpickle.dumps(dict(functions)))
    finally:
        for module in own:
            cloudpickle.unregister_pickle_by_value(module)


def _is_users(module: Any) -> bool:
    """Whether a module is neither Python's, nor installed, nor ours."""
    file, name = getattr(module, "__file__", None), getattr(module, "__name__", "")
    if file is None or name.partition(".")[0] in ("colony", "__main__", "__mp_main__"):
        return False
    return sys.modules.get(name) is module and not any(file.startswith(place) for place in _INSTALLED)


_INSTALLED = {str(Path(place).resolve()) for place in (sys.prefix, sys.base_prefix)} | {sys.prefix, sys.base_prefix}


class ParameterEvaluator:
    """Scores points and runs searches of a parameter problem on one executor.

    With a `seed` the evaluator's global random streams are the same for the same request, whichever worker runs it;
    where `fresh`, each call has other streams, so that a verifier sees the noise that workers do not.
    """

    def __init__(self, problem: Problem, executor: Executor, *, seed: int | None = None, fresh: bool = False) -> None:
        self._problem = problem
        self._executor = executor
        self._seed = seed
        self._fresh = fresh
        self._limits = limits_of(problem)
        self.isolation = executor.isolation

    def measure(self, proposals: Sequence[Proposal], seconds_max: float | None = None) -> list[Measured]:
        """Score proposals in order; consecutive ones of the same sort travel together."""
        requests = [self._request(p, seconds_max) for p in proposals]
        if self._seed is not None:
            requests = [parse(canonical(each)) for each in requests]  # streams hang on how a request is written
        limits = self._limits
        if any(p.method is not None for p in proposals):
            wall = max(limits.wall_seconds, (seconds_max or limits.wall_seconds) + SEARCH_GRACE_SECONDS)
            limits = replace(limits, wall_seconds=wall, cpu_seconds=wall)
        results = self._executor.run(requests, limits, seed=self._next_seed(len(requests)))
        return [self._judged(p, r) for p, r in zip(proposals, results, strict=True)]

    def _next_seed(self, evaluations: int) -> int | None:
        seed = self._seed
        self.skip(evaluations)
        return seed

    def skip(self, evaluations: int) -> None:
        """Draw as if so many evaluations had been made: a resumed run's verifier goes on where it stood."""
        if self._seed is not None and self._fresh:
            self._seed += evaluations

    def ask(self, op: str, candidate: Candidate) -> Result:
        """One answer of an optional function."""
        return self._executor.run([{"op": op, "values": dict(candidate.content)}], self._limits)[0]

    def offers(self) -> frozenset[str]:
        """The names of the optional functions that the problem has."""
        result = self._executor.run([{"op": "has"}], self._limits)[0]
        return frozenset(result.value) if result.status == "ok" else frozenset()

    def raw(self, requests: Sequence[Mapping[str, Any]]) -> list[Result]:
        """Unjudged answers, for attacks on the evaluator."""
        return self._executor.run(list(requests), self._limits, seed=self._next_seed(len(requests)))

    def close(self) -> None:
        """End the worker."""
        self._executor.close()

    def _request(self, proposal: Proposal, seconds_max: float | None) -> dict[str, Any]:
        values = dict(proposal.candidate.content) if proposal.candidate is not None else None
        if proposal.method is None:
            return {"op": "evaluate", "values": values}
        return {
            "op": "search",
            "method": proposal.method,
            "spec": dict(proposal.spec),
            "seed": proposal.seed,
            "values": values,
            "evaluations_max": proposal.evaluations,
            "seconds_max": seconds_max,
        }

    def _judged(self, proposal: Proposal, result: Result) -> Measured:
        if result.status != "ok":
            evaluations = 1 if proposal.method is None else proposal.evaluations
            return failed(proposal.candidate, result, evaluations)
        if proposal.method is None:
            evaluation = self._problem.rules.judge(result.value)
            return Measured(evaluation, proposal.candidate, 1, result.wall_seconds, result.cpu_seconds)
        return self._judged_search(proposal, result)

    def _judged_search(self, proposal: Proposal, result: Result) -> Measured:
        answer = result.value
        evaluations = min(max(int(answer["evaluations"]), 0), proposal.evaluations)
        evaluation, candidate = self._judged_find(answer)
        return Measured(evaluation, candidate, evaluations, result.wall_seconds, result.cpu_seconds, answer["notes"])

    def _judged_find(self, answer: Mapping[str, Any]) -> tuple[Evaluation, Candidate | None]:
        """What a search brought home, judged; no candidate where it found nothing feasible."""
        assert self._problem.space is not None, "searches belong to parameter problems"
        if answer["values"] is None and answer["failure"]:
            return Evaluation("failed", reason=answer["failure"]), None
        if answer["values"] is None:
            return Evaluation("infeasible", reason="the search found no feasible candidate"), None
        if faults := self._problem.space.faults(answer["values"]):
            return Evaluation("failed", reason=faults[0]), None
        evaluation = self._problem.rules.judge({"value": answer["value"], "constraints": answer["constraints"]})
        return evaluation, Candidate.parameters(answer["values"])


def failed(candidate: Candidate | None, result: Result, evaluations: int = 1) -> Measured:
    """A failed evaluation as data: the sandbox's status and the last line of what was raised."""
    last = result.error.strip().splitlines()[-1] if result.error.strip() else ""
    reason = f"{result.status}: {last}" if last else result.status
    return Measured(
        Evaluation("failed", reason=reason[:500]), candidate, evaluations, result.wall_seconds, result.cpu_seconds
    )
