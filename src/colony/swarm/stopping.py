"""When a run ends, and why, as one pure decision over what is known."""

from __future__ import annotations

from dataclasses import dataclass

from colony.governance.budget import BudgetAccount
from colony.memory.run_state import RunState
from colony.problems.metric import Metric

ALL_FAILED_MIN = 200


@dataclass(frozen=True, slots=True)
class Stopping:
    """`target` is a value that ends the run once a verified best reaches it, in the metric's unit."""

    metric: Metric
    target: float | None = None

    def reason(self, state: RunState, account: BudgetAccount, wall_seconds: float) -> str | None:
        """Why the run should end now, or None."""
        if (budget := account.exhausted(wall_seconds)) is not None:
            return f"budget: {budget.replace('_', ' ')}"
        if self.target is not None and self._reached(state, self.target):
            return "target reached"
        if self.metric.bound is not None and self._reached(state, self.metric.bound):
            return "bound reached"
        counts = state.counts
        if counts["experiments"] >= ALL_FAILED_MIN and counts["failed"] == counts["experiments"]:
            return "every proposal failed"
        return None

    def _reached(self, state: RunState, value: float) -> bool:
        best = state.verified
        if best is None:
            return False
        measured = best.value if best.verified_value is None else best.verified_value
        return not self.metric.better(value, measured)
