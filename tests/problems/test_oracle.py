"""The oracle counts every call, stops at its limit, judges, and remembers the best feasible candidate."""

from __future__ import annotations

import math

import numpy as np
import pytest

from colony.problems.evaluation import Rules
from colony.problems.metric import Metric
from colony.problems.oracle import Exhausted, Functions, Oracle, caller
from colony.problems.space import space_from

SPACE = space_from({"x": (0.0, 1.0), "y": (0.0, 1.0)})
RULES = Rules(Metric("height", "maximise"), {"sum": 0.0})


def oracle(evaluate, limit=10, **options):
    """An oracle over one function, with the constraint x + y <= 1."""
    functions = Functions(SPACE, {"evaluate": evaluate, "constraint:sum": lambda x, y: x + y - 1.0})
    return Oracle(functions, RULES, limit, **options)


def test_the_limit_is_hard():
    """The call after the last one granted raises, and counts nothing."""
    judge = oracle(lambda x, y: x + y, limit=2)
    judge.cost(np.asarray([0.1, 0.1]))
    judge.cost(np.asarray([0.2, 0.1]))
    with pytest.raises(Exhausted):
        judge.cost(np.asarray([0.3, 0.1]))
    assert judge.evaluations == 2


def test_lateness_ends_a_search():
    """An oracle that is late grants nothing more."""
    judge = oracle(lambda x, y: x + y, is_late=lambda: True)
    with pytest.raises(Exhausted):
        judge.cost(np.asarray([0.1, 0.1]))


def test_only_feasible_candidates_are_the_best():
    """A higher value that breaks a constraint is penalised and not remembered."""
    judge = oracle(lambda x, y: x + 2 * y)
    feasible = judge.cost(np.asarray([0.1, 0.5]))
    assert judge.cost(np.asarray([0.9, 0.9])) > feasible
    assert judge.best_values == {"x": 0.1, "y": 0.5}


def test_what_raises_fails_alone():
    """One point where the evaluator raises has infinite cost; the next is judged as ever, and nothing has failed."""

    def evaluate(x, y):
        if x > 0.5:
            raise RuntimeError("boom")
        return x + y

    judge = oracle(evaluate)
    assert judge.cost(np.asarray([0.6, 0.1])) == math.inf
    assert "boom" in judge.failure
    assert judge.cost(np.asarray([0.4, 0.1])) == pytest.approx(-0.5)
    assert judge.failure == ""


@pytest.mark.parametrize(
    ("function", "wanted"),
    [
        (lambda x, y: x + y, 0.75),
        (lambda x, y, scale=2.0: scale * (x + y), 1.5),
        (lambda x, y=0.0: x + y, 0.75),
        (lambda candidate: candidate["x"] - candidate["y"], -0.25),
        (lambda x: x["y"], 0.5),
    ],
)
def test_functions_are_called_as_they_are_written(function, wanted):
    """By keyword where the parameters are the variables, defaults or not; else with the whole candidate."""
    assert caller(function, SPACE)({"x": 0.25, "y": 0.5}) == wanted
