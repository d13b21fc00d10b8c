"""Builds the evaluators of a problem: picks the sandbox its class of work needs and opens one executor per worker.

    parameters under the user's own evaluator   -> warm workers
    native programs                             -> a fork each, scored by another process
    folders in the style of other systems       -> foreign code: evaluator and program together in a fork

It refuses where the machine cannot isolate what is asked; it never steps down by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from colony.problems.problem import Problem
from colony.sandbox import Sandbox, WorkClass, choose
from colony.verification.evaluator import Evaluator, ParameterEvaluator, parameter_host
from colony.verification.programs import ForeignEvaluator, ProgramEvaluator

_FOREIGN = ("openevolve", "shinka")


def work_class(problem: Problem) -> WorkClass:
    """Which class of work the candidates of a problem are."""
    if problem.space is not None:
        return "data"
    return "foreign" if problem.evaluator.style in _FOREIGN else "program"


def opener(problem: Problem, *, allow_unsandboxed: bool = False) -> Callable[[], Evaluator]:
    """A function that opens one more evaluator of the problem.

    Raises:
        IsolationError: the machine cannot isolate this class of work.

    """
    kind = work_class(problem)
    sandbox = choose(kind, allow_unsandboxed=allow_unsandboxed)
    if kind == "data":
        host = parameter_host(problem)
        return lambda: ParameterEvaluator(problem, sandbox.open(host, mode="warm"))
    if kind == "foreign":
        return lambda: ForeignEvaluator.open(problem, sandbox)
    return lambda: ProgramEvaluator.open(problem, sandbox, _scoring_sandbox(allow_unsandboxed=allow_unsandboxed))


def _scoring_sandbox(*, allow_unsandboxed: bool) -> Sandbox:
    return choose("data", allow_unsandboxed=allow_unsandboxed)


class Workshop:
    """The evaluators of one run: workers for the search, and one more, on its own, for the verifier."""

    def __init__(self, problem: Problem, workers: int, *, allow_unsandboxed: bool = False) -> None:
        self._stack = ExitStack()
        try:
            open_one = opener(problem, allow_unsandboxed=allow_unsandboxed)
            self.workers = [self._keep(open_one()) for _ in range(workers)]
            self.verifier = self._keep(open_one())
        except BaseException:
            self._stack.close()
            raise

    def _keep(self, evaluator: Evaluator) -> Evaluator:
        self._stack.callback(evaluator.close)
        return evaluator

    def close(self) -> None:
        """End every evaluator."""
        self._stack.close()
