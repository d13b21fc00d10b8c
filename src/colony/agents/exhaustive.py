"""Every candidate of a small discrete space, once each, in random order; then it has nothing left to say.

In random order, because a budget may end first, and a corner of the space would be all that was seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from colony.agents.proposer import Outcome, Proposal, View
from colony.problems.candidate import Candidate
from colony.problems.problem import Problem
from colony.problems.space import Permutation, Values

CANDIDATES_MAX = 20_000


def is_small(problem: Problem) -> bool:
    """Whether the problem's space can be enumerated by this agent."""
    space = problem.space
    if space is None or any(isinstance(v, Permutation) for v in space.variables.values()):
        return False
    return space.size is not None and space.size <= CANDIDATES_MAX


class Exhaustive:
    """Proposes every point of a small space; see `is_small`."""

    kind = "exhaustive"

    def __init__(self, name: str, problem: Problem, seed: int) -> None:
        assert problem.space is not None and is_small(problem), "only small discrete spaces are enumerated"  # noqa: PT018
        self.name = name
        candidates = list(problem.space.enumerate())
        order = np.random.default_rng(seed).permutation(len(candidates))
        self._left: Iterator[Values] = iter([candidates[i] for i in order])

    def ask(self, view: View, evaluations: int) -> Sequence[Proposal]:
        """The next points; none once all were proposed."""
        count = min(evaluations, view.proposals_max)
        return [Proposal(Candidate.parameters(values), "enumerate") for values in islice(self._left, count)]

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Nothing is learnt: every point is tried whatever the others gave."""
