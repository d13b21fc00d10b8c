"""CMA-ES with BIPOP restarts (Hansen 2009), asked point by point; the strategy itself is the `cma` package's.

A generation may be asked for in parts and told in any order; the next one begins when the last result is in.
All randomness comes from the agent's own stream. What this file does not do: surrogate models, noise handling.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cma
import numpy as np

from colony.agents.points import Merit, PointAgent, costs_of, smallest_steps
from colony.agents.proposer import View
from colony.agents.quadratic import Frame, Quadratic, agreement, largest_model
from colony.problems.problem import Problem
from colony.problems.space import Vector

STEP_SIZE = 0.2  # of the first run, in the unit cube: 2 in a box of width 10, as its author's benchmarks use

AGREEMENT_MIN = 0.85  # Kendall's correlation from which a model is trusted


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
        self._generation: list[Vector] = []
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
        self._run.tell(self._generation, costs.tolist())
        self._spent += len(self._merits)
        self._merits.clear()

    def _open(self, view: View) -> None:
        """Ask the strategy for a generation, restarting it where it is done."""
        if self._run is None:  # whoever comes later begins elsewhere
            self._start(self._rng.random(self._space.dimension) if view.elites else self._seed_point)
        elif self._run.stop() or self._spent >= self._regime.evaluations_max:
            self._bipop.spend(self._regime, self._spent)
            self._regime = self._bipop.next()
            self._start(self._next_start(view))
        self._generation = self._run.ask()
        self._queue = list(range(len(self._generation)))[::-1]

    def _next_start(self, view: View) -> Vector:
        """Where a restart begins: a large run anywhere, a small one at one of the colony's elites."""
        if self._regime.large or not view.elites:
            return self._rng.random(self._space.dimension)
        chosen = view.elites[int(len(view.elites) * self._rng.random() ** 2)]
        return np.clip(self._space.encode(chosen.candidate.content), 0.0, 1.0)

    def _start(self, start: Vector) -> None:
        self._spent = 0
        options = {
            "bounds": [0.0, 1.0],
            "popsize": self._regime.population,
            "seed": np.nan,
            "randn": lambda *shape: self._rng.standard_normal(shape),
            "verbose": -9,
            "minstd": smallest_steps(self._space),
            "CMA_injections_threshold_keep_len": 1,
        }
        self._run = cma.CMAEvolutionStrategy(start, self._regime.step_size, options)


class ModelCmaEs(CmaEs):
    """CMA-ES that has only as much of each generation evaluated as its quadratic model needs to be trusted.

    The scheme is that of lq-CMA-ES (Hansen 2019): the best by the model are evaluated first, a few more until the model
    orders the known points well, and the model's minimum takes part in the next generation.
    """

    kind = "model-cma-es"

    def __init__(self, name: str, problem: Problem, seed: int) -> None:
        super().__init__(name, problem, seed)
        self._points: list[Vector] = []
        self._known_merits: list[Merit] = []
        self._wanted = 0
        self._followed = ""

    def _proceed(self, view: View) -> None:
        model = None
        if self._generation:
            model = self._model()
            if self._wanted < len(self._generation) and not self._trusted(model):
                self._queue_more(model)
                return
            self._close(self._surrogate_costs(model))
            minimum = model.minimum()
            if minimum is not None:
                self._run.inject([np.clip(minimum, 0.0, 1.0)])
            self._follow(view)
        run = self._run
        self._open(view)
        if self._run is not run:
            model = None
            self._points.clear()
            self._known_merits.clear()
        self._wanted = 0
        self._queue_more(model)

    def _learn(self, number: int, merit: Merit) -> None:
        self._points.append(self._generation[self._awaited[number]])
        self._known_merits.append(merit)
        super()._learn(number, merit)

    def _follow(self, view: View) -> None:
        """Take in the colony's best where it beats the whole run and the model is trusted.

        On rugged problems, where it is not, the best of others would only draw the run into their local optimum.
        """
        best = view.best
        if best is None or best.experiment == self._followed or self._wanted >= len(self._generation):
            return
        merit = (0, self._sign * best.value)
        if merit < min(self._known_merits):
            self._followed = best.experiment
            point = np.clip(self._space.encode(best.candidate.content), 0.0, 1.0)
            self._points.append(point)
            self._known_merits.append(merit)
            self._run.inject([point])

    def _queue_more(self, model: Quadratic | None) -> None:
        """Have the best of what is left of the generation evaluated: half as many again as so far, at least one."""
        left = [i for i in range(len(self._generation)) if i not in self._merits]
        if model is not None:
            predicted = model.predict(np.asarray([self._generation[i] for i in left]))
            left = [left[i] for i in np.argsort(predicted, kind="stable")]
        more = -(-self._wanted // 2) if self._wanted else max(1, int(1 + 0.02 * len(left)), 4 - len(self._points))
        self._queue = left[:more][::-1]
        self._wanted += len(self._queue)

    def _model(self) -> Quadratic:
        limit = max(len(self._generation), 2 * largest_model(self._space.dimension))
        del self._points[:-limit], self._known_merits[:-limit]
        sampler, sigma = self._run.sm, self._run.sigma
        frame = Frame(self._run.mean.copy(), sigma * sampler.B * sampler.D, (sampler.B / sampler.D).T / sigma)
        return Quadratic(np.asarray(self._points), costs_of(self._known_merits), frame)

    def _trusted(self, model: Quadratic) -> bool:
        """Whether the model orders the latest known points nearly as they are."""
        last = max(15, int(min(1.2 * self._wanted, 0.75 * len(self._generation))))
        predicted = model.predict(np.asarray(self._points[-last:]))
        return agreement(predicted, costs_of(self._known_merits[-last:])) >= AGREEMENT_MIN

    def _surrogate_costs(self, model: Quadratic) -> Vector:
        """The generation's costs: measured where all were, else the model's, moved so that the best agree."""
        if len(self._merits) == len(self._generation):
            return costs_of([self._merits[i] for i in range(len(self._generation))])
        predicted = model.predict(np.asarray(self._generation))
        return np.asarray(predicted - predicted.min() + costs_of(list(self._merits.values())).min())
