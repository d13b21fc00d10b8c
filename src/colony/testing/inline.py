"""Evaluators without a sandbox or a second process, so that a simulation can run a whole colony in milliseconds.

Everything but the isolation is the product's own: the host that counts and judges, the engine's side of an evaluation,
the loop, the journal. What this file does not do: protect anything. It is for problems of the tests' own making.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from colony.primitives.errors import IsolationError
from colony.problems.hosting import ParameterHost
from colony.problems.oracle import Functions
from colony.problems.problem import Problem
from colony.sandbox.protocol import Isolation, Limits, Result, Statistics
from colony.verification.evaluator import ParameterEvaluator

INLINE = Isolation(tier="inline", engine="none: a simulation")


class InlineExecutor:
    """Answers requests in the calling thread; `before` is called first, with each request, and may raise."""

    isolation = INLINE

    def __init__(self, handle: Callable[[Any], Any], before: Callable[[Any], None] | None = None) -> None:
        self._handle = handle
        self._before = before
        self._requests = 0
        self._is_closed = False

    def run(
        self,
        requests: Sequence[Any],
        limits: Limits,
        *,
        parallel: int = 1,  # noqa: ARG002  # one after the other
        seed: int | None = None,
    ) -> list[Result]:
        """One result per request, in order; what the user's code raises is a result."""
        return [result for _, result in self.stream(requests, limits, seed=seed)]

    def stream(
        self,
        requests: Iterable[Any],
        limits: Limits,  # noqa: ARG002  # nothing limits code in our own process
        *,
        parallel: int = 1,  # noqa: ARG002  # one after the other
        seed: int | None = None,  # noqa: ARG002  # the problems of simulations draw nothing
    ) -> Iterator[tuple[int, Result]]:
        """Yield each result with the number of its request.

        Raises:
            IsolationError: it was closed, perhaps by another thread since it began.

        """
        for number, request in enumerate(requests):
            if self._is_closed:
                raise IsolationError("this executor was closed; open another")
            self._requests += 1
            if self._before is not None:
                self._before(request)
            yield number, self._answer(request)

    def _answer(self, request: Any) -> Result:
        try:
            return Result(status="ok", value=self._handle(request))
        except Exception as error:  # noqa: BLE001  # whatever the user's code raises is data
            return Result(status="raised", error=f"{type(error).__name__}: {error}")

    def statistics(self) -> Statistics:
        """Return the counts so far."""
        return Statistics(requests=self._requests, statuses={}, loads=1, forks=0)

    def close(self) -> None:
        """End it after the request that is under way."""
        self._is_closed = True


def inline_evaluator(problem: Problem, before: Callable[[Any], None] | None = None) -> ParameterEvaluator:
    """The engine's own evaluator of a parameter problem given in Python, without a sandbox."""
    assert problem.space is not None, "only parameters are evaluated inline"
    functions = Functions(problem.space, problem.evaluator.functions)
    handle = ParameterHost(problem.space, problem.rules, functions)
    return ParameterEvaluator(problem, InlineExecutor(handle, before))


class InlineWorkshop:
    """As many inline evaluators as a run asks for, and one for the verifier; shaped like the workshop of a node."""

    def __init__(self, problem: Problem, workers: int, before: Callable[[Any], None] | None = None) -> None:
        self._open = partial(inline_evaluator, problem, before)
        self.workers = [self._open() for _ in range(workers)]
        self.verifier = self._open()

    def renew(self) -> list[ParameterEvaluator]:
        """Fresh workers in the place of ended ones."""
        self.workers = [self._open() for _ in self.workers]
        return self.workers

    def close(self) -> None:
        """End every evaluator."""
        for evaluator in (*self.workers, self.verifier):
            evaluator.close()
