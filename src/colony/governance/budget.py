"""The five budgets of a run, enforced: reserved before anything runs, settled after, and failing closed.

A reservation that does not fit is refused, so that no budget is ever overrun by more than the work already under way;
experiments, evaluations and money never overrun at all. Wall time is given from outside. The account is a pure fold:
reserve, settle, reserve, ... gives the same state wherever it is done again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from colony.problems.metric import Budget


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run has used so far."""

    experiments: int = 0
    evaluations: int = 0
    cpu_seconds: float = 0.0
    money: float = 0.0


class BudgetAccount:
    """One run's account. `reserve` before, `settle` after; `exhausted` says which budget binds.

    `kept_evaluations` are set aside until the end, for the last verification; `spend_check` books checks on the way.
    """

    def __init__(self, budget: Budget, *, kept_evaluations: int = 0) -> None:
        self.budget = budget
        self.kept_evaluations = kept_evaluations
        self.spent = Spent()
        self._reserved_experiments = 0
        self._reserved_evaluations = 0
        self._reserved_money = 0.0

    def evaluations_left(self) -> int | None:
        """How many evaluations may still be reserved; None where nothing limits them."""
        if self.budget.evaluations is None:
            return None
        taken = self.spent.evaluations + self._reserved_evaluations + self.kept_evaluations
        return max(0, self.budget.evaluations - taken)

    def experiments_left(self) -> int | None:
        """How many experiments may still be reserved; None where nothing limits them."""
        if self.budget.experiments is None:
            return None
        return max(0, self.budget.experiments - self.spent.experiments - self._reserved_experiments)

    def reserve(self, *, experiments: int, evaluations: int, money: float = 0.0) -> bool:
        """Set aside what a batch may use at most; False, and nothing set aside, where any budget refuses."""
        experiments_left, evaluations_left = self.experiments_left(), self.evaluations_left()
        if experiments_left is not None and experiments > experiments_left:
            return False
        if evaluations_left is not None and evaluations > evaluations_left:
            return False
        if self.budget.money is not None and self.spent.money + self._reserved_money + money > self.budget.money:
            return False
        if self.budget.cpu_seconds is not None and self.spent.cpu_seconds >= self.budget.cpu_seconds:
            return False
        self._reserved_experiments += experiments
        self._reserved_evaluations += evaluations
        self._reserved_money += money
        return True

    def settle(
        self,
        *,
        reserved: tuple[int, int],
        evaluations: int,
        cpu_seconds: float,
        reserved_money: float = 0.0,
        money: float = 0.0,
    ) -> None:
        """Turn a reservation of (experiments, evaluations) into what was really used."""
        self._reserved_experiments -= reserved[0]
        self._reserved_evaluations -= reserved[1]
        self._reserved_money -= reserved_money
        self.spent = Spent(
            self.spent.experiments + reserved[0],
            self.spent.evaluations + evaluations,
            self.spent.cpu_seconds + cpu_seconds,
            self.spent.money + money,
        )

    def restore(self, spent: Spent) -> None:
        """Go on from what an earlier part of the run has used."""
        self.spent = spent

    def spend_check(self, evaluations: int, cpu_seconds: float) -> None:
        """Book what measuring noise or verifying a claim used; it needs no reservation."""
        self.settle(reserved=(0, 0), evaluations=evaluations, cpu_seconds=cpu_seconds)

    def exhausted(self, wall_seconds: float) -> str | None:
        """The name of the budget that is used up, or None while all have something left."""
        spent, budget = self.spent, self.budget
        used = {
            "experiments": spent.experiments,
            "evaluations": spent.evaluations + self.kept_evaluations,
            "wall_seconds": wall_seconds,
            "cpu_seconds": spent.cpu_seconds,
        }
        for name, amount in used.items():
            limit = getattr(budget, name)
            if limit is not None and amount >= limit:
                return name
        if budget.money is not None and spent.money > 0 and spent.money >= budget.money:
            return "money"
        return None

    def statistics(self) -> dict[str, Any]:
        """What is spent and what is limited, JSON-able."""
        return {
            "experiments": self.spent.experiments,
            "evaluations": self.spent.evaluations,
            "cpu_seconds": self.spent.cpu_seconds,
            "money": self.spent.money,
            "budget": self.budget.as_record(),
        }
