"""The archive keeps the best of every niche, and forgets nothing it should keep."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony.memory.archive import BINS, Archive, archive_settings
from colony.memory.elite import Elite
from colony.problems.candidate import Candidate
from colony.problems.problem import Problem
from colony.problems.space import Float

PLANE = Problem(space={"x": Float(0.0, 1.0, shape=(2,))}, evaluate=lambda x: 0.0, maximise="value")


def archive(problem=PLANE):
    """An empty archive for a problem."""
    return Archive.from_record(archive_settings(problem), problem.metric.sign)


def elite(x, value, name="e", parents=()):
    """An elite at a point of the plane."""
    return Elite(name, Candidate.parameters({"x": list(x)}), value, "agent", "op", parents)


def test_a_worse_candidate_of_another_niche_is_kept():
    """The best does not crowd out a different idea: both are there, the best first."""
    kept = archive()
    assert kept.add(elite((0.1, 0.1), 10.0, "good"))
    assert kept.add(elite((0.9, 0.9), 1.0, "other"))
    assert [e.experiment for e in kept.elites()] == ["good", "other"]


def test_a_niche_holds_its_best_only():
    """A better neighbour replaces, a worse or equal one is turned away."""
    kept = archive()
    assert kept.add(elite((0.11, 0.11), 1.0, "first"))
    assert kept.add(elite((0.12, 0.12), 2.0, "better"))
    assert not kept.add(elite((0.115, 0.115), 2.0, "equal"))
    assert not kept.add(elite((0.12, 0.11), 0.5, "worse"))
    assert [e.experiment for e in kept.elites()] == ["better"]


def test_best_first_follows_the_direction_of_the_metric():
    """To minimise, the smallest value leads."""
    problem = Problem(space={"x": Float(0.0, 1.0, shape=(2,))}, evaluate=lambda x: 0.0, minimise="cost")
    kept = archive(problem)
    for i in range(5):
        kept.add(elite((i / 5, 0.0), float(i), str(i)))
    assert [e.value for e in kept.elites(3)] == [0.0, 1.0, 2.0]


def test_a_refuted_elite_leaves_its_niche():
    """Then the niche is free for the next, whatever its value."""
    kept = archive()
    kept.add(elite((0.1, 0.1), 99.0, "cheat"))
    kept.remove("cheat")
    assert kept.elites() == ()
    assert kept.add(elite((0.1, 0.1), 1.0, "honest"))


@pytest.mark.parametrize("dimension", [1, 2, 3, 10, 200])
def test_it_is_bounded_in_any_dimension(dimension):
    """However many candidates come, there are no more elites than cells; and points far apart are in several."""
    problem = Problem(space={"x": Float(0.0, 1.0, shape=(dimension,))}, evaluate=lambda x: 0.0, maximise="value")
    axes = min(dimension, 3)
    kept, rng = archive(problem), np.random.default_rng(1)
    for i in range(1500):
        kept.add(elite(rng.random(dimension).tolist(), float(rng.random()), str(i)))
    assert 20 < len(kept) <= BINS[axes] ** axes


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(-5, 5)), max_size=30), st.randoms())
def test_the_elites_do_not_depend_on_the_order_of_arrival(points, random):
    """Values apart, any order of adding gives the same values in the same niches, and the state is plain JSON."""
    elites = [elite((a, b), value, f"e{i:02}") for i, (a, b, value) in enumerate(points)]
    shuffled = random.sample(elites, len(elites))
    first, second = archive(), archive()
    for each in elites:
        first.add(each)
    for each in shuffled:
        second.add(each)
    assert [(cell, value) for cell, _, value in first.state()] == [(cell, value) for cell, _, value in second.state()]
    assert json.loads(json.dumps(first.state())) == first.state()


def test_lineages_go_back_to_their_first_experiment():
    """A chain of improvements belongs to the experiment it began with, even when that has left its niche."""
    kept = archive()
    kept.add(elite((0.1, 0.1), 1.0, "root"))
    kept.add(elite((0.1, 0.1), 2.0, "child", ("root",)))
    grandchild = elite((0.5, 0.5), 3.0, "grandchild", ("unknown", "child"))
    kept.add(grandchild)
    assert kept.lineage(grandchild) == "root"


def test_spacing_is_the_mean_distance_to_the_nearest_elite():
    """Two elites half a side apart are half a side apart; one alone has no distance."""
    kept = archive()
    kept.add(elite((0.25, 0.5), 1.0, "a"))
    assert kept.spacing() == 0.0
    kept.add(elite((0.75, 0.5), 1.0, "b"))
    assert kept.spacing() == pytest.approx(0.5, abs=0.07)


def test_programs_fall_into_niches_by_length_and_branches():
    """A program with more branches is another niche; a renamed comment of the same length is the same."""
    text = "# REGION-START\ndef f(x):\n    return x\n# REGION-END\n"
    settings = {"length": 30, "branches": 1}
    kept = Archive.from_record(settings, 1.0)
    branched = text.replace("return x", "return 1 if x else (2 if x > 3 and x < 9 else 4)")
    same = text.replace("x", "y")
    elites = [Elite(str(i), Candidate.program({"a.py": t}), 1.0, "a") for i, t in enumerate([text, branched, same])]
    assert [kept.add(each) for each in elites] == [True, True, False]
