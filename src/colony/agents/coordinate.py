"""Coordinate search: one variable at a time over its whole range, which solves separable problems however rugged.

Along each coordinate a line search keeps every point it has seen and tries the interval where the flattest parabola would
still reach below the best (STEP: Langerman, Seront and Bersini 1994), in turns with the parabola through the best three
points (as Brent does). Costs along a line are kept relative to where the others stand, so that all lines stay valid on a
separable problem while the others move. On problems that are not separable it soon stands still, and starts elsewhere.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from colony.agents.points import Merit, PointAgent, smallest_steps
from colony.agents.proposer import View
from colony.problems.problem import Problem
from colony.problems.space import Vector

INTERVAL_MIN = 1e-9  # in the unit cube
DEPTH = 1e-8  # how far below the best a parabola must reach, as a share of the spread along the line


class Line:
    """The points seen along one coordinate, in order, with their costs relative to the best of them."""

    def __init__(self, place: float, interval_min: float) -> None:
        self._interval_min = interval_min
        self._places = [place]
        self._costs = [0.0]
        self._ends = [0.0, 1.0]
        self._turn = 0

    def add(self, place: float, cost: float) -> None:
        """Enter a point; `cost` is relative to the best so far, which is this point where it is negative."""
        at = bisect_left(self._places, place)
        self._places.insert(at, place)
        self._costs.insert(at, cost)
        if cost < 0.0:
            self._costs = [c - cost for c in self._costs]

    def next(self) -> float | None:
        """The place to try next, or None where every promising interval is as small as allowed."""
        while self._ends:
            end = self._ends.pop()
            if self._is_new(end):
                return end
        self._turn += 1
        place = self._parabola() if self._turn % 2 else None
        return place if place is not None else self._easiest()

    def _is_new(self, place: float) -> bool:
        at = bisect_left(self._places, place)
        return all(abs(place - p) >= self._interval_min for p in self._places[max(at - 1, 0) : at + 1])

    def _easiest(self) -> float | None:
        """The touching point of the flattest parabola that reaches just below the best."""
        places = np.asarray(self._places)
        roots = np.sqrt(np.asarray(self._costs) + DEPTH * (max(self._costs) or 1.0))
        widths = np.diff(places)
        steepness = np.where(widths > 2 * self._interval_min, (roots[1:] + roots[:-1]) / widths, np.inf)
        at = int(np.argmin(steepness))
        if not np.isfinite(steepness[at]):
            return None
        share = min(max(roots[at] / (roots[at] + roots[at + 1]), 0.1), 0.9)
        return float(places[at] + share * widths[at])

    def _parabola(self) -> float | None:
        """The minimum of the parabola through the best point and its neighbours, where that is a new place."""
        best = int(np.argmin(self._costs))
        if not 0 < best < len(self._places) - 1:
            return None
        (x0, x1, x2), (y0, _, y2) = self._places[best - 1 : best + 2], self._costs[best - 1 : best + 2]
        left, right = (x1 - x0) * y2, (x2 - x1) * y0  # the best of three has cost 0
        if left + right <= 0.0:
            return None
        place = x1 + 0.5 * ((x2 - x1) * right - (x1 - x0) * left) / (left + right)
        return place if x0 < place < x2 and self._is_new(place) else None


class CoordinateSearch(PointAgent):
    """Takes the coordinates in turns, one point at a time."""

    kind = "coordinate-search"

    def __init__(self, name: str, problem: Problem, seed: int) -> None:
        super().__init__(name, problem, seed)
        self._intervals_min = np.maximum(smallest_steps(self._space), INTERVAL_MIN)
        self._here = self._seed_point
        self._cost: float | None = None
        self._lines: list[Line] = []
        self._axis = 0
        self._awaited: tuple[int, Vector] | None = None

    def _point(self, view: View) -> Vector | None:  # noqa: ARG002  # it looks at nobody
        if self._awaited is not None:
            return None
        point = self._probe() if self._cost is not None else self._here
        if point is None:
            self._cost, point = None, self._rng.random(self._space.dimension)
        self._awaited = (self._given, point)
        return point

    def _probe(self) -> Vector | None:
        """The next place of the next line that has one."""
        for _ in self._lines:
            self._axis = (self._axis + 1) % len(self._lines)
            place = self._lines[self._axis].next()
            if place is not None:
                point = self._here.copy()
                point[self._axis] = place
                return point
        return None

    def _learn(self, number: int, merit: Merit) -> None:
        assert self._awaited is not None and self._awaited[0] == number, "one point at a time"
        point, self._awaited = self._awaited[1], None
        cost = self._penalised(merit)
        if self._cost is None:
            self._lines = [Line(float(x), least) for x, least in zip(point, self._intervals_min, strict=True)]
            self._here, self._cost = point, cost
            return
        self._lines[self._axis].add(float(point[self._axis]), cost - self._cost)
        if cost < self._cost:
            self._here, self._cost = point, cost
