"""Coordinate search: solves separable problems however rugged, and knows when a problem is not."""

import numpy as np

from colony.agents.coordinate import CoordinateSearch, Line
from colony.agents.proposer import Outcome, View
from colony.problems.problem import Problem
from colony.problems.space import Choice, Integer

TURN = np.linalg.qr(np.random.default_rng(3).normal(size=(5, 5)))[0]


def rugged(x):
    """Rastrigin's function off centre: eleven valleys along each axis."""
    y = x - 0.321
    return float(np.sum(y**2 - 10 * np.cos(2 * np.pi * y) + 10))


def test_a_rugged_separable_problem_is_solved(box, driver):
    """Within 150 evaluations a coordinate, where its 11^5 valleys trap descents."""
    found = driver(CoordinateSearch("a", box(5), 1), rugged).run(750, 1e-8)
    assert found.best <= 1e-8


def test_it_retires_where_coordinates_depend_on_each_other(box, driver):
    """On the same function turned, it stops proposing after about eight points a coordinate."""
    found = driver(CoordinateSearch("a", box(5), 1), lambda x: rugged(TURN @ x)).run(750)
    assert found.evaluations < 60


def test_integers_and_choices_are_searched_one_at_a_time():
    """A countable separable problem is solved with a few evaluations a value, and never retired from."""
    space = {"n": Integer(0, 30, shape=(4,)), "c": Choice(("a", "b", "c"))}
    problem = Problem(space=space, evaluate=lambda n, c: 0.0, minimise="cost")

    def cost(content):
        return sum((n - 17) ** 2 for n in content["n"]) + (content["c"] != "b")

    agent, best, evaluations = CoordinateSearch("a", problem, 1), np.inf, 0
    while best > 0 and evaluations < 200:
        proposals = agent.ask(View(), 4)
        evaluations += len(proposals)
        outcomes = [Outcome("e", p, "ok", float(cost(p.candidate.content)), p.candidate) for p in proposals]
        best = min([best, *(o.value for o in outcomes)])
        agent.tell(outcomes)
    assert best == 0


def test_it_waits_for_its_one_point(box):
    """One point is out at a time, for each depends on the last."""
    agent = CoordinateSearch("a", box(2), 1)
    assert len(agent.ask(View(), 10)) == 1
    assert agent.ask(View(), 10) == []


def test_when_all_lines_end_it_starts_again(driver):
    """On a problem of one variable it exhausts the line and begins at another point, rather than falling silent."""
    problem = Problem(space={"x": Integer(0, 200)}, evaluate=lambda x: 0.0, minimise="cost")
    found = driver(CoordinateSearch("a", problem, 1), lambda x: float((x - 50) ** 2)).run(120)
    assert found.best == 0


def test_a_line_finds_the_deepest_of_many_valleys():
    """Sixty points along one rugged line reach its global minimum to six digits."""

    def cost(x):
        y = 10 * x - 5.321
        return y**2 - 10 * np.cos(2 * np.pi * y) + 10

    line, best, place = Line(0.5, 1e-9), cost(0.5), 0.5
    for _ in range(60):
        x = line.next()
        line.add(x, cost(x) - best)
        if cost(x) < best:
            best, place = cost(x), x
    assert abs(place - 0.5321) < 1e-6
