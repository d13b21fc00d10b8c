"""Gradient solvers over an oracle: L-BFGS-B, SLSQP with constraints, SLSQP on a problem's smooth formulation.

Each takes a start and returns where it ended. What counts: a call of the metric 1, a gradient of the problem 1, an
objective call of a formulation 1 (its constraints and derivatives come with it), a judged end 1. Differences for
missing gradients are metric calls and count as such. Nothing here restarts or perturbs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from colony.problems.evaluation import Evaluation
from colony.problems.formulation import Formulation
from colony.problems.oracle import Oracle
from colony.problems.space import Values, Vector

ACCURACY = 1e-13
ITERATIONS_MAX = 300


@dataclass(frozen=True, slots=True)
class End:
    """Where a local search ended; `cost` is to be minimised, infinite where the end is not feasible."""

    values: Values
    cost: float


def descend(oracle: Oracle, values: Values) -> End:
    """The local optimum near `values`, by the best solver that the problem allows.

    Raises:
        Exhausted: the evaluations are spent; the oracle has kept the best judged point.

    """
    formulation = oracle.formulation(values)
    if formulation is not None:
        return judged(oracle, formulation.candidate(slsqp(oracle, formulation)))
    return quasi_newton(oracle, values)


def judged(oracle: Oracle, values: Values) -> End:
    """The end at `values` after repair; counts 1."""
    values = oracle.repaired(values)
    return End(values, cost_of(oracle, oracle.evaluate(values)))


def cost_of(oracle: Oracle, judgement: Evaluation) -> float:
    """The cost of a judged point: infinite unless it is feasible."""
    if judgement.status != "ok" or judgement.value is None:
        return math.inf
    return oracle.rules.metric.sign * judgement.value


def slsqp(oracle: Oracle, formulation: Formulation) -> Vector:
    """The end of SLSQP on a formulation, within the evaluations that are left but one (for the judgement)."""

    def objective(z: Vector) -> tuple[float, Vector]:
        oracle.spend()
        return formulation.objective(z)

    found = minimize(
        objective,
        formulation.start,
        jac=True,
        method="SLSQP",
        bounds=formulation.bounds,
        constraints={"type": "ineq", "fun": formulation.constraints, "jac": formulation.jacobian},
        options={"maxiter": ITERATIONS_MAX, "ftol": ACCURACY},
    )
    return np.asarray(found.x)


def quasi_newton(oracle: Oracle, values: Values) -> End:
    """The end of L-BFGS-B in the unit cube."""
    gradient = oracle.gradient if oracle.has_gradient else None
    start = oracle.space.encode(values)
    options = {"ftol": ACCURACY, "gtol": 1e-9, "maxiter": ITERATIONS_MAX}
    found = minimize(
        oracle.cost, start, jac=gradient, method="L-BFGS-B", bounds=[(0.0, 1.0)] * len(start), options=options
    )
    return End(oracle.space.decode(found.x), float(found.fun))
