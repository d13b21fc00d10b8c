"""Heilbronn's problem in the triangle (0, 0), (1, 0), (0, 1): the smallest triangle as a share of the container.

The container has area 1/2, so that the share is twice the area: the absolute value of the determinant of two sides.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np

from colony.problems.space import Vector

FAR = 1e-3
TRIPLES = np.asarray(list(combinations(range(11), 3))).T


def evaluate(points: Vector) -> float:
    """The smallest of the 165 triangles, as a share of the container."""
    return float(np.abs(_determinants(*points.T)).min())


def constraints(points: Vector) -> dict[str, Vector]:
    """By how much points lie beyond the slanting side; the other sides are bounds of the space."""
    return {"outside": points.sum(axis=1) - 1.0}


def exact(points: Vector) -> dict[str, Fraction]:
    """The same without rounding, and the other two sides."""
    exact_points = [(Fraction(float(x)), Fraction(float(y))) for x, y in points]
    return {"outside": max(max(-x, -y, x + y - 1) for x, y in exact_points)}


def repair(points: Vector) -> dict[str, Vector]:
    """Points a little beyond a side brought back to it; those far beyond the slanting one mirrored at its middle.

    Mirrored, and not moved to the border, so that random points of the square are spread evenly over the triangle.
    """
    points = np.clip(points, 0.0, 1.0)
    far = points.sum(axis=1) > 1.0 + FAR
    points[far] = 1.0 - points[far]
    points /= np.maximum(points.sum(axis=1, keepdims=True), 1.0)
    while (beyond := np.asarray([Fraction(x) + Fraction(y) > 1 for x, y in points.tolist()])).any():
        points[beyond] = np.nextafter(points[beyond], 0.0)
    return {"points": points}


def formulation(points: Vector) -> TriangleFormulation:
    """Every triangle above a bound, which is to be large."""
    return TriangleFormulation(points)


def picture(points: Vector) -> dict[str, Any]:
    """The container and the points."""
    container = {"polygon": [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]}
    return {"box": [0.0, 0.0, 1.0, 1.0], "shapes": [container, *({"point": [float(x), float(y)]} for x, y in points)]}


def _determinants(x: Vector, y: Vector) -> Vector:
    """Twice the signed area of each three points, shape (165,)."""
    a, b, c = TRIPLES
    twice: Vector = (x[b] - x[a]) * (y[c] - y[a]) - (x[c] - x[a]) * (y[b] - y[a])
    return twice


class TriangleFormulation:
    """Maximise a bound below every triangle, whose orientation stays what it is at the start.

    `z` is x (11), y (11), the bound. Constraints: 165 triangles, then three sides for each point.
    """

    def __init__(self, points: Vector) -> None:
        x, y = points.T
        twice = _determinants(x, y)
        self._sign = np.where(twice < 0, -1.0, 1.0)
        self.start = np.concatenate([x, y, [np.abs(twice).min()]])
        self.bounds: list[tuple[float | None, float | None]] = [(None, None)] * len(self.start)
        self._slope = np.zeros(len(self.start))
        self._slope[-1] = -1.0
        one, zero, column = np.eye(len(x)), np.zeros((len(x), len(x))), np.zeros((len(x), 1))
        self._sides = np.block([[one, zero, column], [zero, one, column], [-one, -one, column]])
        self._ends = np.repeat([0.0, 0.0, 1.0], len(x))

    def objective(self, z: Vector) -> tuple[float, Vector]:
        """Minus the bound, and its slope."""
        return float(-z[-1]), self._slope

    def constraints(self, z: Vector) -> Vector:
        """Triangles above the bound, then points inside; shape (198,)."""
        return np.concatenate(
            [self._sign * _determinants(*z[:-1].reshape(2, -1)) - z[-1], self._sides @ z + self._ends]
        )

    def jacobian(self, z: Vector) -> Vector:
        """The derivatives of the constraints."""
        x, y = z[:-1].reshape(2, -1)
        rows, count = np.arange(TRIPLES.shape[1]), len(x)
        slopes = np.zeros((len(rows), len(z)))
        for corner, after, before in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
            at, following, preceding = TRIPLES[corner], TRIPLES[after], TRIPLES[before]
            slopes[rows, at] = y[following] - y[preceding]
            slopes[rows, count + at] = x[preceding] - x[following]
        slopes *= self._sign[:, None]
        slopes[:, -1] = -1.0
        return np.vstack([slopes, self._sides])

    def candidate(self, z: Vector) -> dict[str, Any]:
        """The points at z; not repaired."""
        return {"points": np.clip(z[:-1].reshape(2, -1).T, 0.0, 1.0)}
