"""Scopes: what covers what, and which claims collide."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matrices import NOW, task

from colony.primitives.errors import UsageError
from colony.tasks.order.scopes import EVERYTHING, collisions, covers, normalised, overlaps
from colony.tasks.task import State

paths = st.lists(st.sampled_from(["lib", "library", "x", "*", "."]), min_size=1, max_size=4).map("/".join)


@pytest.mark.parametrize(
    ("a", "b", "meet"),
    [
        ("lib/x.py", "lib/x.py", True),
        ("lib/x.py", "lib/y.py", False),
        ("lib", "lib/x.py", True),
        ("lib/", "lib/deep/er/x.py", True),
        ("lib/*", "lib/x", True),
        ("lib", "library", False),
        ("lib", "lib2", False),
        ("src/lib", "lib", False),
        (".", "lib", True),
        ("*", "lib", True),
        ("**", ".", True),
        ("./lib//x/", "lib/x", True),
    ],
)
def test_overlap_is_by_folders(a, b, meet):
    """A path meets itself and what lies below it, whichever is named first; a common beginning of letters is none."""
    assert overlaps([a], [b]) is meet
    assert overlaps([b], [a]) is meet
    assert overlaps(["elsewhere", a], [b, "nowhere"]) is meet


def test_an_empty_scope_meets_nothing_and_forbids_nothing():
    """A task that names no paths collides with none, not even with one that names all; it may touch any."""
    assert not overlaps([], ["lib"])
    assert not overlaps(["."], [])
    assert covers([], "anything/at.all")


def test_a_scope_covers_what_lies_in_it():
    """A change is covered if one of the paths is it, or a folder above it."""
    assert covers(["docs", "lib/x"], "lib/x/y.py")
    assert not covers(["docs", "lib/x"], "lib/xy.py")


@pytest.mark.parametrize("path", ["", "/etc", "..", "lib/../../x", "a/.."])
def test_what_leads_out_is_refused(path):
    """A path that is empty, absolute or leads upwards is no scope, wherever it stands."""
    with pytest.raises(UsageError, match="relative to the repository"):
        overlaps(["lib"], [path])


@given(paths)
def test_normalising_once_is_enough(path):
    """A normalised path stays as it is, and covers just what the path covers."""
    once = normalised(path)
    assert once == EVERYTHING or normalised(once) == once


@given(paths, paths, paths)
def test_what_lies_within_meets_whatever_it_meets(a, b, c):
    """If a scope covers a path, it meets every scope that the path meets."""
    if covers([a], b) and overlaps([b], [c]):
        assert overlaps([a], [c])


def test_a_claim_collides_with_what_somebody_has():
    """Only a task that somebody else has now collides: not one that waits, is done, or whose lease has ended."""
    running = {"state": State.AGENT_EXECUTING, "agent": "ada", "scope": ("lib",)}
    others = [
        task("has", **running, lease_expires=NOW + 1),
        task("ended", **running, lease_expires=NOW),
        task("elsewhere", **running | {"scope": ("docs",)}),
        task("human", state=State.HUMAN_WORKING, scope=(".",)),
        task("pending", scope=("lib",)),
        task("done", state=State.DONE, scope=("lib",)),
        task("unscoped", **running | {"scope": ()}),
        task("mine", **running),
    ]
    assert [other.id for other in collisions(task("mine", scope=("lib/x",)), others, NOW)] == ["has", "human"]
    assert [other.id for other in collisions(task("new", scope=("lib/x",), agent="ada"), others, NOW)] == ["human"]
