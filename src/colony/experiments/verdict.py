"""The verdict on a comparison: whether a swarm is worth it against parallel, task by task.

It is worth it if the median quality is at least a tenth better, or the median time to solution at least three tenths
shorter, and coordination takes less than a fifth of the agents' time (the thresholds are those of the plan). Both
ratios of medians come with an interval; a ratio whose interval holds 1 is no gain, whatever its median is.

What this file does not do: run trials, or write prose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from colony.experiments.comparison import Comparison, Row
from colony.experiments.plan import Basis, Plan
from colony.experiments.statistics import Interval, median_of, ratio_of


@dataclass(frozen=True, slots=True)
class Cell:
    """One configuration at one size on one task: medians over its seeds."""

    configuration: str
    agents: int
    quality: Interval
    seconds_to_solution: Interval
    """Infinite where at least half of the trials solved nothing."""
    solved: float
    """Share of trials that solved the task."""
    evaluations: Interval
    cpu_seconds: Interval
    efficiency: Interval
    """Quality per thousand evaluations."""
    overhead: Interval
    """CPU seconds inside transactions as a share of all agents' wall time."""
    cpu_share: Interval
    """CPU seconds inside transactions as a share of the CPU seconds of the trial."""
    conflicts: Interval
    retries: Interval
    waits: Interval
    duplicates: Interval


@dataclass(frozen=True, slots=True)
class Verdict:
    """Swarm against parallel on one task, at one size."""

    task: str
    basis: Basis
    agents: int
    quality_ratio: Interval
    time_ratio: Interval
    overhead: Interval
    better: bool
    faster: bool
    cheap: bool

    @property
    def worth_it(self) -> bool:
        """The seed's question, answered."""
        return (self.better or self.faster) and self.cheap

    @property
    def answer(self) -> Literal["yes", "no"]:
        """The same in a word."""
        return "yes" if self.worth_it else "no"

    def as_record(self) -> dict[str, Any]:
        """The ratios and what they came to, JSON-able: what is not finite is None."""
        ratios = {"quality_ratio": self.quality_ratio, "time_ratio": self.time_ratio, "overhead": self.overhead}
        judged = {"agents": self.agents, "better": self.better, "faster": self.faster, "cheap": self.cheap}
        return {**{name: interval.as_record() for name, interval in ratios.items()}, **judged}


def cell(comparison: Comparison, task: str, basis: Basis, configuration: str, agents: int) -> Cell | None:
    """The medians of one cell; None where it was not run."""
    rows = comparison.select(task, basis, configuration, agents)
    if not rows:
        return None
    return Cell(
        configuration,
        agents,
        quality=median_of([row["quality"] for row in rows]),
        seconds_to_solution=median_of(_times(rows)),
        solved=sum(row["solved"] for row in rows) / len(rows),
        evaluations=median_of([row["evaluations"] for row in rows]),
        cpu_seconds=median_of([row["cpu_seconds"] for row in rows]),
        efficiency=median_of([1000 * row["quality"] / max(1, row["evaluations"]) for row in rows]),
        overhead=median_of(_overheads(rows)),
        cpu_share=median_of([row["coordination_cpu_seconds"] / max(1e-9, row["cpu_seconds"]) for row in rows]),
        conflicts=median_of([row["conflicts"] for row in rows]),
        retries=median_of([row["retries"] for row in rows]),
        waits=median_of([row["waits"] for row in rows]),
        duplicates=median_of([row["duplicates"] for row in rows]),
    )


def verdict(comparison: Comparison, task: str, basis: Basis, agents: int) -> Verdict | None:
    """Judge swarm against parallel; None where one of them was not run."""
    return _judge(
        comparison.plan,
        (task, basis, agents),
        comparison.select(task, basis, "swarm", agents),
        comparison.select(task, basis, "parallel", agents),
    )


def verdicts(comparison: Comparison, basis: Basis = "evaluations") -> list[Verdict]:
    """The verdict on each task at the plan's size; these are the ones that count."""
    plan = comparison.plan
    judged = (verdict(comparison, task, basis, plan.verdict_agents) for task in plan.tasks)
    return [v for v in judged if v is not None]


def _judge(plan: Plan, place: tuple[str, Basis, int], swarm: list[Row], parallel: list[Row]) -> Verdict | None:
    if not swarm or not parallel:
        return None
    limits = plan.thresholds
    quality = ratio_of([row["quality"] for row in swarm], [row["quality"] for row in parallel])
    time = ratio_of(_times(swarm), _times(parallel))
    overhead = median_of(_overheads(swarm))
    return Verdict(
        *place,
        quality_ratio=quality,
        time_ratio=time,
        overhead=overhead,
        better=quality.median >= 1 + limits.quality_gain and quality.low > 1,
        faster=time.median <= 1 - limits.time_saved and time.high < 1,
        cheap=overhead.median < limits.overhead_max,
    )


def _times(rows: list[Row]) -> list[float]:
    return [math.inf if row["solved_seconds"] is None else row["solved_seconds"] for row in rows]


def _overheads(rows: list[Row]) -> list[float]:
    return [row["coordination_cpu_seconds"] / max(1e-9, row.agents * row["wall_seconds"]) for row in rows]
