"""CMA-ES asked point by point, its restarts, and the model that saves evaluations."""

import numpy as np

from colony.agents.cma_es import Bipop, CmaEs, ModelCmaEs
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
    """An agent that sees a nearly perfect elite of another gets there much sooner than one that does not."""
    problem = box(6, 4.0)
    elite = Elite("e0", Candidate.parameters({"x": [1.001] * 6}), valley(np.full(6, 1.001)), "other")
    follower = driver(ModelCmaEs("a", problem, 3), valley).run(20)
    follower.view = View((elite,))
    follower.run(3000, 1e-6)
    alone = driver(ModelCmaEs("a", problem, 3), valley).run(3000, 1e-6)
    assert follower.evaluations < alone.evaluations


def test_whoever_joins_later_begins_elsewhere(box):
    """The first run of the first agent is around the seed; with elites in view it is around another point."""
    elite = Elite("e0", Candidate.parameters({"x": [0.0] * 3}), 1.0, "other")

    def centre(view):
        points = [p.candidate.content["x"] for p in CmaEs("a", box(3), 4).ask(view, 100)]
        return np.mean(points, axis=0)

    assert np.abs(centre(View()) - 1.5).max() < 2.0
    assert np.abs(centre(View((elite,))) - centre(View())).max() > 0.5
