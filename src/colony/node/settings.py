"""The settings of a run: one frozen value, checked once."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from colony.primitives.errors import BudgetError, UsageError
from colony.primitives.limits import AGENTS_MAX, WORKERS_MAX
from colony.problems.metric import Budget
from colony.problems.problem import Problem

DEFAULT_BUDGET = Budget(wall_seconds=60.0)
AGENTS_DEFAULT = 8


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a run is to be made. `target` is a value, or "record" for the known record.

    Raises:
        UsageError: a number out of range, or options that contradict each other.

    """

    seed: int = 0
    agents: int = AGENTS_DEFAULT
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    budget: Budget = field(default_factory=Budget)
    deterministic: bool = False
    target: float | str | None = None
    only: tuple[str, ...] = ()
    baseline: bool = True
    accept_weak_evaluator: bool = False
    allow_unsandboxed: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.agents <= AGENTS_MAX:
            raise UsageError(f"--agents: between 1 and {AGENTS_MAX}, not {self.agents}")
        if not 1 <= self.workers <= WORKERS_MAX:
            raise UsageError(f"--workers: between 1 and {WORKERS_MAX}, not {self.workers}")
        if not 0 <= self.seed < 2**53:
            raise UsageError(f"--seed: a whole number from 0 to 2^53 - 1, not {self.seed}")

    def budget_for(self, problem: Problem) -> Budget:
        """The budget of this run: what the user gave, else the problem's own, else 60 seconds.

        Raises:
            UsageError: a deterministic run with a budget that depends on time.
            BudgetError: too small for one cycle.

        """
        budget = problem.budget if self.budget.is_unlimited else self.budget
        if self.deterministic:
            budget = self._without_time(problem, budget)
        elif budget.is_unlimited:
            budget = DEFAULT_BUDGET
        small = [f"{n} = {v:g}" for n, v in budget.as_record().items() if v < _CYCLE[n]]
        if small:
            raise BudgetError(
                f"the budget is too small for one cycle of seed, proposal and verification: {small[0]}; "
                f"give at least {_CYCLE[small[0].split(' ')[0]]:g}, for instance --budget 300e or --budget 60s"
            )
        return budget

    def _without_time(self, problem: Problem, budget: Budget) -> Budget:
        if self.budget.wall_seconds is not None or self.budget.cpu_seconds is not None:
            raise UsageError(
                "--deterministic: a budget in seconds depends on the machine; give evaluations or experiments, "
                "for instance --budget 2000e"
            )
        counted = Budget(budget.experiments, budget.evaluations, money=budget.money)
        if counted.experiments is None and counted.evaluations is None:
            raise UsageError(
                f"--deterministic: {problem.name} has no budget in evaluations; give one, for instance --budget 2000e"
            )
        return counted

    def target_for(self, problem: Problem) -> float | None:
        """The value that ends the run.

        Raises:
            UsageError: "record" where the problem has none, or text that is no number.

        """
        if self.target is None or isinstance(self.target, float | int):
            return self.target
        if self.target == "record":
            if problem.record is None:
                raise UsageError(f"--target record: {problem.name} has no known record; give a number")
            return problem.record.value
        try:
            return float(self.target)
        except ValueError:
            raise UsageError(f"--target: a number or 'record', not {self.target!r}") from None

    def as_record(self) -> dict[str, Any]:
        """What shapes the course of the run, JSON-able."""
        return {
            "agents": self.agents,
            "deterministic": self.deterministic,
            "target": self.target,
            "only": list(self.only),
            "baseline": self.baseline,
            "accept_weak_evaluator": self.accept_weak_evaluator,
            "allow_unsandboxed": self.allow_unsandboxed,
        }


_CYCLE = {"experiments": 1, "evaluations": 20, "wall_seconds": 0.01, "cpu_seconds": 0.01, "money": 0.0}
