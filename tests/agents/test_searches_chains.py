"""Chains: what they accept, how they travel, which moves disturb what; and that disturbing beats starting anew."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colony.agents.searches import hop, local, tour
from colony.agents.searches.chain import Chain
from colony.agents.searches.moves import Moves, items
from colony.agents.searches.smooth import End
from colony.problems.evaluation import Rules
from colony.problems.hosting import folder_functions
from colony.problems.loaders import find_folder, load_folder
from colony.problems.metric import Metric
from colony.problems.oracle import Functions, Oracle
from colony.problems.space import space_from

CIRCLES = {
    "width": (1.0, 2.0),
    "radii": {"low": 0.0, "high": 0.5, "shape": [9]},
    "at": {"low": 0.0, "high": 1.0, "shape": [9, 2]},
}


def ready(name, evaluations):
    folder = find_folder(name)
    problem = load_folder(folder)
    return Oracle(Functions(problem.space, folder_functions({"folder": str(folder)})), problem.rules, evaluations)


def test_items_are_found_by_shape():
    """Rows of arrays of equal length are items; the array with a second axis holds the places, whatever its order."""
    places, others = items(space_from(CIRCLES))
    assert places.tolist() == [[10 + 2 * i, 11 + 2 * i] for i in range(9)]
    assert others.tolist() == [[1 + i] for i in range(9)]


def test_a_space_without_items_is_only_shaken():
    """Plain numbers have no items to move."""
    assert list(Moves(space_from({"x": (0.0, 1.0), "y": (0.0, 1.0)})).named) == ["shake"]


@given(st.integers(0, 2**32 - 1), st.sampled_from(["shake", "relocate", "shake_some", "fill_hole", "swap"]))
@settings(max_examples=60, deadline=None)
def test_moves_stay_in_the_cube_and_leave_their_argument_alone(seed, name):
    """A move returns a new point of the unit cube and does change something."""
    rng = np.random.default_rng(seed)
    moves, unit = Moves(space_from(CIRCLES)), rng.random(28)
    before = unit.copy()
    moved = moves(name, unit, rng)
    assert (unit == before).all()
    assert ((moved >= 0) & (moved <= 1)).all()
    assert (moved != unit).any()


def test_swapped_items_exchange_places_only():
    """After a swap the same places are taken, by others."""
    rng = np.random.default_rng(4)
    moves, unit = Moves(space_from(CIRCLES)), rng.random(28)
    moved = moves("swap", unit, rng)
    assert Counter(map(tuple, moved[10:].reshape(9, 2))) == Counter(map(tuple, unit[10:].reshape(9, 2)))
    assert (moved[:10] == unit[:10]).all()


def test_holes_are_emptier_than_where_chance_puts_an_item():
    """Filling a hole leaves an item farther from its nearest neighbour, on average, than relocating it."""
    rng = np.random.default_rng(9)
    moves, unit = Moves(space_from(CIRCLES)), np.random.default_rng(1).random(28)

    def room(name):
        moved = moves(name, unit, rng)[10:].reshape(9, 2)
        (first, *_) = np.flatnonzero((moved != unit[10:].reshape(9, 2)).any(axis=1))
        return np.linalg.norm(np.delete(moved, first, 0) - moved[first], axis=1).min()

    rooms = {name: np.mean([room(name) for _ in range(40)]) for name in ("relocate", "fill_hole")}
    assert rooms["fill_hole"] > rooms["relocate"]


def test_a_chain_goes_down_and_seldom_up():
    """Better ends are taken, much worse ones are not, and the best cost is never forgotten."""
    rng = np.random.default_rng(0)
    chain = Chain()
    for cost in (5.0, 4.0, 9.0, 3.0, math.inf, 8.0):
        chain.hop(End({"x": cost}, cost), rng, "move")
    assert (chain.cost, chain.values, chain.best, chain.idle) == (3.0, {"x": 3.0}, 3.0, 2)
    assert chain.tallies == {"move": [6, 3]}


def test_a_chain_tolerates_a_little():
    """Among many slightly worse ends some are taken: without that a chain would be stuck in every small dent."""
    rng = np.random.default_rng(0)
    taken = 0
    for _ in range(200):
        chain = Chain({"x": 0}, cost=1.0, best=1.0, spread=1.0)
        chain.hop(End({"x": 1}, 1.03), rng)
        taken += chain.values == {"x": 1}
    assert 50 < taken < 150


def test_a_chain_survives_its_notes():
    """What a job tells is what the next needs to go on."""
    rng = np.random.default_rng(0)
    chain = Chain()
    for cost in (5.0, 4.0, 6.0):
        chain.hop(End({"x": cost}, cost), rng)
    notes = chain.notes()
    again = Chain.resumed(notes["values"], notes)
    assert (again.cost, again.best, again.idle, again.spread) == (chain.cost, chain.best, chain.idle, chain.spread)


@pytest.mark.parametrize("method", [hop.search, tour.search])
def test_a_search_repeats_itself(method):
    """The same seed and evaluations give the same trace and the same notes."""
    name = "tour" if method is tour.search else "distance-ratio-16-2d"
    runs = []
    for _ in range(2):
        oracle = ready(name, 300)
        notes = method(oracle, None, {}, np.random.default_rng(3))
        runs.append((oracle.trace, notes, oracle.evaluations))
    assert runs[0] == runs[1]
    assert runs[0][2] <= 300


def test_disturbing_beats_starting_anew():
    """In a funnel of many dents hops reach the bottom, which descents from random starts miss at equal evaluations."""
    space = space_from({"x": {"low": -10.0, "high": 10.0, "shape": [6]}})
    functions = {
        "evaluate": lambda x: float((x**2 / 20 + 1 - np.cos(3 * x)).sum()),
        "gradient": lambda x: {"x": x / 10 + 3 * np.sin(3 * x)},
    }
    reached = []
    for method in (hop.search, local.search):
        oracle = Oracle(Functions(space, functions), Rules(Metric("depth", "minimise")), 4000)
        method(oracle, None, {}, np.random.default_rng(1))
        reached.append(oracle.best.value)
    assert reached[0] < 1e-6
    assert reached[1] > 0.1


@given(st.integers(0, 2**32 - 1), st.integers(4, 30))
@settings(max_examples=40, deadline=None)
def test_neighbours_and_bridges_are_orders(seed, count):
    """Every move yields an order of the same elements, and never the same order."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(count).tolist()
    for other in tour.neighbours(order, order[0], rng):
        assert sorted(other) == sorted(order)
        assert other != order
    assert sorted(tour.double_bridge(order, rng)) == sorted(order)


def test_changed_names_both_ends_of_new_links():
    """Reversing a stretch makes two new links, so four elements have a new neighbour."""
    assert set(tour.changed([0, 1, 2, 3, 4, 5], [0, 3, 2, 1, 4, 5])) == {0, 3, 1, 4}


def test_a_tour_goes_on_across_jobs():
    """Jobs too small for one descent still get there: the open trial travels in the notes."""
    values, spec, best = None, {}, math.inf
    for seed in range(12):
        oracle = ready("tour", 700)
        spec = tour.search(oracle, values, spec, np.random.default_rng(seed))
        values, best = spec.get("values"), min(best, oracle.best.value)
    assert best < 12000
    assert "bridge" in spec["tallies"] or "trial" in spec
