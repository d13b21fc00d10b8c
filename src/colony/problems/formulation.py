"""A smooth formulation: how a problem lets gradient solvers see it, where the metric itself is not smooth.

Many metrics are a minimum or maximum over many terms (the smallest distance, the smallest triangle). Solvers then work
on an equivalent problem with other variables and constraints, and only the end point becomes a candidate, which the
evaluator scores like any other. A formulation is therefore a hint: it can waste effort, never falsify a score.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from colony.problems.space import Vector


class Formulation(Protocol):
    """Minimise `objective(z)` subject to `constraints(z) >= 0` within `bounds`; k variables, m constraints."""

    start: Vector
    bounds: list[tuple[float | None, float | None]]

    def objective(self, z: Vector) -> tuple[float, Vector]:
        """The cost at z, shape (k,), and its gradient, shape (k,)."""
        ...

    def constraints(self, z: Vector) -> Vector:
        """The values that must not be negative, shape (m,)."""
        ...

    def jacobian(self, z: Vector) -> Vector:
        """Their derivatives, shape (m, k)."""
        ...

    def candidate(self, z: Vector) -> Mapping[str, Any]:
        """The values of the problem's space at z."""
        ...
