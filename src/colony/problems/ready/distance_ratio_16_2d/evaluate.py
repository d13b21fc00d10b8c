"""Points in the plane: the squared ratio of their largest to their smallest distance."""

from __future__ import annotations

import math
from typing import Any

from colony.problems.geometry import DistanceRatioFormulation, squared_distances
from colony.problems.space import Vector


def evaluate(points: Vector) -> float:
    """The squared ratio; infinite, and so no score, where two points coincide."""
    squares = squared_distances(points)
    nearest = float(squares.min())
    return float(squares.max()) / nearest if nearest > 0 else math.inf


def formulation(points: Vector) -> DistanceRatioFormulation:
    """Every distance between 1 and a bound, which is to be small."""
    return DistanceRatioFormulation(points)


def picture(points: Vector) -> dict[str, Any]:
    """The points."""
    return {"box": [0.0, 0.0, 1.0, 1.0], "shapes": [{"point": [float(p[0]), float(p[1])]} for p in points]}
