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

_TOUCHING = 1e-15
_SLACK_FIRST = 1e-17


def circle_violations(centres: Vector, radii: Vector, width: float = 1.0, height: float = 1.0) -> dict[str, Vector]:
    """By how much circles overlap and stick out, in lengths, in floats; shapes (n (n - 1) / 2,) and (n, 4)."""
    first, second = np.triu_indices(len(radii), 1)
    distances = np.hypot(*(centres[first] - centres[second]).T)
    walls = np.stack([centres[:, 0], centres[:, 1], width - centres[:, 0], height - centres[:, 1]], axis=1)
    return {"overlap": radii[first] + radii[second] - distances, "outside": radii[:, None] - walls}


def exact_circle_violations(
    centres: Vector, radii: Vector, width: Fraction = Fraction(1), height: Fraction = Fraction(1)
) -> dict[str, Fraction]:
    """The same in rational arithmetic, the largest of each; overlap in squared lengths, (r + s)^2 - distance^2.

    Pairs that floats already see far apart (a relative gap above 1e-6) are not looked at again.
    """
    x, y, r = ([Fraction(float(v)) for v in column] for column in (*centres.T, radii))
    gap = circle_violations(centres, radii)["overlap"]
    pairs = zip(*(index[gap > -1e-6] for index in np.triu_indices(len(r), 1)), strict=True)
    overlaps = [(r[i] + r[j]) ** 2 - (x[i] - x[j]) ** 2 - (y[i] - y[j]) ** 2 for i, j in pairs]
    outside = [max(r[i] - x[i], r[i] - y[i], x[i] + r[i] - width, y[i] + r[i] - height, -r[i]) for i in range(len(r))]
    return {"overlap": max(overlaps, default=Fraction(-1)), "outside": max(outside)}


def shrunk_radii(centres: Vector, radii: Vector, width: float = 1.0, height: float = 1.0) -> Vector:
    """Radii that fit exactly round `centres`: each shrinks by half its worst overlap and by what sticks out.

    Rounding is met by going on, a few units in the last place at a time, until floats and fractions both agree.
    """
    first, second = np.triu_indices(len(radii), 1)
    radii = np.maximum(radii, 0.0)
    slack = 0.0
    while True:
        found = circle_violations(centres, radii, width, height)
        exact = exact_circle_violations(centres, radii, Fraction(width), Fraction(height))
        if max(found["overlap"].max(initial=0.0), found["outside"].max(), *exact.values()) <= 0:
            return radii
        overlap, outside = (np.where(v > -_TOUCHING, np.maximum(v, 0.0) + slack, 0.0) for v in found.values())
        cut = outside.max(axis=1)
        np.maximum.at(cut, first, overlap / 2)
        np.maximum.at(cut, second, overlap / 2)
        radii = np.maximum(radii - cut, 0.0)
        slack = 2 * slack or _SLACK_FIRST


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
        matrix = np.block([[one, zero, -one], [zero, one, -one], [-one, zero, -one], [zero, -one, -one], [zero, zero, one]])
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
