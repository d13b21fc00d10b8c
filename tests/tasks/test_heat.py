"""Heat: what is counted, the three bands, and the rows of the heat map."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matrices import edges, links, task, tasks

from colony.tasks.order.graph import TaskGraph
from colony.tasks.order.heat import Band, Heat, heat, heat_map, heat_value, pressure
from colony.tasks.task import State

numbers = st.integers(-1_000, 1_000) | st.floats(-1e6, 1e6)


def hot(value):
    """A row whose heat a human has set."""
    return Heat("a", blocked=0, agents=0, needed=0, override=value)


@pytest.mark.parametrize(
    ("value", "band"),
    [(-5, "low"), (0, "low"), (0.5, "medium"), (1, "medium"), (3, "medium"), (3.1, "high"), (4, "high")],
)
def test_the_bands_are_the_seeds(value, band):
    """High above 3, medium from 1 to 3, low at 0 and below; what lies between two whole numbers has a band too."""
    assert hot(value).band is Band(band)


@pytest.mark.parametrize("band", Band)
def test_every_band_says_what_it_means_and_what_to_do(band):
    """A band has a meaning and an action in words."""
    assert band.meaning
    assert band.action


def test_heat_counts_what_waits_who_has_it_and_what_it_needs():
    """B counts unfinished tasks that need it, by hard edges only; A who has it; D what it needs, missing or not."""
    some = [task(one) for one in "abcde"] + [task("x", state=State.AGENT_EXECUTING, agent="ada")]
    graph = TaskGraph([*some, task("y", state=State.DONE)], edges("x>a x>b x>c x;d x>y y>x e>x ghost>x x>nobody"))
    assert heat(graph.node("x")) == Heat("x", blocked=3, agents=1, needed=2, override=None)
    assert heat(graph.node("x")).computed == heat_value(graph.node("x")) == 2


@pytest.mark.parametrize("state", [State.HUMAN_ASSIGNED, State.HUMAN_WORKING, State.AGENT_ASSIGNED])
def test_somebody_has_a_task_by_its_state_or_by_name(state):
    """A is 1, and never more, while a human or an agent has the task."""
    assert heat(TaskGraph([task("a", state=state)]).node("a")).agents == 1
    assert heat(TaskGraph([task("a", state=state, agent="ada")]).node("a")).agents == 1
    assert heat(TaskGraph([task("a")]).node("a")).agents == 0


@given(numbers, numbers)
def test_pressure_grows_with_heat_within_its_bounds(a, b):
    """Pressure is 0 up to heat 0, grows from there, and stays below 1: half of it on the border of the hottest band."""
    low, high = sorted((a, b))
    assert 0 <= pressure(low) <= pressure(high) < 1
    assert (pressure(low) > 0) == (hot(low).band is not Band.LOW)
    assert (pressure(low) > 0.5) == (hot(low).band is Band.HIGH)


@given(st.lists(tasks, max_size=8, unique_by=lambda one: one.id), st.lists(links, max_size=14))
def test_the_map_has_every_unfinished_task_hottest_first(some, joined):
    """The heat map lists each unfinished task once, sorted by heat, the older first where heat is equal."""
    rows = heat_map(TaskGraph(some, joined))
    assert sorted(row.task for row in rows) == sorted(one.id for one in some if one.state is not State.DONE)
    created = {one.id: one.created for one in some}
    order = [(-row.value, created[row.task], row.task) for row in rows]
    assert order == sorted(order)


def test_a_humans_word_replaces_the_computed_heat():
    """An override decides the value and the band; what is computed still stands beside it."""
    row = heat(TaskGraph([task("a", heat=7.5), task("b")], edges("a>b")).node("a"))
    assert (row.value, row.computed, row.band) == (7.5, 1, Band.HIGH)
