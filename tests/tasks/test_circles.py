"""Circles: what is set aside is what closes one, taken in order; the rest has none."""

from __future__ import annotations

from clerks import Clerk, fold, whats
from hypothesis import given, settings
from hypothesis import strategies as st

from colony.tasks import circles
from colony.tasks.circles import closing, reaches, successors
from colony.tasks.state import records
from colony.tasks.task import Edge, Task

NAMES = "abcdef"
PAIRS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), unique=True, max_size=20)


def one_by_one(pairs):
    """The definition: keep each pair unless what is kept leads from its second task to its first."""
    kept, aside = [], []
    for first, second in pairs:
        closes = reaches(successors(kept), second, first)
        (aside if closes else kept).append((first, second))
    return aside


@given(PAIRS, st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_what_is_set_aside_is_what_closes_a_circle_when_taken_in_order(pairs, chance):
    """The fast way gives what the definition gives, whatever the order in which the pairs are known."""
    rank = {pair: index % 7 for index, pair in enumerate(pairs)}
    expected = one_by_one(sorted(pairs, key=lambda pair: (rank[pair], pair)))
    chance.shuffle(pairs)
    assert closing(pairs, rank.__getitem__) == expected


def test_a_graph_without_circles_is_passed_over_in_one_pass(monkeypatch):
    """Nothing is inserted one by one where nothing can be on a circle."""
    monkeypatch.setattr(circles, "_is_placed", None)
    assert closing([(str(i), str(i + j)) for i in range(50) for j in (1, 2, 5)], lambda _: 0) == []


def test_a_large_circle_of_two_shards_costs_little():
    """Ten thousand dependencies one way and the same the other way: the later ones are set aside."""
    forth = [(f"t{i:05}", f"t{i + 1:05}") for i in range(10_000)]
    back = [pair[::-1] for pair in forth]
    assert sorted(closing([*back, *forth], lambda pair: pair[0] > pair[1])) == sorted(back)


def test_shards_without_circles_whose_union_has_one_set_the_later_link_aside():
    """X before Y here, Y before X there: the earlier word counts, the other is reported, on every replica."""
    one, two = Clerk("hana"), Clerk("otto", 1_800_000_000_500)
    base = one.write(records.added(Task(id=name, title=name) for name in "xy"))
    here, there = one.write(records.linked([Edge("x", "y")])), two.write(records.linked([Edge("y", "x")]))
    for state in (fold(base, here, there), fold(there, here, base)):
        assert list(state.edges) == [Edge("x", "y")]
        assert state.aside == (Edge("y", "x"),)
        assert [(report.what, report.record) for report in state.reports] == [("cycle", there[0].id)]


def test_a_link_set_aside_comes_back_when_the_circle_is_gone():
    """Ending the dependency that was in the way lets the other count, without anybody saying it again."""
    clerk = Clerk("hana")
    base = clerk.write(records.added(Task(id=name, title=name) for name in "xy"))
    links = clerk.write(records.linked([Edge("x", "y")]), records.linked([Edge("y", "x")]))
    state = fold(base, links)
    changes = state.apply(clerk.write(records.unlinked({Edge("x", "y"): state.links(Edge("x", "y"))})))
    assert (changes.linked, changes.unlinked) == ((Edge("y", "x"),), (Edge("x", "y"),))
    assert state.aside == ()
    assert whats(state) == []


def test_a_deleted_task_closes_no_circle():
    """What was set aside because of a circle through a task counts when that task is deleted."""
    clerk = Clerk("hana")
    base = clerk.write(records.added(Task(id=name, title=name) for name in "xyz"))
    edges = [Edge("x", "y"), Edge("y", "z"), Edge("z", "x")]
    state = fold(base, *(clerk.write(records.linked([edge])) for edge in edges))
    assert state.aside == (Edge("z", "x"),)
    changes = state.apply(clerk.write(records.deleted(["y"])))
    assert (changes.linked, changes.unlinked) == ((Edge("z", "x"),), tuple(edges[:2]))
    assert list(state.edges) == [Edge("z", "x")]
    assert whats(state) == ["dangling", "dangling"]


def test_soft_dependencies_close_no_circle():
    """Advice may go in circles: it blocks nobody."""
    clerk = Clerk("hana")
    base = clerk.write(records.added(Task(id=name, title=name) for name in "xy"))
    state = fold(base, clerk.write(records.linked([Edge("x", "y", ";"), Edge("y", "x", ";")])))
    assert len(list(state.edges)) == 2
    assert whats(state) == []
