"""CMA-ES with a quadratic model, which saves most evaluations where the problem is smooth, and notices where it is not.

The scheme is that of lq-CMA-ES (Hansen 2019), with two additions. The colony's best is taken in where the model is
trusted. And where it was trusted to the end, the end was a smooth local optimum: then many small runs do better than
BIPOP's growing ones, each begins far from the ends of the others, and one that heads for a known end is given up.
"""

from __future__ import annotations

import numpy as np

from colony.agents.cma_es import CmaEs
from colony.agents.points import Merit, costs_of
from colony.agents.proposer import View
from colony.agents.quadratic import Frame, Quadratic, agreement, largest_model
from colony.problems.problem import Problem
from colony.problems.space import Vector

AGREEMENT_MIN = 0.85  # Kendall's correlation from which a model is trusted
SMOOTHING = 0.2  # weight of the last generation in the smoothness
SMOOTH_MIN = 0.5
ENDS_MAX = 64
PROMISE_MIN = 1e-6  # what the model must promise, against the spread of the latest costs, for a run to go on
ROUNDING = 1e-14  # a gain of this part of the cost is none
NEAR = 0.01  # a distance in each coordinate of the unit cube within which two ends are one
STARTS = 8  # random points of which the one farthest from known ends is taken


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
        self._smoothness = 0.0  # how often the model was trusted lately, 0 to 1
        self._ends: list[Vector] = []  # of runs on smooth ground
        self._is_known_end = False
        self._promise = np.inf

    def _proceed(self, view: View) -> None:
        model = None
        if self._generation:
            model = self._model()
            if self._wanted < len(self._generation) and not self._trusted(model):
                self._queue_more(model)
                return
            self._close(self._surrogate_costs(model))
            self._smoothness += SMOOTHING * (self._is_smooth_step() - self._smoothness)
            self._heed(model)
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

    def _is_smooth_step(self) -> bool:
        """Whether the model was trusted before all of the generation was evaluated."""
        return self._wanted < len(self._generation)

    def _heed(self, model: Quadratic) -> None:
        """Let the model's minimum take part, and note where the run is about to end as an earlier one did."""
        minimum = model.minimum()
        if minimum is None:
            return
        self._promise = abs(float(model.predict(minimum[None])[0] - costs_of(self._known_merits).min()))
        arriving = self._is_smooth_step() and _are_near(self._run.mean, minimum, 10 * NEAR)
        self._is_known_end = arriving and self._is_end(np.clip(minimum, 0.0, 1.0))
        self._run.inject([np.clip(minimum, 0.0, 1.0)])

    def _is_end(self, point: Vector) -> bool:
        """Whether a run on smooth ground has ended here, in the cube."""
        return any(_are_near(point, end, NEAR) for end in self._ends)

    def _is_over(self) -> bool:
        return self._is_known_end or self._has_settled() or super()._is_over()

    def _has_settled(self) -> bool:
        """Whether, on smooth ground, the latest points were no better than before, and the model promises no more."""
        latest = 2 * self._space.dimension + 4
        if self._smoothness < SMOOTH_MIN or len(self._known_merits) < 2 * latest:
            return False
        costs = costs_of(self._known_merits)
        gain = costs[:-latest].min() - costs[-latest:].min()
        return bool(gain <= ROUNDING * abs(costs.min()) and self._promise < PROMISE_MIN * np.ptp(costs[-latest:]))

    def _restart(self, view: View) -> Vector:
        """After a run on smooth ground another of the same size, far from where such runs ended; else as BIPOP says."""
        smooth, self._smoothness = self._smoothness > SMOOTH_MIN, 0.0
        if not smooth:
            return super()._restart(view)
        if not self._is_known_end:
            self._ends.append(self._run.mean.copy())
            del self._ends[:-ENDS_MAX]
        self._is_known_end = False
        self._promise = np.inf
        starts = self._rng.random((STARTS, self._space.dimension))
        distances = np.linalg.norm(starts[:, None] - np.asarray(self._ends), axis=2).min(axis=1)
        return np.asarray(starts[int(np.argmax(distances))])

    def _follow(self, view: View) -> None:
        """Take in the colony's best where it beats the whole run and the model is trusted.

        On rugged problems, where it is not, the best of others would only draw the run into their local optimum.
        """
        best = view.best
        if best is None or best.experiment == self._followed or not self._is_smooth_step():
            return
        merit = (0, self._sign * best.value)
        point = np.clip(self._space.encode(best.candidate.content), 0.0, 1.0)
        if merit < min(self._known_merits) and not self._is_end(point):
            self._followed = best.experiment
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


def _are_near(one: Vector, other: Vector, distance: float) -> bool:
    """Whether two points lie within `distance` a coordinate, on average."""
    return bool(np.linalg.norm(one - other) < distance * np.sqrt(len(one)))
