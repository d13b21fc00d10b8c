"""The plain methods that a run is measured against: what somebody without a colony would try first."""

from __future__ import annotations

from collections.abc import Callable

from colony.agents.multistart import Multistart
from colony.agents.programs import LiteralTuning, StructuredEdit
from colony.agents.proposer import Proposer
from colony.agents.sampling import Random
from colony.problems.problem import Problem


def baselines(problem: Problem) -> list[tuple[str, Callable[[str, Problem, int], Proposer]]]:
    """Name and maker of each plain method that fits the problem."""
    if problem.space is None:
        return [("literal-tuning", LiteralTuning), ("structured-edit", StructuredEdit)]
    if not problem.space.is_continuous:
        return [("random", Random)]
    return [("random", Random), ("multistart", Multistart)]
