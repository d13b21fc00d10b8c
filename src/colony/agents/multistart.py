"""Gradient descents from well spread starts: one job is a chain of local searches inside a worker.

The agent remembers where descents ended, so that later ones stop early when they fall into a basin seen before. It does
not perturb good points; that is `hop`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from colony.agents.proposer import Outcome, Proposal, View
from colony.problems.problem import Problem

EVALUATIONS_PER_JOB = 1000


class Multistart:
    """Proposes chains of local searches, for spaces of floats."""

    kind = "multistart"

    def __init__(self, name: str, problem: Problem, seed: int) -> None:
        self.name = name
        self.problem = problem
        self._rng = np.random.default_rng(seed)

    def ask(self, view: View, evaluations: int) -> Sequence[Proposal]:
        """One chain of searches, within what is granted."""
        del view
        granted = min(evaluations, EVALUATIONS_PER_JOB)
        seed = int(self._rng.integers(2**31))
        return [Proposal(None, "descend", granted, "colony.agents.searches.local:search", {}, seed)]

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Nothing is learnt yet."""
