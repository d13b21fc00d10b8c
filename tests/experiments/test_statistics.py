"""Medians, their intervals, and ratios over paired seeds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony.experiments.statistics import median_of, ratio_of

VALUES = st.lists(st.floats(1e-3, 1e3), min_size=3, max_size=30)


@given(VALUES)
def test_an_interval_holds_its_median_and_stays_in_the_data(values):
    """Low, median and high stand in that order between the least and the greatest value."""
    found = median_of(values)
    assert min(values) <= found.low <= found.median * (1 + 1e-9)
    assert found.median <= found.high * (1 + 1e-9) <= max(values) * (1 + 1e-9)


def test_it_covers_the_truth_about_as_often_as_it_says():
    """Over 200 samples of 20 normal numbers, the interval holds the true median about 19 times of 20."""
    import random

    stream = random.Random(7)
    samples = ([stream.gauss(10, 2) for _ in range(20)] for _ in range(200))
    held = sum(found.low <= 10 <= found.high for found in map(median_of, samples))
    assert 180 <= held <= 200


@given(VALUES, st.floats(0.1, 10))
def test_a_ratio_is_paired(values, factor):
    """Where every seed improves by the same factor, the ratio is that factor without any doubt."""
    found = ratio_of([factor * value for value in values], values)
    assert found.median == pytest.approx(factor)
    assert (found.low, found.high) == pytest.approx((factor, factor))


def test_trials_without_solution_count():
    """A time that is infinite moves the median, to infinity if they are the half."""
    assert median_of([1.0, 2.0, math.inf]).median == 2.0
    assert math.isinf(median_of([1.0, 2.0, math.inf, math.inf]).median)
    assert ratio_of([1.0, 1.0, 1.0], [math.inf] * 3).median == 0.0
    assert math.isnan(ratio_of([math.inf] * 3, [math.inf] * 3).median)


def test_the_same_data_give_the_same_interval():
    """So a page can be generated again, byte for byte."""
    assert median_of([3.0, 1.0, 4.0, 1.0, 5.0]) == median_of([3.0, 1.0, 4.0, 1.0, 5.0])


def test_pairs_are_needed():
    """Values of different numbers of seeds are a mistake."""
    with pytest.raises(ValueError, match="pairs"):
        ratio_of([1.0], [1.0, 2.0])
