"""DIRECT, asked point by point."""

import numpy as np
import pytest
from scipy.optimize import direct

from colony.agents.direct import Direct
from colony.agents.proposer import View


def trap(x):
    """The sum of a wide shallow bowl and a narrow deep one, in two dimensions."""
    return float(0.1 * np.sum((x - 2) ** 2) - 3 * np.exp(-4 * np.sum((x + 2.7) ** 2)))


def test_the_first_points_are_the_middle_and_its_neighbours(box, driver):
    """The middle first; then the thirds of one side, then of the next."""
    found = driver(Direct("a", box(2), 1), trap).run(5)
    assert found.points[0].tolist() == [0.0, 0.0]
    assert sorted(map(tuple, np.round(np.abs(found.points[1:3]), 6))) == [(3.333333, 0.0)] * 2


def test_it_leaves_a_wide_valley_for_a_deep_one(box, driver):
    """The narrow deep bowl is found to 1e-4 within 800 evaluations, without any randomness."""
    found = driver(Direct("a", box(2), 1), trap).run(800)
    reference = direct(lambda x: trap(np.asarray(x)), [(-5, 5)] * 2, maxfun=800, vol_tol=0, locally_biased=False)
    assert found.best == pytest.approx(reference.fun, abs=1e-3)
    assert found.hashes == driver(Direct("b", box(2), 99), trap).run(800).hashes


def test_every_box_is_divided_in_the_end(box, driver):
    """No place is left out for ever: after many points the largest gap along an axis is small."""
    found = driver(Direct("a", box(1), 1), lambda x: float(x[0])).run(100)
    places = np.sort(np.ravel(found.points))
    assert np.diff(places).max() < 1.0


def test_it_waits_for_a_round(box):
    """The next round needs all results of the last."""
    agent = Direct("a", box(2), 1)
    assert len(agent.ask(View(), 9)) == 1
    assert agent.ask(View(), 9) == []
