"""The ready problem bin-packing: its instances, its scorer, and that only true packings score."""

import importlib.util
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colony.problems.loaders import find_folder, load_folder
from colony.problems.program_hosting import run_program

FOLDER = find_folder("bin-packing")


def module(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


EVALUATE = module("evaluate")
INITIAL = module("initial")


def test_instances_are_the_same_on_every_machine():
    """A seed names a sequence for ever: the score depends on it."""
    assert EVALUATE.items(0, 8) == [55, 51, 37, 30, 40, 36, 52, 32]


def test_sizes_follow_the_weibull_distribution():
    """Scale 45 and shape 3 have mean 45 * gamma(4/3) = 40.2 and a deviation of 14.6."""
    sizes = EVALUATE.items(7, 20_000)
    mean = sum(sizes) / len(sizes)
    deviation = math.sqrt(sum((size - mean) ** 2 for size in sizes) / len(sizes))
    assert mean == pytest.approx(45 * math.gamma(4 / 3), abs=0.3)
    assert deviation == pytest.approx(14.6, abs=0.3)


def test_the_seed_is_best_fit():
    """Best fit needs about four percent more than the bound; the figures stand in the documentation."""
    cases = EVALUATE.cases()
    outputs = run_program({"files": load_folder(FOLDER).program.files, "entry": "pack", "cases": cases})["outputs"]
    assert EVALUATE.score(outputs, cases)["value"] == pytest.approx(4.405940594)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=40))
@settings(max_examples=50)
def test_the_frozen_loop_packs_like_best_fit_done_bin_by_bin(sizes):
    """Asking once for each room is the same as asking once for each bin."""
    loads = []
    for size in sizes:
        fitting = [load for load in loads if load + size <= 20]
        if fitting:
            loads[loads.index(max(fitting))] += size
        else:
            loads.append(size)
    assert max(INITIAL.pack(sizes, 20)) + 1 == len(loads)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=40), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_whatever_the_priority_says_the_loop_makes_a_packing(sizes, random):
    """No heuristic can break a rule through the frozen loop."""
    original = INITIAL.priority
    INITIAL.priority = lambda item, room, capacity: random.choice([0.0, 1.0, math.nan, -math.inf])
    try:
        chosen = INITIAL.pack(sizes, 20)
    finally:
        INITIAL.priority = original
    assert EVALUATE.bins_of(chosen, sizes, 20) == max(chosen) + 1


@pytest.mark.parametrize(
    ("chosen", "complaint"),
    [
        (None, "one bin for each item"),
        ([0, 1], "one bin for each item"),
        ([0, 0, 0], "holds more than"),
        ([0, 2, 1], "neither open nor the next"),
        ([0, -1, 0], "neither open nor the next"),
        ([0, True, 0], "neither open nor the next"),
        ([0, 1.0, 0], "neither open nor the next"),
    ],
)
def test_what_is_no_packing_has_no_score(chosen, complaint):
    """Every item in a bin, bins opened in order, none too full."""
    with pytest.raises(ValueError, match=complaint):
        EVALUATE.score([chosen], [[[60, 50, 30], 100]])


def test_too_few_packings_have_no_score():
    """A candidate cannot leave a hard sequence out."""
    with pytest.raises(ValueError, match="zip"):
        EVALUATE.score([], EVALUATE.cases())
