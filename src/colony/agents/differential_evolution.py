"""Differential evolution with success-history adaptation (SHADE: Tanabe and Fukunaga 2013), one trial at a time.

Each trial competes with one member of the population whenever its result comes in, so that nothing waits for a
generation. A population that has collapsed to a point is replaced by a fresh one. It knows no gradients or models.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import qmc

from colony.agents.points import Merit, PointAgent
from colony.agents.proposer import View
from colony.problems.problem import Problem
from colony.problems.space import Vector

HISTORY = 6  # remembered pairs of scale and crossover rate, as in the source
BEST_SHARE = 0.15  # a trial moves towards one of the best this share of the population
COLLAPSED = 1e-9  # largest spread of the population, in the unit cube, that counts as a point


@dataclass(frozen=True, slots=True)
class Trial:
    """A point under evaluation: which member it challenges, and the scale and crossover rate that made it."""

    target: int
    point: Vector
    scale: float
    crossover: float


class DifferentialEvolution(PointAgent):
    """A population of points that moves along its own differences."""

    kind = "differential-evolution"

    def __init__(self, name: str, problem: Problem, seed: int) -> None:
        super().__init__(name, problem, seed)
        self._size = int(np.clip(4 * self._space.dimension, 12, 60))
        self._memory = np.full((HISTORY, 2), 0.5)
        self._memory_at = 0
        self._trials: dict[int, Trial] = {}
        self._found(self._seed_point)

    def _found(self, member: Vector | None) -> None:
        """Begin a population, with `member` among it."""
        self._points = qmc.LatinHypercube(self._space.dimension, rng=self._rng).random(self._size)
        if member is not None:
            self._points[0] = member
        self._merits: list[Merit | None] = [None] * self._size
        self._replaced: list[Vector] = []
        self._turn = 0
        self._trials.clear()

    def _point(self, view: View) -> Vector | None:
        target, rounds = self._turn % self._size, self._turn // self._size
        if rounds and any(merit is None for merit in self._merits):
            return None
        if target == 0 and rounds and np.ptp(self._points, axis=0).max() < COLLAPSED:
            self._found(None)
            return self._point(view)
        self._turn += 1
        trial = self._trial(target) if rounds else Trial(target, self._points[target], 0.5, 0.5)
        self._trials[self._given] = trial
        return trial.point

    def _trial(self, target: int) -> Trial:
        """A step from the target towards one of the best and along a difference of two others (current-to-pbest/1)."""
        mean_scale, mean_crossover = self._memory[self._rng.integers(HISTORY)]
        scale = float(np.clip(mean_scale + 0.1 * self._rng.standard_cauchy(), 0.05, 1.0))
        crossover = float(np.clip(self._rng.normal(mean_crossover, 0.1), 0.0, 1.0))
        order = sorted(range(self._size), key=lambda i: self._merits[i] or (3, 0.0))
        best = self._points[order[self._rng.integers(max(2, int(BEST_SHARE * self._size)))]]
        others = np.vstack([self._points, *self._replaced]) if self._replaced else self._points
        one, two = self._points[self._rng.integers(self._size)], others[self._rng.integers(len(others))]
        here = self._points[target]
        moved = here + scale * (best - here) + scale * (one - two)
        keep = self._rng.random(len(here)) >= crossover
        keep[self._rng.integers(len(here))] = False
        point = np.where(keep, here, moved)
        point = np.where(point < 0.0, here / 2, np.where(point > 1.0, (here + 1.0) / 2, point))
        return Trial(target, point, scale, crossover)

    def _learn(self, number: int, merit: Merit) -> None:
        trial = self._trials.pop(number, None)
        if trial is None:  # of a population that has been replaced
            return
        held = self._merits[trial.target]
        if held is not None and merit > held:
            return
        if held is not None and merit < held:
            self._succeed(trial)
        self._points[trial.target] = trial.point
        self._merits[trial.target] = merit

    def _succeed(self, trial: Trial) -> None:
        """Remember what worked, and the point that was beaten."""
        self._memory[self._memory_at] += 0.3 * (
            np.array([trial.scale, trial.crossover]) - self._memory[self._memory_at]
        )
        self._memory_at = (self._memory_at + 1) % HISTORY
        if len(self._replaced) < self._size:
            self._replaced.append(self._points[trial.target].copy())
        else:
            self._replaced[self._rng.integers(self._size)] = self._points[trial.target].copy()
