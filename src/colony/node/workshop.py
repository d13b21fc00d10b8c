"""Builds the evaluators of a problem: picks the sandbox its class of work needs and opens one executor per worker.

    parameters under the user's own evaluator   -> warm workers
    native programs                             -> a fork each, scored by another process
    folders in the style of other systems       -> foreign code: evaluator and program together in a fork

It refuses where the machine cannot isolate what is asked; it never steps down by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from colony.node.settings import Settings
from colony.problems.problem import Problem
from colony.sandbox import WorkClass, choose
from colony.verification.evaluator import Evaluator, ParameterEvaluator, parameter_host
from colony.verification.programs import ForeignEvaluator, ProgramEvaluator

_FOREIGN = ("openevolve", "shinka")


def work_class(problem: Problem) -> WorkClass:
    """Which class of work the candidates of a problem are."""
    if problem.space is not None:
        return "data"
    return "foreign" if problem.evaluator.style in _FOREIGN else "program"


def opener(
    problem: Problem, *, seed: int | None = None, allow_unsandboxed: bool = False
) -> Callable[[bool], Evaluator]:
    """A function that opens one more evaluator of the problem; its argument says whether it is the verifier's.

    `seed` makes an evaluator that draws random numbers repeatable (see `ParameterEvaluator`).

    Raises:
        IsolationError: the machine cannot isolate this class of work.

    """
    kind = work_class(problem)
    sandbox = choose(kind, allow_unsandboxed=allow_unsandboxed)
    if kind == "data":
        host = parameter_host(problem)
        return lambda verifies: ParameterEvaluator(problem, sandbox.open(host, mode="warm"), seed=seed, fresh=verifies)
    if kind == "foreign":
        return lambda _verifies: ForeignEvaluator.open(problem, sandbox)
    scoring = choose("data", allow_unsandboxed=allow_unsandboxed)
    return lambda _verifies: ProgramEvaluator.open(problem, sandbox, scoring)


class Workshop:
    """The evaluators of one run: workers for the search, and one more, on its own, for the verifier."""

    def __init__(
        self, problem: Problem, workers: int, *, seed: int | None = None, allow_unsandboxed: bool = False
    ) -> None:
        self._stack = ExitStack()
        self._open = opener(problem, seed=seed, allow_unsandboxed=allow_unsandboxed)
        try:
            self.workers = [self._keep(self._open(False)) for _ in range(workers)]  # who it is for
            self.verifier = self._keep(self._open(True))  # who it is for
        except BaseException:
            self._stack.close()
            raise

    def renew(self) -> list[Evaluator]:
        """Fresh workers in the place of ones that were ended in the middle of their work."""
        self.workers = [self._keep(self._open(False)) for _ in self.workers]  # who it is for
        return self.workers

    def _keep(self, evaluator: Evaluator) -> Evaluator:
        self._stack.callback(evaluator.close)
        return evaluator

    def close(self) -> None:
        """End every evaluator."""
        self._stack.close()


def open_workshop(problem: Problem, settings: Settings) -> Workshop:
    """The workshop that a run's settings ask for; a deterministic run seeds its evaluators."""
    seed = settings.seed if settings.deterministic else None
    return Workshop(problem, settings.workers, seed=seed, allow_unsandboxed=settings.allow_unsandboxed)
