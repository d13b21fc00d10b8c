"""Bodies of records: one bad item does not spoil the others, and nothing that cannot be read passes unreported."""

from __future__ import annotations

import pytest
from clerks import Clerk, fold, whats
from hypothesis import given, settings
from hypothesis import strategies as st

from colony.journal.events import KINDS
from colony.primitives.limits import TASK_BATCH_BYTES_MAX
from colony.tasks.state import records
from colony.tasks.task import State, Task

GOOD = {"id": "good", "title": "good"}


def state_of(kind, body):
    clerk = Clerk("hana")
    return fold(clerk.write(records.added([Task(id="base", title="base")]), (kind, body)))


@pytest.mark.parametrize(
    ("item", "what"),
    [
        ({"title": "no id"}, "unreadable"),
        ({"id": "no id", "title": "spaced"}, "unreadable"),
        ({"id": "../up", "title": "path"}, "unreadable"),
        ({"id": "x.lock", "title": "ref"}, "unreadable"),
        ({"id": "x", "title": "x", "created": "today"}, "unreadable"),
        ("x", "unreadable"),
        ({"id": "x", "title": "x", "priority": 6}, "unknown-field"),
        ({"id": "x", "title": "x", "mood": "fine"}, "unknown-field"),
        ({"id": "x", "title": "x", "epoch": 99}, "unknown-field"),
        ({"id": "x", "title": "x", "state": "Q"}, "unknown-field"),
    ],
)
def test_a_bad_addition_is_reported_and_the_good_one_beside_it_counts(item, what):
    """Bad ids take the item away; bad fields only themselves; an unknown state pauses the task."""
    state = state_of("task.added/1", {"tasks": [item, GOOD]})
    assert "good" in state.tasks
    assert whats(state) == [what]
    if what == "unknown-field":
        expected = State.PAUSED if item.get("state") == "Q" else State.PENDING
        assert (state.tasks["x"].state, state.tasks["x"].priority, state.tasks["x"].epoch) == (expected, 3, 0)


@pytest.mark.parametrize(
    ("kind", "body", "what"),
    [
        ("task.set/1", {"settings": [{"task": "base", "fields": {"title": "new", "priority": 0}}]}, "unknown-field"),
        ("task.set/1", {"settings": [{"task": "base", "fields": {"title": "new", "fence": 9}}]}, "unknown-field"),
        ("task.moved/1", {"moves": [{"task": "base", "move": "fly", "epoch": 0, "fence": 0}]}, "unreadable"),
        (
            "task.moved/1",
            {"moves": [{"task": "base", "move": "claim", "epoch": 0, "fence": 0, "state": "%"}]},
            "unreadable",
        ),
        (
            "task.moved/1",
            {"moves": [{"task": "base", "move": "done", "epoch": 0, "fence": 0, "state": "+"}]},
            "unreadable",
        ),
        ("task.held/1", {"holds": [{"task": "base", "held": "yes"}]}, "unreadable"),
        ("task.held/1", {"holds": [{"task": "base", "held": False, "mood": 1}]}, "unknown-field"),
        ("task.deleted/1", {"deletions": ["base"]}, "unreadable"),
        ("task.linked/1", {"edges": [["a", "b", ">"]]}, "unreadable"),
        ("task.unlinked/1", {"edges": [["a", "b", "^"]]}, "unreadable"),
        ("task.linked/1", {"edges": "a^b"}, "unreadable"),
    ],
)
def test_what_makes_no_sense_has_no_effect_and_is_reported(kind, body, what):
    """The task stays as it was, but for the good part of a setting."""
    state = state_of(kind, body)
    assert whats(state) == [what]
    assert state.tasks["base"].title == ("new" if kind == "task.set/1" else "base")
    assert (state.tasks["base"].state, state.tasks["base"].fence) == (State.PENDING, 0)


def test_the_seeds_state_for_a_hold_is_a_hold():
    """A task added as `#` is pending and held."""
    state = state_of("task.added/1", {"tasks": [GOOD | {"state": "#"}]})
    assert (state.tasks["good"].state, state.tasks["good"].held) == (State.PENDING, True)
    assert len(state.holds("good")) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab+-%^", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("id", "title", "task", "move", "fields", "epoch", "fence", "state")), inner)
    ),
    max_leaves=8,
)


@given(
    st.sampled_from([kind for kind in KINDS if kind.startswith("task.")]),
    st.sampled_from(("tasks", "settings", "moves", "holds", "edges", "deletions")),
    JSON,
)
@settings(max_examples=150, deadline=None)
def test_no_body_breaks_the_fold(kind, field, value):
    """Whatever a signed body holds, there is a state, with bytes and reports."""
    state = state_of(kind, {field: value})
    assert state.root
    assert all(str(report) for report in state.reports)


def test_a_large_import_is_a_handful_of_records():
    """Items share records up to the limit of a batch, and come back in full."""
    drafts = records.added(Task(id=f"t{i}", title="x" * 400) for i in range(25_000))
    assert len(drafts) == 3
    assert sum(len(body["tasks"]) for _, body in drafts) == 25_000
    assert max(len(str(body)) for _, body in drafts) < 1.2 * TASK_BATCH_BYTES_MAX
