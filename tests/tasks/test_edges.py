"""Dependencies as an add-remove set."""

from __future__ import annotations

import random

from clerks import Clerk, fold
from hypothesis import given, settings
from hypothesis import strategies as st

from colony.tasks.state import edges, records
from colony.tasks.state.edges import EdgeSet
from colony.tasks.state.records import Stamp, Unlink
from colony.tasks.task import Edge, Task

EDGE = Edge("a", "b")
NAMES = "abcde"


def base(clerk):
    return clerk.write(records.added(Task(id=name, title=name) for name in "abc"))


def test_a_removed_dependency_is_not_brought_back_by_a_shard_that_still_has_it():
    """The record that made it was named by the one that ended it; hearing it again changes nothing."""
    one = Clerk("hana")
    start = base(one)
    made = one.write(records.linked([EDGE]))
    ended = one.write(records.unlinked({EDGE: [made[0].id]}))
    for state in (fold(start, made, ended), fold(ended, start, made)):
        assert list(state.edges) == []


def test_a_dependency_made_again_or_at_the_same_time_stands():
    """Somebody who linked without knowing of the end, or after it, is heard."""
    one, two = Clerk("hana"), Clerk("otto")
    start = base(one)
    made, other = one.write(records.linked([EDGE])), two.write(records.linked([EDGE]))
    seen = fold(start, made)
    ended = one.write(records.unlinked({EDGE: seen.links(EDGE)}))
    assert list(fold(start, made, ended, other).edges) == [EDGE]
    again = one.write(records.linked([EDGE]))
    assert list(fold(start, made, ended, again).edges) == [EDGE]


def test_of_must_and_had_better_for_one_pair_must_counts():
    """Both are kept; when the stricter one ends, the softer one counts."""
    clerk = Clerk("hana")
    start = base(clerk)
    both = clerk.write(records.linked([Edge("a", "b", ";"), EDGE]))
    state = fold(start, both)
    assert list(state.edges) == [EDGE]
    state.apply(clerk.write(records.unlinked({EDGE: state.links(EDGE)})))
    assert list(state.edges) == [Edge("a", "b", ";")]


@given(st.integers(0, 10**9), st.sampled_from((0, 64)))
@settings(max_examples=150, deadline=None)
def test_settling_now_and_then_gives_what_settling_once_gives(seed, searches_max):
    """Whether circles are searched for link by link or in one pass over all, the same dependencies count."""
    chance = random.Random(seed)
    whole, parts = EdgeSet(lambda _: True), EdgeSet(lambda _: True)
    said = []
    shown = set()
    saved, edges._SEARCHES_MAX = edges._SEARCHES_MAX, searches_max
    try:
        for number in range(25):
            stamp = Stamp(f"{chance.randrange(30):02}", "a", number, f"r{number}")
            if said and chance.random() < 0.35:
                link, record = chance.choice(said)
                for one in (whole, parts):
                    one.unlink([Unlink(*link, (record,))], stamp)
            else:
                link = (chance.choice(NAMES), chance.choice(NAMES), chance.choice("^^;"))
                said.append((link, stamp.id))
                for one in (whole, parts):
                    one.link([link], stamp)
            if chance.random() < 0.5:
                came, went = parts.settle()
                shown = (shown - set(went)) | set(came)
                assert shown == set(parts.shown.items())
    finally:
        edges._SEARCHES_MAX = saved
    whole.settle()
    parts.settle()
    assert (dict(whole.shown), dict(whole.aside)) == (dict(parts.shown), dict(parts.aside))
