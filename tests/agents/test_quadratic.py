"""The quadratic model: exact on what it can represent, honest about order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from colony.agents.quadratic import FULL_DIMENSION_MAX, Frame, Quadratic, agreement, largest_model

SEEDS = st.integers(0, 10_000)


def plain(dimension):
    """A frame that changes nothing."""
    return Frame(np.zeros(dimension), np.eye(dimension), np.eye(dimension))


@settings(max_examples=40)
@given(SEEDS, st.integers(1, 6))
def test_a_quadratic_is_recovered_with_its_minimum(seed, dimension):
    """From enough points of a convex quadratic, predictions and minimum are those of the function, in any frame."""
    rng = np.random.default_rng(seed)
    root, forward = (np.eye(dimension) + 0.3 * rng.uniform(-1, 1, (dimension, dimension)) / dimension for _ in range(2))
    centre = rng.random(dimension)

    def cost(points):
        return np.sum(((points - centre) @ root) ** 2, axis=1) + 3.0

    points = rng.random((3 * largest_model(dimension) + 4, dimension))
    model = Quadratic(points, cost(points), Frame(rng.random(dimension), forward, np.linalg.inv(forward)))
    others = rng.random((20, dimension))
    assert model.predict(others) == pytest.approx(cost(others), rel=1e-4, abs=1e-4)
    assert model.minimum() == pytest.approx(centre, abs=1e-3)


def test_few_points_make_a_linear_model_without_minimum():
    """With four points in three dimensions only a slope is fitted."""
    points = np.vstack([np.zeros(3), np.eye(3)])
    model = Quadratic(points, points @ np.array([1.0, 2.0, 3.0]), plain(3))
    assert model.minimum() is None
    assert np.argsort(model.predict(points)).tolist() == [0, 1, 2, 3]


def test_the_model_stops_growing_in_high_dimensions():
    """Beyond the limit products are left out, so that a fit stays affordable."""
    assert largest_model(FULL_DIMENSION_MAX + 1) == 2 * FULL_DIMENSION_MAX + 3


def test_equal_costs_are_no_trouble():
    """A plateau gives finite predictions."""
    points = np.random.default_rng(1).random((30, 2))
    assert np.isfinite(Quadratic(points, np.ones(30), plain(2)).predict(points)).all()


@given(SEEDS, st.integers(2, 30))
def test_agreement_is_kendalls_correlation(seed, count):
    """Without ties it equals SciPy's."""
    rng = np.random.default_rng(seed)
    first, second = rng.random(count), rng.random(count)
    assert agreement(first, second) == pytest.approx(kendalltau(first, second).statistic)
