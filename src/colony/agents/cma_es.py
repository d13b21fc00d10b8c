"""CMA-ES with BIPOP restarts (Hansen 2009), asked point by point; the strategy itself is the `cma` package's.

A generation may be asked for in parts and told in any order; the next one begins when the last result is in.
All randomness comes from the agent's own stream. Not here: surrogate models (see `model_cma_es`), noise handling.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cma
import numpy as np

from colony.agents.points import Merit, PointAgent, costs_of, smallest_steps
from colony.agents.proposer import View
from colony.problems.problem import Problem
from colony.problems.space import Vector

STEP_SIZE = 0.2  # of the first run, in the unit cube: 2 in a box of width 10, as its author's benchmarks use

STEP_SIZE_MAX = 1 / 3  # of any coordinate, as the package has it for boxes


@dataclass(frozen=True, slots=True)
class Regime:
    """How one run is set: population size, first step size in the unit cube, evaluations allowed (None: no limit)."""

    large: bool
    population: int
    step_size: float
    evaluations_max: float


class Bipop:
    """Which regime comes next: doubling populations, interleaved with small local runs of equal total cost."""

    def __init__(self, dimension: int, rng: np.random.Generator) -> None:
        self._rng = rng
        self._default = 4 + int(3 * np.log(dimension))
        self._doublings = 0
        self._spent = {False: 0, True: 0}
        self._runs = 0

    def spend(self, regime: Regime, evaluations: int) -> None:
        """Book what a finished run has cost."""
        self._spent[regime.large] += evaluations
        self._runs += 1

    def next(self) -> Regime:
        """The regime of the next run."""
        if self._runs == 0:
            return Regime(False, self._default, STEP_SIZE, np.inf)
        if self._doublings and self._spent[False] < self._spent[True]:
            population = int(self._default * (2**self._doublings) ** (self._rng.random() ** 2))
            step_size = STEP_SIZE * 0.01 ** self._rng.random()
            return Regime(False, population, step_size, max(self._spent[True] / 2, 2 * population))
        self._doublings += 1
        return Regime(True, self._default * 2**self._doublings, STEP_SIZE, np.inf)


class CmaEs(PointAgent):
    """One colony agent that runs CMA-ES again and again, in two dimensions or more.

    The first run begins at the problem's seed, unless the colony already has elites there.
    """

    kind = "cma-es"

    def __init__(self, name: str, problem: Problem, seed: int) -> None:
        super().__init__(name, problem, seed)
        assert self._space.dimension > 1, "CMA-ES needs two coordinates; a line search serves one better"
        self._bipop = Bipop(self._space.dimension, self._rng)
        self._regime = self._bipop.next()
        self._run: Any = None
        self._spent = 0
        self._asked: list[Vector] = []  # what the strategy gave, perhaps outside of the cube
        self._generation: list[Vector] = []  # the nearest points of the cube
        self._merits: dict[int, Merit] = {}  # by index in the generation
        self._queue: list[int] = []  # indices still to be proposed, next one last
        self._awaited: dict[int, int] = {}  # index by running number

    def _point(self, view: View) -> Vector | None:
        if not self._queue and not self._awaited:
            self._proceed(view)
        if not self._queue:
            return None
        self._awaited[self._given] = self._queue.pop()
        return self._generation[self._awaited[self._given]]

    def _learn(self, number: int, merit: Merit) -> None:
        self._merits[self._awaited.pop(number)] = merit

    def _proceed(self, view: View) -> None:
        """Take the next step now that every result asked for is in: here, close the generation and open another."""
        if self._merits:
            self._close(costs_of([self._merits[i] for i in range(len(self._generation))]))
        self._open(view)

    def _close(self, costs: Vector) -> None:
        """Tell the strategy what its generation cost."""
        self._run.tell(self._asked, costs.tolist())
        self._run.mean = np.clip(self._run.mean, 0.0, 1.0)
        self._spent += len(self._merits)
        self._merits.clear()

    def _open(self, view: View) -> None:
        """Ask the strategy for a generation, restarting it where it is done."""
        if self._run is None:  # whoever comes later begins elsewhere
            self._start(self._rng.random(self._space.dimension) if view.elites else self._seed_point)
        elif self._is_over():
            self._start(self._restart(view))
        self._asked = self._run.ask()
        self._generation = [np.clip(point, 0.0, 1.0) for point in self._asked]
        self._queue = list(range(len(self._generation)))[::-1]

    def _is_over(self) -> bool:
        return bool(self._run.stop()) or self._spent >= self._regime.evaluations_max

    def _restart(self, view: View) -> Vector:
        """Choose the next regime and where it begins: a large run anywhere, a small one at an elite of the colony."""
        self._bipop.spend(self._regime, self._spent)
        self._regime = self._bipop.next()
        if self._regime.large or not view.elites:
            return self._rng.random(self._space.dimension)
        chosen = view.elites[int(len(view.elites) * self._rng.random() ** 2)]
        return np.clip(self._space.encode(chosen.candidate.content), 0.0, 1.0)

    def _start(self, start: Vector) -> None:
        self._spent = 0
        options = {
            "maxstd": STEP_SIZE_MAX,
            "popsize": self._regime.population,
            "seed": np.nan,
            "randn": lambda *shape: self._rng.standard_normal(shape),
            "verbose": -9,
            "minstd": smallest_steps(self._space),
            "CMA_injections_threshold_keep_len": 1,
        }
        self._run = cma.CMAEvolutionStrategy(start, self._regime.step_size, options)
