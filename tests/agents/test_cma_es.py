"""CMA-ES asked point by point, its restarts, and the model that saves evaluations."""

import numpy as np

from colony.agents.cma_es import Bipop, CmaEs
from colony.agents.model_cma_es import ModelCmaEs
from colony.agents.proposer import View
from colony.memory.elite import Elite
from colony.problems.candidate import Candidate


def valley(x):
    """Rosenbrock's function: a bent narrow valley with its end at ones."""
    return float(np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2))


def ellipsoid(x):
    """A bowl a thousand times steeper along one axis than along another, turned against the axes."""
    turned = x + 0.5 * x[::-1]
    return float(np.sum(10 ** np.linspace(0, 6, len(x)) * turned**2))


def test_a_generation_is_asked_in_parts_and_then_awaited(box, driver):
    """No more than a generation is out at a time; when the last result is in, the next begins."""
    agent = CmaEs("a", box(4), 1)
    asked = [*agent.ask(View(), 5), *agent.ask(View(), 100)]
    assert len(asked) == 8, "4 + 3 ln 4 points make a generation"
    assert agent.ask(View(), 10) == []
    drive = driver(agent, valley)
    agent.tell([drive.outcome(p) for p in asked[:7]])
    assert agent.ask(View(), 10) == []
    agent.tell([drive.outcome(asked[7])])
    assert len(agent.ask(View(), 100)) == 8


def test_it_solves_a_bent_valley(box, driver):
    """Both forms reach 1e-8 on Rosenbrock's function in four dimensions."""
    assert driver(CmaEs("a", box(4, -1.0), 1), valley).run(8000, 1e-8).best <= 1e-8
    assert driver(ModelCmaEs("a", box(4, -1.0), 1), valley).run(3000, 1e-8).best <= 1e-8


def test_the_model_saves_most_evaluations(box, driver):
    """On a turned ellipsoid the model needs less than a third of the evaluations; without it they would be as many."""
    plain = driver(CmaEs("a", box(5), 2), ellipsoid).run(6000, 1e-8)
    helped = driver(ModelCmaEs("a", box(5), 2), ellipsoid).run(6000, 1e-8)
    assert helped.best <= 1e-8
    assert helped.evaluations < plain.evaluations / 3


def test_regimes_double_and_stay_in_balance():
    """Large runs double their population; small ones never cost more in total than the large ones before them."""
    bipop, large, spent = Bipop(10, np.random.default_rng(1)), [], {True: 0, False: 0}
    for _ in range(12):
        regime = bipop.next()
        cost = int(min(regime.evaluations_max, 40 * regime.population))
        if regime.large:
            assert spent[False] >= spent[True]
            large.append(regime.population)
        else:
            assert regime.step_size <= 0.2
        spent[regime.large] += cost
        bipop.spend(regime, cost)
    assert len(large) > 1
    assert large == [10 * 2 ** (i + 1) for i in range(len(large))]


def test_the_colonys_best_is_followed_on_smooth_problems(box, driver):
    """Agents that are shown a good point in another's hands need fewer evaluations than ones that are not."""
    point = np.full(6, 0.01)
    elite = Elite("e0", Candidate.parameters({"x": point.tolist()}), ellipsoid(point), "other")

    def needed(seed, view):
        drive = driver(ModelCmaEs("a", box(6, 4.0), seed), ellipsoid).run(20)
        drive.view = view
        return drive.run(2000, 1e-6).evaluations

    assert sum(needed(seed, View((elite,))) for seed in range(4)) < sum(needed(seed, View()) for seed in range(4))


def test_whoever_joins_later_begins_elsewhere(box):
    """The first run of the first agent is around the seed; with elites in view it is around another point."""
    elite = Elite("e0", Candidate.parameters({"x": [0.0] * 3}), 1.0, "other")

    def centre(view):
        points = [p.candidate.content["x"] for p in CmaEs("a", box(3), 4).ask(view, 100)]
        return np.mean(points, axis=0)

    assert np.abs(centre(View()) - 1.5).max() < 2.0
    assert np.abs(centre(View((elite,))) - centre(View())).max() > 0.5


def wells(x):
    """Five smooth bowls; the deepest, by a little, is at -3, and the widest, at 2, is nearest to the seed."""
    centres = np.array([[2.0, 2.0], [-3.0, -3.0], [3.5, -3.0], [-3.0, 3.5], [0.0, -1.0]])
    depths, widths = np.array([1.0, 1.05, 0.99, 0.98, 0.97]), np.array([2.0, 1.2, 1.2, 1.2, 1.0])
    return float(-np.sum(depths * np.exp(-np.sum((x - centres) ** 2, axis=1) / (2 * widths**2))))


def test_on_smooth_ground_small_runs_visit_many_bowls(box, driver):
    """Within 400 evaluations eight agents have been to the bottoms of three bowls each, on average."""
    visited = 0
    for seed in range(8):
        agent = ModelCmaEs("a", box(2), seed)
        driver(agent, wells).run(400)
        visited += len(np.unique(np.round(agent._ends, 1), axis=0))
    assert visited >= 24


def test_a_settled_run_ends(box, driver):
    """On a parabola the first run is over soon after its minimum is known, far before its step size has shrunk."""
    agent = ModelCmaEs("a", box(3), 1)
    found = driver(agent, lambda x: np.sum((x - 0.5) ** 2) + 7.0, batch=1).run(80)
    late = np.asarray(found.points[-20:])
    assert found.best == 7.0
    assert np.abs(late - 0.5).max() > 1.0, "it looks elsewhere by now"
