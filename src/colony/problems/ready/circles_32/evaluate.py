"""Circles in the unit square: the sum of their radii. Everything is scored from the candidate alone."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from colony.problems.geometry import (
    CircleFormulation,
    circle_picture,
    circle_violations,
    exact_circle_violations,
    shrunk_radii,
)
from colony.problems.space import Vector


def evaluate(centres: Vector, radii: Vector) -> float:
    """The sum of radii, correctly rounded."""
    del centres
    return math.fsum(radii)


def constraints(centres: Vector, radii: Vector) -> dict[str, Vector]:
    """Overlap of each two circles and what sticks out of the square, in lengths."""
    return circle_violations(centres, radii)


def exact(centres: Vector, radii: Vector) -> dict[str, Fraction]:
    """The same without rounding."""
    return exact_circle_violations(centres, radii)


def repair(centres: Vector, radii: Vector) -> dict[str, Vector]:
    """The same centres with radii shrunk as little as makes them fit exactly."""
    return {"centres": centres, "radii": shrunk_radii(centres, radii)}


def formulation(centres: Vector, radii: Vector) -> CircleFormulation:
    """Distances and walls as smooth constraints."""
    return CircleFormulation(centres, radii)


def picture(centres: Vector, radii: Vector) -> dict[str, Any]:
    """The square and its circles."""
    return circle_picture(centres, radii)
