"""DIRECT, asked point by point: divide the box where it may hide the best, whatever the unknown Lipschitz constant.

Boxes are trisected along one longest side (Jones 2001). A round divides, of every size, the best box on the lower
right convex hull of size and cost (Jones, Perttunen and Stuckman 1993). Own code instead of SciPy's, because that one
calls the objective itself and cannot wait. It is deterministic: its seed changes nothing, so one such agent is enough.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from colony.agents.points import Merit, PointAgent
from colony.agents.proposer import View
from colony.primitives.limits import KNOWN_CANDIDATES_MAX
from colony.problems.problem import Problem
from colony.problems.space import Vector

GAIN_MIN = 1e-4  # a box must be able to improve the best by this part of its cost's spread
LEVEL_MAX = 30  # a side of 3**-30 is smaller than what floats resolve in the unit cube


class Direct(PointAgent):
    """Boxes in arrays: `_centres` (n, k), `_levels` (n, k) how often each side was cut in three, `_costs` (n,)."""

    kind = "direct"

    def __init__(self, name: str, problem: Problem, seed: int) -> None:
        super().__init__(name, problem, seed)
        k = self._space.dimension
        self._centres = np.full((1, k), 0.5)
        self._levels = np.zeros((1, k), dtype=int)
        self._costs = np.zeros(0)
        self._queue: list[tuple[Vector, Vector]] = [(self._centres[0], self._levels[0])]
        self._awaited: dict[int, tuple[Vector, Vector]] = {}
        self._arrived: list[tuple[int, Vector, Vector, float]] = []

    def _point(self, view: View) -> Vector | None:  # noqa: ARG002  # it looks at nobody
        if not self._queue and not self._awaited:
            self._enter()
            self._divide()
        if not self._queue:
            return None
        box = self._queue.pop()
        self._awaited[self._given] = box
        return box[0]

    def _learn(self, number: int, merit: Merit) -> None:
        self._arrived.append((number, *self._awaited.pop(number), self._penalised(merit)))

    def _enter(self) -> None:
        """Enter the boxes of a finished round, in the order in which they were proposed."""
        if not self._arrived:
            return
        _, centres, levels, costs = zip(*sorted(self._arrived, key=lambda a: a[0]), strict=True)
        first = not len(self._costs)
        self._centres = np.asarray(centres) if first else np.vstack([self._centres, centres])
        self._levels = np.asarray(levels) if first else np.vstack([self._levels, levels])
        self._costs = np.append(self._costs, costs)
        self._arrived.clear()

    def _divide(self) -> None:
        """Cut the promising boxes in three; the middle parts keep their centres, the outer ones are to be evaluated."""
        if len(self._costs) >= KNOWN_CANDIDATES_MAX:
            return
        for box in self._promising():
            axis = int(np.argmin(self._levels[box]))
            if self._levels[box, axis] >= LEVEL_MAX:
                continue
            self._levels[box, axis] += 1
            for side in (-1.0, 1.0):
                centre = self._centres[box].copy()
                centre[axis] += side * 3.0 ** -float(self._levels[box, axis])
                self._queue.append((centre, self._levels[box].copy()))

    def _promising(self) -> list[int]:
        """Indices of the boxes on the lower right hull, the smallest size first."""
        sizes = np.sqrt(np.sum(9.0 ** -self._levels.astype(float), axis=1)).round(12)
        best = self._costs.min()
        needed = best - GAIN_MIN * (np.median(self._costs) - best)
        hull: list[int] = []
        order = np.lexsort((np.arange(len(sizes)), self._costs, sizes))
        firsts = order[np.append(True, np.diff(sizes[order]) > 0)]  # the best of each size, sizes ascending
        for box in firsts:
            while hull and self._costs[box] <= self._costs[hull[-1]]:
                hull.pop()
            while len(hull) > 1 and self._slope(hull[-2], hull[-1], sizes) >= self._slope(hull[-1], int(box), sizes):
                hull.pop()
            hull.append(int(box))
        reach = [self._costs[a] - sizes[a] * self._slope(a, b, sizes) <= needed for a, b in pairwise(hull)]
        return [box for box, good in zip(hull, [*reach, True], strict=True) if good]

    def _slope(self, small: int, large: int, sizes: Vector) -> float:
        return float((self._costs[large] - self._costs[small]) / (sizes[large] - sizes[small]))
