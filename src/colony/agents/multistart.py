"""Gradient descents from well spread starts: one job is a chain of local searches inside a worker.

The agent keeps one Sobol sequence over all its jobs, remembers where descents ended, so that later ones stop early when
they fall into a basin seen before, and goes on with a descent that was cut short. It does not perturb good points:
that is `hop`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from colony.agents.proposer import Outcome, Proposal, View
from colony.problems.candidate import Candidate
from colony.problems.problem import Problem

EVALUATIONS_PER_JOB = 1_000
ENDS_MAX = 200
METHOD = "colony.agents.searches.local:search"


class Multistart:
    """Proposes chains of local searches, for spaces of floats."""

    kind = "multistart"

    def __init__(self, name: str, problem: Problem, seed: int) -> None:
        self.name = name
        self._rng = np.random.default_rng(seed)
        self._stream = int(self._rng.integers(2**31))
        self._skip = self._distrust = 0
        self._ends: list[list[float]] = []
        self._cut: list[tuple[Candidate, str]] = []
        self._remembers = problem.space is not None and problem.space.dimension * ENDS_MAX <= 2_000

    def ask(self, view: View, evaluations: int) -> Sequence[Proposal]:
        """One chain of searches, within what is granted."""
        del view
        granted = min(evaluations, EVALUATIONS_PER_JOB)
        start, *parents = self._cut.pop() if self._cut else (None,)
        spec: dict[str, Any] = {"stream": self._stream, "skip": self._skip, "distrust": self._distrust}
        if self._ends:
            spec["ends"] = self._ends[-ENDS_MAX:]
        self._skip += granted
        return [Proposal(start, "descend", granted, METHOD, spec, int(self._rng.integers(2**31)), tuple(parents))]

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Remember where descents ended, and those that did not."""
        for outcome in outcomes:
            notes = outcome.notes or {}
            self._distrust = notes.get("distrust", self._distrust)
            if self._remembers:
                self._ends += notes.get("ends", [])
            if notes.get("open"):
                self._cut.append((Candidate.parameters(notes["open"]), outcome.experiment))
