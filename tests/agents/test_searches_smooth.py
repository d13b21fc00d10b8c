"""Local searches: that they converge, count what they use, stop where they must and leave nothing unjudged."""

import numpy as np
import pytest

from colony.agents.searches import local
from colony.agents.searches.proximal import settle
from colony.agents.searches.smooth import Descent, slsqp
from colony.problems.evaluation import Rules
from colony.problems.geometry import CircleFormulation, shrunk_radii
from colony.problems.hosting import folder_functions
from colony.problems.loaders import find_folder, load_folder
from colony.problems.metric import Metric
from colony.problems.oracle import Exhausted, Functions, Oracle
from colony.problems.space import space_from


def ready(name, evaluations):
    folder = find_folder(name)
    problem = load_folder(folder)
    functions = Functions(problem.space, folder_functions({"folder": str(folder)}))
    return Oracle(functions, problem.rules, evaluations)


def oracle_of(evaluations, space, direction="minimise", tolerances=(), **functions):
    calls = Functions(space_from(space), functions)
    return Oracle(calls, Rules(Metric("m", direction), dict.fromkeys(tolerances, 0.0)), evaluations)


class Disc:
    """Minimise -x - y within the unit disc, x at most `right`: curvature, not corners, decides where the optimum is."""

    def __init__(self, start, right=None):
        self.start = np.asarray(start, dtype=float)
        self.bounds = [(None, right), (None, None)]

    def objective(self, z):
        return float(-z.sum()), -np.ones(2)

    def constraints(self, z):
        return np.asarray([1.0 - z @ z])

    def jacobian(self, z):
        return -2.0 * z[None, :]

    def candidate(self, z):
        return {"x": float(z[0]), "y": float(z[1])}


def circles(seed, count=12):
    centres = np.random.default_rng(seed).random((count, 2))
    return CircleFormulation(centres, shrunk_radii(centres, np.full(count, 0.1)))


@pytest.mark.parametrize("seed", range(5))
def test_packings_settle_where_slsqp_finds_nothing_better(seed):
    """The proximal method ends feasible, converged, and at a local optimum that SLSQP from there cannot improve."""
    formulation = circles(seed)
    end, converged = settle(formulation, lambda: None)
    assert converged
    assert formulation.constraints(end).min() > -1e-10
    assert formulation.objective(slsqp(formulation, end, lambda: None))[0] >= formulation.objective(end)[0] - 1e-8


def test_looking_at_near_constraints_only_changes_nothing(monkeypatch):
    """With all constraints in every step the same end is reached: those left out are added once they matter."""
    near = settle(circles(7), lambda: None)[0]
    monkeypatch.setattr("colony.agents.searches.proximal.NEAR_SHARE", 1e6)
    assert np.allclose(near, settle(circles(7), lambda: None)[0], atol=1e-7)


def test_a_bound_of_the_formulation_is_kept():
    """Bounds count as constraints."""
    end, converged = settle(Disc([0.1, 0.1], right=0.3), lambda: None)
    assert converged
    assert end == pytest.approx([0.3, np.sqrt(1 - 0.09)], abs=1e-6)


def test_where_curvature_decides_slsqp_finishes():
    """A descent reaches the optimum of a problem without corners to eight digits."""
    oracle = oracle_of(
        500,
        {"x": (-2.0, 2.0), "y": (-2.0, 2.0)},
        evaluate=lambda x, y: -x - y,
        formulation=lambda x, y: Disc([x, y]),
    )
    assert Descent(oracle)({"x": 0.3, "y": -0.2}).cost == pytest.approx(-np.sqrt(2), abs=1e-8)


def test_unconverged_runs_are_distrusted(monkeypatch):
    """After enough failures of the proximal method a descent no longer tries it; a success speaks for it."""
    tried = []
    monkeypatch.setattr("colony.agents.searches.smooth.settle", lambda f, _: (tried.append(1), (f.start, False))[1])
    oracle = oracle_of(
        5000, {"x": (-2.0, 2.0), "y": (-2.0, 2.0)}, evaluate=lambda x, y: -x - y, formulation=lambda x, y: Disc([x, y])
    )
    descend = Descent(oracle)
    for _ in range(5):
        descend({"x": 0.3, "y": -0.2})
    assert len(tried) == 2
    assert descend.distrust == 2


def test_constraint_functions_hold_without_tolerance():
    """SLSQP on constraint functions ends strictly feasible and within 1e-8 of the optimum."""
    oracle = oracle_of(
        500,
        {"x": (0.1, 10.0), "y": (0.1, 10.0)},
        tolerances=["hyperbola"],
        evaluate=lambda x, y: x + y,
        constraints=lambda x, y: {"hyperbola": 1.0 - x * y},
    )
    end = Descent(oracle)({"x": 4.0, "y": 3.0})
    assert end.cost == pytest.approx(2.0, abs=1e-8)
    assert oracle.best.status == "ok"


def test_differences_count_as_evaluations():
    """Without a gradient every call of the metric is counted, those for differences too."""
    calls = []
    space = {"x": (-1.0, 1.0), "y": (-1.0, 1.0)}
    oracle = oracle_of(200, space, evaluate=lambda x, y: (calls.append(1), x * x + (y - 0.3) ** 2)[1])
    assert Descent(oracle)({"x": 0.7, "y": -0.6}).cost < 1e-8
    assert oracle.evaluations == len(calls)


@pytest.mark.parametrize("name", ["circles-26", "heilbronn-triangle-11", "wave-3d"])
@pytest.mark.parametrize("evaluations", [1, 2, 3, 7, 20])
def test_few_evaluations_are_kept_to_and_end_judged(name, evaluations):
    """However few evaluations are granted, they suffice, and a problem that can repair gets a feasible end."""
    oracle = ready(name, evaluations)
    local.search(oracle, None, {}, np.random.default_rng(2))
    assert oracle.evaluations <= evaluations
    assert oracle.best is not None


def test_a_descent_cut_short_says_where_to_go_on():
    """What is handed back as open is better than the start, and going on from there reaches the optimum."""
    start = {"x": 2.4, "y": 2.7, "z": 0.8}
    first = ready("wave-3d", 8)
    notes = local.search(first, start, {}, np.random.default_rng(1))
    assert notes["open"] is not None
    second = ready("wave-3d", 30)
    local.search(second, notes["open"], {}, np.random.default_rng(1))
    assert second.trace[0][1] >= first.trace[0][1]
    assert any(value == pytest.approx(0.368542, abs=1e-6) for _, value in second.trace)


def test_known_ends_stop_a_descent():
    """A descent into a basin whose end is known costs less than one that has to find it."""
    start = {"x": 4.0, "y": 2.8, "z": 1.2}
    free = ready("wave-3d", 500)
    end = Descent(free)(start)
    known = ready("wave-3d", 500)
    unit = known.space.encode(end.values)
    Descent(known)(start, lambda at: bool(np.abs(at - unit).max() < 0.03))
    assert known.evaluations < free.evaluations


def test_jobs_share_one_sequence_of_starts():
    """Two jobs of a stream that skip different counts look at different points; the same job looks at the same."""

    def looked_at(skip):
        seen = []
        oracle = oracle_of(4, {"x": (0.0, 1.0), "y": (0.0, 1.0)}, evaluate=lambda x, y: (seen.append((x, y)), x)[1])
        local.search(oracle, None, {"stream": 5, "skip": skip}, np.random.default_rng(skip))
        return seen

    assert looked_at(0) == looked_at(0)
    assert not set(looked_at(0)) & set(looked_at(4))


def test_distance_ratios_reach_the_record():
    """Descents alone reach the best known ratio of 16 points in the plane within 1000 evaluations."""
    oracle = ready("distance-ratio-16-2d", 1000)
    local.search(oracle, None, {}, np.random.default_rng(2))
    assert oracle.best.value <= 12.88923


def test_spending_beyond_the_grant_ends_a_descent():
    """A descent with nothing left to judge with raises, and counts nothing more."""
    oracle = ready("circles-26", 0)
    with pytest.raises(Exhausted):
        Descent(oracle)(oracle.space.midpoint())
    assert oracle.evaluations == 0


@pytest.mark.parametrize("constrained", [False, True])
def test_points_that_fail_do_not_end_a_search(constrained):
    """An evaluator that raises, or answers NaN, in a part of the space costs evaluations there and nothing else."""

    def evaluate(x, y):
        if x > 0.9:
            raise ValueError("too far")
        return np.nan if y > 0.9 else (x - 0.7) ** 2 + (y - 0.7) ** 2

    constraints = {"constraints": lambda x, y: {"sum": x + y - 1.6}} if constrained else {}
    oracle = oracle_of(600, {"x": (0.0, 1.0), "y": (0.0, 1.0)}, evaluate=evaluate, **constraints)
    local.search(oracle, None, {}, np.random.default_rng(0))
    assert oracle.evaluations == 600
    assert oracle.best.value < 1e-8
