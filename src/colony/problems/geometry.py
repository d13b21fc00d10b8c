"""Geometry that the ready problems share: circles in a rectangle, checked in floats and in rational arithmetic.

Circles lie in [0, width] x [0, height]; `centres` has shape (n, 2), `radii` shape (n,), one unit of length throughout.
Violations are amounts: at most 0 holds. Floats are exact binary fractions, so a check in `Fraction` has no rounding;
it compares squares of distances and needs no root. Nothing here searches.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from colony.problems.space import Vector

_ROUNDING = 1e-12  # more than floats can err about a distance between points of the rectangle


def circle_violations(centres: Vector, radii: Vector, width: float = 1.0, height: float = 1.0) -> dict[str, Vector]:
    """By how much circles overlap and stick out, in lengths, in floats; shapes (n (n - 1) / 2,) and (n, 4)."""
    first, second = np.triu_indices(len(radii), 1)
    distances = np.hypot(*(centres[first] - centres[second]).T)
    walls = np.stack([centres[:, 0], centres[:, 1], width - centres[:, 0], height - centres[:, 1]], axis=1)
    return {"overlap": radii[first] + radii[second] - distances, "outside": radii[:, None] - walls}


def exact_circle_violations(
    centres: Vector, radii: Vector, width: Fraction = Fraction(1), height: Fraction = Fraction(1)
) -> dict[str, Fraction]:
    """The same without rounding, the largest of each; overlap in squared lengths, (r + s)^2 - distance^2.

    Pairs that floats see apart by more than their rounding are not looked at again.
    """
    first, second = np.triu_indices(len(radii), 1)
    close = np.hypot(*(centres[first] - centres[second]).T) - radii[first] - radii[second] < _ROUNDING
    (w, h, *numbers), unit = _whole([width, height, *centres.T.ravel().tolist(), *radii.tolist()])
    x, y, r = (numbers[i * len(radii) : (i + 1) * len(radii)] for i in range(3))
    pairs = zip(first[close].tolist(), second[close].tolist(), strict=True)
    overlaps = [(r[i] + r[j]) ** 2 - (x[i] - x[j]) ** 2 - (y[i] - y[j]) ** 2 for i, j in pairs]
    outside = [max(s - a, s - b, a + s - w, b + s - h, -s) for a, b, s in zip(x, y, r, strict=True)]
    return {"overlap": Fraction(max(overlaps, default=-1), unit**2), "outside": Fraction(max(outside), unit)}


def _whole(numbers: list[Any]) -> tuple[list[int], int]:
    """The numbers, floats or fractions of powers of two, as whole multiples of 1 / unit, and the unit."""
    ratios = [number.as_integer_ratio() for number in numbers]
    unit = max(denominator for _, denominator in ratios)
    return [numerator * (unit // denominator) for numerator, denominator in ratios], unit


def shrunk_radii(centres: Vector, radii: Vector, width: float = 1.0, height: float = 1.0) -> Vector:
    """Radii that fit round `centres` exactly: two that overlap shrink in proportion, and none reaches beyond a wall.

    Then all shrink together by a few units in the last place, as few as floats and whole numbers need to agree that
    everything fits. Where a centre lies outside nothing fits, and all radii are 0.
    """
    first, second = np.triu_indices(len(radii), 1)
    inside = np.column_stack([centres, [width, height] - centres]).min(axis=1)
    radii = np.clip(radii, 0.0, np.maximum(inside, 0.0))
    room = np.hypot(*(centres[first] - centres[second]).T) / np.maximum(radii[first] + radii[second], 1e-300)
    share = np.ones(len(radii))
    np.minimum.at(share, first, room)
    np.minimum.at(share, second, room)
    for shrink in (0.0, *np.exp2(np.arange(-53, -24))):
        trial: Vector = radii * share * (1.0 - shrink)
        found = circle_violations(centres, trial, width, height).values()
        exact = exact_circle_violations(centres, trial, Fraction(width), Fraction(height)).values()
        if max(v.max(initial=0.0) for v in found) <= 0 and max(exact) <= 0:
            return trial
    return np.zeros(len(radii))


def circle_picture(centres: Vector, radii: Vector, width: float = 1.0, height: float = 1.0) -> dict[str, Any]:
    """What the engine draws: the rectangle and the circles."""
    circles = [{"circle": [float(x), float(y), float(r)]} for (x, y), r in zip(centres, radii, strict=True)]
    return {"box": [0.0, 0.0, width, height], "shapes": circles}


class CircleFormulation:
    """Maximise the sum of radii: minimise -sum(r) with every distance and wall a smooth constraint.

    `z` is x (n), y (n), r (n) and, where the perimeter of the rectangle is given instead of its width, the width:
    height = perimeter / 2 - width. Distances enter as such, not squared: that is nearly linear where circles touch.
    """

    def __init__(self, centres: Vector, radii: Vector, width: float = 1.0, perimeter: float | None = None) -> None:
        n = self.n = len(radii)
        self.perimeter = perimeter
        self.start = np.concatenate([*centres.T, radii, [width] if perimeter else []])
        self.bounds: list[tuple[float | None, float | None]] = [(None, None)] * len(self.start)
        self._first, self._second = np.triu_indices(n, 1)
        self._slope = np.zeros(len(self.start))
        self._slope[2 * n : 3 * n] = -1.0
        self._walls, self._ends = self._linear(width)
        self._jacobian = np.zeros((len(self._first), len(self.start)))
        rows = np.arange(len(self._first))
        self._jacobian[rows, 2 * n + self._first] = self._jacobian[rows, 2 * n + self._second] = -1.0

    def _linear(self, width: float) -> tuple[Vector, Vector]:
        """Matrix and constant of the linear constraints: four walls for each circle, radii of at least 0."""
        n = self.n
        one, zero = np.eye(n), np.zeros((n, n))
        matrix = np.block(
            [[one, zero, -one], [zero, one, -one], [-one, zero, -one], [zero, -one, -one], [zero, zero, one]]
        )
        if self.perimeter is None:
            return matrix, np.repeat([0.0, 0.0, width, 1.0, 0.0], n)
        column = np.repeat([0.0, 0.0, 1.0, -1.0, 0.0], n)[:, None]
        return np.hstack([matrix, column]), np.repeat([0.0, 0.0, 0.0, self.perimeter / 2, 0.0], n)

    def objective(self, z: Vector) -> tuple[float, Vector]:
        """Minus the sum of radii, and its slope."""
        return float(self._slope @ z), self._slope

    def constraints(self, z: Vector) -> Vector:
        """Free space between each two circles, then the linear ones; shape (n (n - 1) / 2 + 5 n,)."""
        x, y, r = z[: 3 * self.n].reshape(3, self.n)
        i, j = self._first, self._second
        return np.concatenate([np.hypot(x[i] - x[j], y[i] - y[j]) - r[i] - r[j], self._walls @ z + self._ends])

    def jacobian(self, z: Vector) -> Vector:
        """The derivatives of the constraints."""
        n = self.n
        i, j = self._first, self._second
        x, y = z[: 2 * n].reshape(2, n)
        across, up = x[i] - x[j], y[i] - y[j]
        distance = np.maximum(np.hypot(across, up), 1e-300)
        rows = np.arange(len(i))
        slopes = self._jacobian.copy()
        slopes[rows, i], slopes[rows, j] = across / distance, -across / distance
        slopes[rows, n + i], slopes[rows, n + j] = up / distance, -up / distance
        return np.vstack([slopes, self._walls])

    def candidate(self, z: Vector) -> dict[str, Any]:
        """The circles at z, moved into the rectangle; not repaired."""
        n = self.n
        width = float(z[3 * n]) if self.perimeter else float(self._ends[2 * n])
        height = self.perimeter / 2 - width if self.perimeter else 1.0
        centres = np.clip(z[: 2 * n].reshape(2, n).T, 0.0, [width, height])
        values = {"centres": centres, "radii": np.maximum(z[2 * n : 3 * n], 0.0)}
        return {**values, "width": width} if self.perimeter else values


def squared_distances(points: Vector) -> Vector:
    """The squared distance of each two points; `points` (n, d) to shape (n (n - 1) / 2,)."""
    first, second = np.triu_indices(len(points), 1)
    squares: Vector = np.square(points[first] - points[second]).sum(axis=1)
    return squares


class DistanceRatioFormulation:
    """Minimise the largest distance between points whose smallest distance is 1.

    `z` is the points (n d), then the bound on distances. Distances enter as such, as in `CircleFormulation`.
    """

    def __init__(self, points: Vector) -> None:
        self.shape = points.shape
        self._first, self._second = np.triu_indices(len(points), 1)
        distances = np.sqrt(squared_distances(points))
        scale = 1.0 / max(float(distances.min()), 1e-3)
        self.start = np.append(((points - points.mean(axis=0)) * scale).ravel(), distances.max() * scale)
        self.bounds: list[tuple[float | None, float | None]] = [(None, None)] * len(self.start)
        self._slope = np.zeros(len(self.start))
        self._slope[-1] = 1.0

    def objective(self, z: Vector) -> tuple[float, Vector]:
        """The bound on distances, and its slope."""
        return float(z[-1]), self._slope

    def _apart(self, z: Vector) -> tuple[Vector, Vector]:
        """Differences (pairs, d) and distances (pairs,)."""
        points = z[:-1].reshape(self.shape)
        across = points[self._first] - points[self._second]
        return across, np.sqrt(np.square(across).sum(axis=1))

    def constraints(self, z: Vector) -> Vector:
        """How far each distance is above 1, then how far below the bound; shape (n (n - 1),)."""
        _, distance = self._apart(z)
        return np.concatenate([distance - 1.0, z[-1] - distance])

    def jacobian(self, z: Vector) -> Vector:
        """The derivatives of the constraints."""
        across, distance = self._apart(z)
        unit = across / np.maximum(distance, 1e-300)[:, None]
        pairs, rows = len(distance), np.arange(len(distance))
        slopes = np.zeros((2 * pairs, len(z)))
        apart = np.zeros((pairs, *self.shape))
        apart[rows, self._first], apart[rows, self._second] = unit, -unit
        slopes[:pairs, :-1] = apart.reshape(pairs, -1)
        slopes[pairs:, :-1] = -slopes[:pairs, :-1]
        slopes[pairs:, -1] = 1.0
        return slopes

    def candidate(self, z: Vector) -> dict[str, Any]:
        """The points at z, moved and scaled into the unit cube."""
        points = z[:-1].reshape(self.shape)
        points = points - points.min(axis=0)
        return {"points": np.clip(points / max(float(points.max()), 1e-300), 0.0, 1.0)}
