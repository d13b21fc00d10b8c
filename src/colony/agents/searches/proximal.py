"""A proximal linear method for smooth formulations whose optima are corners, as in packings: few and cheap steps.

Each step minimises the linearised cost plus `weight`/2 times the squared step, subject to the linearised constraints.
That is a least-distance problem, solved through non-negative least squares (Lawson and Hanson 1974, chapter 23), and
only on the constraints near by: those that a step breaks are added and the step is solved again, so that the result is
the same as with all of them. An exact penalty decides whether a step is kept (Fletcher 1987, section 12.3).

Where as many constraints touch as there are variables it converges quadratically. Where curvature decides it crawls and
says that it did not converge: then SLSQP should finish. Nothing here restarts, perturbs or judges.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from colony.problems.formulation import Formulation
from colony.problems.oracle import Exhausted
from colony.problems.space import Vector

STEPS_MAX = 40
ROUNDS_MAX = 20
ACCURACY = 1e-12
REACH = 3.0  # the longest free step, as a multiple of the start's length
CAUTION = 4.0  # the first weight, as a multiple of the smallest; also the factor between weights
NEAR_SHARE = 1.2  # constraints looked at first, as a multiple of the number of variables
KEPT_SHARE, GOOD_SHARE = 0.1, 0.5  # of the hoped gain: what keeps a step, what lowers the weight
PENALTY_MARGIN = 1.5

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Place:
    """A point with its cost and slope (k,), and the slack (m,) and slopes (m, k) of its constraints."""

    z: Vector
    cost: float
    slope: Vector
    slack: Vector
    slopes: Vector

    @property
    def violation(self) -> float:
        """The sum of what the constraints are broken by."""
        return float(-np.minimum(self.slack, 0.0).sum())

    def nearest(self, count: int) -> Rows:
        """The `count` constraints whose linearised borders are nearest, or broken the most."""
        if count >= len(self.slack):
            return np.arange(len(self.slack))
        lengths = np.sqrt(np.einsum("ij,ij->i", self.slopes, self.slopes))
        return np.argpartition(self.slack / np.maximum(lengths, 1e-300), count)[:count]


def settle(formulation: Formulation, spend: Callable[[], None]) -> tuple[Vector, bool]:
    """Where the method ends from `formulation.start`, and whether it converged.

    `spend` is called once for each point looked at; where it raises `Exhausted`, the last kept point is the end.
    """
    look = _looker(formulation)
    here = look(formulation.start)
    smallest = float(np.linalg.norm(here.slope)) / (REACH * max(float(np.linalg.norm(here.z)), 1.0))
    weight, penalty = CAUTION * smallest, 1.0
    near = int(NEAR_SHARE * len(here.z)) + 1
    rows = here.nearest(near)
    for _ in range(STEPS_MAX):
        step = _step(here, weight, rows)
        if step is None:
            return here.z, False
        move, multipliers, rows = step
        penalty = max(penalty, PENALTY_MARGIN * float(multipliers.max(initial=0.0)))
        hoped = float(-(here.slope @ move)) + penalty * here.violation
        if abs(hoped) < ACCURACY and here.violation < ACCURACY:
            return here.z, True
        try:
            spend()
        except Exhausted:
            return here.z, False
        there = look(here.z + move)
        won = here.cost - there.cost + penalty * (here.violation - there.violation)
        if won < KEPT_SHARE * hoped - ACCURACY:
            weight *= CAUTION
            continue
        if won > GOOD_SHARE * hoped:
            weight = max(weight / CAUTION, smallest)
        here, rows = there, np.union1d(there.nearest(near), rows[multipliers > 0])
    return here.z, False


def _step(here: Place, weight: float, rows: Rows) -> tuple[Vector, Vector, Rows] | None:
    """The move, the multipliers of the rows looked at, and these rows; None where they contradict each other."""
    for _ in range(ROUNDS_MAX):
        solved = _nearest_point(here.slopes[rows], here.slack[rows], here.slope / weight)
        if solved is None:
            return None
        move, multipliers = solved
        broken = here.slack + here.slopes @ move < -ACCURACY * 10
        broken[rows] = False
        if not broken.any():
            return move, weight * multipliers, rows
        rows = np.concatenate([rows, np.flatnonzero(broken)])
    return None


def _nearest_point(slopes: Vector, slack: Vector, pull: Vector) -> tuple[Vector, Vector] | None:
    """The p with slopes p + slack >= 0 that is nearest to -pull, and its multipliers; None where there is none."""
    count = len(pull)
    matrix = np.vstack([slopes.T, slopes @ pull - slack])
    target = np.zeros(count + 1)
    target[count] = 1.0
    try:
        dual, _ = nnls(matrix, target)
    except RuntimeError:
        return None
    residual = matrix @ dual - target
    if residual[count] > -ACCURACY:
        return None
    return -residual[:count] / residual[count] - pull, -dual / residual[count]


def _looker(formulation: Formulation) -> Callable[[Vector], Place]:
    """How to look at a point: bounds of the formulation become constraints behind its own."""
    limits = np.asarray([[-np.inf if a is None else a, np.inf if b is None else b] for a, b in formulation.bounds])
    lower, upper = np.isfinite(limits).T
    unit = np.eye(len(limits))
    walls = np.vstack([unit[lower], -unit[upper]])
    ends = np.concatenate([-limits[lower, 0], limits[upper, 1]])

    def look(z: Vector) -> Place:
        cost, slope = formulation.objective(z)
        slack, slopes = formulation.constraints(z), formulation.jacobian(z)
        if len(ends):
            slack, slopes = np.concatenate([slack, walls @ z + ends]), np.vstack([slopes, walls])
        return Place(z, cost, slope, slack, slopes)

    return look
