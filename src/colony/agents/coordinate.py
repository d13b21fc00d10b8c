"""Coordinate search: one variable at a time over its whole range, which solves separable problems however rugged.

Along each coordinate a line search keeps every point it has seen and tries the interval where the flattest parabola
would still reach below the best (STEP: Langerman, Seront and Bersini 1994), in turns with the parabola through the best
three points and a cut of the wider interval beside the best (as Brent does). Costs along a line are kept relative to
where the others stand, so that all lines stay valid on a separable problem while the others move. Early on the agent
tries whether that holds; on a space of floats it retires where it does not, for others are better there.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from colony.agents.points import Merit, PointAgent, smallest_steps
from colony.agents.proposer import View
from colony.problems.problem import Problem
from colony.problems.space import Vector

INTERVAL_MIN = 1e-9  # in the unit cube
GOLDEN = 0.381966  # the smaller part of the golden section
CHECKED_AFTER = 8  # points on each line, after which separability is tried
CHECKS = 3  # lines that are tried
MISMATCH_MAX = 1e-3  # of the spread along a line, between the cost that separability predicts and the one measured
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
        ways = (self._easiest, self._parabola, self._cut)
        for way in (ways[self._turn % 3], self._easiest):
            place = way()
            if place is not None:
                return place
        return None

    def __len__(self) -> int:
        return len(self._places)

    @property
    def spread(self) -> float:
        """The largest cost above the best."""
        return max(self._costs)

    def end(self) -> tuple[float, float]:
        """The last place of the line and its cost above the best."""
        return self._places[-1], self._costs[-1]

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

    def _cut(self) -> float | None:
        """The golden section of the wider interval beside the best point."""
        best = int(np.argmin(self._costs))
        here = self._places[best]
        beside = self._places[max(best - 1, 0) : best] + self._places[best + 1 : best + 2]
        other = max(beside, key=lambda place: abs(place - here))
        place = here + GOLDEN * (other - here)
        return place if abs(other - here) > 4 * self._interval_min else None

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
        self._awaited = False
        self._point_awaited = self._here
        self._to_check: list[int] | None = None  # lines still to be checked; None before the check begins
        self._predicted: float | None = None
        self._retired = False

    def _point(self, view: View) -> Vector | None:  # noqa: ARG002  # it looks at nobody
        if self._awaited or self._retired:
            return None
        point = self._next()
        if point is None:  # every line is at its end
            self._cost, point = None, self._rng.random(self._space.dimension)
        self._awaited, self._point_awaited = True, point
        return point

    def _next(self) -> Vector | None:
        if self._cost is None:
            return self._here
        check = self._check()
        return self._probe() if check is None else check

    def _probe(self) -> Vector | None:
        """The next place of the next line that has one."""
        for _ in self._lines:
            self._axis = (self._axis + 1) % len(self._lines)
            place = self._lines[self._axis].next()
            if place is not None:
                return self._with(self._axis, place)
        return None

    def _with(self, axis: int, place: float) -> Vector:
        point = self._here.copy()
        point[axis] = place
        return point

    def _check(self) -> Vector | None:
        """A known place of a line, to be measured again now that the other coordinates have moved."""
        if self._to_check is None and self._space.is_continuous and min(map(len, self._lines)) >= CHECKED_AFTER:
            self._to_check = list(range(min(CHECKS, len(self._lines))))
        if not self._to_check or self._cost is None or len(self._lines) == 1:
            return None
        self._axis = self._to_check.pop()
        place, cost = self._lines[self._axis].end()
        self._predicted = self._cost + cost
        return self._with(self._axis, place)

    def _learn(self, number: int, merit: Merit) -> None:  # noqa: ARG002  # there is never more than one
        self._awaited = False
        point, cost = self._point_awaited, self._penalised(merit)
        if self._cost is None:
            self._lines = [Line(float(x), least) for x, least in zip(point, self._intervals_min, strict=True)]
            self._here, self._cost = point, cost
        elif self._predicted is not None:
            self._retired |= abs(cost - self._predicted) > MISMATCH_MAX * self._lines[self._axis].spread
            self._predicted = None
        else:
            self._lines[self._axis].add(float(point[self._axis]), cost - self._cost)
            if cost < self._cost:
                self._here, self._cost = point, cost
