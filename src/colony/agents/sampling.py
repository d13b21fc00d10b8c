"""Agents that sample the space without learning: a scrambled Sobol sequence, and plain uniform draws.

They are what every cleverer agent has to beat, and they never get stuck. They hold no model.
"""

from __future__ import annotations

from scipy.stats import qmc

from colony.agents.points import Merit, PointAgent
from colony.agents.proposer import View
from colony.problems.problem import Problem
from colony.problems.space import Vector

BLOCK = 64  # points drawn at a time; the sequence is balanced at powers of two


class Sobol(PointAgent):
    """A scrambled Sobol sequence (Owen 1998), which covers the space more evenly than random points."""

    kind = "sobol"

    def __init__(self, name: str, problem: Problem, seed: int) -> None:
        super().__init__(name, problem, seed)
        self._sequence = qmc.Sobol(self._space.dimension, rng=self._rng)
        self._block: list[Vector] = []

    def _point(self, view: View) -> Vector:  # noqa: ARG002  # it looks at nobody
        if not self._block:
            self._block = list(self._sequence.random(BLOCK)[::-1])
        return self._block.pop()

    def _learn(self, number: int, merit: Merit) -> None:
        """It learns nothing."""


class Random(PointAgent):
    """Uniform points: the plainest baseline there is."""

    kind = "random"

    def _point(self, view: View) -> Vector:  # noqa: ARG002  # it looks at nobody
        return self._rng.random(self._space.dimension)

    def _learn(self, number: int, merit: Merit) -> None:
        """It learns nothing."""
