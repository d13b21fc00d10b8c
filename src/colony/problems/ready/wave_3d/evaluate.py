"""The wave: a product of sines with one bump, smooth, with its gradient."""

from __future__ import annotations

from math import cos, exp, sin


def evaluate(x: float, y: float, z: float) -> float:
    """The height at (x, y, z)."""
    return sin(x) * cos(y) * sin(z) + _bump(x, y, z)


def gradient(x: float, y: float, z: float) -> dict[str, float]:
    """Its slope along each variable."""
    bump = _bump(x, y, z)
    return {
        "x": cos(x) * cos(y) * sin(z) - 2 * (x - 2) * bump,
        "y": -sin(x) * sin(y) * sin(z) - 2 * (y - 3) * bump,
        "z": sin(x) * cos(y) * cos(z) - 2 * (z - 1) * bump,
    }


def _bump(x: float, y: float, z: float) -> float:
    return exp(-((x - 2) ** 2) - (y - 3) ** 2 - (z - 1) ** 2)
