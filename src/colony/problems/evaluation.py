"""What an evaluation says: from the raw answer of somebody's evaluator to a value that can be compared, or a reason.

The one place that judges an answer, inside the sandbox and outside alike: a score must be a finite real number, every
declared constraint must be reported and hold within its tolerance (zero by default). It runs no evaluator.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from colony.problems.metric import Metric

Status = Literal["ok", "infeasible", "failed"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One judged answer. `value` is in the metric's unit and present where status is ok or infeasible.

    `amounts` is what each constraint reported, `violations` those above their tolerance.
    """

    status: Status
    value: float | None = None
    violations: Mapping[str, float] = field(default_factory=dict)
    amounts: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def violation(self) -> float:
        """The sum of what the constraints are violated by; 0 where all hold."""
        return sum(self.violations.values())


@dataclass(frozen=True, slots=True)
class Rules:
    """What a judgement needs of a problem: the metric and the tolerance of each constraint."""

    metric: Metric
    tolerances: Mapping[str, float] = field(default_factory=dict)

    def judge(self, answer: Any) -> Evaluation:
        """Judge a raw answer: a number, or a mapping with `value`, `constraints` {name: amount}, `metrics`."""
        if isinstance(answer, Mapping):
            value = answer.get("value")
            reported = answer.get("constraints") or {}
            metrics = answer.get("metrics") or {}
        else:
            value, reported, metrics = answer, {}, {}
        number = _finite(value)
        if number is None:
            return Evaluation("failed", reason=f"the score must be one finite number, not {_short(value)}")
        if not isinstance(reported, Mapping) or not isinstance(metrics, Mapping):
            return Evaluation("failed", reason="constraints and metrics must be mappings from name to number")
        return self._constrained(
            number, reported, {str(k): n for k, v in metrics.items() if (n := _finite(v)) is not None}
        )

    def _constrained(self, value: float, reported: Mapping[str, Any], metrics: Mapping[str, float]) -> Evaluation:
        amounts: dict[str, float] = {}
        for name in self.tolerances:
            if name not in reported:
                return Evaluation("failed", reason=f"constraint {name!r} was not reported by the evaluator")
        for name, raw in reported.items():
            amount = _finite(raw)
            if amount is None:
                return Evaluation("failed", reason=f"constraint {name!r} is {_short(raw)}, not a finite number")
            amounts[str(name)] = amount
        violations = {name: amount for name, amount in amounts.items() if amount > self.tolerances.get(name, 0.0)}
        return Evaluation("infeasible" if violations else "ok", value, violations, amounts, metrics=metrics)


def _finite(value: Any) -> float | None:
    """`value` as a finite float, or None: booleans, text, complex, arrays and NaN are no scores."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
