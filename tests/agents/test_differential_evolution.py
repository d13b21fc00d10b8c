"""Differential evolution, one trial at a time."""

import numpy as np

from colony.agents.differential_evolution import DifferentialEvolution
from colony.agents.proposer import View


def test_it_solves_a_bowl(box, driver):
    """1e-6 in four dimensions within 3000 evaluations."""
    assert driver(DifferentialEvolution("a", box(4), 1), lambda x: np.sum(x**2)).run(3000, 1e-6).best <= 1e-6


def test_the_first_points_are_the_seed_and_a_spread_population(box):
    """The seed leads; the others lie in different twelfths of every axis."""
    points = [p.candidate.content["x"] for p in DifferentialEvolution("a", box(3), 1).ask(View(), 12)]
    assert points[0] == [1.5] * 3
    for axis in range(3):
        twelfths = [int((p[axis] + 5) / 10 * 12) for p in points[1:]]
        assert len(set(twelfths)) == 11


def test_trials_do_not_wait_for_a_generation(box, driver):
    """Once the population is known, more can be asked for while results are out."""
    agent = DifferentialEvolution("a", box(3), 1)
    drive = driver(agent, lambda x: np.sum(x**2))
    agent.tell([drive.outcome(p) for p in agent.ask(View(), 12)])
    assert len(agent.ask(View(), 5)) == 5
    assert len(agent.ask(View(), 5)) == 5


def test_a_collapsed_population_is_replaced(box, driver):
    """After it has converged it explores afresh: late points are spread over the box again."""
    found = driver(DifferentialEvolution("a", box(1), 1), lambda x: np.sum(x**2)).run(3000)
    late = np.asarray(found.points[1500:])
    assert (np.abs(late) > 2.5).sum() > 20
