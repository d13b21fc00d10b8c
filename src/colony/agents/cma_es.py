"""CMA-ES with BIPOP restarts (Hansen 2009), asked point by point; the strategy itself is the `cma` package's.

A generation may be asked for in parts and told in any order; the next one begins when the last result is in.
All randomness comes from the agent's own stream. What this file does not do: surrogate models, noise handling.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cma
import numpy as np

from colony.agents.points import Merit, PointAgent, costs_of
from colony.agents.proposer import View
from colony.problems.problem import Problem
from colony.problems.space import Choice, Integer, Space, Vector

STEP_SIZE = 0.2  # of the first run, in the unit cube: 2 in a box of width 10, as its author's benchmarks use


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
    """One colony agent that runs CMA-ES again and again; its first run starts at the problem's seed."""

    kind = "cma-es"

    def __init__(self, name: str, problem: Problem, seed: int) -> None:
        super().__init__(name, problem, seed)
        self._bipop = Bipop(self._space.dimension, self._rng)
        self._regime = self._bipop.next()
        self._run: Any = None
        self._generation: list[Vector] = []
        self._merits: dict[int, Merit] = {}
        self._first = 0

    def _point(self, view: View) -> Vector | None:
        if self._given == self._first + len(self._generation):
            if len(self._merits) < len(self._generation):
                return None
            self._advance(view)
        return self._generation[self._given - self._first]

    def _learn(self, number: int, merit: Merit) -> None:
        self._merits[number] = merit

    def _advance(self, view: View) -> None:
        """Close the generation whose results are complete, and open the next one."""
        if self._generation:
            merits = [self._merits[self._first + i] for i in range(len(self._generation))]
            self._run.tell(self._generation, costs_of(merits).tolist())
        if self._run is None or self._run.stop() or self._run.countevals >= self._regime.evaluations_max:
            self._restart(view)
        self._first = self._given
        self._merits.clear()
        self._generation = self._run.ask()

    def _restart(self, view: View) -> None:
        if self._run is None:
            start = self._seed_point
        else:
            self._bipop.spend(self._regime, self._run.countevals)
            self._regime = self._bipop.next()
            start = self._start(view)
        self._run = cma.CMAEvolutionStrategy(start, self._regime.step_size, self._options())

    def _start(self, view: View) -> Vector:  # noqa: ARG002
        return self._rng.random(self._space.dimension)

    def _options(self) -> dict[str, Any]:
        options = {
            "bounds": [0.0, 1.0],
            "popsize": self._regime.population,
            "seed": np.nan,
            "randn": lambda *shape: self._rng.standard_normal(shape),
            "verbose": -9,
            "minstd": smallest_steps(self._space),
        }
        return options


def smallest_steps(space: Space) -> Vector:
    """The step size per coordinate below which a discrete coordinate would never change again; 0 for floats."""
    steps: list[float] = []
    for variable in space.variables.values():
        match variable:
            case Integer():
                width = 1.0 / (variable.high - variable.low + 1)
            case Choice():
                width = 1.0 / len(variable.options)
            case _:
                width = 0.0
        steps += [0.2 * width] * variable.dimension
    return np.asarray(steps)
