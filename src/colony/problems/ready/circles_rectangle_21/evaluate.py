"""Circles in a rectangle of perimeter 4: the sum of their radii. The height 2 - width is exact in floats (Sterbenz)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from colony.problems.geometry import (
    CircleFormulation,
    circle_picture,
    circle_violations,
    exact_circle_violations,
    shrunk_radii,
)
from colony.problems.space import Vector

PERIMETER = 4.0


def evaluate(centres: Vector, radii: Vector, width: float) -> float:
    """The sum of radii, correctly rounded."""
    del centres, width
    return math.fsum(radii)


def constraints(centres: Vector, radii: Vector, width: float) -> dict[str, Vector]:
    """Overlap of each two circles and what sticks out of the rectangle, in lengths."""
    return circle_violations(centres, radii, width, PERIMETER / 2 - width)


def exact(centres: Vector, radii: Vector, width: float) -> dict[str, Fraction]:
    """The same without rounding."""
    wide = Fraction(width)
    return exact_circle_violations(centres, radii, wide, Fraction(PERIMETER) / 2 - wide)


def repair(centres: Vector, radii: Vector, width: float) -> dict[str, Any]:
    """Centres moved inside, and radii shrunk as little as makes them fit exactly; the same width."""
    height = PERIMETER / 2 - width
    centres = np.clip(centres, 0.0, [width, height])
    return {"centres": centres, "radii": shrunk_radii(centres, radii, width, height), "width": width}


def formulation(centres: Vector, radii: Vector, width: float) -> CircleFormulation:
    """Distances and walls as smooth constraints, with the width as one more variable."""
    return CircleFormulation(centres, radii, width, PERIMETER)


def picture(centres: Vector, radii: Vector, width: float) -> dict[str, Any]:
    """The rectangle and its circles."""
    return circle_picture(centres, radii, width, PERIMETER / 2 - width)
