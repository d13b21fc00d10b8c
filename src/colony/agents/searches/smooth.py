"""Local optima by gradients over an oracle: the right solver for what a problem offers, and what it costs.

With a formulation: the proximal linear method, finished by SLSQP where that does not converge. Without one: SLSQP on
the constraint functions, or L-BFGS-B where there are none. What counts as evaluations: a call of the metric 1, as are
the differences in place of a missing gradient; a gradient of the problem 1; an objective call of a formulation 1, with
its constraints and derivatives; the judgement of an end 1. Nothing here restarts or perturbs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import optimize

from colony.agents.searches.proximal import settle
from colony.problems.evaluation import Evaluation
from colony.problems.formulation import Formulation
from colony.problems.oracle import Exhausted, Oracle
from colony.problems.space import Values, Vector

ACCURACY = 1e-13
ITERATIONS_MAX = 200
SLSQP_ACCURACY, SLSQP_ITERATIONS_MAX = 1e-10, 100  # of cost; more costs half as much again and finds nothing more
DIFFERENCE = 1e-7  # of the unit cube; the error of a difference is about as large
MARGIN = 1e-10  # how far inside its constraints SLSQP stays, so that its end holds them without tolerance
DISTRUST_MAX = 2  # unconverged runs in excess of converged ones, after which the proximal method is not tried again

minimize: Any = optimize.minimize  # its stubs ask for one-dimensional shapes, which our vectors do not state


@dataclass(frozen=True, slots=True)
class End:
    """Where a descent ended; `cost` is to be minimised, infinite where the end is not feasible.

    `is_final` is False where the evaluations ran out first, so that going on from here is worth while.
    """

    values: Values
    cost: float
    is_final: bool = True


class Descent:
    """Descends on one oracle, again and again; learns whether the proximal method suits the problem.

    `distrust` counts its failures above its successes; a job may begin with what the job before it ended with.
    """

    def __init__(self, oracle: Oracle, distrust: int = 0) -> None:
        self.oracle = oracle
        self.distrust = distrust

    def __call__(self, values: Values, is_known: Callable[[Vector], bool] = lambda _: False) -> End:
        """The local optimum near `values`; it may stop early at a point that `is_known` (in the unit cube).

        Raises:
            Exhausted: nothing is left to judge an end with; the oracle has kept the best judged point.

        """
        formulation = self.oracle.formulation(values)
        if formulation is not None:
            return self._formulated(formulation)
        start = self.oracle.space.encode(values)
        if self.oracle.is_constrained:
            return self._judged(self.oracle.space.decode(constrained_slsqp(self.oracle, start, self._spend)))
        return quasi_newton(self.oracle, start, is_known)

    def _formulated(self, formulation: Formulation) -> End:
        end, converged = formulation.start, False
        if self.distrust < DISTRUST_MAX:
            end, converged = settle(formulation, self._spend)
            self.distrust += -1 if converged else 1
        if not converged:
            end = slsqp(formulation, end, self._spend)
        return self._judged(formulation.candidate(end))

    def _judged(self, values: Mapping[str, Any]) -> End:
        end = judged(self.oracle, values)
        return replace(end, is_final=self.oracle.left > 0)

    def _spend(self) -> None:
        """Count one evaluation, keeping one back for the judgement."""
        if self.oracle.left <= 1:
            raise Exhausted
        self.oracle.spend()


def judged(oracle: Oracle, values: Mapping[str, Any]) -> End:
    """The end at `values` after repair; counts 1."""
    mended = oracle.repaired(dict(values))
    return End(mended, cost_of(oracle, oracle.evaluate(mended)))


def cost_of(oracle: Oracle, judgement: Evaluation) -> float:
    """The cost of a judged point: infinite unless it is feasible."""
    if judgement.status != "ok" or judgement.value is None:
        return math.inf
    return oracle.rules.metric.sign * judgement.value


def slsqp(formulation: Formulation, start: Vector, spend: Callable[[], None]) -> Vector:
    """The end of SLSQP on a formulation, or the last point before `spend` raised `Exhausted`."""
    last = start

    def objective(z: Vector) -> tuple[float, Vector]:
        nonlocal last
        spend()
        last = z.copy()
        return formulation.objective(z)

    try:
        found = minimize(
            objective,
            start,
            jac=True,
            method="SLSQP",
            bounds=formulation.bounds,
            constraints={"type": "ineq", "fun": formulation.constraints, "jac": formulation.jacobian},
            options={"maxiter": SLSQP_ITERATIONS_MAX, "ftol": SLSQP_ACCURACY},
        )
    except Exhausted:
        return last
    return np.asarray(found.x)


class Differences:
    """Cost and constraint amounts in the unit cube, with slopes by forward differences, each point looked at once."""

    def __init__(self, oracle: Oracle, spend: Callable[[], None]) -> None:
        self._oracle = oracle
        self._spend = spend
        self._at: tuple[bytes, Vector] = (b"", np.empty(0))
        self._slopes: tuple[bytes, Vector] = (b"", np.empty(0))

    def at(self, unit: Vector) -> Vector:
        """The cost, then the amount of each constraint; counts 1 at a new point.

        Raises:
            ArithmeticError: the metric has no value here.
            Exhausted: the evaluations are spent.

        """
        if self._at[0] != unit.tobytes():
            self._at = (unit.tobytes(), self._look(unit))
        return self._at[1]

    def slopes(self, unit: Vector) -> Vector:
        """Their derivatives, shape (1 + constraints, k); counts k at a new point.

        Raises:
            ArithmeticError, Exhausted: as for `at`.

        """
        if self._slopes[0] != unit.tobytes():
            here = self.at(unit)
            steps = np.where(unit + DIFFERENCE > 1.0, -DIFFERENCE, DIFFERENCE)
            columns = [
                (self._look(unit + step * axis) - here) / step
                for step, axis in zip(steps, np.eye(len(unit)), strict=True)
            ]
            self._slopes = (unit.tobytes(), np.stack(columns, axis=1))
        return self._slopes[1]

    def _look(self, unit: Vector) -> Vector:
        self._spend()
        cost, amounts = self._oracle.raw(unit)
        if not np.isfinite(cost):
            raise ArithmeticError("the metric has no value here")
        return np.append(cost, amounts)


def constrained_slsqp(oracle: Oracle, start: Vector, spend: Callable[[], None]) -> Vector:
    """The end of SLSQP on the constraint functions in the unit cube, a hair inside them."""
    look = Differences(oracle, spend)
    last = start

    def objective(unit: Vector) -> float:
        nonlocal last
        cost = float(look.at(unit)[0])
        last = unit.copy()
        return cost

    try:
        found = minimize(
            objective,
            start,
            jac=lambda unit: look.slopes(unit)[0],
            method="SLSQP",
            bounds=optimize.Bounds(0.0, 1.0),
            constraints={
                "type": "ineq",
                "fun": lambda unit: -look.at(unit)[1:] - MARGIN,
                "jac": lambda unit: -look.slopes(unit)[1:],
            },
            options={"maxiter": ITERATIONS_MAX, "ftol": ACCURACY},
        )
    except (Exhausted, ArithmeticError):
        return last
    return np.asarray(found.x)


def quasi_newton(oracle: Oracle, start: Vector, is_known: Callable[[Vector], bool]) -> End:
    """The end of L-BFGS-B in the unit cube; a point that fails costs more than any seen, a start that fails ends it."""
    best, best_cost, worst_cost = start, math.inf, -math.inf

    def cost(unit: Vector) -> float:
        nonlocal best, best_cost, worst_cost
        found = oracle.cost(unit)
        if not math.isfinite(found):
            if not math.isfinite(worst_cost):
                raise ArithmeticError("the start has no cost")
            return worst_cost + abs(worst_cost) + 1.0
        worst_cost = max(worst_cost, found)
        if found < best_cost:
            best, best_cost = unit.copy(), found
        return found

    def stop_where_known(unit: Vector) -> None:
        if is_known(unit):
            raise StopIteration

    try:
        minimize(
            cost,
            start,
            jac=oracle.gradient if oracle.has_gradient else None,
            method="L-BFGS-B",
            bounds=optimize.Bounds(0.0, 1.0),
            callback=stop_where_known,
            options={"ftol": ACCURACY, "gtol": 1e-9, "maxiter": ITERATIONS_MAX},
        )
    except Exhausted:
        return End(oracle.space.decode(best), best_cost, is_final=False)
    except ArithmeticError:
        return End(oracle.space.decode(start), math.inf)
    return End(oracle.space.decode(best), best_cost)
