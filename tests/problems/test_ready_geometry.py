"""The ready parameter problems: what they score, what they forbid, and that their records and repairs are honest."""

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colony.problems.geometry import exact_circle_violations, shrunk_radii, squared_distances
from colony.problems.hosting import open_parameters
from colony.problems.loaders import find_folder, load_folder

CIRCLES = ["circles-26", "circles-32", "circles-rectangle-21"]
GEOMETRIC = [*CIRCLES, "distance-ratio-14-3d", "distance-ratio-16-2d", "heilbronn-triangle-11"]
NAMES = [*GEOMETRIC, "tour", "wave-3d"]
BERLIN52 = (
    "1 49 32 45 19 41 8 9 10 43 33 51 11 52 14 13 47 26 27 28 12 25 4 6 15 5 24 48 38 37 40 39 36 35 34 44 46 16 29 50"
    " 20 23 30 2 7 42 21 17 3 18 31 22"
)


def host_of(name):
    folder = find_folder(name)
    problem = load_folder(folder)
    argument = {
        "space": problem.space.as_record(),
        "metric": problem.metric.as_record(),
        "tolerances": problem.tolerances,
        "folder": str(folder),
    }
    return problem, open_parameters(argument)


def random_values(problem, seed):
    return problem.space.decode(np.random.default_rng(seed).random(problem.space.dimension))


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_is_feasible_and_below_the_record(name):
    """Every ready problem starts from a candidate that counts, and that leaves something to do."""
    problem, host = host_of(name)
    values = dict(problem.seed.content)
    judged = problem.rules.judge(host({"op": "evaluate", "values": values}))
    assert judged.status == "ok"
    assert problem.metric.better(problem.record.value, judged.value, by=1e-6)
    if "exact" in host({"op": "has"}):
        assert all(Fraction(amount) <= 0 for amount in host({"op": "exact", "values": values}).values())


@pytest.mark.parametrize("name", [*CIRCLES, "heilbronn-triangle-11"])
@pytest.mark.parametrize("seed", range(5))
def test_repair_makes_anything_exactly_feasible(name, seed):
    """A random candidate, overlapping and sticking out, holds every constraint without tolerance once repaired."""
    problem, host = host_of(name)
    mended = host({"op": "repair", "values": random_values(problem, seed)})
    assert problem.rules.judge(host({"op": "evaluate", "values": mended})).status == "ok"
    assert all(Fraction(amount) <= 0 for amount in host({"op": "exact", "values": mended}).values())


@pytest.mark.parametrize("name", GEOMETRIC)
def test_derivatives_agree_with_differences(name):
    """The formulation's slopes are those of its constraints and objective."""
    problem, host = host_of(name)
    made = host.functions.call("formulation", random_values(problem, 3))
    z, step = made.start + 0.01, 1e-6
    axes = step * np.eye(len(z))
    differences = np.stack([(made.constraints(z + a) - made.constraints(z - a)) / (2 * step) for a in axes], axis=1)
    np.testing.assert_allclose(made.jacobian(z), differences, atol=1e-6)
    slopes = [(made.objective(z + a)[0] - made.objective(z - a)[0]) / (2 * step) for a in axes]
    np.testing.assert_allclose(made.objective(z)[1], slopes, atol=1e-6)


@pytest.mark.parametrize("name", GEOMETRIC)
def test_the_formulation_says_what_the_metric_says(name):
    """At its own start a feasible formulation has the metric's cost, and gives back a candidate of that value."""
    problem, host = host_of(name)
    values = random_values(problem, 4)
    if "repair" in host({"op": "has"}):
        values = host({"op": "repair", "values": values})
    made = host.functions.call("formulation", values)
    value = host.functions.call("evaluate", {k: np.asarray(v).tolist() for k, v in made.candidate(made.start).items()})
    cost = made.objective(made.start)[0]
    expected = cost**2 if "ratio" in name else problem.metric.sign * cost
    assert value == pytest.approx(expected, rel=1e-9)
    assert made.constraints(made.start).min() >= -1e-12


@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.floats(1e-6, 2.0))
@settings(max_examples=60, deadline=None)
def test_shrunk_radii_fit_and_never_grow(seed, count, size):
    """Whatever the circles, the shrunk ones fit exactly, are no larger, and are shrunk no further a second time."""
    rng = np.random.default_rng(seed)
    centres, radii = rng.random((count, 2)), size * rng.random(count)
    shrunk = shrunk_radii(centres, radii)
    assert max(exact_circle_violations(centres, shrunk).values()) <= 0
    assert (shrunk <= radii).all()
    assert (shrunk_radii(centres, shrunk) == shrunk).all()


def test_repair_gives_away_nearly_nothing():
    """Two circles that overlap by rounding alone lose units in the last place, not more."""
    centres, radii = np.array([[0.25, 0.5], [0.75, 0.5]]), np.array([0.25, np.nextafter(0.25, 1.0)])
    assert exact_circle_violations(centres, radii)["overlap"] > 0
    assert shrunk_radii(centres, radii).sum() == pytest.approx(0.5, abs=1e-15)


def test_an_overlap_below_the_rounding_of_floats_is_found():
    """An overlap too small for float arithmetic to see is a violation all the same."""
    centres, radii = np.array([[0.5, 0.5], [0.5, 0.5 + 2.0**-40]]), np.array([2.0**-41, 2.0**-41 + 2.0**-93])
    assert radii.sum() - math.dist(*centres) <= 0
    assert exact_circle_violations(centres, radii)["overlap"] > 0


def test_a_circle_beyond_the_moving_wall_is_outside():
    """The rectangle of perimeter 4 narrows as it widens: what fits at width 1 sticks out at width 1.5."""
    problem, host = host_of("circles-rectangle-21")
    wider = {**problem.initial, "width": 1.5}
    assert problem.rules.judge(host({"op": "evaluate", "values": wider})).violations["outside"] > 0
    assert Fraction(host({"op": "exact", "values": wider})["outside"]) > 0


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 0.9))
@settings(max_examples=20, deadline=None)
def test_the_distance_ratio_has_no_scale(seed, scale):
    """Points drawn smaller have the same ratio."""
    _, host = host_of("distance-ratio-16-2d")
    points = np.random.default_rng(seed).random((16, 2))
    values = [host({"op": "evaluate", "values": {"points": p.tolist()}}) for p in (points, scale * points)]
    assert values[0] == pytest.approx(values[1], rel=1e-9)
    assert values[0] == pytest.approx(squared_distances(points).max() / squared_distances(points).min())


def test_coinciding_points_have_no_score():
    """Two equal points would divide by zero; the judgement refuses the answer."""
    problem, host = host_of("distance-ratio-16-2d")
    answer = host({"op": "evaluate", "values": problem.space.midpoint()})
    assert problem.rules.judge(answer).status == "failed"


def test_heilbronn_counts_shares_of_the_container():
    """The value is the smallest area of three points over the container's area of one half."""
    problem, host = host_of("heilbronn-triangle-11")
    points = problem.initial["points"]
    areas = [
        abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2 for a, b, c in combinations(points, 3)
    ]
    assert host({"op": "evaluate", "values": problem.initial})["value"] == pytest.approx(min(areas) / 0.5)


def test_the_known_best_tour_has_the_known_length():
    """The published optimal tour of berlin52 measures 7542 with our coordinates and rounding."""
    _, host = host_of("tour")
    assert host({"op": "evaluate", "values": {"order": [int(n) - 1 for n in BERLIN52.split()]}}) == 7542.0


def test_the_wave_has_its_record_where_it_should():
    """The height at the known maximiser is the record, and flat."""
    problem, host = host_of("wave-3d")
    top = {"x": 4.709907148497265, "y": 3.141463096257079, "z": 1.5702740479799776}
    assert host({"op": "evaluate", "values": top}) == pytest.approx(problem.record.value, abs=1e-15)
    assert all(abs(slope) < 1e-9 for slope in host({"op": "gradient", "values": top}).values())


@pytest.mark.parametrize("name", [*GEOMETRIC, "tour"])
def test_pictures_are_drawable(name):
    """A picture is a box and shapes of known kinds, all JSON-able numbers."""
    problem, host = host_of(name)
    picture = host({"op": "picture", "values": dict(problem.seed.content)})
    assert len(picture["box"]) == 4
    assert {kind for shape in picture["shapes"] for kind in shape} <= {"circle", "point", "polyline", "polygon"}
    numbers = [x for shape in picture["shapes"] for part in shape.values() for x in np.ravel(part).tolist()]
    assert all(isinstance(x, float) for x in numbers)
