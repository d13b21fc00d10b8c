"""The peers of the black-box comparison, each run alone with the settings its authors recommend.

Each function takes a counted objective on [-5, 5]^dimension, the dimension, the number of evaluations and a seed, and
calls the objective until it is done or `Spent` is raised. They keep no result: the objective remembers the best.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable

import numpy as np

Objective = Callable[[np.ndarray], float]
LOW, HIGH = -5.0, 5.0


class Spent(Exception):  # noqa: N818  # not an error: the evaluations are used up
    """The evaluations are used up."""


def cma_bipop(objective: Objective, dimension: int, evaluations: int, seed: int) -> None:
    """BIPOP-CMA-ES as in its author's COCO example: starts in [-4, 4], step size 2, nine restarts."""
    import cma

    rng = np.random.default_rng(seed)
    cma.fmin2(
        objective,
        lambda: rng.uniform(-4, 4, dimension),
        2.0,
        {"verbose": -9, "seed": seed, "maxfevals": evaluations},
        restarts=9,
        bipop=True,
    )


def scipy_differential_evolution(objective: Objective, dimension: int, evaluations: int, seed: int) -> None:
    """SciPy's defaults with as many generations as the evaluations allow, so that its final polish comes to work."""
    _scipy_de(objective, dimension, evaluations, seed, 15)


def scipy_differential_evolution_small(objective: Objective, dimension: int, evaluations: int, seed: int) -> None:
    """The same with a population of 5 a dimension, which suits few evaluations better."""
    _scipy_de(objective, dimension, evaluations, seed, 5)


def _scipy_de(objective: Objective, dimension: int, evaluations: int, seed: int, population: int) -> None:
    from scipy.optimize import differential_evolution

    generations = (evaluations - 10 * dimension) // (population * dimension) - 1
    bounds = [(LOW, HIGH)] * dimension
    differential_evolution(objective, bounds, popsize=population, maxiter=generations, rng=seed)


def optuna_tpe(objective: Objective, dimension: int, evaluations: int, seed: int) -> None:
    """Optuna's default sampler in memory."""
    import optuna

    optuna.logging.set_verbosity(logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    names = [f"x{i}" for i in range(dimension)]
    study.optimize(
        lambda trial: objective(np.array([trial.suggest_float(n, LOW, HIGH) for n in names])), n_trials=evaluations
    )


def nevergrad_ngopt(objective: Objective, dimension: int, evaluations: int, seed: int) -> None:
    """Nevergrad's own choice of method for the dimension and the number of evaluations.

    Its surrogate calls `float` on an array of one number, which numpy 2.4 refuses: it gets a `float` that takes it.
    """
    import nevergrad
    from nevergrad.optimization import metamodel

    metamodel.float = lambda value: np.asarray(value).item()
    space = nevergrad.p.Array(shape=(dimension,)).set_bounds(LOW, HIGH)
    space.random_state.seed(seed)
    nevergrad.optimizers.NGOpt(parametrization=space, budget=evaluations, num_workers=1).minimize(
        lambda x: objective(np.asarray(x))
    )


PEERS: dict[str, Callable[[Objective, int, int, int], None]] = {
    "cma-bipop": cma_bipop,
    "scipy-de": scipy_differential_evolution,
    "scipy-de-small": scipy_differential_evolution_small,
    "nevergrad-ngopt": nevergrad_ngopt,
    "optuna-tpe": optuna_tpe,
}


def run_peer(name: str, objective: Objective, dimension: int, evaluations: int, seed: int) -> None:
    """Run one peer to the end of its evaluations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            PEERS[name](objective, dimension, evaluations, seed)
        except Spent:
            return
