"""A quadratic model of the cost, fitted to the points that an agent has had evaluated: rank-weighted least squares.

The model grows with what is known: linear, then with squares, then with all products (as in lq-CMA-ES, Hansen 2019).
Coordinates are whitened by a frame that the caller gives, so that narrow valleys do not spoil the fit.
It proposes nothing; it predicts costs, says how well it orders points, and where its minimum lies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from colony.problems.space import Vector

FULL_DIMENSION_MAX = 24  # products of coordinates are fitted up to here (325 unknowns); beyond, squares only
WEIGHT_MAX = 20.0  # of the best point; the worst has weight 1
POINTS_PER_UNKNOWN_MIN = 1.1
BEST_SHARE = 0.75  # of the points, the worst being left out
RIDGE = 1e-12  # relative, against rounding


@dataclass(frozen=True, slots=True)
class Frame:
    """Whitened coordinates z = inverse @ (x - origin)."""

    origin: Vector
    forward: Vector
    inverse: Vector

    def white(self, points: Vector) -> Vector:
        """Points of shape (n, k) in whitened coordinates."""
        return np.asarray((points - self.origin) @ self.inverse.T)


class Quadratic:
    """Least squares over `points` (n, k) and `costs` (n,), n at least 2; the cost of a fit grows as k to the sixth."""

    def __init__(self, points: Vector, costs: Vector, frame: Frame) -> None:
        self._frame = frame
        self._dimension = points.shape[1]
        order = np.argsort(costs, kind="stable")
        terms = self._terms(len(points))
        keep = order[: max(terms + 1, int(BEST_SHARE * (len(points) + 1)))]
        self._pairs = np.triu_indices(self._dimension, 1) if terms > 2 * self._dimension + 1 else None
        self._squares = terms > self._dimension + 1
        self._offset, self._scale = float(costs[order[0]]), float(np.ptp(costs[keep])) or 1.0
        weights = np.sqrt(np.linspace(WEIGHT_MAX, 1.0, len(keep)))
        features = self._features(frame.white(points[keep]))
        self._coefficients = _solve(features * weights[:, None], (costs[keep] - self._offset) / self._scale * weights)

    def _terms(self, points: int) -> int:
        """How many unknowns `points` points can carry: linear, squares, all products."""
        k = self._dimension
        usable = int(BEST_SHARE * points / POINTS_PER_UNKNOWN_MIN)
        return max(size for size in (k + 1, 2 * k + 1, largest_model(k)) if size <= max(usable, k + 1))

    def _features(self, white: Vector) -> Vector:
        blocks = [np.ones((len(white), 1)), white]
        if self._squares:
            blocks.append(white**2)
        if self._pairs is not None:
            blocks.append(white[:, self._pairs[0]] * white[:, self._pairs[1]])
        return np.hstack(blocks)

    def predict(self, points: Vector) -> Vector:
        """Costs of points of shape (n, k)."""
        return np.asarray(self._offset + self._scale * (self._features(self._frame.white(points)) @ self._coefficients))

    def minimum(self) -> Vector | None:
        """The stationary point of the model, shape (k,), or None where the model is linear or singular."""
        if not self._squares:
            return None
        k = self._dimension
        hessian = np.diag(2.0 * self._coefficients[k + 1 : 2 * k + 1])
        if self._pairs is not None:
            products = self._coefficients[2 * k + 1 :]
            hessian[self._pairs] = products
            hessian.T[self._pairs] = products
        try:
            white = np.linalg.solve(hessian, -self._coefficients[1 : k + 1])
        except np.linalg.LinAlgError:
            return None
        return np.asarray(self._frame.origin + self._frame.forward @ white)


def largest_model(dimension: int) -> int:
    """How many unknowns the model of a space of this dimension has once there are points enough."""
    products = dimension * (dimension - 1) // 2 if dimension <= FULL_DIMENSION_MAX else 0
    return 1 + 2 * dimension + products


def _solve(features: Vector, values: Vector) -> Vector:
    """Ridge least squares: by normal equations where they are well conditioned, else by singular values."""
    gram = features.T @ features
    gram[np.diag_indices_from(gram)] *= 1.0 + RIDGE
    try:
        return np.asarray(cho_solve(cho_factor(gram, check_finite=False), features.T @ values, check_finite=False))
    except LinAlgError:
        return np.asarray(np.linalg.lstsq(features, values, rcond=None)[0])


def agreement(first: Vector, second: Vector) -> float:
    """Kendall's rank correlation of two sequences of n numbers: 1 for the same order, -1 for the reverse."""
    n = len(first)
    if n < 2:
        return 0.0
    concord = np.sign(np.subtract.outer(first, first)) * np.sign(np.subtract.outer(second, second))
    return float(concord.sum() / (n * (n - 1)))
