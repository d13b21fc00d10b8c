"""Random points where the colony has been least: of a few uniform draws, the one whose region was visited least.

It is the agent that reads what shared memory knows of explored regions. It holds no model and learns nothing itself.
"""

from __future__ import annotations

from colony.agents.points import Merit, PointAgent
from colony.agents.proposer import View
from colony.problems.candidate import Candidate
from colony.problems.space import Vector

DRAWS = 4


class Explorer(PointAgent):
    """Prefers unexplored regions; see `View.visits`."""

    kind = "explorer"

    def _point(self, view: View) -> Vector:
        points = list(self._rng.random((DRAWS, self._space.dimension)))
        return min(points, key=lambda point: view.visits(Candidate.parameters(self._space.decode(point))))

    def _learn(self, number: int, merit: Merit) -> None:
        """It learns nothing."""
