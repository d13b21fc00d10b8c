"""The landscapes: their best, their mean, their regions."""

from random import Random

import pytest

from colony.experiments.optimisation.landscapes import NK, NK_BITS, TASKS, Circles, Rastrigin, Wave
from colony.problems.loaders import find_folder, load_folder


@pytest.mark.parametrize("task", TASKS)
def test_random_points_score_around_zero_quality(task):
    """`random` is the mean score of random points: a sample's mean lies within its own error of it."""
    land, random = TASKS[task](3), Random(5)
    scores = [land.score(land.sample(random.randrange(land.regions), random)) for _ in range(200)]
    mean = sum(scores) / len(scores)
    error = (sum((score - mean) ** 2 for score in scores) / len(scores)) ** 0.5 / len(scores) ** 0.5
    assert abs(mean - land.random) < 5 * error
    assert max(scores) <= land.best


def test_the_records_are_those_of_the_ready_problems():
    """The function's maximum and the circles' record are what the ready problems state."""
    for land, name in ((Wave(), "wave-3d"), (Circles(), "circles-26")):
        assert land.best == load_folder(find_folder(name)).record.value


def test_the_wave_reaches_its_best():
    """At the stated place the function has the stated value, and nearby it is lower."""
    wave, random = Wave(), Random(1)
    top = (4.70990716, 3.1414631, 1.57027404)
    assert wave.score(top) == pytest.approx(wave.best, abs=1e-12)
    assert all(wave.score(wave.vary(top, random)) <= wave.best for _ in range(200))


def test_rastrigin_is_best_at_its_own_optimum():
    """The optimum differs between seeds, is zero, and its neighbours are lower."""
    first, second = Rastrigin(1), Rastrigin(2)
    assert first._optimum != second._optimum
    assert first.score(first._optimum) == 0 == first.best
    assert first.score(second._optimum) < 0


def test_the_best_of_nk_is_exact():
    """On a ring small enough to try every string, the dynamic programme finds what trying finds."""
    small = NK(4, bits=10)
    tried = max(small.score(tuple(number >> place & 1 for place in range(10))) for number in range(1 << 10))
    assert small.best == pytest.approx(tried, abs=1e-12)
    assert NK(4).best > 0.7
    assert len(NK(4).sample(0, Random(1))) == NK_BITS


@pytest.mark.parametrize("task", TASKS)
def test_regions_hold_what_is_drawn_from_them(task):
    """Points of different regions differ in what makes the region; varying keeps a point in its domain."""
    land, random = TASKS[task](1), Random(2)
    length = len(land.sample(0, random))
    for region in range(0, land.regions, max(1, land.regions // 16)):
        point = land.sample(region, random)
        assert len(point) == length
        land.score(land.vary(point, random))


def test_the_regions_of_the_wave_are_unit_cubes():
    """As the seed has them: the whole parts of the coordinates."""
    wave, random = Wave(), Random(3)
    cubes = {tuple(int(x) for x in wave.sample(region, random)) for region in range(wave.regions)}
    assert len(cubes) == 125
